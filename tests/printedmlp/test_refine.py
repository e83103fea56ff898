"""Gate-level evolution: every figure it reports is counted again from the circuit it returns."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.circuit import Instance, Netlist, input_bits_of, simulate, state_probabilities
from printedmlp.circuit.care import CareSet
from printedmlp.circuit.gates import GateClassifier
from printedmlp.circuit.refine import NO_LIMIT, Evolution, Goal
from printedmlp.circuit.simplify import drop_unread
from printedmlp.circuit.slots import CellKinds
from printedmlp.kernels import gates as kernel
from tests.netlists import EGFET, function, two_gates

GOALS = {
    "area": Goal(hot=1.0),
    "area at once": Goal(hot=1e-6, cold=1e-6, composite=0.0),
    "errors": Goal(area=0.02, errors=1.0, hot=2.0, cold=0.1),
    "power": Goal(area=0.5, power=1.0, hot=20.0, cold=1.0),
    "all": Goal(area=1.0, power=0.1, errors=0.5, hot=5.0, cold=0.01, composite=0.7),
}
ROWS_AROUND_WORDS = (1, 2, 63, 64, 65, 130)


class Problem:
    """Rows, a start and an evolution, all from one seed."""

    def __init__(self, seed, n_rows, *, weighted=False, exact=False, n_gates=None, n_classes=None):
        rng = np.random.default_rng(seed)
        self.bits, self.n_features = (int(n) for n in rng.integers(1, 4, size=2))
        self.n_classes = n_classes or int(rng.integers(1, 6))
        self.codes = rng.integers(0, 1 << self.bits, size=(n_rows, self.n_features), dtype=np.uint8)
        self.weights = tuple(int(w) for w in rng.integers(1, 9, size=self.n_classes)) if weighted else None
        n_outputs = max(1, (self.n_classes - 1).bit_length())
        n_gates = int(rng.integers(0, 40)) if n_gates is None else n_gates
        self.start = drop_unread(random_netlist(rng, self.bits * self.n_features, n_gates, n_outputs))
        answers = self.answers(self.start)
        # Wrong on every fourth code, so that there are errors which other circuits need not make.
        self.y = (answers + (not exact) * (self.codes.sum(axis=1) % 4 == 3)) % self.n_classes
        sizes = {"n_classes": self.n_classes, "input_bits": self.bits}
        self.care = CareSet.of(self.codes, self.y, class_weights=self.weights, **sizes)
        self.evolution = Evolution(self.care, EGFET)

    def answers(self, netlist):
        sizes = {"n_classes": self.n_classes, "input_bits": self.bits}
        return GateClassifier.of_netlist(netlist, EGFET, **sizes).predict(self.codes)

    def recount(self, netlist):
        """Weighted errors, area and power of a netlist by their definitions."""
        per_row = np.array(self.weights or (1,) * self.n_classes)[self.y]
        errors = per_row[self.answers(netlist) != self.y].sum()
        return int(errors), netlist.area_cm2(EGFET) * 100, power_uw(netlist, self.codes, self.bits)

    def energy(self, netlist, goal):
        errors, area, power = self.recount(netlist)
        return goal.area * area + goal.power * power + goal.errors * errors

    def run(self, goal, moves=1500, seed=1):
        return self.evolution.run(self.start, goal, moves, np.random.default_rng(seed))


def random_netlist(rng, n_inputs, n_gates, n_outputs):
    names = sorted(EGFET.cells)
    instances = []
    for k in range(n_gates):
        cell = EGFET.cell(names[rng.integers(len(names))])
        nets = rng.integers(max(0, k - 10), 2 + n_inputs + k, size=len(cell.inputs))
        instances.append(Instance(cell.name, tuple(int(net) for net in nets)))
    # Mostly the last nets, so that most gates count.
    lowest = rng.choice([0, max(0, n_inputs + n_gates - 4)], p=[0.2, 0.8])
    outputs = rng.integers(lowest, 2 + n_inputs + n_gates, size=n_outputs)
    return Netlist(n_inputs, tuple(instances), tuple(int(net) for net in outputs))


def power_uw(netlist, codes, bits):
    """Mean static power at the nominal voltage, from the share of rows in each state of each cell."""
    values = simulate(netlist, EGFET, input_bits_of(codes, bits), len(codes))
    shares = state_probabilities(netlist, EGFET, values, len(codes))
    leaks = [EGFET.cell(instance.cell).leakage_nw[EGFET.nominal_voltage] for instance in netlist.instances]
    return sum(p * nw for ps, nws in zip(shares, leaks, strict=True) for p, nw in zip(ps, nws, strict=True)) / 1000


def agrees(found, problem, goal):
    """Whether the figures that evolution reports are those of the circuit it returns."""
    errors, area, power = problem.recount(found.netlist)
    same_power = not goal.power or found.power_uw == pytest.approx(power, rel=1e-9, abs=1e-9)
    return found.errors == errors and found.area_mm2 == pytest.approx(area, abs=1e-9) and same_power


def on_all_inputs(netlist, n_classes=2):
    """Rows of one-bit features: every input of a small netlist with its answer."""
    words = np.arange(1 << netlist.n_inputs)
    codes = (words[:, None] >> np.arange(netlist.n_inputs) & 1).astype(np.uint8)
    return CareSet.of(codes, np.array(function(netlist)), n_classes=n_classes, input_bits=1)


def test_a_nand_and_an_inverter_become_an_and():
    evolution = Evolution(on_all_inputs(two_gates()), EGFET)
    before = evolution.measure(two_gates())
    inverter, nand, conjunction = (EGFET.cell(name) for name in ("INVX1", "NAND2X1", "AND2X1"))
    assert (before.netlist, before.errors) == (two_gates(), 0)
    assert before.area_mm2 == pytest.approx(nand.area_mm2 + inverter.area_mm2)
    nanowatts = sum(nand.leakage_nw[1.0]) / 4 + (3 * inverter.leakage_nw[1.0][1] + inverter.leakage_nw[1.0][0]) / 4
    assert before.power_uw == pytest.approx(nanowatts / 1000)
    found = evolution.run(two_gates(), Goal(max_errors=0), 5000, np.random.default_rng(0))
    assert found.netlist.cell_counts() == {"AND2X1": 1}
    assert function(found.netlist) == function(two_gates())
    assert (found.errors, found.area_mm2, found.power_uw) == (0, pytest.approx(conjunction.area_mm2), 0)


def test_one_error_of_four_buys_the_whole_circuit():
    evolution = Evolution(on_all_inputs(two_gates()), EGFET)
    found = evolution.run(two_gates(), Goal(max_errors=1), 3000, np.random.default_rng(0))
    assert found.netlist in [Netlist(2, (), (net,)) for net in (0, 2, 3)]
    assert (found.errors, found.area_mm2) == (1, pytest.approx(0))


def test_an_exclusive_or_is_found_from_nothing():
    target = Netlist(2, (Instance("XOR2X1", (2, 3)),), (4,))
    evolution = Evolution(on_all_inputs(target), EGFET)
    goal = Goal(area=0.01, errors=1.0, hot=1.0, cold=0.1)
    found = evolution.run(Netlist(2, (), (0,)), goal, 20_000, np.random.default_rng(0))
    assert (found.errors, function(found.netlist)) == (0, [0, 1, 1, 0])


@pytest.mark.parametrize("name", GOALS)
@given(seed=st.integers(0, 2**32), n_rows=st.sampled_from(ROWS_AROUND_WORDS), weighted=st.booleans())
@settings(max_examples=12, deadline=None)
def test_reported_figures_are_those_of_the_circuit(name, seed, n_rows, weighted):
    problem = Problem(seed, n_rows, weighted=weighted)
    found = problem.run(GOALS[name], seed=seed)
    assert agrees(found, problem, GOALS[name])
    assert problem.energy(found.netlist, GOALS[name]) <= problem.energy(problem.start, GOALS[name]) + 1e-6


@pytest.mark.parametrize("name", GOALS)
@given(seed=st.integers(0, 2**32), slack=st.integers(0, 20), weighted=st.booleans())
@settings(max_examples=8, deadline=None)
def test_limits_are_kept_where_the_start_keeps_them(name, seed, slack, weighted):
    problem = Problem(seed, 65, weighted=weighted)
    errors, area, _ = problem.recount(problem.start)
    goal = replace(GOALS[name], max_errors=errors + slack, max_area_mm2=area + slack / 10)
    found = problem.run(goal, seed=seed)
    assert agrees(found, problem, goal)
    assert found.errors <= errors + slack
    assert found.area_mm2 <= area + slack / 10 + 1e-9


@given(seed=st.integers(0, 2**32), n_rows=st.sampled_from(ROWS_AROUND_WORDS))
@settings(max_examples=20, deadline=None)
def test_no_move_changes_nothing(seed, n_rows):
    problem = Problem(seed, n_rows, weighted=bool(seed % 2))
    found, measured = problem.run(GOALS["all"], moves=0), problem.evolution.measure(problem.start)
    assert function(found.netlist) == function(measured.netlist) == function(problem.start)
    assert agrees(found, problem, GOALS["all"])
    assert agrees(measured, problem, GOALS["power"])


@pytest.mark.parametrize("name", GOALS)
def test_same_generator_same_circuit(name):
    problem = Problem(7, 100, exact=True, n_gates=40, n_classes=4)
    goal = replace(GOALS[name], max_errors=0)
    one, again, other = (problem.run(goal, seed=seed) for seed in (3, 3, 4))
    assert one == again
    assert one.netlist != other.netlist


def test_evolution_does_find_better_circuits():
    """Without this the checks above would pass for a loop that accepts nothing."""
    problem = Problem(3, 130, n_gates=40, n_classes=4)
    errors, area, power = problem.recount(problem.start)
    assert problem.run(replace(GOALS["area"], max_errors=errors), 20_000).area_mm2 < 0.7 * area
    assert problem.run(replace(GOALS["errors"], max_area_mm2=area), 20_000).errors < 0.7 * errors
    assert problem.run(replace(GOALS["power"], max_errors=errors), 20_000).power_uw < 0.7 * power


@pytest.mark.parametrize("n_rows", ROWS_AROUND_WORDS)
@pytest.mark.parametrize("outputs", [(0,), (1,), (2,)])
def test_circuits_without_gates(n_rows, outputs):
    problem = Problem(5, n_rows, n_gates=0, n_classes=2)
    problem.start = Netlist(problem.start.n_inputs, (), outputs)
    for goal in GOALS.values():
        found = problem.run(replace(goal, max_errors=problem.recount(problem.start)[0]))
        assert agrees(found, problem, goal)
    measured = problem.evolution.measure(problem.start)
    assert (measured.netlist, measured.area_mm2, measured.power_uw) == (problem.start, 0, 0)


def test_a_start_beyond_the_limits():
    problem = Problem(3, 100, n_gates=40, n_classes=4)
    errors, area, _ = problem.recount(problem.start)
    nothing = problem.run(Goal(max_errors=errors - 1), moves=0)
    assert nothing.errors == -1
    assert function(nothing.netlist) == function(problem.start)
    assert problem.run(Goal(max_area_mm2=area / 2), moves=0).errors == -1
    for seed in range(20):
        found = problem.run(Goal(max_errors=errors - 1), seed=seed)
        assert (found.errors == -1) == (function(found.netlist) == function(problem.start))
        assert found.errors < errors


def test_with_constants_alone_no_cell_is_new():
    problem = Problem(7, 100, n_gates=40, n_classes=4)
    before = problem.evolution.measure(problem.start).netlist.cell_counts()
    evolution = Evolution(problem.care, EGFET, move_weights=(0, 0, 0, 1, 0))
    found = evolution.run(problem.start, GOALS["errors"], 300, np.random.default_rng(0))
    assert agrees(found, problem, GOALS["errors"])
    after = found.netlist.cell_counts()
    assert after != before
    assert all(n <= before.get(name, 0) for name, n in after.items())


@pytest.mark.parametrize(("weights", "fewest"), [((0, 0, 0, 0, 1), 1), ((0, 0, 0, 1, 0), 0)])
def test_one_move_reconnects_one_output_and_a_constant_rids_all_of_their_gate(weights, fewest):
    start = Netlist(2, (Instance("NAND2X1", (2, 3)),), (4, 4, 4))
    evolution = Evolution(on_all_inputs(start, n_classes=8), EGFET, move_weights=weights)
    goal = Goal(hot=9.0, composite=0.0)
    found = [evolution.run(start, goal, 1, np.random.default_rng(seed)).netlist for seed in range(100)]
    assert min(len(netlist.instances) for netlist in found) == fewest


def damaged_wanted(evolution, monkeypatch):
    evolution.care.wanted[0, 0] ^= np.uint64(1)


def damaged_table(evolution, monkeypatch):
    arrays = evolution.kinds.arrays()
    tables = np.where(arrays[0] == 0b0111, 0b0110, arrays[0])
    monkeypatch.setattr(CellKinds, "arrays", lambda kinds: (tables, *arrays[1:]))


def damaged_weights(evolution, monkeypatch):
    evolution.care.weights[0] += 1


def damaged_area(evolution, monkeypatch):
    evolution.kinds.areas[2] += 0.01


def damaged_leakage(evolution, monkeypatch):
    evolution.kinds.leakage[2, 3] += 1.0


def damaged_values(evolution, monkeypatch):
    """Without row 3 the circuit has one error less or more, and another mean power."""
    evolution.care.valid[0] ^= np.uint64(8)


@pytest.mark.parametrize(
    "damage",
    [damaged_wanted, damaged_table, damaged_weights, damaged_area, damaged_leakage, damaged_values],
)
def test_the_recount_notices_a_damaged_kernel_input(damage, monkeypatch):
    problem = Problem(7, 100, n_gates=0, n_classes=2)
    first = problem.start.first_driven
    chain = (Instance("NAND2X1", (2, 2)), Instance("NAND2X1", (first, 3)), Instance("NAND2X1", (first + 1, 4)))
    problem.start = Netlist(problem.start.n_inputs, chain, (first + 2,))
    assert agrees(problem.evolution.measure(problem.start), problem, GOALS["power"])
    damage(problem.evolution, monkeypatch)
    assert not agrees(problem.evolution.measure(problem.start), problem, GOALS["power"])


def test_scratch_is_as_the_loop_needs_it():
    work, views, log = kernel.new_scratch(10)
    assert all(not array.any() for array in (*work, *views, log))
    assert len(work[1]) >= 2 * 10 + 2
    assert float(np.int64(NO_LIMIT)) == NO_LIMIT
