"""Gates as a graph that never holds the same gate twice and folds what it can while it grows.

A literal is a net with a sign: 2 * net, plus 1 where the net's complement is meant, so inverters are no nodes and
two of them cancel. Net 0 is the constant 0. Nodes are conjunctions and exclusive ors of two literals.
"""

from __future__ import annotations

from collections.abc import Sequence

FALSE, TRUE = 0, 1
AND, XOR = 0, 1
Node = tuple[int, int, int]
"""Kind and two literals, the smaller first."""


class GateGraph:
    """A growing circuit; `nodes[k]` drives net 1 + n_inputs + k."""

    def __init__(self, n_inputs: int) -> None:
        self.first = 1 + n_inputs
        self.nodes: list[Node] = []
        self._known: dict[Node, int] = {}

    def begin(self, block: str) -> None:
        """Names the block whose gates follow; a plain graph takes no notice."""

    def input(self, index: int) -> int:
        """The literal of input `index`."""
        return 2 * (1 + index)

    def conjunction(self, a: int, b: int) -> int:
        """The literal of a and b."""
        if a > b:
            a, b = b, a
        if a == FALSE or b == a ^ 1:
            return FALSE
        if a in (TRUE, b):
            return b
        folded = self._folded(a, b)
        if folded is None:
            folded = self._folded(b, a)
        return self.net((AND, a, b)) if folded is None else folded

    def disjunction(self, a: int, b: int) -> int:
        """The literal of a or b."""
        return self.conjunction(a ^ 1, b ^ 1) ^ 1

    def difference(self, a: int, b: int) -> int:
        """The literal of a exclusive or b."""
        sign = a & 1 ^ b & 1
        a, b = sorted((a & ~1, b & ~1))
        if a in (FALSE, b):
            return (b if a == FALSE else FALSE) ^ sign
        for one, other in ((a, b), (b, a)):
            kind, left, right = self._node(one)
            if kind == XOR and other in (left, right):
                return (left if other == right else right) ^ sign
        return self.net((XOR, a, b)) ^ sign

    def choice(self, condition: int, one: int, zero: int) -> int:
        """The literal of `one` where the condition holds, else of `zero`."""
        if one == zero:
            return one
        if one == zero ^ 1:
            return self.difference(condition, zero)
        if one == FALSE or zero == TRUE:
            condition, one, zero = condition ^ 1, zero, one
        if zero == FALSE:
            return self.conjunction(condition, one)
        if one == TRUE:
            return self.disjunction(condition, zero)
        chosen = self.conjunction(condition, one), self.conjunction(condition ^ 1, zero)
        return self.disjunction(*chosen)

    def live(self, outputs: Sequence[int]) -> list[bool]:
        """Which nets the output literals depend on."""
        read = [False] * (self.first + len(self.nodes))
        for literal in outputs:
            read[literal >> 1] = True
        for k in range(len(self.nodes) - 1, -1, -1):
            if read[self.first + k]:
                read[self.nodes[k][1] >> 1] = read[self.nodes[k][2] >> 1] = True
        return read

    def simulate(self, inputs: Sequence[int], ones: int) -> list[int]:
        """Value of every net for many vectors at once: bit t of a signal is its value for vector t."""
        values = [0, *inputs]
        for kind, a, b in self.nodes:
            x, y = (values[literal >> 1] ^ (ones if literal & 1 else 0) for literal in (a, b))
            values.append(x & y if kind == AND else x ^ y)
        return values

    def merged(self, outputs: Sequence[int], inputs: Sequence[int], ones: int) -> tuple[GateGraph, list[int]]:
        """The graph in which nets that agree, or always differ, on all vectors are one net; and its outputs.

        Which is what the outputs show on these vectors, and a smaller circuit.

        Parameters
        ----------
        inputs, ones : signals of the inputs and of the constant 1, as for `simulate`.
        """
        graph = GateGraph(len(inputs))
        literals = [FALSE, *(graph.input(k) for k in range(len(inputs)))]
        values = self.simulate(inputs, ones)
        known: dict[int, int] = {}
        for net, value in enumerate(values):
            sign = value & 1
            shape = value ^ ones if sign else value
            if net >= self.first and shape in known:
                literals.append(known[shape] ^ sign)
            elif net >= self.first:
                kind, *pair = self.nodes[net - self.first]
                a, b = (literals[literal >> 1] ^ literal & 1 for literal in pair)
                literals.append(graph.conjunction(a, b) if kind == AND else graph.difference(a, b))
            known.setdefault(shape, literals[net] ^ sign)
        return graph, [literals[literal >> 1] ^ literal & 1 for literal in outputs]

    def net(self, node: Node) -> int:
        """The literal of a node as it stands, made if it is new."""
        literal = self._known.get(node)
        if literal is None:
            literal = self._known[node] = 2 * (self.first + len(self.nodes))
            self.nodes.append(node)
        return literal

    def _node(self, literal: int) -> Node:
        number = (literal >> 1) - self.first
        return self.nodes[number] if number >= 0 else (-1, 0, 0)

    def _folded(self, a: int, b: int) -> int | None:
        """What a and b is when b is a conjunction that says something of a, else None."""
        kind, left, right = self._node(b)
        if kind != AND:
            return None
        if b & 1 == 0:
            if a in (left, right):
                return b
            return FALSE if a ^ 1 in (left, right) else None
        if a ^ 1 in (left, right):
            return a
        if a in (left, right):
            return self.conjunction(a, (left if a == right else right) ^ 1)
        return None
