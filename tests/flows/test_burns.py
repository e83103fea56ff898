"""Where power goes and what speed waits for, as records and in words."""

from dataclasses import replace

import numpy as np
import pytest

from flows import burns
from flows.burns import block_words, power_and_timing, power_words
from flows.feasible import feasibility_of
from flows.figures import figures_of
from printedmlp.circuit import Instance, Netlist
from printedmlp.power_sources import Use
from printedmlp.technology import load_technology
from printedmlp.trees import grown
from printedmlp.vectors import Vectors

EGFET = load_technology("egfet")
# x0[0] and x0[1], and with it x1[1].
NETLIST = Netlist(4, (Instance("NAND2X1", (2, 3)), Instance("INVX1", (6,)), Instance("AND2X1", (7, 5))), (8,))
TREE = grown(2, 2, 2, (0, 3, 0, (1, 2, 0, 1)))


def record(*rows, **options):
    vectors = Vectors(np.array(rows, dtype=np.uint8), np.zeros(len(rows), dtype=np.int64), 2, 0)
    return power_and_timing(NETLIST, EGFET, vectors, 2, classifier=TREE, **options)


def test_one_transition_by_hand():
    # From (0, 0) to (3, 0) the NAND falls and the inverter rises; the AND stays low.
    power = record([0, 0], [3, 0], rate_hz=2.0)["power"]
    nand, inverter = EGFET.cells["NAND2X1"], EGFET.cells["INVX1"]
    assert power["sample_rate_hz"]["1"] == 2.0
    load = inverter.capacitance_pf[1.0][0].mean + EGFET.cells["AND2X1"].capacitance_pf[1.0][0].mean
    assert power["load_mw"]["1"] == pytest.approx(load / 2 * 2e-9)
    assert power["switching_nj_per_row"]["1"] == pytest.approx(power["switching_mw"]["1"] / 2 * 1e6)
    leaks = [nand.leakage_nw[1.0][0], nand.leakage_nw[1.0][3], *inverter.leakage_nw[1.0]]
    comparators, leaves = power["by_block"]
    assert (comparators["name"], comparators["cells"]) == ("'x0'", 2)
    assert comparators["static_mw"]["1"] == pytest.approx(sum(leaks) / 2 * 1e-6)
    assert comparators["area_cm2"] == pytest.approx((0.24786 + 0.22842) / 100)
    assert (leaves["name"], leaves["switching_mw"]["0.6"]) == ("leaves", 0)
    assert [part["name"] for part in power["by_cell"]] == ["AND2X1", "INVX1", "NAND2X1"]
    for split in ("by_cell", "by_block"):
        for voltage in ("0.6", "0.8", "1"):
            total = sum(part["switching_mw"][voltage] for part in power[split])
            assert total == pytest.approx(power["switching_mw"][voltage])


def test_the_rate_is_what_the_circuit_can_keep_up_with():
    fast = record([0, 0], [3, 0], rate_hz=1e6)
    assert fast["power"]["sample_rate_hz"] == pytest.approx(fast["timing"]["max_rate_hz"])
    assert fast["power"]["leakage_share"]["1"] < record([0, 0], [3, 0])["power"]["leakage_share"]["1"]


def test_the_path_is_named_by_features():
    timing = record([0, 0], feature_names=["width", "height"])["timing"]
    assert timing["path"].startswith("'width' bit 1 > 'width' (2 cells, ")
    assert timing["path"].endswith(" > out[0]")
    assert [part["name"] for part in timing["path_blocks"]] == ["'width'", "leaves"]
    assert record([0, 0])["timing"]["path"].startswith("'x0' bit 1")
    alike = record([0, 0], feature_names=["width", "width"])
    assert [part["name"] for part in alike["power"]["by_block"]] == ["feature 0", "leaves"]


def test_words():
    power = {
        "static_mw": {"1": 0.5},
        "switching_mw": {"1": 0.02},
        "total_mw": {"1": 0.52},
        "leakage_share": {"1": 0.9615},
        "sample_rate_hz": {"1": 5.0},
        "by_block": [
            {"name": "hidden 0", "static_mw": {"1": 0.125}},
            {"name": "argmax", "static_mw": {"1": 0.375}},
        ],
        "blocks_matched": 0.8,
    }
    words = "0.52 mW at 1 V and 5 rows a second, 96.2% of it leakage; 0.5 mW at rest"
    assert power_words(power, "1") == words
    assert block_words(power, "1") == "argmax 75%, hidden 0 25% (80% of the cells matched by function)"
    small = {**power, "static_mw": {"1": 0.005}, "total_mw": {"1": 0.0052}}
    assert power_words(small, "1", micro="µ").startswith(
        "5.2 µW at 1 V and 5 rows a second, 96.2% of it leakage; 5 µW"
    )
    assert block_words({**power, "blocks_matched": None}, "1") == "argmax 75%, hidden 0 25%"
    assert block_words({**power, "by_block": []}, "1") == ""
    silent = {**power, "switching_mw": {"1": None}}
    assert power_words(silent, "1").endswith("the technology has no figures for switching")


def without(**absent):
    """The built-in technology without some figures of its cells."""
    return replace(EGFET, cells={name: replace(cell, **absent) for name, cell in EGFET.cells.items()})


def test_figures_that_the_cells_lack_are_left_out():
    vectors = Vectors(np.array([[0, 0], [3, 0]], dtype=np.uint8), np.zeros(2, dtype=np.int64), 2, 0)
    slow = power_and_timing(NETLIST, without(arcs=()), vectors, 2)
    assert slow["timing"] is None
    assert slow["power"]["sample_rate_hz"]["1"] == 5.0
    assert slow["power"]["total_mw"] == pytest.approx(record([0, 0], [3, 0])["power"]["total_mw"])
    dark = power_and_timing(NETLIST, without(leakage_nw={}), vectors, 2)
    assert dark["power"] is None
    assert dark["timing"]["max_rate_hz"] == record([0, 0])["timing"]["max_rate_hz"]
    assert power_words(dark["power"], "1") == block_words(dark["power"], "1") == ""
    bare = power_and_timing(NETLIST, without(arcs=(), capacitance_pf={}, energies=()), vectors, 2)
    assert (bare["timing"], bare["power"]["total_mw"]["1"]) == (None, None)
    assert power_words(bare["power"], "1").endswith("the technology has no figures for switching")


@pytest.mark.parametrize("rate_hz", [2.0, 1e6])
def test_a_source_carries_static_and_switching_power_together(rate_hz):
    vectors = Vectors(np.array([[0, 0], [3, 0]], dtype=np.uint8), np.zeros(2, dtype=np.int64), 2, 0)
    figures = figures_of(NETLIST, EGFET, vectors, 2, rate_hz=rate_hz)
    found = feasibility_of(figures, EGFET, Use(rate_hz))
    assert found is not None
    assert found["power_mw"] == pytest.approx(figures["power"]["total_mw"]["1"])
    assert found["switching_mw"] == pytest.approx(figures["power"]["switching_mw"]["1"])
    assert found["power_mw"] > figures["power_mw"]["1"]


def test_parts_that_are_known_are_not_looked_for_again(monkeypatch):
    whole = record([0, 0], [3, 0])
    known = burns.blocks_of(NETLIST, EGFET, TREE)
    monkeypatch.setattr(burns, "blocks_of", lambda *given: pytest.fail("looked for"))
    assert record([0, 0], [3, 0], blocks=known) == whole
