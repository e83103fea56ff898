"""Bit-parallel simulation of a netlist's stuck-at faults: all single ones at once, and any sets of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from printedmlp.circuit.care import CareSet, Words
from printedmlp.circuit.faults import STEM, Fault
from printedmlp.circuit.netlist import FIRST_INPUT, Netlist
from printedmlp.errors import ConfigError
from printedmlp.kernels import faults as kernel
from printedmlp.technology import Technology

MOST_PINS = 6
"""A cell's truth table has to fit one word."""
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Singles:
    """What every single stuck-at fault does.

    Attributes
    ----------
    wrong_by_net : (n_nets, 2, C) int64, rows of each class answered wrong, by net and stuck value.
    wrong_by_pin : (n_instances, P, 2, C) int64, likewise by instance and pin; pins that a cell lacks hold zeros.
    changed_by_net, changed_by_pin : (n_nets, 2) and (n_instances, P, 2) int64, rows answered otherwise than without
        faults.
    """

    wrong_by_net: Integers
    wrong_by_pin: Integers
    changed_by_net: Integers
    changed_by_pin: Integers

    def wrong(self, fault: Fault) -> Integers:
        """(C,) rows of each class that are answered wrong under a fault."""
        found: Integers = (
            self.wrong_by_net[fault.place, fault.value]
            if fault.of_net
            else self.wrong_by_pin[fault.place, fault.pin, fault.value]
        )
        return found

    def changed(self, fault: Fault) -> int:
        """Rows answered otherwise than without faults."""
        if fault.of_net:
            return int(self.changed_by_net[fault.place, fault.value])
        return int(self.changed_by_pin[fault.place, fault.pin, fault.value])


@dataclass(frozen=True)
class Counts:
    """By set of faults: rows of each class answered wrong, (S, C) int64, and rows answered otherwise, (S,)."""

    wrong: Integers
    changed: Integers


class FaultSimulator:
    """A netlist on rows of codes with their classes, ready for faults.

    Parameters
    ----------
    codes : (n, n_features) below 2^input_bits.
    y : (n,) classes in 0 .. n_classes - 1.

    Raises
    ------
    ConfigError : for a cell of more than six inputs, or codes that do not fit the netlist's inputs.
    ModelError : for no rows, or a class that is none.
    """

    def __init__(
        self,
        netlist: Netlist,
        technology: Technology,
        codes: NDArray[np.integer],
        y: NDArray[np.integer],
        *,
        n_classes: int,
        input_bits: int,
    ) -> None:
        netlist.check(technology)
        if codes.shape[1] * input_bits != netlist.n_inputs:
            raise ConfigError(
                f"{codes.shape[1]} features of {input_bits} bits do not fit a circuit of {netlist.n_inputs} inputs"
            )
        outputs = len(netlist.outputs)
        care = CareSet.of(codes, y, n_classes=1 << outputs, input_bits=input_bits)
        self.netlist, self.n_rows = netlist, len(y)
        self._circuit = _arrays(netlist, technology)
        self._values = _values(netlist, care)
        self._sources = np.zeros(max(1, self._circuit[2].shape[1]), np.int64)
        kernel.settle(self._circuit, self._values, netlist.first_driven, self._sources)
        self.held = np.bincount(y, minlength=n_classes)
        """(C,) rows of each class."""
        self._rows = self._groups(care, y, n_classes)
        self.wrong = self.sets([[]]).wrong[0]
        """(C,) rows of each class that are answered wrong without faults."""

    def _groups(self, care: CareSet, y: NDArray[np.integer], n_classes: int) -> tuple[Words, Words, Words]:
        """Wanted bits, masks of all rows and of each class, and the rows answered wrong."""
        classes = np.zeros((n_classes + 1, 64 * len(care.valid)), dtype=bool)
        classes[0, : len(y)] = True
        classes[1 + y, np.arange(len(y))] = True
        masks = np.packbits(classes, axis=1, bitorder="little").view(np.uint64)
        outputs = list(self.netlist.outputs)
        base = np.bitwise_or.reduce(self._values[outputs] ^ care.wanted, axis=0)
        return care.wanted, masks, base

    def singles(self) -> Singles:
        """Every single stuck-at fault."""
        n_nets, n_words = self.netlist.n_nets, self._values.shape[1]
        flags = np.zeros(n_nets, np.int64), np.zeros(n_nets, np.int64), self._sources
        shapes = (n_nets, n_words), (n_nets, n_words), (n_words,), (n_words,)
        words = tuple(np.zeros(shape, np.uint64) for shape in shapes)
        groups = len(self._rows[1]) + 1
        of_nets = np.zeros((n_nets, 2, groups), np.int64)
        of_pins = np.zeros((*self._circuit[2].shape, 2, groups), np.int64)
        first = self.netlist.first_driven
        kernel.count_singles(self._circuit, self._values, self._rows, first, of_nets, of_pins, flags, words)
        return Singles(of_nets[..., 1:-1], of_pins[..., 1:-1], of_nets[..., -1], of_pins[..., -1])

    def sets(self, sets: Sequence[Sequence[Fault]]) -> Counts:
        """Sets of faults that are there together; of several faults of one place the last counts."""
        faults = np.array([(f.place, f.pin, f.value) for own in sets for f in own], dtype=np.int64).reshape(-1, 3)
        return self.coded_sets(faults, np.cumsum([len(own) for own in sets], dtype=np.int64))

    def coded_sets(self, faults: Integers, ends: Integers) -> Counts:
        """The same for faults as rows of place, pin and value, (F, 3), and where those of each set end, (S,)."""
        counts = np.zeros((len(ends), len(self._rows[1]) + 1), np.int64)
        n_nets, n_words = self.netlist.n_nets, self._values.shape[1]
        scratch = (
            np.zeros(n_nets, np.int64),
            np.zeros(n_nets, np.int64),
            self._sources,
            self._circuit[2].copy(),
            np.zeros(n_words, np.uint64),
            np.zeros(n_words, np.uint64),
        )
        first = self.netlist.first_driven
        kernel.count_sets(self._circuit, self._values, self._rows, first, faults, ends, counts, scratch)
        return Counts(counts[:, 1:-1], counts[:, -1])


def _arrays(netlist: Netlist, technology: Technology) -> tuple[NDArray[np.generic], ...]:
    """The circuit as `kernels.faults` takes it."""
    cells = [technology.cell(instance.cell) for instance in netlist.instances]
    for cell in cells:
        if len(cell.inputs) > MOST_PINS:
            raise ConfigError(
                f"{cell.name} has {len(cell.inputs)} inputs; faults are simulated for up to {MOST_PINS}"
            )
    arities = np.array([len(cell.inputs) for cell in cells], dtype=np.int64)
    pins = np.zeros((len(cells), max(arities, default=1)), np.int64)
    readers, only = np.zeros(netlist.n_nets, np.int64), np.full(netlist.n_nets, -1, np.int64)
    last = np.full(netlist.n_nets, -1, np.int64)
    for k, instance in enumerate(netlist.instances):
        for pin, net in enumerate(instance.inputs):
            pins[k, pin], only[net], last[net] = net, k * pins.shape[1] + pin, k
            readers[net] += 1
    for net in netlist.outputs:
        readers[net] += 1
    only[[*netlist.outputs]] = STEM
    tables = np.array([cell.truth_table for cell in cells], dtype=np.uint64)
    return tables, arities, pins, np.array(netlist.outputs, dtype=np.int64), readers, only, last


def _values(netlist: Netlist, care: CareSet) -> Words:
    """Room for the values of all nets without and with faults, those of constants and inputs filled in."""
    values = np.zeros((2 * netlist.n_nets, len(care.valid)), np.uint64)
    values[1] = ~np.uint64(0)
    values[FIRST_INPUT : netlist.first_driven] = care.inputs
    return values
