"""A matrix as a shared adder graph of the library da4ml: two-operand adders whose results several columns read.

da4ml (C. Sun and others, distributed arithmetic for neural networks on FPGAs, arXiv 2507.04535) is the open
state of the art of multiplying by a constant matrix with adders alone. It is an optional package and a yardstick:
`hdl.shared_adders` writes a classifier's sums as such graphs, to be compared with the bit heaps of `hdl.neuron`.
What the library answers is not trusted: the matrix of every graph is computed again and compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from importlib import import_module, metadata
from typing import Any

import numpy as np

from printedmlp.errors import ToolError, VerificationError

LIBRARY = "da4ml"
EXTRA = "adders"
EXACT_IN_FLOAT32 = 1 << 24
_COPY, _ADD, _SUBTRACT = -1, 0, 1


@dataclass(frozen=True)
class Ref:
    """A net as it enters an adder: its value times 2^shift, negated when `negative`."""

    net: int
    shift: int = 0
    negative: bool = False

    def of(self, outer: Ref) -> Ref:
        """This reference where `outer` refers to what it makes."""
        return replace(self, shift=self.shift + outer.shift, negative=self.negative != outer.negative)


@dataclass(frozen=True)
class AdderGraph:
    """Sums of two references each, in order.

    Nets 0 .. n_operands - 1 are the operands, net n_operands + k is what sums[k] makes. An output is a reference,
    or None where the column is zero.
    """

    n_operands: int
    sums: tuple[tuple[Ref, Ref], ...]
    outputs: tuple[Ref | None, ...]

    def coefficients(self) -> list[tuple[Fraction, ...]]:
        """Of every net the factor of each operand in it."""
        unit = range(self.n_operands)
        found = [tuple(Fraction(i == k) for i in unit) for k in unit]
        for pair in self.sums:
            parts = [_scaled(found[ref.net], ref) for ref in pair]
            found.append(tuple(a + b for a, b in zip(*parts, strict=True)))
        return found

    def matrix(self) -> list[list[Fraction]]:
        """The factors of every operand in each output, (n_operands, n_outputs)."""
        found, nothing = self.coefficients(), (Fraction(0),) * self.n_operands
        columns = [nothing if ref is None else _scaled(found[ref.net], ref) for ref in self.outputs]
        return [list(row) for row in zip(*columns, strict=True)]

    def readers(self) -> dict[int, int]:
        """How often each net is read, outputs included."""
        refs = [ref for pair in self.sums for ref in pair] + [ref for ref in self.outputs if ref is not None]
        counts: dict[int, int] = {}
        for ref in refs:
            counts[ref.net] = counts.get(ref.net, 0) + 1
        return counts


def _scaled(values: Sequence[Fraction], ref: Ref) -> tuple[Fraction, ...]:
    factor = Fraction(2) ** ref.shift * (-1 if ref.negative else 1)
    return tuple(factor * value for value in values)


def library_version() -> str | None:
    """Version of the library, None where it is not installed."""
    try:
        return metadata.version(LIBRARY)
    except metadata.PackageNotFoundError:
        return None


def adder_graph(matrix: Sequence[Sequence[int]], highest: Sequence[int]) -> AdderGraph:
    """The library's graph of a matrix of integers, checked to be that matrix.

    Parameters
    ----------
    matrix : (n_operands, n_outputs), the factor of each operand in each output.
    highest : largest value of each operand, whose smallest is 0; widths of adders are estimated from them.

    Raises
    ------
    ToolError : the library is missing, or a factor is too large for it.
    VerificationError : its graph is another matrix's.
    """
    if any(abs(factor) >= EXACT_IN_FLOAT32 for row in matrix for factor in row):
        raise ToolError(f"{LIBRARY} takes factors below {EXACT_IN_FLOAT32} only")
    kernel = np.array(matrix, dtype=np.float32)
    intervals = [(0.0, float(value), 1.0) for value in highest]
    solved = _solver()(kernel, qintervals=intervals, adder_size=1, carry_size=-1)
    graph = graph_of(solved.solutions, len(matrix))
    check_matrix(graph, matrix)
    return graph


def _solver() -> Any:
    try:
        return import_module(f"{LIBRARY}.cmvm").solve
    except ImportError:
        raise ToolError(f"{LIBRARY} is not installed: pip install '.[{EXTRA}]'") from None


def check_matrix(graph: AdderGraph, matrix: Sequence[Sequence[int]]) -> None:
    """Refuse, with a VerificationError, a graph of another matrix."""
    if graph.matrix() != [list(map(Fraction, row)) for row in matrix]:
        raise VerificationError(f"the adder graph of {LIBRARY} is not the matrix that was given")


def graph_of(stages: Sequence[Any], n_operands: int) -> AdderGraph:
    """One graph of the library's cascade of stages, each of which reads the outputs of the one before."""
    inputs: list[Ref | None] = [Ref(net) for net in range(n_operands)]
    sums: list[tuple[Ref, Ref]] = []
    for stage in stages:
        shifted = [ref and ref.of(Ref(0, int(by))) for ref, by in zip(inputs, stage.inp_shifts, strict=True)]
        inputs = _stage(stage, shifted, sums, n_operands)
    return AdderGraph(n_operands, tuple(sums), tuple(inputs))


def _stage(
    stage: Any, inputs: Sequence[Ref | None], sums: list[tuple[Ref, Ref]], n_operands: int
) -> list[Ref | None]:
    """Add a stage's adders to `sums`; its outputs."""
    made: list[Ref | None] = []
    for op in stage.ops:
        if op.opcode == _COPY:
            made.append(inputs[op.id0])
        elif op.opcode in (_ADD, _SUBTRACT):
            second = made[op.id1]
            second = second and second.of(Ref(0, int(op.data), op.opcode == _SUBTRACT))
            made.append(_added(made[op.id0], second, sums, n_operands))
        else:
            raise ToolError(f"{LIBRARY} answered with the unknown operation {op.opcode}")
    ends = zip(stage.out_idxs, stage.out_shifts, stage.out_negs, strict=True)
    return [_output(made, index, Ref(0, int(shift), bool(negative))) for index, shift, negative in ends]


def _added(a: Ref | None, b: Ref | None, sums: list[tuple[Ref, Ref]], n_operands: int) -> Ref | None:
    if a is None or b is None:
        return a or b
    sums.append((a, b))
    return Ref(n_operands + len(sums) - 1)


def _output(made: Sequence[Ref | None], index: int, outer: Ref) -> Ref | None:
    found = made[index] if index >= 0 else None
    return found and found.of(outer)
