"""Measuring a stranger's circuit: figures by hand, and one line for everything that is no circuit."""

import json
import re

import pytest

from flows import measure
from flows.cli import run_command
from printedmlp.errors import ConfigError
from tests.flows.processes import code_of

GREATER = "module top(input [3:0] inp, output [0:0] out); assign out = inp[3:2] > inp[1:0]; endmodule\n"
SATURATED = """module top(input [7:0] inp, output [0:0] out);
  wire [3:0] h;
  wire [4:0] sum = inp[3:0] + inp[7:4];
  DW01_satrnd #(5, 3, 0) clip (.din(sum), .tc(1'b0), .sat(1'b1), .rnd(1'b0), .ov(), .dout(h));
  assign out = h == 4'd15;
endmodule
"""
MAPPED = """module top(input [3:0] inp, output [0:0] out);
  wire n;
  NAND2X1 a (.A1(inp[0]), .A2(inp[2]), .Y(n));
  INVX1 b (.A(n), .Y(out[0]));
endmodule
"""


@pytest.fixture
def files(tmp_path):
    def write(verilog, vectors):
        (tmp_path / "top.v").write_text(verilog)
        (tmp_path / "v.csv").write_text(vectors)
        return [str(tmp_path / "top.v"), str(tmp_path / "v.csv"), "--effort", "quick", "--no-simulation", "--json"]

    return write


def measured(capsys, arguments):
    code = run_command(measure.main, arguments)
    captured = capsys.readouterr()
    assert code == 0, captured.err
    return json.loads(captured.out)


def test_a_comparator_by_hand(files, capsys):
    record = measured(capsys, files(GREATER, "x0,x1,class\n0,1,1\n2,1,0\n3,3,0\n1,3,0\n"))
    assert (record["n"], record["accuracy"], record["input_bits"]) == (4, 0.75, 2)
    assert record["majority_accuracy"] == 0.75
    assert record["confusion"] == [[2, 1], [0, 1]]
    assert record["recipe"] is not None


def test_the_saturating_vendor_cell_is_known(files, capsys):
    record = measured(capsys, files(SATURATED, "x0,x1,class\n7,7,0\n8,7,1\n15,15,1\n0,14,0\n"))
    assert record["accuracy"] == 1.0


def test_a_mapped_circuit_is_taken_as_it_is(files, capsys):
    record = measured(capsys, files(MAPPED, "x0,x1,class\n1,1,1\n1,0,0\n"))
    assert record["cell_counts"] == {"INVX1": 1, "NAND2X1": 1}
    assert record["area_cm2"] == pytest.approx((0.24786 + 0.22842) / 100)
    # Half of the rows hold the NAND2 low and the inverter high, half the other way round.
    assert record["power_mw"]["1"] == pytest.approx((18569.1 + 491.103 + 391.073 + 19283.8) / 2 * 1e-6)
    assert record["recipe"] is None


@pytest.mark.tools
def test_given_verilog_and_netlist_are_simulated_beside_each_other(files, capsys):
    arguments = [a for a in files(GREATER, "x0,x1,class\n0,1,1\n") if a != "--no-simulation"]
    assert measured(capsys, arguments)["simulated_vectors"] >= 17  # the row and all 16 inputs


def test_values_beyond_the_inputs_are_saturated_and_told(files, capsys):
    assert run_command(measure.main, files(GREATER, "x0,x1,class\n0,9,1\n")) == 0
    assert "1 values above 3 saturated" in capsys.readouterr().err


def test_a_circuit_whose_output_waits_for_no_gate_has_no_rate(files, capsys):
    idle = MAPPED.replace(".Y(out[0])", ".Y()").replace("endmodule", "  assign out = inp[0];\nendmodule")
    record = measured(capsys, files(idle.replace("  INVX1 b (.A(n), .Y());\n", ""), "x0,x1,class\n1,1,1\n"))
    assert record["cells"] == 1
    assert record["delay_ms"]["1"] == 0
    assert record["max_rate_hz"] is None


def test_a_negative_seed_is_one_line(files, capsys):
    assert code_of(measure.main, [*files(GREATER, "x0,x1,class\n0,0,0\n"), "--seed", "-1"]) == 2
    assert capsys.readouterr().err.startswith("error: argument --seed: -1 is not in 0..9223372036854775807 ")
    with pytest.raises(ConfigError, match="seed: -1 is negative"):
        measure.Source("iris", -1)


CLOCKED = (
    "module top(input clk, input [3:0] inp, output reg [0:0] out); always @(posedge clk) out <= inp; endmodule"
)


@pytest.mark.parametrize(
    ("verilog", "vectors", "message"),
    [
        ("module top(", "x0,x1,class\n0,0,0\n", "syntax error"),
        ("module other(input a, output b); assign b = a; endmodule", "x0,x1,class\n0,0,0\n", "top"),
        (CLOCKED, "x0,x1,class\n0,0,0\n", "top"),
        (
            "module top(input [3:0] x, output [0:0] out); assign out = x[3:2] > x[1:0]; endmodule",
            "x0,x1,class\n0,0,0\n",
            "ports",
        ),
        (MAPPED.replace("inp,", "inp, input clk,"), "x0,x1,class\n0,0,0\n", "has the ports input inp, input clk"),
        ('`include "/etc/passwd"\n' + GREATER, "x0,x1,class\n0,0,0\n", "include"),
        (GREATER, "x0,x1,x2,class\n0,0,0,0\n", "inp has 4 bits, which 3 features"),
        (GREATER, "x0,x1,class\n0,a,0\n", "line 2, column 'x1'"),
        (GREATER, "", "v.csv"),
        (GREATER.replace("[0:0] out", "[69:0] out"), "x0,x1,class\n0,0,0\n", "out has 70 bits"),
    ],
)
def test_what_is_no_circuit_or_no_vectors_is_one_line(files, capsys, verilog, vectors, message):
    assert run_command(measure.main, files(verilog, vectors)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error


def test_missing_files_and_unknown_data_sets(files, capsys, tmp_path):
    arguments = files(GREATER, "x0,x1,class\n0,0,0\n")
    assert run_command(measure.main, [str(tmp_path / "absent.v"), *arguments[1:]]) == 2
    assert "absent.v: no such file" in capsys.readouterr().err
    assert run_command(measure.main, [arguments[0], "irys", *arguments[2:]]) == 2
    assert "irys" in capsys.readouterr().err


def test_the_text_form_names_every_figure(files, capsys):
    arguments = [a for a in files(MAPPED, "x0,x1,class\n1,1,1\n1,0,0\n") if a != "--json"]
    assert run_command(measure.main, arguments) == 0
    printed = capsys.readouterr().out
    for name in ("accuracy", "balanced accuracy", "area", "cells", "static power", "delay", "as it is"):
        assert name in printed


LIBRARY = """library(bare) { cell(NAND2X1) { area : 1; pin(A1) { direction : input; } pin(A2) { direction : input; }
  pin(Y) { direction : output; function : "!(A1 & A2)"; } }
  cell(INVX1) { area : 1; pin(A) { direction : input; } pin(Y) { direction : output; function : "!A"; } } }
"""


def test_cells_without_figures_give_area_and_say_what_is_missing(files, capsys, tmp_path):
    library = tmp_path / "bare.lib"
    library.write_text(LIBRARY)
    arguments = [*files(GREATER, "x0,x1,class\n0,1,1\n"), "--liberty", str(library)]
    assert run_command(measure.main, arguments) == 0
    printed = capsys.readouterr()
    assert printed.err.splitlines() == [
        f"warning: technology 'bare': no {kind} figures for NAND2X1, INVX1; {kind} is left out"
        for kind in ("static power", "delay")
    ]
    record = json.loads(printed.out)
    assert record["area_cm2"] > 0
    assert (record["power_mw"], record["delay_ms"], record["max_rate_hz"]) == ({"1": None}, {"1": None}, None)
    assert run_command(measure.main, [a for a in arguments if a != "--json"]) == 0
    assert capsys.readouterr().out.count("no figures") == 2


def test_another_built_in_technology(files, capsys):
    record = measured(capsys, [*files(MAPPED, "x0,x1,class\n1,1,1\n1,0,0\n"), "--technology", "cnt_tft"])
    assert record["area_cm2"] == pytest.approx((0.003 + 0.002) / 100)
    # The NAND2 is in the states 3 and 1; the inverter draws the same in both.
    assert record["power_mw"] == {"3": pytest.approx(((6284.22 + 12179.5) / 2 + 6198.38) * 1e-6)}
    assert 1e-4 < record["delay_ms"]["3"] < 1e-1


def test_small_figures_of_small_cells_have_units_of_their_size(files, capsys):
    arguments = [*files(MAPPED, "x0,x1,class\n1,1,1\n1,0,0\n"), "--technology", "cnt_tft"]
    assert run_command(measure.main, [a for a in arguments if a != "--json"]) == 0
    told = {line[:18].strip(): line[19:] for line in capsys.readouterr().out.splitlines()}
    assert not re.search(r"\de-\d", "".join(told.values()).replace(str(arguments[0]), ""))
    assert told["area"] == "0.00005 cm2"
    assert told["delay"].endswith(" us at 3 V")
    assert told["power"] == "15.4 uW static at 3 V; the technology has no figures for switching"
    assert told["power source"].endswith("static power only, switching is not known")
    assert re.search(
        r"; [\d.]+ pJ a classification; [\d.]+ pW if on only to classify at 5 Hz;", told["power source"]
    )


NAND_ALONE = """name = "mine"
voltages = [2.0]
nominal_voltage = 2.0
[cells.NAND2]
kind = "combinational"
area_mm2 = 0.015
inputs = ["A", "B"]
output = "Y"
function = "!(A & B)"
"""


def test_cells_that_nothing_can_be_made_of_are_one_line(files, capsys, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(NAND_ALONE)
    assert run_command(measure.main, [*files(GREATER, "x0,x1,class\n0,1,1\n"), "--technology", str(path)]) == 2
    assert "'mine' needs an inverter and a two-input NAND, NOR, AND or OR" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--sample-rate", "--battery-mah", "--battery-v"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e300", "1e-300"])
def test_a_quantity_that_is_none_is_one_line(files, capsys, option, value):
    assert code_of(measure.main, [*files(GREATER, "x0,x1,class\n0,1,1\n"), f"{option}={value}"]) == 2
    assert capsys.readouterr().err.startswith(f"error: argument {option}: {value} is not in 1e-09..")
