"""Circuits that vote on every bit of the class's number: several classifiers of gates, or copies of one netlist."""

from __future__ import annotations

from collections.abc import Sequence

from printedmlp.circuit.gates import Gate, GateClassifier
from printedmlp.circuit.netlist import Instance, Netlist
from printedmlp.errors import ConfigError, ModelError
from printedmlp.technology import Technology

AND, OR = 0b1000, 0b1110
NAND = 0b0111
ZERO, ONE = 0, 1


def majority(voters: Sequence[GateClassifier]) -> GateClassifier:
    """One circuit whose every output bit is as most of the voters have it.

    Gates that several voters have in common are made once.

    Raises
    ------
    ModelError : for an even number of voters, or voters with other inputs or classes than the first.
    """
    if len(voters) % 2 == 0:
        raise ModelError(f"{len(voters)} voters can tie; a majority needs an odd number")
    first = voters[0]
    kind = (first.n_features, first.input_bits, first.n_classes)
    for k, voter in enumerate(voters):
        if (voter.n_features, voter.input_bits, voter.n_classes) != kind:
            raise ModelError(f"voter {k} has other inputs or classes than voter 0")
    union = _Union(first.first_driven)
    ballots = [union.add(voter) for voter in voters]
    needed = len(voters) // 2 + 1
    outputs = tuple(union.at_least(needed, bits) for bits in zip(*ballots, strict=True))
    return GateClassifier(*kind, tuple(union.gates), outputs)


def can_vote(technology: Technology) -> bool:
    """Whether there are the cells that voters are made of."""
    return all(technology.cells_with_function(2, table) for table in (NAND, OR))


def triplicated(netlist: Netlist, technology: Technology) -> Netlist:
    """Triple modular redundancy: three copies of a netlist, and for every output bit the majority of theirs.

    A voter is four cells, !(!(a b) !(c (a + b))). Nothing is shared, so a defect in one copy is outvoted; one in a
    voter is not. Raises ConfigError where the technology lacks the cells.
    """
    if not can_vote(technology):
        raise ConfigError(f"technology '{technology.name}': no voter without a NAND and an OR of two inputs")
    nand, either = (technology.cells_with_function(2, table) for table in (NAND, OR))
    instances: list[Instance] = []
    ballots = []
    for _ in range(3):
        shift, first = len(instances), netlist.first_driven

        def moved(net: int, shift: int = shift, first: int = first) -> int:
            return net + shift if net >= first else net

        instances += [Instance(i.cell, tuple(map(moved, i.inputs))) for i in netlist.instances]
        ballots.append([moved(net) for net in netlist.outputs])
    outputs = []
    for a, b, c in zip(*ballots, strict=True):
        net = netlist.first_driven + len(instances)
        instances += [
            Instance(nand[0].name, (a, b)),
            Instance(either[0].name, (a, b)),
            Instance(nand[0].name, (c, net + 1)),
            Instance(nand[0].name, (net, net + 2)),
        ]
        outputs.append(net + 3)
    return Netlist(netlist.n_inputs, tuple(instances), tuple(outputs))


class _Union:
    """Gates of several circuits on the same inputs, none twice."""

    def __init__(self, first_driven: int) -> None:
        self.first_driven = first_driven
        self.gates: list[Gate] = []
        self._known: dict[Gate, int] = {}

    def gate(self, table: int, a: int, b: int) -> int:
        """The net of a gate, made if it is new."""
        wanted = Gate(table, (a, b))
        if wanted not in self._known:
            self._known[wanted] = self.first_driven + len(self.gates)
            self.gates.append(wanted)
        return self._known[wanted]

    def add(self, circuit: GateClassifier) -> list[int]:
        """Take in a circuit; the nets of its outputs."""
        nets = list(range(self.first_driven))
        for gate in circuit.gates:
            nets.append(self.gate(gate.table, nets[gate.inputs[0]], nets[gate.inputs[1]]))
        return [nets[net] for net in circuit.outputs]

    def at_least(self, needed: int, bits: Sequence[int]) -> int:
        """The net that is 1 where at least `needed` of the bits are.

        With the first bit set one fewer is needed of the others. More set bits never hurt, so an OR of an AND will
        do for a multiplexer.
        """
        if needed == 0:
            return ONE
        if needed > len(bits):
            return ZERO
        rest = bits[1:]
        with_it, without = self.at_least(needed - 1, rest), self.at_least(needed, rest)
        if with_it == ONE:
            return bits[0] if without == ZERO else self.gate(OR, bits[0], without)
        both = self.gate(AND, bits[0], with_it)
        return both if without == ZERO else self.gate(OR, both, without)
