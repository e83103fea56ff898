"""The ablation's figure of merit by hand, and that what is taken away is really taken away."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import ablation_split as rows
from benchmarks.ablation import LINES, Figure, Levels, Line, figure, together
from printedmlp.circuit import Instance, Netlist
from printedmlp.circuit.care import CareSet
from printedmlp.circuit.refine import Evolution, Goal
from printedmlp.technology import load_technology

LINE = Line("cost model", "without", "with")


def test_a_figure_by_hand():
    first: Levels = {"without": [8.0, 2.0, None], "with": [2.0, 2.0, 1.0]}
    second: Levels = {"without": [9.0, None, None], "with": [1.0, 1.0, None]}
    found = figure(LINE, [first, second])
    assert found is not None
    assert found.mean == pytest.approx((4 * 1 * 9) ** (1 / 3))
    assert (found.low, found.high) == pytest.approx((2, 9))
    assert found.reached == (3, 5)
    assert str(found) == "3.3 (2 to 9), 3:5"


def test_a_counterpart_alone_has_absolute_figures():
    found = figure(Line("–", "with", unit="mm²"), [{"with": [2.0, 8.0, None]}])
    assert found is not None
    assert (found.mean, found.reached) == (pytest.approx(4), (2,))


def test_without_a_common_level_there_is_no_figure():
    assert figure(LINE, [{"without": [1.0, None], "with": [None, 1.0]}]) is None


def test_data_sets_count_alike():
    found = together([Figure(4, 1, 9, (8, 9)), None, Figure(1, 1, 1, (1, 2))])
    assert found is not None
    assert (found.mean, found.low, found.high) == pytest.approx((2, 1, 4))
    assert found.reached == (9, 11)
    assert together([None]) is None


@pytest.fixture(scope="module")
def wine():
    split = rows.Split("wine", 100, rows.Spend(evaluations=400, moves=200))
    return split, split.rows()


@pytest.mark.slow
def test_every_line_has_its_rows(wine):
    _, found = wine
    for part in rows.PARTS:
        for line in LINES:
            assert line.row in found[part]
            assert not line.counterpart or line.counterpart in found[part]


@pytest.mark.slow
def test_refinement_keeps_what_it_starts_from(wine):
    _, found = wine
    for part in rows.PARTS:
        for refined, start in zip(found[part][rows.REFINED], found[part][rows.UNREFINED], strict=True):
            assert start is None or refined <= start


ROUNDABOUT = Netlist(
    4, tuple(Instance(*gate) for gate in (("NAND2X1", (2, 3)), ("INVX1", (6,)), ("INVX1", (7,)))), (8,)
)


def refined(kind=Evolution, goal=None, **options):
    """Area in mm2 of what evolution makes of a NAND with two inverters behind it."""
    codes = np.arange(16, dtype=np.uint8)[:, None]
    care = CareSet.of(codes, (codes[:, 0] & 3 != 3).astype(np.int64), n_classes=2, input_bits=4)
    evolution = kind(care, load_technology("egfet"), **options)
    return evolution.run(ROUNDABOUT, goal or Goal(max_errors=0), 2000, np.random.default_rng(0)).area_mm2


def test_zero_temperature_is_no_temperature(monkeypatch):
    seen = []
    monkeypatch.setattr(Evolution, "run", lambda self, netlist, goal, moves, rng: seen.append(goal))
    goal = Goal(max_errors=0, hot=3.0, cold=1.0)
    rows.Frozen(
        CareSet.of(np.zeros((1, 1), np.uint8), np.zeros(1, np.int64), n_classes=2, input_bits=4),
        load_technology("egfet"),
    ).run(ROUNDABOUT, goal, 1, np.random.default_rng(0))
    assert seen == [replace(goal, hot=0.0, cold=0.0)]


def test_evolution_at_zero_temperature_still_improves():
    own = ROUNDABOUT.area_cm2(load_technology("egfet")) * 100
    assert refined(rows.Frozen) < own
