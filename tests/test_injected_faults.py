"""The benchmark that injects faults counts those that are simulated as defined, and notices one that is not."""

import numpy as np
import pytest

from benchmarks import defects, injected_faults
from benchmarks.injected_faults import INPUT_BITS, Injected
from printedmlp.circuit import Instance, Netlist
from printedmlp.vectors import Vectors
from tests.netlists import EGFET

CODES = np.arange(16, dtype=np.uint8)[:, None]
AND = Injected(
    Netlist(INPUT_BITS, (Instance("NAND2X1", (2, 3)), Instance("INVX1", (6,))), (7,)),
    EGFET,
    Vectors(CODES, (CODES[:, 0] % 4 == 3).astype(np.int64), 2, 0),
)


def test_every_fault_of_an_and_is_simulated_as_defined():
    # Two inputs, two outputs and three pins, each at 0 and 1.
    assert AND.counts() == (14, 14)


@pytest.mark.parametrize(
    ("name", "wrong", "handled"),
    [
        # No fault has an effect by this definition, and each of an AND has one.
        ("with_faults", lambda netlist, faults: netlist, 0),
        ("simulate", lambda netlist, technology, inputs, n: [0] * netlist.n_nets, 0),
    ],
)
def test_a_simulation_that_differs_is_noticed(monkeypatch, name, wrong, handled):
    monkeypatch.setattr(injected_faults, name, wrong)
    assert AND.counts() == (14, handled)


def test_the_counts_of_all_circuits_are_added(monkeypatch):
    monkeypatch.setattr(defects, "circuits", lambda: [AND, AND])
    assert defects.robustness_counts() == (28, 28)


@pytest.mark.slow
def test_a_network_and_a_tree_receive_their_faults():
    network, tree = injected_faults.circuits()
    assert len(network.netlist.instances) > 10 * len(tree.netlist.instances) > 0
    tried, handled = tree.counts()
    assert tried == handled > 100
