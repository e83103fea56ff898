"""Failed devices: counts and probabilities by hand, drawn prints against exact figures, and merit of prints."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.circuit import Instance, Netlist
from printedmlp.circuit.care import CareSet
from printedmlp.circuit.comparator_spread import accuracy_under_spread, moved_codes
from printedmlp.circuit.devices import Devices, assumed_cells, device_count
from printedmlp.circuit.fault_simulation import FaultSimulator
from printedmlp.circuit.faults import Fault, collapse
from printedmlp.circuit.hardening import Hardening
from printedmlp.circuit.yields import (
    by_failed_devices,
    gate_drops,
    most_wrong,
    printed_merit,
    row_weights,
    single_faults,
    yield_of,
)
from printedmlp.errors import ConfigError
from printedmlp.metrics import wilson_interval
from printedmlp.technology import Technology, load_technology
from printedmlp.technology.cell import Cell
from tests.netlists import EGFET, inverter_chain, random_netlists, two_gates
from tests.printedmlp.test_faults import NAND_TREE, ROWS, WANTED


def tree():
    return FaultSimulator(NAND_TREE, EGFET, ROWS, WANTED, n_classes=2, input_bits=1)


def test_devices_of_the_built_in_cells():
    counts = {name: device_count(cell) for name, cell in EGFET.cells.items()}
    assert counts == {
        "INVX1": 2, "NAND2X1": 3, "NOR2X1": 3, "AND2X1": 5, "OR2X1": 5, "XOR2X1": 12, "XNOR2X1": 14,
    }  # fmt: skip
    cnt = load_technology("cnt_tft")
    assert all(cell.area_mm2 * 1e6 == pytest.approx(500 * device_count(cell)) for cell in cnt.cells.values())
    assert EGFET.devices_source
    assert cnt.devices_source


def test_devices_that_nobody_counts_are_assumed_and_told():
    counts = {name: device_count(replace(cell, devices=None)) for name, cell in EGFET.cells.items()}
    assert counts["INVX1"] == 2
    assert counts["NOR2X1"] == 3
    assert counts["OR2X1"] == 5
    assert counts["XOR2X1"] == counts["XNOR2X1"] == 12
    bare = Technology("bare", {"N": Cell("N", 1.0, ("A", "B"), "Y", "!(A & B)")}, (1.0,), 1.0)
    assert assumed_cells(Netlist(2, (Instance("N", (2, 3)),), (4,)), bare) == ("N",)
    assert assumed_cells(two_gates(), EGFET) == ()


@pytest.mark.parametrize(
    ("given", "message"), [("0", "is below 1"), ("2.5", "not a whole number"), ('"3"', "number")]
)
def test_a_wrong_number_of_devices_is_named(tmp_path, given, message):
    head = 'name = "t"\nvoltages = [1.0]\nnominal_voltage = 1.0\n[cells.INV]\nkind = "combinational"\n'
    text = f'{head}area_mm2 = 1.0\ninputs = ["A"]\noutput = "Y"\nfunction = "!A"\ndevices = {given}\n'
    (tmp_path / "t.toml").write_text(text)
    with pytest.raises(ConfigError, match=rf"cells\.INV\.devices: .*{message}"):
        load_technology(tmp_path / "t.toml")


def test_places_of_a_nands_devices_by_hand():
    devices = Devices.of(two_gates(), EGFET)
    assert devices.places.tolist() == [[0, 0], [0, 1], [4, -1], [1, 0], [5, -1]]
    assert devices.counts.tolist() == [1, 1, 1, 1, 1]
    assert devices.owners.tolist() == [0, 0, 0, 1, 1]
    assert devices.total == 5
    assert devices.all_work(0.9) == pytest.approx(0.9**5)


def test_an_or_has_three_devices_at_its_output():
    devices = Devices.of(Netlist(2, (Instance("OR2X1", (2, 3)),), (4,)), EGFET)
    assert devices.counts.tolist() == [1, 1, 3]
    assert devices.fault_probabilities(0.9) == pytest.approx([0.1, 0.1, 1 - 0.9**3])


def test_the_share_of_perfect_prints_is_the_exact_one():
    simulator, devices = tree(), Devices.of(NAND_TREE, EGFET)
    found = yield_of(simulator, devices, 0.95, loss=0.0, prints=4000, rng=np.random.default_rng(0))
    low, high = wilson_interval(found.perfect, found.prints)
    assert found.expected_perfect == pytest.approx(0.95**9)
    assert low <= found.expected_perfect <= high
    assert found.perfect <= found.working


def test_yield_of_an_inverter_is_known_exactly():
    """Either of its two devices fails with 0.1; the output is then stuck, and half of the rows are wrong."""
    codes, y = np.array([[0], [1]] * 8, dtype=np.uint8), np.array([1, 0] * 8)
    simulator = FaultSimulator(inverter_chain(1), EGFET, codes, y, n_classes=2, input_bits=1)
    devices, rng = Devices.of(inverter_chain(1), EGFET), np.random.default_rng(1)
    found = yield_of(simulator, devices, 0.9, loss=0.1, prints=4000, rng=rng)
    low, high = found.interval
    assert low <= 0.81 <= high
    assert found.accuracy.mean == pytest.approx(0.81 + 0.19 * 0.5, abs=0.01)
    assert yield_of(simulator, devices, 0.9, loss=0.5, prints=50, rng=rng).working == 50
    assert yield_of(simulator, devices, 1.0, loss=0.0, prints=50, rng=rng).working == 50


def test_prints_with_so_many_failed_devices_by_hand():
    """One of the nine devices of the tree fails: the mean over places and polarities of the campaign."""
    simulator, devices = tree(), Devices.of(NAND_TREE, EGFET)
    singles = simulator.singles()
    exact = 1 - np.mean(
        [singles.wrong(Fault(p, pin, v)).sum() for p, pin in devices.places.tolist() for v in (0, 1)]
    ) / len(ROWS)
    one, two = by_failed_devices(simulator, devices, [1, 2], loss=0.0, prints=4000, rng=np.random.default_rng(2))
    assert one.accuracy.mean == pytest.approx(exact, abs=0.01)
    assert two.accuracy.mean < one.accuracy.mean
    assert [
        f.failed for f in by_failed_devices(simulator, devices, [9, 10], loss=0.0, prints=1, rng=two_rng())
    ] == [9]


def two_rng():
    return np.random.default_rng(3)


def test_the_same_seed_draws_the_same_prints():
    simulator, devices = tree(), Devices.of(NAND_TREE, EGFET)
    one, other = (
        yield_of(simulator, devices, 0.9, loss=0.1, prints=300, rng=np.random.default_rng(5)) for _ in range(2)
    )
    assert one == other


def test_the_campaign_of_the_tree_by_hand():
    simulator = tree()
    found = single_faults(simulator, simulator.singles(), collapse(NAND_TREE, EGFET), (0.2,))
    assert (found.faults, found.collapsed, found.without_effect, found.silent) == (26, 8, 0, 0.0)
    # Three rows: four inputs at 1, each with its pin, and six members of each first NAND at 1.
    # Nine: the output at 1 and what makes it so. Seven: the output at 0.
    wrong = {3: 4 * 2 + 2 * 6, 9: 5, 7: 1}
    assert sum(wrong.values()) == 26
    assert found.accuracy is not None
    assert found.accuracy.mean == pytest.approx(1 - sum(k * n for k, n in wrong.items()) / 26 / 16)
    assert found.within[0.2] == pytest.approx(20 / 26)


def test_losses_count_from_the_fault_free_errors():
    wrong_rows = WANTED.copy()
    wrong_rows[0] ^= 1
    simulator = FaultSimulator(NAND_TREE, EGFET, ROWS, wrong_rows, n_classes=2, input_bits=1)
    assert [most_wrong(simulator, loss) for loss in (0, 1 / 16, 0.12, 1)] == [1, 2, 2, 17]
    with pytest.raises(ConfigError, match=r"loss: 1\.5 is not in"):
        most_wrong(simulator, 1.5)


def test_the_last_gate_is_the_most_critical():
    simulator, devices = tree(), Devices.of(NAND_TREE, EGFET)
    drops = gate_drops(simulator, devices, simulator.singles())
    # Of the last NAND: pins at 0 and output at 1 cost 9 rows, the output at 0 seven, and a pin at 1 its three.
    assert drops[2] == pytest.approx((9 + 3 + 9 + 3 + 9 + 7) / 6 / 16)
    assert drops.argmax() == 2


def test_expected_merit_is_exact_to_first_order():
    simulator, devices = tree(), Devices.of(NAND_TREE, EGFET)
    singles, weights = simulator.singles(), row_weights(simulator.held, balanced=False)
    tiny = 1e-6
    lost = 1 - printed_merit(simulator, devices, singles, 1 - tiny, weights)
    drops = devices.drops(singles, simulator) @ weights
    assert lost == pytest.approx(tiny * float(drops @ devices.counts), rel=1e-3)
    assert printed_merit(simulator, devices, singles, 1.0, weights) == 1.0


def test_expected_merit_ignores_idle_gates_which_flatter_a_mean():
    idle = Netlist(4, (*NAND_TREE.instances, *[Instance("XOR2X1", (2, 3))] * 5), (8,))
    found = []
    for netlist in (NAND_TREE, idle):
        simulator = FaultSimulator(netlist, EGFET, ROWS, WANTED, n_classes=2, input_bits=1)
        singles, weights = simulator.singles(), row_weights(simulator.held, balanced=True)
        merit = printed_merit(simulator, Devices.of(netlist, EGFET), singles, 0.95, weights)
        campaign = single_faults(simulator, singles, collapse(netlist, EGFET), ()).accuracy
        assert campaign is not None
        found.append((merit, campaign.mean))
    assert found[0][0] == pytest.approx(found[1][0])
    assert found[0][1] < found[1][1]


def test_expected_merit_is_near_that_of_drawn_prints():
    simulator, devices = tree(), Devices.of(NAND_TREE, EGFET)
    weights = row_weights(simulator.held, balanced=False)
    for device_yield in (0.95, 0.99):
        merit = printed_merit(simulator, devices, simulator.singles(), device_yield, weights)
        drawn = yield_of(simulator, devices, device_yield, loss=0.0, prints=4000, rng=np.random.default_rng(0))
        assert merit == pytest.approx(drawn.accuracy.mean, abs=0.02)


@settings(max_examples=10, deadline=None)
@given(random_netlists(max_inputs=5, max_gates=15), st.integers(0, 99), st.sampled_from([0.9, 0.99]))
def test_hardening_prices_what_the_definition_says(netlist, seed, device_yield):
    rng = np.random.default_rng(seed)
    codes, n_classes = rng.integers(0, 2, (80, netlist.n_inputs)).astype(np.uint8), 1 << len(netlist.outputs)
    y = rng.integers(0, n_classes, 80)
    simulator = FaultSimulator(netlist, EGFET, codes, y, n_classes=n_classes, input_bits=1)
    weights, devices = row_weights(simulator.held, balanced=False), Devices.of(netlist, EGFET)
    merit = printed_merit(simulator, devices, simulator.singles(), device_yield, weights)
    care = CareSet.of(codes, y, n_classes=n_classes, input_bits=1)
    found = Hardening(care, EGFET, device_yield).measure(netlist)
    assert 1 - found.expected / 80 == pytest.approx(merit, abs=1e-9)
    assert found.errors == simulator.wrong.sum()


def test_hardening_never_ends_behind_its_start_and_keeps_to_the_area():
    care = CareSet.of(ROWS, WANTED, n_classes=2, input_bits=1)
    hardening, area = Hardening(care, EGFET, 0.9), NAND_TREE.area_cm2(EGFET) * 100
    start = hardening.measure(NAND_TREE)
    found = hardening.run(NAND_TREE, 4000, np.random.default_rng(0), area_mm2=area)
    again = hardening.run(NAND_TREE, 4000, np.random.default_rng(0), area_mm2=area)
    assert found == again
    assert found.area_mm2 <= area + 1e-9
    assert found.area_mm2 == pytest.approx(found.netlist.area_cm2(EGFET) * 100)
    assert found.expected <= start.expected
    assert hardening.measure(found.netlist).expected == pytest.approx(found.expected)


def test_comparators_on_their_thresholds_leave_every_code():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 16, (50, 3))
    assert (moved_codes(codes + rng.random(codes.shape), 4, 0.0, rng) == codes).all()


def test_displaced_comparators_move_codes_and_cost_accuracy():
    """A value half a step above a threshold is told wrong where its comparator is off by more than that."""
    rng = np.random.default_rng(0)
    moved = moved_codes(np.full((1, 20_000), 8.5), 4, 0.2, rng)
    right = np.mean(moved == 8)
    # Neither the comparator at 8 is above the value nor the one at 9 below it, at 2.5 deviations each.
    assert right == pytest.approx(0.99379**2, abs=0.004)
    codes = np.arange(16, dtype=np.uint8)[:, None]
    top_bit = Netlist(4, (), (5,))
    kwargs = {"input_bits": 4, "prints": 40}
    y = (codes[:, 0] >= 8).astype(np.int64)
    exact = accuracy_under_spread(top_bit, EGFET, codes, y, sigma_steps=0.0, rng=rng, **kwargs)
    off = accuracy_under_spread(top_bit, EGFET, codes, y, sigma_steps=1.0, rng=rng, **kwargs)
    assert exact.tolist() == [1.0] * 40
    assert off.mean() < 1
    with pytest.raises(ConfigError, match="off by -1 steps"):
        accuracy_under_spread(top_bit, EGFET, codes, y, sigma_steps=-1, rng=rng, **kwargs)
