import dataclasses

import pytest
from hypothesis import given, settings

from hdl.blocks import blocks_of
from printedmlp.circuit import Instance, Netlist
from printedmlp.gate_builder import block_levels, classifier_gates
from printedmlp.gate_graph import AND, GateGraph
from printedmlp.model import DiscreteMLP, Layer, Neuron, QReLU, Scores, Term
from printedmlp.trees import grown
from tests.netlists import EGFET, function, random_netlists
from tests.random_models import classifiers


def network():
    """Two hidden neurons on features of their own, x0 + x1 and x2 + x3, and two classes: the larger sum wins."""
    hidden = (
        Neuron((Term(0, 1, 15, 0), Term(1, 1, 15, 0)), 0),
        Neuron((Term(2, 1, 15, 0), Term(3, 1, 15, 0)), 0),
    )
    scores = (Neuron((Term(0, 1, 31, 0),), 0), Neuron((Term(1, 1, 31, 0),), 0))
    return DiscreteMLP(4, 4, (Layer(hidden, 0, QReLU(0, 4)), Layer(scores, 0, Scores())))


class Owners(GateGraph):
    """A graph that keeps the blocks of its gates."""

    def __init__(self, n_inputs):
        super().__init__(n_inputs)
        self.owners, self.block = {}, None

    def begin(self, block):
        self.block = block

    def net(self, node):
        literal = super().net(node)
        self.owners.setdefault(literal >> 1, set()).add(self.block)
        return literal


def plain_netlist(model):
    """One AND2 or XOR2 for every gate of the reference, inverters where it inverts, and the blocks of each cell."""
    graph = Owners(model.n_features * model.input_bits)
    _, outputs = classifier_gates(model, graph)
    instances, owners = [], []
    nets = {0: 0, 1: 1, **{2 * (1 + i): 2 + i for i in range(graph.first - 1)}}

    def place(cell, inputs, blocks):
        instances.append(Instance(cell, inputs))
        owners.append(blocks)
        return 1 + graph.first + len(instances) - 1

    def net_of(literal):
        if literal not in nets:
            nets[literal] = place("INVX1", (nets[literal ^ 1],), graph.owners.get(literal >> 1, set()))
        return nets[literal]

    for k, (kind, a, b) in enumerate(graph.nodes):
        inputs = (net_of(a), net_of(b))
        cell = "AND2X1" if kind == AND else "XOR2X1"
        nets[2 * (graph.first + k)] = place(cell, inputs, graph.owners[graph.first + k])
    ends = tuple(net_of(literal) for literal in outputs)
    return Netlist(graph.first - 1, tuple(instances), ends), owners


def test_every_gate_of_two_separate_adders_goes_to_its_neuron():
    netlist, owners = plain_netlist(network())
    blocks = blocks_of(netlist, EGFET, network())
    assert blocks.names == ("hidden 0", "hidden 1", "output 0", "output 1", "argmax")
    assert [{label} for label in blocks.labels] == owners
    assert (blocks.matched, blocks.recovered) == (1.0, pytest.approx(1.0, abs=0.15))
    assert {label for label, i in zip(blocks.labels, netlist.instances, strict=True) if set(i.inputs) & {2, 6}} == {
        "hidden 0"
    }


@settings(max_examples=30, deadline=None)
@given(classifiers(max_features=2, max_bits=3))
def test_gates_of_one_block_are_put_there(model):
    netlist, owners = plain_netlist(model)
    blocks = blocks_of(netlist, EGFET, model, n_vectors=2048)
    assert len(blocks.labels) == len(netlist.instances)
    assert set(blocks.labels) <= set(blocks.names)
    for label, own in zip(blocks.labels, owners, strict=True):
        # A gate may repeat another block's signal, be an input, or be constant on every input.
        assert not own or label in own or label in {b for other in owners for b in other} | {"other"}
    assert blocks == blocks_of(netlist, EGFET, model, n_vectors=2048)


def test_gates_of_another_function_do_not_match():
    netlist, owners = plain_netlist(network())
    k = next(k for k, i in enumerate(netlist.instances) if i.cell == "XOR2X1" and owners[k] == {"hidden 1"})
    broken = list(netlist.instances)
    broken[k] = dataclasses.replace(broken[k], cell="NAND2X1", inputs=(broken[k].inputs[0], 2))
    found = blocks_of(Netlist(netlist.n_inputs, tuple(broken), netlist.outputs), EGFET, network())
    assert found.matched is not None
    assert found.matched < 0.9


def test_a_gate_without_a_match_goes_where_what_it_feeds_is():
    # Behind x2[0] and x3[0] stands an OR with x2[0] and x3[3] and x3[0], which adds nothing.
    netlist, _ = plain_netlist(network())
    k = netlist.instances.index(Instance("AND2X1", (10, 14)))
    net = netlist.first_driven + k
    extra = (
        Instance("AND2X1", (10, 17)),
        Instance("AND2X1", (net + 1, 14)),
        Instance("OR2X1", (net, net + 2)),
    )

    def moved(nets):
        return tuple(n + 3 if n >= net else n for n in nets)

    rest = (dataclasses.replace(i, inputs=moved(i.inputs)) for i in netlist.instances[k + 1 :])
    longer = (*netlist.instances[: k + 1], *extra, *rest)
    found = blocks_of(Netlist(netlist.n_inputs, longer, moved(netlist.outputs)), EGFET, network())
    assert found.matched == pytest.approx(1 - 2 / len(longer))
    assert found.labels[k : k + 4] == ("hidden 1",) * 4


def test_layers_are_named_where_there_are_several():
    narrow = Layer((Neuron((Term(0, 1, 31, 0),), 0),) * 4, 0, QReLU(0, 3))
    deep = DiscreteMLP(4, 4, (Layer(network().layers[0].neurons, 0, QReLU(0, 4)), narrow, *network().layers))
    assert block_levels(deep) == {
        **dict.fromkeys(("hidden 0.0", "hidden 0.1"), 0),
        **dict.fromkeys(("hidden 1.0", "hidden 1.1", "hidden 1.2", "hidden 1.3"), 1),
        **dict.fromkeys(("hidden 2.0", "hidden 2.1"), 2),
        **dict.fromkeys(("output 0", "output 1"), 3),
        "argmax": 4,
    }


def test_comparators_of_a_tree_read_one_feature():
    # x0 >= 3 and x1 >= 2: two ANDs of one feature each would be comparators; x1[1] alone is a wire.
    tree = grown(2, 2, 2, (0, 3, 0, (1, 2, 0, 1)))
    netlist = Netlist(4, (Instance("NAND2X1", (2, 3)), Instance("INVX1", (6,)), Instance("AND2X1", (7, 5))), (8,))
    assert [word for word in range(16) if function(netlist)[word]] == [11, 15]
    assert tree.predict([[3, 2]]) == [1]
    blocks = blocks_of(netlist, EGFET, tree)
    assert blocks.labels == ("feature 0", "feature 0", "leaves")
    assert (blocks.names, blocks.matched) == (("feature 0", "leaves"), None)


def test_other_circuits_are_split_by_output_bits():
    gates = (
        Instance("NAND2X1", (2, 3)),
        Instance("INVX1", (4,)),
        Instance("INVX1", (5,)),
        Instance("NOR2X1", (2, 4)),
        Instance("INVX1", (2,)),
    )
    blocks = blocks_of(Netlist(2, gates, (6, 7)), EGFET)
    assert blocks.labels == ("shared", "out 0", "out 0", "out 1", "other")
    assert blocks.names == ("out 0", "out 1", "shared", "other")


@settings(max_examples=20, deadline=None)
@given(random_netlists())
def test_cones_by_the_slow_definition(netlist):
    for k, label in enumerate(blocks_of(netlist, EGFET).labels):
        reached = {
            bit for bit, net in enumerate(netlist.outputs) if depends(netlist, net, netlist.first_driven + k)
        }
        expected = "other" if not reached else "shared" if len(reached) > 1 else f"out {min(reached)}"
        assert label == expected


def depends(netlist, net, on):
    if net == on:
        return True
    if net < netlist.first_driven:
        return False
    return any(
        depends(netlist, read, on) for read in netlist.instances[net - netlist.first_driven].inputs if read >= on
    )
