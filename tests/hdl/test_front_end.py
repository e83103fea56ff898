"""The sensor front end: its figures by hand, and that its gates show a circuit what it would have seen."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl.front_end import Cost, encoder, front_end, representatives, system, thermometer_of
from hdl.thresholds import Thresholds, needed_thresholds
from printedmlp.circuit import Instance, Netlist, simulate
from printedmlp.circuit.simulate import input_bits_of
from printedmlp.errors import ConfigError
from printedmlp.technology import load_technology
from tests.netlists import EGFET, evaluate

FIGURES = EGFET.front_end
ROWS = np.array([[0], [5], [9], [15]], dtype=np.uint8)


def test_comparators_by_hand():
    assert FIGURES is not None
    # Levels 1 and 15 of 4 bits: 8.24 + 57.8 uW, 0.176 + 0.032 mm2; level 1 of two bits is level 4.
    assert FIGURES.comparators((1, 15), 4) == (pytest.approx(0.00208), pytest.approx(0.06604))
    assert FIGURES.comparators((1,), 2) == (pytest.approx(0.00176), pytest.approx(0.0157))
    assert FIGURES.comparators((), 4) == (0.0, 0.0)
    assert not FIGURES.covers(5)
    with pytest.raises(ConfigError, match="3 comparators"):
        dataclasses.replace(FIGURES, comparator_uw=(1.0, 2.0, 3.0))


def test_one_wire_by_hand():
    # The highest of four bits: its comparator at level 8 and no gate; a full converter is published with a range.
    thresholds = needed_thresholds(Netlist(4, (), (5,)), EGFET, ROWS, 4)
    found = front_end(thresholds, EGFET, ROWS, 4)
    assert found is not None
    assert (found["inputs"], found["comparators"], found["levels"]) == (1, 1, [[8]])
    assert (
        found["pruned"]
        == found["bespoke"]
        == {"area_cm2": pytest.approx(0.00176), "power_mw": pytest.approx(0.0291)}
    )
    assert found["full"]["area_cm2"] == 0.17
    assert found["full"]["most"] == {"area_cm2": 0.25, "power_mw": 1.3}
    both = system(Cost(0.1, 0.2), found["full"])
    assert both is not None
    assert both["area_cm2"] == pytest.approx(0.27)
    assert both["carried_by"] == "Blue Spark printed battery"
    assert both["most"]["power_mw"] == pytest.approx(1.5)


def test_a_full_code_takes_the_known_number_of_gates():
    # Bit k changes at every multiple of 2^k: chains of 14, 6 and 2 NAND with an inverter at either end.
    netlist = encoder(range(1, 16), (0, 1, 2, 3), 4, EGFET)
    assert netlist is not None
    assert netlist.cell_counts() == {"INVX1": 6, "NAND2X1": 22}


def test_codes_in_between_are_chosen_for_few_gates():
    # With one threshold at 3, all codes from 3 on may be shown as 4, which differs from 0 in one bit: a wire.
    assert representatives((3,), (0, 1, 2, 3), 4) == (0, 4)
    assert encoder((3,), (0, 1, 2, 3), 4, EGFET) == Netlist(1, (), (0, 0, 2, 0))


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_the_encoder_shows_a_code_of_the_same_run(data):
    levels = tuple(sorted(data.draw(st.sets(st.integers(1, 15), max_size=8))))
    bits = tuple(sorted(data.draw(st.sets(st.integers(0, 3), min_size=1))))
    netlist = encoder(levels, bits, 4, EGFET)
    assert netlist is not None
    codes = np.arange(16, dtype=np.uint8)
    signals = input_bits_of(thermometer_of(codes, levels), 1) if levels else []
    values = simulate(netlist, EGFET, signals, 16)
    mask = sum(1 << bit for bit in bits)
    for code in range(16):
        shown = sum((values[net] >> code & 1) << bit for net, bit in zip(netlist.outputs, bits, strict=True))
        run = [c for c in range(16) if not any(min(c, code) < level <= max(c, code) for level in levels)]
        assert shown in {c & mask for c in run}


def test_a_circuit_answers_the_same_behind_its_pruned_converter():
    # out = (x >= 3) and (x < 9), from the bits: thresholds 3 and 9 alone are needed.
    gates = (
        Instance("OR2X1", (4, 5)),
        Instance("AND2X1", (2, 3)),
        Instance("OR2X1", (6, 7)),
        Instance("OR2X1", (2, 3)),
        Instance("OR2X1", (4, 9)),
        Instance("NAND2X1", (5, 10)),
        Instance("AND2X1", (8, 11)),
    )
    circuit = Netlist(4, gates, (12,))
    thresholds = needed_thresholds(circuit, EGFET, ROWS, 4)
    assert thresholds.levels == ((3, 9),)
    shown = representatives((3, 9), thresholds.bits[0], 4)
    for code in range(16):
        run = (code >= 3) + (code >= 9)
        assert evaluate(circuit, code) == evaluate(circuit, shown[run])


def test_without_figures_there_is_nothing_to_tell():
    thresholds = Thresholds(((8,),), 0, ((3,),))
    assert front_end(thresholds, load_technology("cnt_tft"), ROWS, 4) is None
    assert front_end(thresholds, EGFET, ROWS, 5) is None
    assert system(Cost(1.0, 1.0), None) is None
    found = front_end(Thresholds(((2,),), 0, ((1,),)), EGFET, ROWS % 4, 2)
    assert found is not None
    assert found["full"] is None


def test_power_of_the_encoder_is_unknown_without_figures():
    bare = dataclasses.replace(
        EGFET, cells={n: dataclasses.replace(c, leakage_nw={}) for n, c in EGFET.cells.items()}
    )
    found = front_end(Thresholds((tuple(range(1, 16)),), 0, ((0,),)), bare, ROWS, 4)
    assert found is not None
    assert found["pruned"]["power_mw"] is None
    assert found["bespoke"]["power_mw"] == pytest.approx(0.45804)
