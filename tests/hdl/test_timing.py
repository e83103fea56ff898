import dataclasses

import pytest
from hypothesis import given, settings

from hdl.timing import critical_path, table_value
from printedmlp.circuit import Instance, Netlist
from printedmlp.errors import ConfigError
from printedmlp.technology import Arc, ArcTiming, Capacitance, Cell, DelayTable, Technology
from tests.netlists import EGFET, inverter_chain, random_netlists, two_gates


def flat(value):
    return DelayTable((0.0,), (0.0,), ((value,),))


def per_load(base, slope):
    """A delay of base + slope * load, whatever the slew."""
    return DelayTable((1.0, 2.0), (0.0, 10.0), ((base, base + 10 * slope),) * 2)


def toy(*arcs, inputs=("A",), function="!A", capacitance=2.0):
    caps = {1.0: tuple(Capacitance(capacitance, capacitance, capacitance) for _ in inputs)}
    cell = Cell("GATE", 1.0, inputs, "Y", function, {}, caps, tuple(Arc(p, s, {1.0: t}) for p, s, t in arcs))
    return Technology("toy", {"GATE": cell}, (1.0,), 1.0)


def ns(report):
    return report.delay_ms * 1e6


def test_interpolation_by_hand():
    table = DelayTable((0.0, 10.0), (0.0, 10.0, 20.0), ((0.0, 10.0, 40.0), (100.0, 110.0, 140.0)))
    assert table_value(table, 0, 5) == 5
    assert table_value(table, 5, 15) == 75
    assert table_value(table, 0, 30) == 70
    assert table_value(table, 0, -5) == -5
    assert table_value(table, 99, 0) == 100
    assert table_value(table, -99, 0) == 0


def test_a_chain_of_inverters_by_hand():
    # Rising 10 + load, falling 3 + load; the first gate drives 2 pF, the last 5 pF at the output.
    timing = ArcTiming(per_load(10, 1), flat(1), per_load(3, 1), flat(1))
    technology = toy(("A", "negative_unate", timing))
    chain = Netlist(1, (Instance("GATE", (2,)), Instance("GATE", (3,))), (4,))
    report = critical_path(chain, technology, 1.0, output_load_pf=5, input_slew_ns=1)
    # Ends rising: 3 + 2 falling, then 10 + 5. Ends falling: 10 + 2 rising, then 3 + 5. Both are 20.
    assert ns(report) == pytest.approx(20)
    one = Netlist(1, (Instance("GATE", (2,)),), (3,))
    report = critical_path(one, technology, 1.0, output_load_pf=5, input_slew_ns=1)
    assert ns(report) == pytest.approx(15)
    assert report.max_rate_hz == pytest.approx(1e9 / 15)
    assert [(step.instance, step.cell, step.pin, step.edge) for step in report.path] == [(0, "GATE", "A", "rise")]


def test_fanout_loads_the_driver():
    technology = toy(("A", "negative_unate", ArcTiming(per_load(1, 1), flat(1), per_load(1, 1), flat(1))))
    fan = Netlist(1, (Instance("GATE", (2,)), *(Instance("GATE", (3,)) for _ in range(3))), (4, 5, 6))
    # 1 + 3 * 2 pF, then 1 + 0 pF.
    assert ns(critical_path(fan, technology, 1.0, output_load_pf=0, input_slew_ns=1)) == pytest.approx(8)


def test_slews_travel_along_the_path():
    by_slew = DelayTable((0.0, 100.0), (0.0,), ((0.0,), (100.0,)))
    technology = toy(("A", "negative_unate", ArcTiming(by_slew, flat(40), by_slew, flat(40))))
    chain = Netlist(1, (Instance("GATE", (2,)), Instance("GATE", (3,))), (4,))
    assert ns(critical_path(chain, technology, 1.0, input_slew_ns=7)) == pytest.approx(7 + 40)


def test_edges_follow_the_sense():
    slow_rise = ArcTiming(flat(100), flat(1), flat(1), flat(1))
    chain = Netlist(1, (Instance("GATE", (2,)), Instance("GATE", (3,))), (4,))
    delays = {
        sense: ns(critical_path(chain, toy(("A", sense, slow_rise)), 1.0))
        for sense in ("positive_unate", "negative_unate", "non_unate")
    }
    assert delays == pytest.approx({"positive_unate": 200, "negative_unate": 101, "non_unate": 200})


def test_the_slower_pin_counts_and_is_named():
    pin = ArcTiming(flat(1), flat(1), flat(1), flat(1))
    slow = ArcTiming(flat(5), flat(1), flat(5), flat(1))
    technology = toy(("A", "non_unate", pin), ("B", "non_unate", slow), inputs=("A", "B"), function="A ^ B")
    report = critical_path(Netlist(2, (Instance("GATE", (2, 3)),), (4,)), technology, 1.0)
    assert (ns(report), report.path[0].pin) == (pytest.approx(5), "B")


def test_constants_never_move():
    technology = toy(("A", "negative_unate", ArcTiming(flat(9), flat(1), flat(9), flat(1))))
    report = critical_path(Netlist(1, (Instance("GATE", (1,)),), (3,)), technology, 1.0)
    assert (report.delay_ms, report.max_rate_hz, report.path) == (0, float("inf"), ())
    assert critical_path(Netlist(1, (), (2,)), technology, 1.0).delay_ms == 0


def test_one_egfet_inverter_by_hand():
    # Rise at 100 pF, slew clamped to 5000 ns: 924454 + (100 - 10000) / 5000 * (1107350 - 924454).
    report = critical_path(inverter_chain(1), EGFET, 1.0, output_load_pf=100, input_slew_ns=1e6)
    assert report.delay_ms == pytest.approx((924454 - 9900 / 5000 * 182896) * 1e-6)
    assert report.extrapolated
    inside = critical_path(inverter_chain(1), EGFET, 1.0, output_load_pf=15000, input_slew_ns=2000)
    assert inside.delay_ms == pytest.approx(1.11244)
    assert not inside.extrapolated


def test_two_egfet_gates_by_hand():
    # Slews beyond the tables are read at 5000 ns. The NAND drives the pin: 12956 pF rising, 12912.5 pF falling.
    nand_rise = 1616710 + (12956 - 10000) / 5000 * (1785870 - 1616710)
    nand_fall = 1160460 + (12912.5 - 10000) / 5000 * (1229620 - 1160460)
    inverter_rise = 924454 + (100 - 10000) / 5000 * (1107350 - 924454)
    inverter_fall = 80349.6 + (100 - 10000) / 5000 * (92459.7 - 80349.6)
    falling, rising = nand_rise + inverter_fall, nand_fall + inverter_rise
    report = critical_path(two_gates(), EGFET, 1.0, output_load_pf=100)
    assert report.delay_ms == pytest.approx(max(falling, rising) * 1e-6)
    assert [(step.cell, step.pin, step.edge) for step in report.path] == [
        ("NAND2X1", "A2", "rise"),
        ("INVX1", "A", "fall"),
    ]
    assert (report.input_bit, report.output_bit) == (1, 0)
    assert report.max_rate_hz == pytest.approx(1e9 / falling)


def test_lower_voltage_is_slower():
    delays = [critical_path(inverter_chain(6), EGFET, v).delay_ms for v in EGFET.voltages]
    assert delays == sorted(delays, reverse=True)


@settings(max_examples=30, deadline=None)
@given(random_netlists())
def test_the_path_is_connected_and_ends_at_the_delay(netlist):
    report = critical_path(netlist, EGFET, 1.0)
    for before, after in zip(report.path, report.path[1:], strict=False):
        cell = EGFET.cells[after.cell]
        pins = dict(zip(cell.inputs, netlist.instances[after.instance].inputs, strict=True))
        assert pins[after.pin] == netlist.first_driven + before.instance
        assert before.arrival_ms <= after.arrival_ms
    if report.path:
        assert report.path[-1].arrival_ms == report.delay_ms
        assert netlist.first_driven + report.path[-1].instance in netlist.outputs


def test_missing_figures_are_named():
    with pytest.raises(ConfigError, match=r"no figures at 5 V"):
        critical_path(inverter_chain(1), EGFET, 5)
    one = Netlist(1, (Instance("GATE", (2,)),), (3,))
    with pytest.raises(ConfigError, match=r"cell GATE has no delay table of pin A at 1\.0 V"):
        critical_path(one, toy(), 1.0)
    full = toy(("A", "negative_unate", ArcTiming(flat(1), flat(1), flat(1), flat(1))))
    bare = dataclasses.replace(full.cells["GATE"], capacitance_pf={})
    with pytest.raises(ConfigError, match="has no input capacitance"):
        critical_path(one, dataclasses.replace(full, cells={"GATE": bare}), 1.0)
