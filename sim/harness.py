"""The simulated top: all circuits side by side on one input word, everything observed in one result word."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BENCH = "bench"


@dataclass(frozen=True)
class Field:
    """Bits of the result word: one circuit's class, or one of its scores.

    `instance` is a circuit of the harness, `net` its port or a net of its top module.
    """

    instance: str
    net: str
    width: int
    signed: bool = False


def harness_verilog(instances: Sequence[str], fields: Sequence[Field], input_width: int) -> str:
    """Verilog of module `bench`: an instance `name` of module `name_top` per circuit, and the result word.

    Fields fill the result from its least significant bit in the order given. Every field passes a wire of its
    declared width, so that a circuit whose port has another width is noticed by the simulator's width check.
    """
    ports = {f.instance: f for f in fields if f.net == "out"}
    total = sum(f.width for f in fields)
    lines = [
        f"module {BENCH} (inp, result);",
        f"    input [{input_width - 1}:0] inp /*verilator public_flat_rw*/;",
        f"    output [{total - 1}:0] result /*verilator public_flat_rd*/;",
    ]
    lines += [f"    wire [{f.width - 1}:0] {_wire(f)};" for f in fields]
    lines += [f"    {name}_top {name} (.inp(inp), .out({_wire(ports[name])}));" for name in instances]
    lines += [f"    assign {_wire(f)} = {f.instance}.{f.net};" for f in fields if f.net != "out"]
    word = ", ".join(_wire(f) for f in reversed(fields))
    return "\n".join([*lines, f"    assign result = {{{word}}};", "endmodule"]) + "\n"


def _wire(field: Field) -> str:
    return f"{field.instance}__{field.net}"


def field_values(bits: NDArray[np.uint8], fields: Sequence[Field]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Numbers of every field, (n, n_fields) int64, and whether all its bits are defined, (n, n_fields) bool.

    Parameters
    ----------
    bits : (n, width of the result word), column i is bit i; 0, 1, or anything else for an undefined bit.
    """
    values = np.empty((len(bits), len(fields)), dtype=np.int64)
    defined = np.empty(values.shape, dtype=bool)
    start = 0
    for index, field in enumerate(fields):
        part = bits[:, start : start + field.width]
        defined[:, index] = (part <= 1).all(axis=1)
        values[:, index] = (part == 1).astype(np.int64) @ _weights(field)
        start += field.width
    return values, defined


def _weights(field: Field) -> NDArray[np.int64]:
    weights = np.int64(1) << np.arange(field.width, dtype=np.int64)
    if field.signed:
        weights[-1] = -weights[-1]
    return weights
