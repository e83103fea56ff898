"""The picture of the study of VQGraph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from printedmlp.reference.pictures import COLOURS, letters, panels, save
from printedmlp.reference.studies.vqgraph_runs import (
    CODES,
    GCN,
    MAIN,
    MLP,
    PROBE,
    RELEASED_FORM,
    SIZES,
    SOFT,
    Codebook,
    Network,
    Results,
)


def picture(results: Results, path: Path) -> Path:
    """Accuracies, accuracy by codebook, use and classes of codes, agreement, edges within codes."""
    figure, axes = panels(2, 3)
    _accuracy_panel(axes[0, 0], results)
    _size_panel(axes[0, 1], results)
    _edge_panel(axes[0, 2], results.codebooks)
    _use_panel(axes[1, 0], results.codebooks)
    _class_panel(axes[1, 1], results.codebooks[MAIN][0])
    _agreement_panel(axes[1, 2], results.students)
    letters(axes.flat)
    return save(figure, path)


def _dots(axes: Axes, rows: Mapping[str, Sequence[float]], xlabel: str) -> None:
    """One line a name, one dot a seed, the first name on top."""
    for place, values in enumerate(rows.values()):
        axes.plot(values, [place] * len(values), "o", color=COLOURS[place % len(COLOURS)], alpha=0.7)
    axes.set_yticks(range(len(rows)), list(rows), fontsize=7)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(xlabel)


def _accuracy_panel(axes: Axes, results: Results) -> None:
    students = results.students
    rows = {
        MLP: students[MLP],
        GCN: students[GCN],
        f"teacher,\n{MAIN}": results.teachers[MAIN],
        "student,\nsoft labels": students[SOFT],
        "student,\nand codes": students[CODES],
    }
    _dots(axes, {name: [n.accuracy for n in networks] for name, networks in rows.items()}, "test accuracy")
    axes.set_title(results.data)


def _size_panel(axes: Axes, results: Results) -> None:
    for number, (label, networks) in enumerate((("teacher", results.teachers), ("student", results.by_size))):
        names = [name for name in SIZES if name in networks]
        values = np.array([[network.accuracy for network in networks[name]] for name in names])  # (sizes, seeds)
        x = [int(name.split()[0]) for name in names]
        axes.plot(x, values.mean(axis=1), "o-", color=COLOURS[number], label=label)
        axes.fill_between(x, values.min(axis=1), values.max(axis=1), color=COLOURS[number], alpha=0.2)
    axes.set_xscale("log", base=2)
    axes.set_xticks(x, map(str, x))
    axes.set(xlabel="codes", ylabel="test accuracy")
    axes.legend()


def _edge_panel(axes: Axes, books: Mapping[str, Sequence[Codebook]]) -> None:
    names = [name for name in SIZES if name in books]
    for number, name in enumerate(names):
        for shift, field, label in ((-0.1, "same_code", "edges"), (0.1, "chance", "all pairs")):
            values = [getattr(book, field) for book in books[name]]
            colour = COLOURS[0] if field == "same_code" else COLOURS[1]
            axes.plot(
                [number + shift] * len(values), values, "o", color=colour, label="" if number else label, alpha=0.7
            )
    axes.set_xticks(range(len(names)), names)
    axes.set(ylabel="share within one code", ylim=(0, None), xlim=(-0.5, len(names) - 0.5))
    axes.legend()


def _use_panel(axes: Axes, books: Mapping[str, Sequence[Codebook]]) -> None:
    for number, name in enumerate(name for name in SIZES if name in books):
        for book in books[name]:
            counts = np.sort(book.table.sum(dim=1).numpy())[::-1]
            counts = counts[counts > 0]
            label = name if book is books[name][0] else ""
            axes.plot(np.arange(1, len(counts) + 1), counts, color=COLOURS[number], label=label, alpha=0.8)
    axes.set(xscale="log", yscale="log", xlabel="rank of the code", ylabel="nodes")
    axes.legend()


def _class_panel(axes: Axes, book: Codebook) -> None:
    """Classes within the 30 most used codes, sorted by their class."""
    table = book.table.numpy()
    most = np.argsort(-table.sum(axis=1), kind="stable")[:30]
    most = most[np.argsort(table[most].argmax(axis=1), kind="stable")]
    share = table[most] / np.maximum(table[most].sum(axis=1, keepdims=True), 1)  # (30, C)
    below = np.zeros(len(most))
    for label in range(share.shape[1]):
        axes.bar(range(len(most)), share[:, label], bottom=below, width=1.0, color=COLOURS[label % len(COLOURS)])
        below += share[:, label]
    axes.set(xlabel=f"the {len(most)} codes of most nodes", ylabel="share of each class", ylim=(0, 1))
    axes.set_xticks([])
    axes.grid(False)


def _agreement_panel(axes: Axes, students: Mapping[str, Sequence[Network]]) -> None:
    rows = {
        "soft labels": students[SOFT],
        "head fitted\nafter": students[PROBE],
        "similarities\nas released": students[RELEASED_FORM],
        "soft labels\nand codes": students[CODES],
    }
    _dots(axes, {name: [n.agreement for n in networks] for name, networks in rows.items()}, "teacher's code named")
    axes.set_xlim(0, 1)
