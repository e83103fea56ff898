"""Which thresholds a netlist tells apart: by hand, then against all words of random circuits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdl import thresholds
from hdl.equivalence import UndecidedError
from hdl.thresholds import needed_thresholds, read_bits
from printedmlp.circuit import Instance, Netlist
from printedmlp.errors import ToolBrokenOffError
from tests.netlists import EGFET, evaluate, random_netlists

NO_ROWS = np.zeros((0, 1), dtype=np.uint8)
NO_ROWS_OF_TWO = np.zeros((0, 2), dtype=np.uint8)


def slow_levels(netlist, input_bits):
    """The definition: a threshold is needed if two words that differ in it alone are answered differently."""
    n_features = netlist.n_inputs // input_bits
    found = []
    for f in range(n_features):
        step = 1 << f * input_bits
        mask = ((1 << input_bits) - 1) * step
        words = [word for word in range(1 << netlist.n_inputs) if not word & mask]
        levels = range(1, 1 << input_bits)
        found.append(
            tuple(
                j
                for j in levels
                if any(evaluate(netlist, w + j * step) != evaluate(netlist, w + (j - 1) * step) for w in words)
            )
        )
    return tuple(found)


def test_a_comparator_by_hand():
    # x >= 6 of three bits is x2 and x1: one threshold of seven; the bit that is not read decides nothing.
    circuit = Netlist(3, (Instance("AND2X1", (3, 4)),), (5,))
    found = needed_thresholds(circuit, EGFET, NO_ROWS, 3)
    assert found.levels == ((6,),)
    assert found.bits == ((1, 2),)
    assert (found.count, found.undecided) == (1, 0)


def test_the_lowest_bit_alone_needs_every_threshold():
    assert needed_thresholds(Netlist(3, (), (2,)), EGFET, NO_ROWS, 3).levels == ((1, 2, 3, 4, 5, 6, 7),)
    assert needed_thresholds(Netlist(3, (), (4,)), EGFET, NO_ROWS, 3).levels == ((4,),)


def test_an_unread_gate_needs_nothing():
    assert needed_thresholds(Netlist(2, (Instance("INVX1", (2,)),), (3,)), EGFET, NO_ROWS_OF_TWO, 1).levels == (
        (),
        (1,),
    )


@settings(max_examples=30, deadline=None)
@given(random_netlists(max_inputs=3, max_gates=12), st.integers(1, 2), st.sampled_from([(256, 4096), (0,)]))
def test_the_answer_is_that_of_all_words(netlist, input_bits, rounds):
    wide = Netlist(netlist.n_inputs * input_bits, _shifted(netlist, input_bits), _outputs(netlist, input_bits))
    # Without any simulation the proof has to find everything.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(thresholds, "ROUNDS", rounds)
        found = needed_thresholds(wide, EGFET, np.zeros((0, netlist.n_inputs), dtype=np.uint8), input_bits)
    assert found.levels == slow_levels(wide, input_bits)
    assert found.undecided == 0


def _shifted(netlist, input_bits):
    extra = netlist.n_inputs * (input_bits - 1)
    move = [net if net < netlist.first_driven else net + extra for net in range(netlist.n_nets)]
    # Inputs are spread over the bits of the wider features in turn.
    for k in range(netlist.n_inputs):
        move[2 + k] = 2 + (k * (input_bits + 1)) % (netlist.n_inputs * input_bits)
    return tuple(Instance(i.cell, tuple(move[net] for net in i.inputs)) for i in netlist.instances)


def _outputs(netlist, input_bits):
    extra = netlist.n_inputs * (input_bits - 1)
    return tuple(net if net < netlist.first_driven else net + extra for net in netlist.outputs)


def test_what_cannot_be_proved_is_kept_and_told(monkeypatch):
    # x and not x: no threshold matters, which only a proof can know.
    never = Netlist(2, (Instance("INVX1", (2,)), Instance("AND2X1", (2, 4)), Instance("OR2X1", (5, 3))), (6,))
    assert needed_thresholds(never, EGFET, NO_ROWS_OF_TWO, 1).levels == ((), (1,))
    for most_gates in (0, 10):
        if most_gates:
            monkeypatch.setattr(thresholds, "counterexample", _gives_up)
        found = needed_thresholds(never, EGFET, NO_ROWS_OF_TWO, 1, most_gates=most_gates)
        assert (found.levels, found.undecided) == (((1,), (1,)), 1)


def _gives_up(*_):
    raise UndecidedError("ABC could not decide")


@pytest.mark.parametrize("error", [ToolBrokenOffError("yosys-abc was killed"), UndecidedError("open")])
def test_a_broken_tool_is_no_answer_and_a_useless_word_no_reason_to_go_on(monkeypatch, error):
    # x and not x is 0 and so is its complement's complement: whatever word ABC told, no code differs on it.
    never = Netlist(2, (Instance("INVX1", (2,)), Instance("AND2X1", (2, 4)), Instance("OR2X1", (5, 3))), (6,))
    broken = isinstance(error, ToolBrokenOffError)

    def told(*_):
        if broken:
            raise error
        return (0, 0)

    monkeypatch.setattr(thresholds, "counterexample", told)
    if broken:
        with pytest.raises(ToolBrokenOffError, match="was killed"):
            needed_thresholds(never, EGFET, NO_ROWS_OF_TWO, 1)
    else:
        assert needed_thresholds(never, EGFET, NO_ROWS_OF_TWO, 1).undecided == 1


def test_read_bits():
    assert read_bits(Netlist(4, (Instance("INVX1", (5,)),), (6, 2)), 2) == ((0,), (1,))
