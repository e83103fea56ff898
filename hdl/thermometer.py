"""Classifiers whose inputs are comparators' outputs: one bit for each threshold that is used, no converter's gates.

An input bit tells whether a feature's code is at least a level. Of the patterns of one feature only those occur in
which every level below a set one is set as well. As the circuit tells apart no other codes of a feature than those
that its levels tell apart, a run of codes between two levels may be shown as any of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from numpy.typing import NDArray

from hdl.cells import verilog_text
from hdl.emit import components_verilog
from hdl.front_end import changes_of, representatives, thermometer_of
from hdl.thresholds import Thresholds
from hdl.tree import TreeClassifier
from printedmlp.names import COMMENT_WIDTH, safe_comment
from printedmlp.technology import Technology
from printedmlp.trees import DecisionTree

OF_CODES, OF_LEVELS = "classifier_of_codes", "classifier_of_levels"
"""Names of the classifier inside a module that translates for it."""


UNREAD = "1'b0"


@dataclass(frozen=True)
class ThermometerInputs:
    """The input bits of a circuit: bit i is whether `features[i]` has a code of at least `levels[i]`.

    Features come in their order, each with its levels from the lowest up.
    """

    thresholds: Thresholds
    input_bits: int

    @property
    def places(self) -> tuple[tuple[int, int], ...]:
        """(feature, level) of every input bit."""
        return tuple((f, level) for f, levels in enumerate(self.thresholds.levels) for level in levels)

    def of(self, X: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The input bits of rows of codes (n_samples, n_features), (n_samples, n_bits) of 0 and 1."""
        columns = [thermometer_of(X[:, f], levels) for f, levels in enumerate(self.thresholds.levels)]
        return np.concatenate(columns, axis=1)

    def to_json(self, names: Sequence[str], values: Sequence[Sequence[float]]) -> list[dict[str, Any]]:
        """For each input bit its feature, level, and the value in the user's units that it compares with.

        values : (n_features, 2^input_bits - 1) thresholds of the quantiser, none for a constant feature.
        """
        return [
            {
                "bit": i,
                "feature": f,
                "name": names[f],
                "level": level,
                "at_least": values[f][level - 1] if values[f] else None,
            }
            for i, (f, level) in enumerate(self.places)
        ]

    def first_bit(self, feature: int) -> int:
        """Number of a feature's lowest input bit."""
        return sum(map(len, self.thresholds.levels[:feature]))


def thermometer_verilog(rtl: str, inputs: ThermometerInputs, n_outputs: int, header: Sequence[str] = ()) -> str:
    """The classifier of codes in `rtl`, module `top`, as one of thermometers: gates that make the bits it reads.

    inputs : of a circuit that needs an input bit at least; others have no such form.
    """
    lines = [f"// {safe_comment(line, COMMENT_WIDTH)}".rstrip() for line in header]
    n_codes = len(inputs.thresholds.levels) * inputs.input_bits
    lines.append(f"module top(input [{len(inputs.places) - 1}:0] inp, output [{n_outputs - 1}:0] out);")
    lines.append(f"  wire [{n_codes - 1}:0] code;")
    for feature in range(len(inputs.thresholds.levels)):
        shown = _shown_bits(inputs, feature)
        first = feature * inputs.input_bits
        for bit in range(inputs.input_bits):
            lines.append(f"  assign code[{first + bit}] = {shown.get(bit, UNREAD)};")
    lines += [f"  {OF_CODES} core (.inp(code), .out(out));", "endmodule"]
    return "\n".join(lines) + "\n\n" + renamed(rtl, OF_CODES)


def _shown_bits(inputs: ThermometerInputs, feature: int) -> dict[int, str]:
    """Expressions over `inp` of the bits of a feature's code that are read."""
    thresholds, first = inputs.thresholds, inputs.first_bit(feature)
    levels, bits = thresholds.levels[feature], thresholds.bits[feature]
    codes = representatives(levels, bits, inputs.input_bits)
    shown = {}
    for bit in bits:
        text = ""
        for change in reversed(changes_of(codes, bit)):
            text = f"inp[{first + change}] & ~({text})" if text else f"inp[{first + change}]"
        start = codes[0] >> bit & 1
        shown[bit] = (f"~({text})" if start else text) if text else f"1'b{start}"
    return shown


def renamed(verilog: str, name: str) -> str:
    """Verilog whose module `top` has another name, without comments that begin a line."""
    lines = [line for line in verilog.splitlines(keepends=True) if not line.startswith("//")]
    return re.sub(r"\bmodule top\b", f"module {name}", "".join(lines))


def of_codes(verilog: str, inputs: ThermometerInputs, n_outputs: int) -> str:
    """A circuit of thermometers, module `top`, as one of codes: its comparators in front of it."""
    n_codes = len(inputs.thresholds.levels) * inputs.input_bits
    lines = [f"module top(input [{n_codes - 1}:0] inp, output [{n_outputs - 1}:0] out);"]
    lines.append(f"  wire [{len(inputs.places) - 1}:0] level;")
    for i, (f, level) in enumerate(inputs.places):
        low = f * inputs.input_bits
        lines.append(
            f"  assign level[{i}] = inp[{low + inputs.input_bits - 1}:{low}] >= {inputs.input_bits}'d{level};"
        )
    lines += [f"  {OF_LEVELS} core (.inp(level), .out(out));", "endmodule"]
    return "\n".join(lines) + "\n\n" + renamed(verilog, OF_LEVELS)


def netlist_of_codes(netlist: str, inputs: ThermometerInputs, n_outputs: int, technology: Technology) -> str:
    """A netlist of thermometers as a circuit of codes that stands alone, cells included."""
    return of_codes(netlist, inputs, n_outputs) + "\n" + verilog_text(technology)


def thermometer_tree_verilog(tree: DecisionTree, inputs: ThermometerInputs, header: Sequence[str] = ()) -> str:
    """A tree whose tests are its input bits; no comparator is left."""
    return components_verilog({"top": ThermometerTree(tree, inputs)}, header)


class ThermometerTree(TreeClassifier):
    """A `DecisionTree` as module `top` with the ports `inp`, one bit for each level used, and `out`, the class."""

    def __init__(self, tree: DecisionTree, inputs: ThermometerInputs) -> None:
        self.tree = tree.reduced()
        self.inputs = inputs
        out = Out(max(1, (tree.n_classes - 1).bit_length()))
        wiring.Component.__init__(self, {"inp": In(len(inputs.places)), "out": out})

    def _compared(self, m: Module, feature: int, threshold: int) -> Signal:
        """A run of codes is shown as its lowest, so a test is that of the next level upwards."""
        outcome = Signal(name=f"x{feature}_ge_{threshold}")
        levels = self.inputs.thresholds.levels[feature]
        above = [i for i, level in enumerate(levels) if level >= threshold]
        if above:
            m.d.comb += outcome.eq(self.inp[self.inputs.first_bit(feature) + above[0]])
        return outcome
