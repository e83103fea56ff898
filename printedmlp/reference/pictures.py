"""Helpers for the studies' pictures: no window, colours that colour-blind people tell apart, same bytes again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c8c8c")
"""Okabe and Ito's palette, the yellow that vanishes on white replaced by a grey."""
LINES = ("-", "--", "-.", ":")
DIVERGING = "RdBu_r"
STYLE: Any = {
    "axes.grid": True,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10,
    "font.size": 9,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "svg.hashsalt": "printedmlp",
}
WITHOUT_TIME: dict[str, dict[str, Any]] = {".png": {"Software": None}, ".svg": {"Date": None, "Creator": None}}


def panels(rows: int, columns: int, *, width: float = 3.4, height: float = 2.8) -> tuple[Figure, Any]:
    """A figure and its axes, (rows, columns) always, each panel `width` by `height` inches."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(width * columns, height * rows), layout="constrained")
        FigureCanvasAgg(figure)
        return figure, figure.subplots(rows, columns, squeeze=False)


def curves(axes: Axes, x: ArrayLike, by_name: dict[str, ArrayLike], *, xlabel: str, ylabel: str) -> None:
    """Draw one line a name; (n,) values, or (n_seeds, n) ones as the mean with a band from least to greatest."""
    for number, (name, given) in enumerate(by_name.items()):
        values = np.atleast_2d(np.asarray(given, dtype=np.float64))
        colour = COLOURS[number % len(COLOURS)]
        style = LINES[number % len(LINES)]
        axes.plot(np.asarray(x), values.mean(axis=0), color=colour, linestyle=style, label=name)
        if len(values) > 1:
            axes.fill_between(np.asarray(x), values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2)
    axes.set_xlabel(xlabel)
    axes.set_ylabel(ylabel)
    if len(by_name) > 1:
        axes.legend()


def pixels(axes: Axes, values: ArrayLike, *, title: str = "", signed: bool = False) -> None:
    """Show a matrix as a picture; `signed` centres the colours on zero, blue below and red above."""
    picture = np.asarray(values, dtype=np.float64)
    most = float(np.abs(picture).max()) or 1.0
    if signed:
        axes.imshow(picture, cmap=DIVERGING, vmin=-most, vmax=most)
    else:
        axes.imshow(picture, cmap="gray" if picture.ndim == 2 else None)
    axes.set_title(title)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)


def letters(axes: Sequence[Axes]) -> None:
    """Mark panels (a), (b), ... in their upper left corner, outside of the data."""
    for number, each in enumerate(axes):
        each.set_title(f"({chr(ord('a') + number)})", loc="left", fontweight="bold")


def save(figure: Figure, path: Path) -> Path:
    """Write a .png or .svg without time or version stamps, whole or not at all, and return the path."""
    beside = path.with_name(f".{path.name}")
    with mpl.rc_context(STYLE):
        figure.savefig(beside, format=path.suffix[1:], dpi=130, metadata=WITHOUT_TIME[path.suffix])
    beside.replace(path)
    return path
