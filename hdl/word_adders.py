"""A reference circuit whose sums follow the adders that Yosys makes of the textbook form.

Sweeping proves two circuits equal where they share nets, and bit heaps share few with multipliers and chains of
additions. So Yosys is asked how it arranges the textbook form's adders, as words, and they are written down again
here bit by bit. Nothing of that is trusted: `hdl.neuron_proof` proves every sum of the circuit to be the
definition's, wherever it was taken from, and a wrong arrangement can only leave it unproved.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hdl.emit import textbook_verilog
from hdl.frontend import word_commands
from hdl.reference import (
    AdderNote,
    Gates,
    Reference,
    SumNote,
    Values,
    WordNote,
    add_bits,
    reference_circuit,
    sum_of_columns,
)
from hdl.tools import run_yosys
from printedmlp.circuit.netlist import CONSTANT_0, CONSTANT_1
from printedmlp.errors import ToolError
from printedmlp.model import DiscreteMLP, Interval, Layer
from printedmlp.summand import word_width


class ArrangementError(ToolError):
    """Yosys's cells for a sum cannot be followed."""


Bit = int | str
"""A bit of Yosys's: its number, or the constant "0", "1" or "x"."""
_CONSTANTS: dict[Bit, int] = {"0": CONSTANT_0, "1": CONSTANT_1, "x": CONSTANT_0}
_INPUTS = {"$alu": ("A", "B", "CI"), "$fa": ("A", "B", "C"), "$not": ("A",)}
_OUTPUTS = {"$alu": ("Y",), "$fa": ("X", "Y"), "$not": ("Y",)}
_NAME = "adders"


def textbook_reference(model: DiscreteMLP, work_dir: Path, *, timeout_s: float) -> Reference:
    """The reference circuit of a network with Yosys's adders of its textbook form.

    Raises
    ------
    ArrangementError : its sums are not made of adders alone.
    ToolBrokenOffError : Yosys takes longer than `timeout_s`.
    """
    return reference_circuit(model, WordAdders(yosys_module(model, work_dir, timeout_s=timeout_s)).write_sum)


def yosys_module(model: DiscreteMLP, work_dir: Path, *, timeout_s: float) -> dict[str, Any]:
    """The textbook form as Yosys's JSON of module `top`, its sums as the cells $alu and $fa."""
    (work_dir / f"{_NAME}.v").write_text(textbook_verilog(model, named=True), encoding="utf-8")
    commands = [*word_commands(_NAME, "top"), "maccmap", "opt_expr", "opt_clean", f"write_json {_NAME}.json"]
    run_yosys(commands, work_dir, name=_NAME, timeout_s=timeout_s)
    found: dict[str, Any] = json.loads((work_dir / f"{_NAME}.json").read_text(encoding="utf-8"))
    return dict(found["modules"]["top"])


class WordAdders:
    """Writes down the sums of a module of Yosys's as gates with notes, each cell once."""

    def __init__(self, module: Mapping[str, Any]) -> None:
        self.names: dict[str, list[Bit]] = {name: net["bits"] for name, net in module["netnames"].items()}
        self.named: dict[Bit, list[str]] = {}
        for name, bits in self.names.items():
            for bit in bits:
                self.named.setdefault(bit, []).append(name)
        self.driver: dict[Bit, Mapping[str, Any]] = {}
        for cell in module["cells"].values():
            for port in _OUTPUTS.get(cell["type"], ()):
                self.driver.update((bit, cell) for bit in cell["connections"][port])
        self.known: dict[Bit, int] = dict(_CONSTANTS)
        self.adders: list[AdderNote] = []
        self.words: list[WordNote] = []
        self.layer = -1

    def write_sum(
        self,
        gates: Gates,
        layer: Layer,
        place: tuple[int, int],
        values: Values,
        input_bounds: tuple[Interval, ...],
        bounds: Interval,
    ) -> SumNote:
        """The gates of the module's net `sum_<layer>_<neuron>`, from the nets of the layer's inputs."""
        number, index = place
        if number != self.layer:
            self._begin(number, values)
        name = f"sum_{number}_{index}"
        if name not in self.names:  # Nothing reads it.
            return sum_of_columns(gates, layer, place, values, input_bounds, bounds)
        bits = self.names[name][: word_width(bounds)]
        if len(bits) < word_width(bounds):
            raise ArrangementError("a sum of the textbook form has lost its upper bits")
        nets = self._nets(gates, bits)
        word = tuple(gates.add("BUF", net) for net in nets)
        adders, words = tuple(self.adders), tuple(self.words)
        return SumNote(number, index, bounds, values, input_bounds, adders, word, words)

    def _begin(self, number: int, values: Values) -> None:
        """Tell the bits that carry the inputs of a layer."""
        self.layer, self.adders, self.words = number, [], []
        inp = self.names["inp"]
        for i, nets in enumerate(values):
            hidden = self.names.get(f"hidden_{number - 1}_{i}", [])
            for k, bit in enumerate(hidden if number else inp[i * len(nets) : (i + 1) * len(nets)]):
                self.known.setdefault(bit, nets[k] if k < len(nets) else CONSTANT_0)

    def _nets(self, gates: Gates, bits: Sequence[Bit]) -> list[int]:
        """Nets of some bits, after all cells that they depend on."""
        missing, begun = list(bits), set()
        while missing:
            bit = missing[-1]
            if bit in self.known:
                missing.pop()
                continue
            if bit not in self.driver:
                raise ArrangementError("a sum of the textbook form is not made of adders alone")
            cell = self.driver[bit]
            read = [b for port in _INPUTS[cell["type"]] for b in cell["connections"][port] if b not in self.known]
            if read and id(cell) in begun:
                raise ArrangementError("a sum of the textbook form depends on itself")
            begun.add(id(cell))
            missing += read
            if not read:
                self._write(gates, cell)
        return [self.known[bit] for bit in bits]

    def _write(self, gates: Gates, cell: Mapping[str, Any]) -> None:
        kind, ports = cell["type"], cell["connections"]
        width = len(ports["Y"])
        operands = [self._operand(cell, port, width) for port in _INPUTS[kind]]
        carries = [CONSTANT_0] * width
        if kind == "$not":
            totals = [self._inverted(gates, net) for net in operands[0]]
        elif kind == "$fa":
            pairs = [self._added(gates, bits) for bits in zip(*operands, strict=True)]
            totals, carries = [total for total, _ in pairs], [carry for _, carry in pairs]
        else:
            totals = self._rippled(gates, cell, operands)
        self.known.update(zip(ports["Y"], totals, strict=True))
        if kind == "$fa":
            self.known.update(zip(ports["X"], carries, strict=True))
        elif kind == "$alu":
            self._note_word(gates, ports["Y"])

    def _rippled(self, gates: Gates, cell: Mapping[str, Any], operands: list[list[int]]) -> list[int]:
        """A + B + CI, or A + not B + CI where BI is set."""
        inverts = _CONSTANTS.get(cell["connections"]["BI"][0])
        if inverts is None:
            raise ArrangementError("a sum of the textbook form adds and subtracts by turns")
        *words, (carry, *_) = operands
        totals = []
        for a, b in zip(*words, strict=True):
            total, carry = self._added(gates, (a, self._inverted(gates, b) if inverts else b, carry))
            totals.append(total)
        return totals

    def _operand(self, cell: Mapping[str, Any], port: str, width: int) -> list[int]:
        """The nets of an input port in so many bits."""
        nets = [self.known[bit] for bit in cell["connections"][port]][:width]
        signed = int(cell["parameters"].get(f"{port}_SIGNED", "0"), 2)
        return nets + [nets[-1] if signed else CONSTANT_0] * (width - len(nets))

    def _note_word(self, gates: Gates, outputs: Sequence[Bit]) -> None:
        """Copy an adder's outputs, for the longest of the module's words that ends with them."""
        own = {bit: net for bit in outputs if (net := self.known[bit]) > CONSTANT_1}
        names = sorted({name for bit in own for name in self.named.get(bit, ())})
        found = max((self._own_word(self.names[name], own) for name in names), key=len, default=[])
        if not found:
            return
        nets = tuple(self.known[bit] for bit in found)
        self.known.update((bit, gates.add("BUF", net)) for bit, net in own.items())
        self.words.append(WordNote(nets, tuple(self.known[bit] for bit in found)))

    def _own_word(self, word: Sequence[Bit], own: Mapping[Bit, int]) -> Sequence[Bit]:
        """The word's part up to its last own bit, without zeros below; empty if it has bits of later cells."""
        last = max((k for k, bit in enumerate(word) if bit in own), default=-1)
        while last > 0 and word[last - 1] == word[last]:
            last -= 1
        first = next((k for k, bit in enumerate(word) if self.known.get(bit) != CONSTANT_0), 0)
        found = word[first : last + 1]
        return found if all(bit in self.known for bit in found) else []

    def _inverted(self, gates: Gates, net: int) -> int:
        return 1 - net if net <= CONSTANT_1 else gates.add("NOT", net)

    def _added(self, gates: Gates, bits: Sequence[int]) -> tuple[int, int]:
        """Total and carry of up to three bits, of which constants need no gates."""
        free, ones = tuple(net for net in bits if net > CONSTANT_1), bits.count(CONSTANT_1)
        if not free:
            return ones & 1, ones >> 1
        if len(free) == 1 and ones != 1:
            return free[0], ones >> 1
        note = add_bits(gates, free, ones == 1) if len(free) < 3 else _full_adder(gates, *free)
        self.adders.append(note)
        return note.total, note.carry


def _full_adder(gates: Gates, a: int, b: int, c: int) -> AdderNote:
    """With the nets of Yosys's own."""
    half, both = gates.add("XOR", a, b), gates.add("AND", a, b)
    total = gates.add("XOR", half, c)
    return AdderNote((a, b, c), False, total, gates.add("OR", both, gates.add("AND", half, c)))
