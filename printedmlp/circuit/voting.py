"""Circuits that vote: the majority of several classifiers of gates, on every bit of the class's number."""

from __future__ import annotations

from collections.abc import Sequence

from printedmlp.circuit.gates import Gate, GateClassifier
from printedmlp.errors import ModelError

AND, OR = 0b1000, 0b1110
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
