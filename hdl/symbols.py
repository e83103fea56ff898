"""Gate symbols as SVG paths: the distinctive shapes, a bubble where the output is inverted, a box for the rest."""

from __future__ import annotations

from dataclasses import dataclass

from printedmlp.technology import Cell

PIN_PITCH = 16.0
BUBBLE = 4.0
BODY = 34.0
"""Width of a body in pixels, bubble and pins apart."""


@dataclass(frozen=True)
class Symbol:
    """A gate drawn about the middle of its left edge.

    Attributes
    ----------
    paths : outlines; the first one is the body, which is filled.
    width : from the left edge to where the output begins, bubble included.
    half : half the height of the body.
    pins : heights of the inputs, 0 in the middle, downwards.
    pin_depth : how far the inputs' wires go into the body, whose left edge may be curved.
    inverted : whether there is a bubble at the output.
    symmetric : whether the inputs may change places.
    text : what is written into a box.
    """

    paths: tuple[str, ...]
    width: float
    half: float
    pins: tuple[float, ...]
    pin_depth: float = 0.0
    inverted: bool = False
    symmetric: bool = True
    text: str = ""


def symbol(cell: Cell) -> Symbol:
    """The symbol of a cell by its truth table: AND, OR, XOR, buffer, their inverses, or a box with its name."""
    n = len(cell.inputs)
    half = max(16.0, PIN_PITCH * n / 2)
    pins = tuple((k - (n - 1) / 2) * PIN_PITCH for k in range(n))
    full = (1 << cell.n_states) - 1
    for inverted in (False, True):
        kind = _kind(cell.truth_table ^ (full if inverted else 0), n)
        if kind is not None:
            paths, depth = _paths(kind, half)
            width = (26.0 if kind == "buffer" else BODY) + (2 * BUBBLE if inverted else 0)
            return Symbol(paths, width, half, pins, depth, inverted)
    box = f"M0 {-half:g} H{BODY + 16:g} V{half:g} H0 Z"
    return Symbol((box,), BODY + 16, half, pins, symmetric=False, text=cell.name.removesuffix("X1"))


def _kind(table: int, n: int) -> str | None:
    """Which of the plain functions of n inputs a truth table is."""
    states = range(1 << n)
    plain = {
        "buffer": [state == 1 for state in states] if n == 1 else None,
        "and": [state == len(states) - 1 for state in states] if n > 1 else None,
        "or": [state > 0 for state in states] if n > 1 else None,
        "xor": [state.bit_count() % 2 == 1 for state in states] if n > 1 else None,
    }
    wanted = [bool(table >> state & 1) for state in states]
    return next((kind for kind, values in plain.items() if values == wanted), None)


def _paths(kind: str, half: float) -> tuple[tuple[str, ...], float]:
    """Outlines of a body, and how far its left edge curves in at the pins."""
    h, middle = f"{half:g}", BODY - 16
    if kind == "buffer":
        return ("M0 -13 L26 0 L0 13 Z",), 0.0
    if kind == "and":
        return (f"M0 -{h} H{middle:g} A16 {h} 0 0 1 {middle:g} {h} H0 Z",), 0.0
    body = f"M0 -{h} Q{middle + 2:g} -{h} {BODY:g} 0 Q{middle + 2:g} {h} 0 {h} Q9 0 0 -{h} Z"
    return ((body, f"M-5 -{h} Q4 0 -5 {h}") if kind == "xor" else (body,)), (-1.0 if kind == "xor" else 3.5)
