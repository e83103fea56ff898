"""Area of a graph of gates in the cells of a technology, by a single cover from the outputs to the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from printedmlp.errors import ConfigError
from printedmlp.gate_builder import classifier_gates
from printedmlp.gate_graph import AND, XOR, GateGraph
from printedmlp.model import DiscreteMLP
from printedmlp.stimuli import stimuli
from printedmlp.technology import Technology

NOT_TABLE, NAND_TABLE, NOR_TABLE, AND_TABLE, OR_TABLE = 0b01, 0b0111, 0b0001, 0b1000, 0b1110
ABSENT = float("inf")
N_VECTORS = 4096


@dataclass(frozen=True)
class GateAreas:
    """Areas in mm2 of the smallest cells of a technology; infinite where there is none."""

    inverter: float
    nand: float
    nor: float
    and_gate: float
    or_gate: float

    @classmethod
    def of(cls, technology: Technology) -> GateAreas:
        """Read from the technology; ConfigError without inverters or NANDs, in which all else can be built."""
        tables = ((1, NOT_TABLE), (2, NAND_TABLE), (2, NOR_TABLE), (2, AND_TABLE), (2, OR_TABLE))
        found = [technology.cells_with_function(*table) for table in tables]
        if not (found[0] and found[1]):
            lacking = "an inverter" if found[1] else "a two-input NAND"
            raise ConfigError(f"technology '{technology.name}': no area can be estimated without {lacking}")
        return cls(*(cells[0].area_mm2 if cells else ABSENT for cells in found))


def hashed_area(model: DiscreteMLP, technology: Technology, *, n_vectors: int = N_VECTORS) -> float:
    """Area in mm2 of a classifier's gates, each counted once, folded, without those that no output depends on.

    Nets that agree on as many vectors, half of them random and half driving the sums to their ends, are taken for
    one, as synthesis finds them to be; a net so rare that no vector shows it is lost to the estimate. With
    `n_vectors` 0 only the graph's own folding counts.
    """
    graph, outputs = classifier_gates(model)
    if n_vectors:
        graph, outputs = graph.merged(outputs, stimuli(model, n_vectors), (1 << n_vectors) - 1)
    return cover_area(graph, outputs, GateAreas.of(technology))


def cover_area(graph: GateGraph, outputs: Sequence[int], areas: GateAreas) -> float:
    """Area in mm2 of the live gates of a graph.

    Nodes are covered from the outputs to the inputs, when it is known which of a node's two polarities are read. A
    conjunction becomes the cheapest of a NAND, a NOR of the complements, an AND and an OR of the complements, with
    an inverter where both polarities are read; what its inputs' polarities may cost in turn is in the choice. An
    exclusive or is four NANDs; where there is a conjunction of its inputs, that is a NAND, which they share.
    """
    live = graph.live(outputs)
    cover = _Cover(graph, areas, live)
    for literal in outputs:
        cover.read(literal)
    for k in range(len(graph.nodes) - 1, -1, -1):
        if live[graph.first + k]:
            cover.node(k)
    return cover.total()


class _Cover:
    def __init__(self, graph: GateGraph, areas: GateAreas, live: Sequence[bool]) -> None:
        self._graph, self._areas = graph, areas
        self._wanted = bytearray(2 * len(live))
        nodes = [node for k, node in enumerate(graph.nodes) if live[graph.first + k]]
        self._conjunctions = {(a, b) for kind, a, b in nodes if kind == AND}
        self._exclusives = {(a, b) for kind, a, b in nodes if kind == XOR}
        self._area = 0.0

    def read(self, literal: int) -> None:
        self._wanted[literal] = 1

    def total(self) -> float:
        """The gates' area so far and the inverters of the inputs."""
        inverted = sum(self._wanted[3 : 2 * self._graph.first : 2])
        return self._area + self._areas.inverter * inverted

    def node(self, k: int) -> None:
        kind, a, b = self._graph.nodes[k]
        literal = 2 * (self._graph.first + k)
        positive, negative = self._wanted[literal], self._wanted[literal + 1]
        if kind == AND:
            self._conjunction(a, b, positive, negative)
        else:
            self._exclusive(a, b, positive, negative)

    def _conjunction(self, a: int, b: int, positive: int, negative: int) -> None:
        areas, inverter = self._areas, self._areas.inverter
        straight, crossed = self._price(a) + self._price(b), self._price(a ^ 1) + self._price(b ^ 1)
        options = [(areas.nand + inverter * positive + straight, 0, areas.nand + inverter * positive)]
        alternatives = (
            (areas.and_gate + inverter * negative + straight, 0, areas.and_gate + inverter * negative),
            (areas.nor + inverter * negative + crossed, 1, areas.nor + inverter * negative),
            (areas.or_gate + inverter * positive + crossed, 1, areas.or_gate + inverter * positive),
        )
        if (a & ~1, b & ~1) not in self._exclusives:
            options += alternatives
        _, flip, area = min(options)
        self._area += area
        self.read(a ^ flip)
        self.read(b ^ flip)

    def _exclusive(self, a: int, b: int, positive: int, negative: int) -> None:
        areas = self._areas
        options = []
        for x, y in ((a, b), (a ^ 1, b), (a, b ^ 1), (a ^ 1, b ^ 1)):
            inverted = positive if (x ^ y ^ a ^ b) & 1 else negative
            shared = (min(x, y), max(x, y)) in self._conjunctions
            area = areas.nand * (4 - shared) + areas.inverter * inverted
            options.append((area + self._price(x) + self._price(y), x, y, area))
        _, x, y, area = min(options)
        self._area += area
        self.read(x)
        self.read(y)

    def _price(self, literal: int) -> float:
        """What reading a literal is likely to add to the cost of its node."""
        if self._wanted[literal]:
            return 0.0
        other = self._wanted[literal ^ 1]
        number = (literal >> 1) - self._graph.first
        if number < 0:
            return self._areas.inverter * (literal & 1)
        if self._graph.nodes[number][0] != AND:
            return self._areas.inverter * other
        nand, and_gate = self._areas.nand, min(self._areas.and_gate, self._areas.nand + self._areas.inverter)
        if literal & 1:
            return nand + self._areas.inverter - and_gate if other else 0.0
        return self._areas.inverter if other else and_gate - nand
