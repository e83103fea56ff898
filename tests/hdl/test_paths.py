import pytest
from hypothesis import given, settings

from hdl.blocks import Blocks, blocks_of
from hdl.paths import path_blocks, path_sections, path_text
from hdl.timing import critical_path
from printedmlp.circuit import Instance, Netlist
from tests.netlists import EGFET, inverter_chain, random_netlists

LEVELS = {"hidden 0": 0, "hidden 1": 0, "output 0": 1, "argmax": 2}


def labelled(*labels):
    return Blocks(labels, LEVELS, 1.0, 1.0)


def test_a_path_by_hand():
    # inp[5] through two inverters to a NAND, which inp[0] reaches at once, and on to out[1].
    gates = (
        Instance("INVX1", (7,)),
        Instance("INVX1", (8,)),
        Instance("NAND2X1", (2, 9)),
        Instance("INVX1", (10,)),
    )
    report = critical_path(Netlist(6, gates, (2, 11)), EGFET, 1.0)
    assert (report.input_bit, report.output_bit) == (5, 1)
    blocks = labelled("hidden 0", "hidden 0", "output 0", "argmax")
    first, second, third = path_sections(report, blocks)
    arrivals = [step.arrival_ms for step in report.path]
    assert (first.block, first.cells, first.delay_ms) == ("hidden 0", 2, pytest.approx(arrivals[1]))
    assert (second.block, second.delay_ms) == ("output 0", pytest.approx(arrivals[2] - arrivals[1]))
    assert (third.block, third.delay_ms) == ("argmax", pytest.approx(report.delay_ms - arrivals[2]))
    text = path_text(report, blocks, ["width", "height"], 3)
    assert text.startswith("'height' bit 2 > hidden 0 (2 cells, ")
    assert text.endswith(" ms) > argmax (1 cell, 56.4 us) > out[1]")


def test_the_path_through_the_slow_gate_is_the_one_named():
    # The same depth on both sides of an OR; the exclusive or is slower than the inverter.
    gates = (Instance("INVX1", (2,)), Instance("XOR2X1", (3, 4)), Instance("OR2X1", (5, 6)))
    report = critical_path(Netlist(3, gates, (7,)), EGFET, 1.0)
    assert [step.cell for step in report.path] == ["XOR2X1", "OR2X1"]
    assert report.input_bit in (1, 2)


def test_a_path_goes_through_one_block_of_a_level():
    report = critical_path(inverter_chain(5), EGFET, 1.0)
    straight = labelled("hidden 0", "hidden 0", "output 0", "output 0", "argmax")
    assert path_blocks(report, straight) == list(straight.labels)
    beside = labelled("hidden 1", "hidden 0", "hidden 0", "argmax", "argmax")
    assert path_blocks(report, beside) == ["hidden 0", "hidden 0", "hidden 0", "argmax", "argmax"]
    back = labelled("hidden 0", "output 0", "hidden 0", "output 0", "output 0")
    assert path_blocks(report, back) in (
        ["hidden 0"] * 3 + ["output 0"] * 2,
        ["hidden 0"] + ["output 0"] * 4,
    )


def test_no_path_is_said():
    wire = critical_path(Netlist(1, (), (2,)), EGFET, 1.0)
    assert (wire.input_bit, wire.output_bit) == (None, None)
    assert path_text(wire, labelled(), ["a"], 1) == "no output waits for a gate"


@settings(max_examples=30, deadline=None)
@given(random_netlists())
def test_sections_cover_the_path(netlist):
    report = critical_path(netlist, EGFET, 0.6)
    sections = path_sections(report, blocks_of(netlist, EGFET))
    assert sum(section.cells for section in sections) == len(report.path)
    assert sum(section.delay_ms for section in sections) == pytest.approx(report.delay_ms if report.path else 0)
    if report.path:
        first = netlist.instances[report.path[0].instance]
        assert report.input_bit is not None
        assert report.input_bit + 2 in first.inputs
        assert netlist.outputs[report.output_bit] == netlist.first_driven + report.path[-1].instance
