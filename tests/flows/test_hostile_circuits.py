"""Whatever Verilog is measured: one clear line, within bounds, and nothing of it acts or reads elsewhere."""

import os
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.hostile_circuits import BOMB_LIMITS, CIRCUITS, GOOD, HEAD, VECTORS
from flows import measure
from flows.cli import run_command
from hdl import frontend, harmless, structural
from hdl.harmless import harmless_tokens
from hdl.tools import run_yosys
from printedmlp.errors import PrintedMLPError, ToolError
from printedmlp.technology import load_technology

BOMBS = [name for name, circuit in CIRCUITS.items() if circuit.bomb]
OTHERS = [name for name, circuit in CIRCUITS.items() if not circuit.bomb]


@pytest.fixture(autouse=True)
def bounded(monkeypatch):
    for module in (frontend, structural):
        monkeypatch.setattr(module, "READING", BOMB_LIMITS)


def refused(circuit, folder, capsys):
    (folder / "top.v").write_text(circuit.verilog)
    (folder / "v.csv").write_text(VECTORS)
    arguments = [str(folder / "top.v"), str(folder / "v.csv"), "--effort", "quick", "--no-simulation"]
    assert run_command(measure.main, arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error[:-1].isprintable()
    assert circuit.words in error
    assert sorted(entry.name for entry in folder.iterdir()) == ["top.v", "v.csv"]


@pytest.mark.parametrize("name", OTHERS)
def test_a_bad_circuit_is_one_line_and_leaves_nothing(name, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    refused(CIRCUITS[name], tmp_path, capsys)


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_circuit_that_asks_for_all_there_is_gets_its_share(name, tmp_path, capsys):
    start = time.monotonic()
    refused(CIRCUITS[name], tmp_path, capsys)
    assert time.monotonic() - start < 3 * BOMB_LIMITS.seconds


def test_the_good_circuit_of_the_corpus_is_good(tmp_path, capsys):
    (tmp_path / "top.v").write_text(GOOD)
    (tmp_path / "v.csv").write_text(VECTORS)
    assert run_command(measure.main, [str(tmp_path / "top.v"), str(tmp_path / "v.csv"), "--no-simulation"]) == 0


DPI = 'import "DPI-C" function integer abs(integer x);'
CALLS = f"{HEAD}{DPI} localparam integer x = abs(-5); assign out = inp[0] ^ x[0]; endmodule"


@pytest.mark.parametrize("guard", ["text", "Yosys"])
def test_no_function_of_the_c_library_is_called_by_either_guard_alone(guard, tmp_path, monkeypatch):
    if guard == "Yosys":
        monkeypatch.setattr(frontend, "check_stands_alone", lambda verilog, top: None)
    else:
        monkeypatch.setattr(frontend, "READ_VERILOG", "read_verilog")
    with pytest.raises(ToolError):
        frontend.compile_verilog(CALLS, tmp_path)
    log = tmp_path / "rtl.log"
    assert not log.exists() or "Calling DPI" not in log.read_text()


def test_without_both_guards_it_would_be(tmp_path, monkeypatch):
    monkeypatch.setattr(frontend, "check_stands_alone", lambda verilog, top: None)
    monkeypatch.setattr(frontend, "READ_VERILOG", "read_verilog")
    frontend.compile_verilog(CALLS, tmp_path)
    assert "Calling DPI function `abs'" in (tmp_path / "rtl.log").read_text()


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_not_waited_for(kind, tmp_path, capsys):
    place = tmp_path / "top.v"
    {"pipe": os.mkfifo, "device": lambda path: path.symlink_to("/dev/zero"), "folder": os.mkdir}[kind](place)
    (tmp_path / "good.v").write_text(GOOD)
    assert run_command(measure.main, [str(place), "iris"]) == 2
    assert run_command(measure.main, [str(tmp_path / "good.v"), str(place), "--effort", "quick"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2
    assert all("is not a regular file" in line or "is a folder" in line for line in lines)


WORDS = (
    *("`", "``", '`include "canary.vh"', "include", '"canary.vh"', "`define a", "`define X(a) `a", "`X(include)"),
    *(
        "`a",
        "`inc",
        "lude",
        "\\\n",
        "\n",
        " ",
        "//",
        "/*",
        "*/",
        '"',
        "\\",
        "'",
        "`ifdef a",
        "`else",
        "`endif",
        "x",
    ),
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=st.lists(st.sampled_from(WORDS), max_size=14))
def test_text_that_is_found_harmless_reads_no_other_file(words, tmp_path):
    text = "".join(words) + "\n" + GOOD
    try:
        harmless_tokens(text)
    except ToolError:
        return
    assert not reads_canary(text, tmp_path)


def reads_canary(text, folder):
    (folder / "canary.vh").write_text("CANARY")
    (folder / "t.v").write_text(text)
    try:
        log = run_yosys(["read_verilog -ppdump t.v"], folder)
    except ToolError:
        log = (folder / "yosys.log").read_text()
    return "CANARY" in log


def test_the_canary_sings(tmp_path):
    assert reads_canary('`include "canary.vh"\n' + GOOD, tmp_path)
    assert not reads_canary(GOOD, tmp_path)


STATEMENTS = st.lists(
    st.sampled_from(
        [
            *(
                "assign out = inp[0];",
                "wire w;",
                "assign",
                "out",
                "=",
                "inp",
                "[3:0]",
                "[-1]",
                "(",
                ")",
                "begin",
                "end",
            ),
            *(
                "always @*",
                "always @(posedge inp[0])",
                "reg q;",
                "if (inp[0])",
                "1'bz",
                "99999999999",
                "4'hx",
                "?",
                ":",
            ),
            *(
                "function f;",
                "endfunction",
                "endmodule",
                "module top;",
                "parameter p = 1;",
                "(* keep *)",
                "generate",
            ),
            *(
                "signed",
                "case (inp)",
                "default:",
                "endcase",
                "\x1b[2J",
                "\\esc ",
                "é",
                "\0",
                "'",
                "`timescale 1ns/1ps",
            ),
        ]
    ),
    max_size=12,
)


@settings(max_examples=8, deadline=None)
@given(statements=STATEMENTS)
def test_statements_put_together_at_random_are_measured_or_refused(statements, tmp_path_factory):
    place = tmp_path_factory.mktemp("soup") / "top.v"
    place.write_text(f"{HEAD}{' '.join(statements)}\nendmodule\n")
    said = ""
    try:
        measure.read_circuit(place, load_technology("egfet"), "quick")
    except PrintedMLPError as error:
        said = str(error)
    assert said.isprintable()


def test_a_check_of_brackets_that_is_left_out_would_be_noticed(monkeypatch):
    deep = CIRCUITS["is no circuit: brackets 5,000 deep"].verilog
    monkeypatch.setattr(harmless, "_refuse_deep", lambda tokens: None)
    harmless_tokens(deep)
    monkeypatch.undo()
    with pytest.raises(ToolError, match="line 2: brackets are nested"):
        harmless_tokens(deep)
