"""The Verilog text: ports, bytes, header."""

import os
import re
import subprocess
import sys

import pytest

from hdl import emit
from hdl.emit import classifier_verilog
from hdl.tools import run_yosys
from printedmlp.errors import ToolError
from tests.hdl.test_classifier import two_layers


def test_ports_come_first_and_are_the_fixed_ones():
    text = classifier_verilog(two_layers())
    assert text.startswith("module top(inp, out);\n  input [11:0] inp;\n")
    assert "output [1:0] out;" in text
    assert re.findall(r"^module (\w+)", text, re.M) == [
        "top", "neuron_0_0", "neuron_0_1", "neuron_1_0", "neuron_1_1", "neuron_1_2", "argmax",
    ]  # fmt: skip


def test_the_text_is_plain_verilog_without_traces_of_its_making():
    text = classifier_verilog(two_layers())
    assert text.isascii()
    assert text.endswith("endmodule\n")
    for trace in ("\\", "$", "(*", "/*", "Yosys", "always", "clk", "rst"):
        assert trace not in text
    assert max(len(line) for line in text.splitlines()) < 400


def test_same_classifier_same_bytes_in_every_process(tmp_path):
    program = (
        "from hdl.emit import classifier_verilog as v\nfrom tests.hdl.test_classifier import two_layers as m\n"
    )
    program += "print(v(m()), end='')"
    texts = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    ]
    assert texts == [classifier_verilog(two_layers())] * 2


HOSTILE = 'wine\n*/ endmodule `include "/etc/passwd" \\ µ \x1b[31m ' + "x" * 500


def test_a_header_line_is_one_harmless_comment_line():
    text = classifier_verilog(two_layers(), header=[HOSTILE, "", "second"])
    comments = text.split("\nmodule ", 1)[0].splitlines()
    assert len(comments) == 3
    assert comments[1:] == ["//", "// second"]
    assert all(line.startswith("//") and len(line) <= 130 and line.isascii() for line in comments)
    assert "`" not in text
    assert "\x1b" not in text


def test_a_failing_tool_is_quoted(monkeypatch):
    def failing(commands, work_dir, **options):
        return run_yosys(["read_rtlil missing.il"], work_dir, **options)

    monkeypatch.setattr(emit, "run_yosys", failing)
    with pytest.raises(ToolError, match="missing"):
        classifier_verilog(two_layers())
