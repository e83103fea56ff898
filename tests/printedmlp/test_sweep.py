"""From one circuit to a family: budgets level by level, and power at hardly more area."""

import itertools
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.circuit import Instance, Netlist
from printedmlp.circuit.care import CareSet
from printedmlp.circuit.refine import Evolution, Goal, Refined
from printedmlp.circuit.sweep import (
    AREA_STEP,
    CELLS_A_SHARE,
    FEWEST_CELLS,
    LARGE_CELLS,
    LOSSES,
    MOST_MOVES,
    PRICES,
    REORDERINGS,
    SweepSettings,
    anneal,
    save_power,
    sweep,
    under_prices,
    within_areas,
)
from printedmlp.errors import ConfigError
from tests.netlists import EGFET, function, inverter_chain
from tests.printedmlp.test_refine import GOALS, Problem, agrees, power_uw

QUICK = SweepSettings(moves=800, losses=(0.0, 0.05, 0.2))

AND_OR = Netlist(
    4, (Instance("AND2X1", (2, 3)), Instance("AND2X1", (4, 5)), Instance("OR2X1", (6, 7))), outputs=(8,)
)
"""inp[0] & inp[1] | inp[2] & inp[3], in cells that conduct whatever they are given."""
MOSTLY_LOW = np.array(
    [[0, 0, 0, 0]] * 12 + [[1, 1, 0, 0], [0, 0, 1, 1], [1, 0, 1, 0], [1, 1, 1, 1]], dtype=np.uint8
)
START = inverter_chain(1)


def idle_low():
    """Evolution on rows in which both products are mostly low."""
    words = MOSTLY_LOW.astype(int) @ (1 << np.arange(4))
    y = np.array(function(AND_OR))[words]
    return Evolution(CareSet.of(MOSTLY_LOW, y, n_classes=2, input_bits=1), EGFET)


class Named(str):
    """Stands for a netlist without cells."""

    instances = ()


class Recorder:
    """Stands for an evolution; keeps what it is asked for. Its circuits have 7 errors, the third an area of 3."""

    smallest_area = 0.5
    care = SimpleNamespace(total_weight=100, n_rows=50)

    def __init__(self, stop_after=99):
        self.calls, self.stop_after = [], stop_after

    def should_stop(self):
        return len(self.calls) >= self.stop_after

    def measure(self, netlist):
        return Refined(netlist, 7, 9.0, 0.0)

    def run(self, start, goal, moves, rng):
        self.calls.append((start, goal, moves))
        circuit: Any = Named(f"circuit {len(self.calls)}")
        return Refined(circuit, 7, float(len(self.calls)), 0.0)


def test_products_that_idle_low_are_better_inverted():
    evolution = idle_low()
    before = evolution.measure(AND_OR)
    assert before.power_uw == pytest.approx(power_uw(AND_OR, MOSTLY_LOW, 1))
    assert before.power_uw > 3 * 19
    found = save_power(evolution, AND_OR, 20_000, np.random.default_rng(0))
    assert found.errors == 0
    assert found.area_mm2 <= before.area_mm2 + 1e-9
    assert found.power_uw == pytest.approx(power_uw(found.netlist, MOSTLY_LOW, 1))
    assert found.power_uw < before.power_uw / 2


def test_polarity_alone_saves_power():
    """Three NAND cells idle low only at the last; as small a start that conducts at all three is turned round."""
    nands = tuple(replace(instance, cell="NAND2X1") for instance in AND_OR.instances)
    best = Netlist(4, nands, (8,))
    assert function(best) == function(AND_OR)
    found = save_power(idle_low(), AND_OR, 20_000, np.random.default_rng(0), area_slack=0.03)
    assert found.power_uw <= power_uw(best, MOSTLY_LOW, 1) + 1e-9


@given(seed=st.integers(0, 2**32), weighted=st.booleans(), slack=st.sampled_from((0.0, 0.03, 0.2)))
@settings(max_examples=15, deadline=None)
def test_power_is_saved_within_the_errors_and_the_area(seed, weighted, slack):
    problem = Problem(seed, 65, weighted=weighted)
    errors, area, power = problem.recount(problem.start)
    found = save_power(problem.evolution, problem.start, 3000, np.random.default_rng(seed), area_slack=slack)
    assert agrees(found, problem, GOALS["power"])
    assert found.errors <= errors
    assert found.area_mm2 <= area * (1 + slack) + 1e-9
    assert found.power_uw <= power * 1.02 + 1e-9


@given(seed=st.integers(0, 2**32), weighted=st.booleans())
@settings(max_examples=12, deadline=None)
def test_every_level_keeps_its_budget_and_goes_on_from_the_last(seed, weighted):
    problem = Problem(seed, 65, weighted=weighted)
    errors, area, _ = problem.recount(problem.start)
    found = list(sweep(problem.evolution, problem.start, QUICK, np.random.default_rng(seed)))
    assert len(found) == 2 * len(QUICK.losses)
    assert all(agrees(circuit, problem, Goal()) for circuit in found)
    for loss, small, correct in zip(QUICK.losses, found[::2], found[1::2], strict=True):
        assert max(small.errors, correct.errors) <= errors + int(loss * problem.care.total_weight)
        assert correct.area_mm2 <= small.area_mm2 + 1e-9
    areas = [area, *(small.area_mm2 for small in found[::2])]
    assert all(after <= before + 1e-9 for before, after in itertools.pairwise(areas))


def test_a_sweep_finds_smaller_circuits_as_the_budget_grows():
    problem = Problem(7, 130, exact=True, n_gates=40, n_classes=4)
    errors, area, _ = problem.recount(problem.start)
    found = list(sweep(problem.evolution, problem.start, replace(QUICK, moves=20_000), np.random.default_rng(0)))
    assert found[0].area_mm2 < 0.7 * area
    assert found[-2].area_mm2 < found[0].area_mm2
    assert errors == found[0].errors == found[1].errors < found[-2].errors


@given(seed=st.integers(0, 2**32), weighted=st.booleans())
@settings(max_examples=8, deadline=None)
def test_no_price_leaves_more_errors_and_priced_area_than_it_found(seed, weighted):
    problem = Problem(seed, 65, weighted=weighted)
    found = list(under_prices(problem.evolution, problem.start, QUICK, np.random.default_rng(seed)))
    assert len(found) == len(PRICES)
    assert all(agrees(circuit, problem, Goal()) for circuit in found)
    starts = (problem.start, *(circuit.netlist for circuit in found))
    for share, before, after in zip(PRICES, starts, found, strict=False):
        area = share * problem.care.total_weight / problem.evolution.smallest_area
        goal = Goal(area=area, errors=1.0)
        assert problem.energy(after.netlist, goal) <= problem.energy(before, goal) + 1e-6


def test_what_a_price_asks_for():
    """A row weighs 2; the last price is 3 % of a weight of 100 for a cell of 0.5 mm2."""
    recorder: Any = Recorder()
    found = [
        str(c.netlist) for c in under_prices(recorder, START, SweepSettings(moves=100), np.random.default_rng(0))
    ]
    assert found == [f"circuit {2 * k + 2}" for k in range(len(PRICES))]
    starts, goals, moves = zip(*recorder.calls, strict=True)
    assert starts[::2] == (START, *found[:-1])
    assert set(moves) == {50}
    assert [goal.area for goal in goals[::2]] == pytest.approx([share * 100 / 0.5 for share in PRICES])
    assert {(goal.errors, goal.power, goal.max_area_mm2) for goal in goals} == {(1.0, 0.0, Goal().max_area_mm2)}
    assert (goals[0].hot, goals[1].cold) == pytest.approx((2.0, 0.2))
    assert (goals[-2].hot, goals[-1].cold) == pytest.approx((PRICES[-1] * 100, PRICES[-1] * 10))
    assert PRICES[-1] * 100 > 2


def test_large_circuits_take_prices_and_the_more_moves_the_larger_they_are():
    large = 3 * CELLS_A_SHARE
    for length, levels, moves in (
        (LARGE_CELLS, 2 * len(LOSSES), 375),
        (LARGE_CELLS + 1, len(PRICES), 500),
        (large, len(PRICES), 1500),
    ):
        recorder: Any = Recorder()
        found = list(sweep(recorder, inverter_chain(length), SweepSettings(moves=1000), np.random.default_rng(0)))
        assert len(found) == levels
        assert recorder.calls[0][2] == moves


def test_same_generator_same_family():
    problem = Problem(7, 100, exact=True, n_gates=40, n_classes=4)
    one, again, other = (
        list(sweep(problem.evolution, problem.start, QUICK, np.random.default_rng(seed))) for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other


def test_without_moves_the_start_is_the_family():
    problem = Problem(3, 65, n_gates=40, n_classes=4)
    found = list(sweep(problem.evolution, problem.start, SweepSettings(moves=0), np.random.default_rng(0)))
    assert len(found) == 2 * len(LOSSES)
    assert {tuple(function(circuit.netlist)) for circuit in found} == {tuple(function(problem.start))}


def test_the_temperature_falls_from_round_to_round_and_each_goes_on_from_the_last():
    recorder: Any = Recorder()
    found = anneal(recorder, START, Goal(hot=8.0, cold=0.5), 1001, np.random.default_rng(0))
    assert [(goal.hot, goal.cold) for _, goal, _ in recorder.calls] == [
        pytest.approx((8.0, 2.0)),
        pytest.approx((2.0, 0.5)),
    ]
    assert [start for start, _, _ in recorder.calls] == [START, "circuit 1"]
    assert [moves for _, _, moves in recorder.calls] == [1001 // REORDERINGS] * REORDERINGS
    assert str(found.netlist) == "circuit 2"


def test_what_a_level_asks_for():
    """Of 1000 moves 750 shrink, at temperatures in smallest areas; 250 correct, in rows, which weigh 2."""
    recorder: Any = Recorder()
    settings = SweepSettings(moves=1000, hot=2.0, cold=0.02, losses=(0.0, 0.05))
    found = [str(circuit.netlist) for circuit in sweep(recorder, START, settings, np.random.default_rng(0))]
    assert found == ["circuit 2", "circuit 4", "circuit 6", "circuit 8"]
    starts, goals, moves = zip(*recorder.calls, strict=True)
    assert starts[::2] == (START, "circuit 2", "circuit 2", "circuit 6")
    assert moves == (375, 375, 125, 125) * 2
    assert [goal.max_errors for goal in goals] == [7] * 4 + [12] * 4
    shrink, correct = goals[4], goals[6]
    assert (shrink.area, shrink.errors, shrink.power) == (1, 0, 0)
    assert (correct.area, correct.errors, correct.power) == (0.02 * 2 / 0.5, 1, 0)
    assert [goal.max_area_mm2 for goal in goals[2:4] + goals[6:]] == [2, 2, 6, 6]
    assert (shrink.hot, goals[5].cold) == pytest.approx((1.0, 0.01))
    assert (correct.hot, goals[7].cold) == pytest.approx((2.0, 0.2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"moves": -1}, "refine_moves must be at least 0, not -1"),
        ({"hot": 0.1, "cold": 0.2}, r"temperatures must fall and stay above 0, not 0\.1 to 0\.2"),
        ({"cold": 0.0}, r"not 1\.3 to 0\.0"),
        ({"losses": ()}, "losses must grow from 0 or more, not"),
        ({"losses": (0.1, 0.05)}, r"losses must grow from 0 or more, not \(0\.1, 0\.05\)"),
        ({"losses": (-0.1, 0.05)}, r"not \(-0\.1, 0\.05\)"),
    ],
)
def test_settings_out_of_range_are_named(changes, message):
    with pytest.raises(ConfigError, match=message):
        SweepSettings(**changes)


def within(problem, moves=1000, seed=0):
    known = list(sweep(problem.evolution, problem.start, QUICK, np.random.default_rng(seed)))
    known.append(problem.evolution.measure(problem.start))
    settings = SweepSettings(moves=moves)
    return known, list(within_areas(problem.evolution, known, settings, np.random.default_rng(seed)))


@given(seed=st.integers(0, 2**32))
@settings(max_examples=10, deadline=None)
def test_within_every_area_no_more_errors_than_what_is_known(seed):
    problem = Problem(seed, 65)
    known, found = within(problem, seed=seed)
    limits = itertools.accumulate(itertools.repeat(AREA_STEP), lambda a, b: a * b, initial=FEWEST_CELLS)
    areas = [limit * problem.evolution.smallest_area for limit in itertools.islice(limits, len(found) + 50)]
    levels = [area for area in areas if any(circuit.area_mm2 <= area for circuit in known)]
    for area, circuit in zip(levels, found, strict=False):
        assert agrees(circuit, problem, Goal())
        assert circuit.area_mm2 <= area + 1e-9
        saved = 0.02 * area / problem.evolution.smallest_area
        assert circuit.errors <= min(c.errors for c in known if c.area_mm2 <= area) + saved


def test_between_a_constant_and_a_right_circuit_errors_fall_as_the_area_grows():
    problem = Problem(7, 130, exact=True, n_gates=40, n_classes=4)
    constant = Netlist(problem.start.n_inputs, (), (0, 0))
    known = [problem.evolution.measure(netlist) for netlist in (problem.start, constant)]
    settings = SweepSettings(moves=20_000)
    found = list(within_areas(problem.evolution, known, settings, np.random.default_rng(0)))
    errors = [circuit.errors for circuit in found]
    assert known[1].errors > errors[0] > errors[-1]
    assert errors == sorted(errors, reverse=True)


def test_nothing_known_is_nothing_found():
    problem = Problem(7, 65)
    assert list(within_areas(problem.evolution, [], QUICK, np.random.default_rng(0))) == []


def test_every_area_begins_with_the_best_circuit_that_fits():
    """Cells of 0.5 mm2 and areas from 1.5 mm2 on; what is found joins what is known."""
    recorder: Any = Recorder()
    pool: list[Any] = [("large", 0, 2.2), ("small", 9, 1.0), ("good", 7, 1.4), ("equal", 7, 1.5)]
    known = [Refined(name, errors, area, 0.0) for name, errors, area in pool]
    assert FEWEST_CELLS * recorder.smallest_area <= 1.5
    found = list(within_areas(recorder, known, SweepSettings(moves=100), np.random.default_rng(0)))
    starts = [(start, goal.max_area_mm2) for start, goal, _ in recorder.calls[::2]]
    assert len(starts) == len(found)
    for start, limit in starts:
        assert start in {"circuit 2", "good" if limit >= 1.4 else "small"}
        assert limit < 2.2


def test_long_levels_have_more_rounds():
    recorder: Any = Recorder()
    anneal(recorder, START, Goal(hot=8.0, cold=1.0), 2 * MOST_MOVES + 1, np.random.default_rng(0))
    assert [goal.hot for _, goal, _ in recorder.calls] == pytest.approx([8.0, 4.0, 2.0])
    assert [moves for _, _, moves in recorder.calls] == [(2 * MOST_MOVES + 1) // 3] * 3


def test_whoever_wants_an_end_gets_it_after_the_round():
    recorder: Any = Recorder(stop_after=3)
    found = list(sweep(recorder, START, SweepSettings(moves=10), np.random.default_rng(0)))
    assert len(recorder.calls) == 3
    assert str(found[-1].netlist) == "circuit 3"
    assert list(sweep(recorder, START, SweepSettings(moves=10), np.random.default_rng(0))) == []
    assert list(within_areas(recorder, found, SweepSettings(moves=10), np.random.default_rng(0))) == []
    assert len(recorder.calls) == 3
