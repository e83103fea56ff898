"""A classifier that is a circuit: two-input gates between the bits of the inputs and the bits of the class.

What gate-level refinement leaves is no network any more, so its gates are the definition of the function.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from printedmlp.circuit.netlist import FIRST_INPUT, Netlist
from printedmlp.circuit.simulate import input_bits_of, unpack_bits
from printedmlp.errors import ModelError
from printedmlp.technology import Technology
from printedmlp.trees import checked_codes

FORMAT = "printedmlp.GateClassifier"
VERSION = 1
TABLES = 16
MAX_INPUT_BITS = 16

Nets = tuple[int, int]


@dataclass(frozen=True)
class Gate:
    """One function of two nets: bit a + 2 b of `table` is the output where the first net is a and the second b."""

    table: int
    inputs: Nets


@dataclass(frozen=True)
class GateClassifier:
    """Gates in topological order; nets are numbered as in `printedmlp.circuit.netlist`.

    Parameters
    ----------
    n_features, input_bits : inputs, unsigned; feature 0 and its bit 0 are net 2.
    n_classes : answers from here on name no class; a wrong answer for any row.
    gates : gate k drives net 2 + n_features * input_bits + k and reads nets below it.
    outputs : nets of the class's bits, least significant first.

    Raises
    ------
    ModelError : naming the gate or output and the value out of range.
    """

    n_features: int
    input_bits: int
    n_classes: int
    gates: tuple[Gate, ...]
    outputs: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.n_features < 1 or not 1 <= self.input_bits <= MAX_INPUT_BITS:
            raise ModelError(f"{self.n_features} features of {self.input_bits} bits: at least 1, of 1 to 16 bits")
        if self.n_classes < 1 or len(self.outputs) != max(1, (self.n_classes - 1).bit_length()):
            raise ModelError(f"{len(self.outputs)} output bits do not fit {self.n_classes} classes")
        for k, gate in enumerate(self.gates):
            if not 0 <= gate.table < TABLES:
                raise ModelError(f"gate {k}: truth table {gate.table} is not in 0..{TABLES - 1}")
            for net in gate.inputs:
                if not 0 <= net < self.first_driven + k:
                    raise ModelError(f"gate {k} reads net {net}, which is not driven before it")
        for bit, net in enumerate(self.outputs):
            if not 0 <= net < self.first_driven + len(self.gates):
                raise ModelError(f"output bit {bit} is net {net}, which nothing drives")

    @property
    def first_driven(self) -> int:
        """The net driven by gate 0."""
        return FIRST_INPUT + self.n_features * self.input_bits

    @property
    def topology(self) -> tuple[int, ...]:
        """Empty: a circuit has no layers."""
        return ()

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Answer for each row of codes X (n_samples, n_features), (n_samples,) int64.

        Raises
        ------
        ModelError : for codes of another shape, out of range, or no integers.
        """
        codes = checked_codes(X, self.n_features, self.input_bits)
        n = len(codes)
        ones = (1 << n) - 1
        values = [0, ones, *input_bits_of(codes, self.input_bits)]
        for gate in self.gates:
            values.append(_apply(gate.table, values[gate.inputs[0]], values[gate.inputs[1]], ones))
        answers = np.zeros(n, dtype=np.int64)
        for bit, net in enumerate(self.outputs):
            answers |= unpack_bits(values[net], n).astype(np.int64) << bit
        return answers

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary; `from_json` is its inverse."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "n_features": self.n_features,
            "input_bits": self.input_bits,
            "n_classes": self.n_classes,
            "gates": [[gate.table, *gate.inputs] for gate in self.gates],
            "outputs": list(self.outputs),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> GateClassifier:
        """Rebuild from `to_json`'s dictionary; ModelError where it is none."""
        if not isinstance(data, Mapping):
            raise ModelError(f"expected {FORMAT} version {VERSION}, not {data!r:.60}")
        if data.get("format") != FORMAT or data.get("version") != VERSION:
            found = f"{data.get('format')} version {data.get('version')}"
            raise ModelError(f"expected {FORMAT} version {VERSION}, not {found}")
        n_features, input_bits, n_classes = (
            _integer(data.get(key), key) for key in ("n_features", "input_bits", "n_classes")
        )
        gates = tuple(_gate(k, entry) for k, entry in enumerate(_list(data, "gates")))
        outputs = tuple(_integer(net, f"output bit {k}") for k, net in enumerate(_list(data, "outputs")))
        return cls(n_features, input_bits, n_classes, gates, outputs)

    def dumps(self) -> str:
        """The classifier as JSON text; the same classifier, the same bytes."""
        return json.dumps(self.to_json(), separators=(",", ":"))

    @classmethod
    def of_netlist(
        cls, netlist: Netlist, technology: Technology, *, input_bits: int, n_classes: int
    ) -> GateClassifier:
        """The function of a netlist of cells with up to two inputs.

        Raises
        ------
        ModelError : at a larger cell, or where the netlist's inputs are no features of `input_bits` bits.
        """
        if netlist.n_inputs % input_bits:
            raise ModelError(f"{netlist.n_inputs} input bits are no features of {input_bits} bits")
        gates = []
        for k, instance in enumerate(netlist.instances):
            cell = technology.cell(instance.cell)
            if len(cell.inputs) > 2:
                raise ModelError(f"instance {k}: {cell.name} has {len(cell.inputs)} inputs; at most 2 fit a gate")
            nets = (*instance.inputs, 0, 0)
            gates.append(Gate(two_input_table(cell.truth_table, len(cell.inputs)), (nets[0], nets[1])))
        n_features = netlist.n_inputs // input_bits
        return cls(n_features, input_bits, n_classes, tuple(gates), netlist.outputs)


def two_input_table(truth_table: int, n_inputs: int) -> int:
    """Truth table of a cell with up to two inputs as one of two inputs; further ones do not matter."""
    for n in range(n_inputs, 2):
        truth_table |= truth_table << (1 << n)
    return truth_table


def _apply(table: int, a: int, b: int, ones: int) -> int:
    low = (a if table & 2 else 0) | (a ^ ones if table & 1 else 0)
    high = (a if table & 8 else 0) | (a ^ ones if table & 4 else 0)
    return (b & high) | ((b ^ ones) & low)


def _integer(value: Any, name: str) -> int:
    if type(value) is not int:
        raise ModelError(f"{FORMAT}: {name} must be an integer, not {value!r:.60}")
    return value


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    value = data.get(key)
    if not isinstance(value, list):
        raise ModelError(f"{FORMAT}: {key} must be a list, not {value!r:.60}")
    return value


def _gate(k: int, entry: Any) -> Gate:
    if not isinstance(entry, list) or len(entry) != 3:
        raise ModelError(f"gate {k}: {entry!r:.60} is not a table and two nets")
    table, a, b = (_integer(value, f"gate {k}") for value in entry)
    return Gate(table, (a, b))
