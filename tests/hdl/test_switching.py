import dataclasses
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl.glitches import unit_delay_toggles
from hdl.power import power_by_cell_mw, power_profile, static_power_mw
from printedmlp.circuit import Instance, Netlist, input_bits_of, simulate
from printedmlp.errors import ConfigError
from printedmlp.technology import EdgeEnergies, Technology
from printedmlp.technology.energy import switching_energies
from printedmlp.technology.entries import Entries
from tests.netlists import EGFET, inverter_chain, net_values, random_netlists, two_gates


def known(figure: float | None) -> float:
    """A figure that the technology has."""
    assert figure is not None
    return figure


def rows(netlist, *words):
    """One row for each input word, every input bit a feature of one bit."""
    return np.array([[word >> i & 1 for i in range(netlist.n_inputs)] for word in words], dtype=np.uint8)


def test_one_inverter_by_hand():
    # In 0, 1, 1, 0: the output falls once and rises once in three steps, into 100 pF.
    chain = inverter_chain(1)
    profile = power_profile(chain, EGFET, rows(chain, 0, 1, 1, 0), 1, output_load_pf=100)
    assert profile.switching.toggles == pytest.approx([2 / 3])
    # Rise 9618.54 at 10000 pF, 9750.98 at 15000 pF; fall 3868.35 and 3750.08; straight on down to 100 pF.
    rise = 9618.54 - (10000 - 100) / 5000 * (9750.98 - 9618.54)
    fall = 3868.35 - (10000 - 100) / 5000 * (3750.08 - 3868.35)
    assert profile.switching.internal_pj[1.0] == pytest.approx([(rise + fall) / 3])
    assert profile.switching.load_pj[0.8] == pytest.approx([2 / 3 * 100 * 0.8**2 / 2])
    power = profile.at(1.0, 5)
    # pJ a row times 5 rows a second are pW.
    assert power.internal_mw == pytest.approx((rise + fall) / 3 * 5e-9)
    assert power.load_mw == pytest.approx(2 / 3 * 50 * 5e-9)
    assert power.static_mw == pytest.approx((491.103 + 19283.8) / 2 * 1e-6)
    assert power.total_mw == pytest.approx(power.static_mw + known(power.internal_mw) + known(power.load_mw))
    assert power.leakage_share == pytest.approx(power.static_mw / known(power.total_mw))


def test_the_load_is_what_the_output_drives():
    chain = inverter_chain(2)
    profile = power_profile(chain, EGFET, rows(chain, 0, 1), 1, output_load_pf=7)
    pin = EGFET.cells["INVX1"].capacitance_pf[1.0][0].mean
    assert profile.switching.load_pj[1.0] == pytest.approx([pin / 2, 7 / 2])


def test_two_inputs_at_once_count_as_their_mean():
    nand = Netlist(2, (Instance("NAND2X1", (2, 3)),), (4,))
    both = power_profile(nand, EGFET, rows(nand, 0b00, 0b11), 1).switching.internal_pj[1.0]
    one = power_profile(nand, EGFET, rows(nand, 0b10, 0b11), 1).switching.internal_pj[1.0]
    other = power_profile(nand, EGFET, rows(nand, 0b01, 0b11), 1).switching.internal_pj[1.0]
    assert both == pytest.approx((one + other) / 2)
    assert one < other


def test_a_condition_picks_the_table():
    xor = Netlist(2, (Instance("XOR2X1", (2, 3)),), (4,))
    high = power_profile(xor, EGFET, rows(xor, 0b11, 0b10), 1, output_load_pf=10000)
    low = power_profile(xor, EGFET, rows(xor, 0b00, 0b01), 1, output_load_pf=10000)
    assert high.switching.internal_pj[1.0] == pytest.approx([211862.0])
    assert low.switching.internal_pj[1.0] == pytest.approx([123875.0])


def test_rows_that_do_not_change_cost_nothing():
    netlist = two_gates()
    for words in ((3,), (3, 3, 3)):
        power = power_profile(netlist, EGFET, rows(netlist, *words), 1).at(1.0, 20)
        assert (power.switching_mw, power.leakage_share) == (0, 1)


def slow_energy_pj(netlist, X, voltage, output_load_pf):
    """Energy a row, transition by transition, with numpy's interpolation on a line drawn by hand."""
    total = 0.0
    words = [sum(int(bit) << i for i, bit in enumerate(row)) for row in X]
    for before, after in pairwise(words):
        old, new = net_values(netlist, before), net_values(netlist, after)
        for net, instance in netlist.driven():
            if old[net] != new[net]:
                cell = EGFET.cells[instance.cell]
                load = output_load_pf * netlist.outputs.count(net)
                for reader in netlist.instances:
                    pins = zip(reader.inputs, EGFET.cells[reader.cell].capacitance_pf[voltage], strict=True)
                    load += sum(pin.mean for read, pin in pins if read == net)
                total += load * voltage**2 / 2
                state = sum(new[n] << i for i, n in enumerate(instance.inputs))
                moved = [pin for pin, n in zip(cell.inputs, instance.inputs, strict=True) if old[n] != new[n]]
                found = []
                for energy in cell.energies:
                    if energy.pin in moved and energy.states >> state & 1:
                        edges = energy.by_voltage[voltage]
                        points = edges.rise_pj if new[net] else edges.fall_pj
                        k = 0 if load <= edges.load_pf[1] else 1
                        line = np.polyfit(edges.load_pf[k : k + 2], points[k : k + 2], 1)
                        found.append(float(np.polyval(line, load)))
                total += sum(found) / len(found)
    return total / (len(X) - 1)


@settings(max_examples=30, deadline=None)
@given(random_netlists(), st.integers(0, 2**32 - 1))
def test_energies_agree_with_a_plain_loop(netlist, seed):
    X = np.random.default_rng(seed).integers(0, 2, size=(6, netlist.n_inputs)).astype(np.uint8)
    profile = power_profile(netlist, EGFET, X, 1, output_load_pf=250)
    power = profile.at(0.6, 1e6)
    expected = slow_energy_pj(netlist, X, 0.6, 250)
    assert power.switching_mw == pytest.approx(expected * 1e-3)
    assert power.static_mw == pytest.approx(static_power_mw(netlist, EGFET, X, 1)[0.6])


@settings(max_examples=10, deadline=None)
@given(random_netlists())
def test_parts_add_up_to_the_whole(netlist):
    X = np.random.default_rng(1).integers(0, 2, size=(9, netlist.n_inputs)).astype(np.uint8)
    profile = power_profile(netlist, EGFET, X, 1)
    whole = profile.at(1.0, 5)
    by_cell = profile.split([i.cell for i in netlist.instances], 1.0, 5)
    assert sum(known(p.total_mw) for p in by_cell.values()) == pytest.approx(whole.total_mw)
    static = {name: power.static_mw for name, power in by_cell.items()}
    assert static == pytest.approx(power_by_cell_mw(netlist, EGFET, X, 1, 1.0))


def test_a_glitch_by_hand():
    # x and not x: the NAND sees both high for one gate delay when x rises, and not when it falls.
    hazard = Netlist(1, (Instance("INVX1", (2,)), Instance("NAND2X1", (2, 3))), (4,))
    rise = power_profile(hazard, EGFET, rows(hazard, 0, 1), 1, output_load_pf=10000, glitches=True)
    assert rise.switching.toggles.tolist() == [1, 0]
    # Down and up again: twice the mean over both edges and both pins, and twice half of C V^2.
    mean = (12842.4 + 23966.3 + 18858.8 + 28592.9) / 4
    assert rise.switching.glitches_pj[1.0] == pytest.approx([0, 2 * (mean + 10000 / 2)])
    fall = power_profile(hazard, EGFET, rows(hazard, 1, 0), 1, glitches=True)
    assert fall.switching.glitches_pj[1.0].tolist() == [0, 0]
    power = rise.at(1.0, 5)
    with_glitches = power.static_mw / (known(power.total_mw) + known(power.glitches_mw))
    assert power.leakage_share_with_glitches == pytest.approx(with_glitches)
    assert power_profile(hazard, EGFET, rows(hazard, 0, 1), 1).at(1.0, 5).leakage_share_with_glitches is None
    assert known(power.leakage_share_with_glitches) < known(power.leakage_share)


def slow_toggles(netlist, before, after):
    """Transitions of every instance, all gates updated at once from the state before, until nothing moves."""
    now = net_values(netlist, before)
    now[2 : netlist.first_driven] = [after >> i & 1 for i in range(netlist.n_inputs)]
    counts = [0] * len(netlist.instances)
    for _ in range(len(netlist.instances) + 1):
        new = list(now)
        for net, instance in netlist.driven():
            state = sum(now[n] << i for i, n in enumerate(instance.inputs))
            new[net] = EGFET.cells[instance.cell].evaluate(state)
            counts[net - netlist.first_driven] += new[net] != now[net]
        now = new
    return counts


@settings(max_examples=30, deadline=None)
@given(random_netlists(), st.integers(0, 2**32 - 1))
def test_glitches_agree_with_a_plain_loop(netlist, seed):
    X = np.random.default_rng(seed).integers(0, 2, size=(5, netlist.n_inputs)).astype(np.uint8)
    words = [sum(int(bit) << i for i, bit in enumerate(row)) for row in X]
    expected = np.mean([slow_toggles(netlist, *pair) for pair in pairwise(words)], axis=0)
    values = simulate(netlist, EGFET, input_bits_of(X, 1), len(X))
    found = unit_delay_toggles(netlist, EGFET, values, len(X))
    assert found.tolist() == pytest.approx(expected.tolist())
    settled = power_profile(netlist, EGFET, X, 1).switching.toggles
    assert (found >= settled - 1e-9).all()


def test_what_a_technology_does_not_say_is_not_made_up():
    cells = {name: dataclasses.replace(cell, energies=()) for name, cell in EGFET.cells.items()}
    silent = Technology("silent", cells, EGFET.voltages, 1.0)
    power = power_profile(two_gates(), silent, rows(two_gates(), 0, 3), 1).at(1.0, 5)
    assert power.internal_mw is power.switching_mw is power.total_mw is power.leakage_share is None
    assert known(power.load_mw) > 0
    with pytest.raises(ConfigError, match=r"no power at 3\.3 V"):
        power_profile(two_gates(), EGFET, rows(two_gates(), 0, 3), 1).at(3.3, 5)


def test_entries_of_a_technology_are_checked():
    edges = {"rise_pj": [1.0], "fall_pj": [2.0]}
    with pytest.raises(ConfigError, match="'B' is not an input"):
        switching_energies([Entries({"pin": "B", "1.0": edges})], ["A"], [1.0], (5.0,))
    with pytest.raises(ConfigError, match="1 figures, not 2"):
        switching_energies([Entries({"pin": "A", "1.0": edges})], ["A"], [1.0], (5.0, 6.0))
    (energy,) = switching_energies([Entries({"pin": "A", "when": "!B", "1.0": edges})], ["A", "B"], [1.0], (5.0,))
    assert (energy.states, energy.by_voltage[1.0]) == (0b0011, EdgeEnergies((5.0,), (1.0,), (2.0,)))
    (some,) = switching_energies([Entries({"pin": "A", "2": edges})], ["A"], [1.0, 2.0], (5.0,))
    assert list(some.by_voltage) == [2.0]


def test_energies_of_a_full_cycle_rise_with_the_voltage_for_the_inverter():
    # Rise and fall together are the charge that passes from supply to ground, from 0.6 to 1.0 V.
    edges = [EGFET.cells["INVX1"].energies[0].by_voltage[v] for v in EGFET.voltages]
    cycles = [e.rise_pj[0] + e.fall_pj[0] for e in edges]
    assert cycles == sorted(cycles)
