"""The longest path in words: from which bit of which feature, through which blocks, to which bit of the class."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from hdl.timing import TimingReport


@dataclass(frozen=True)
class PathSection:
    """Cells of one block that follow each other on a path, and the delay in ms from entering to leaving them."""

    block: str
    cells: int
    delay_ms: float


def path_sections(report: TimingReport, labels: Sequence[str]) -> tuple[PathSection, ...]:
    """A path split where it leaves a block; their delays add up to the path's.

    labels : block of every instance of the netlist, see ``hdl.blocks``.
    """
    sections = []
    entered = 0.0
    for block, steps in groupby(report.path, key=lambda step: labels[step.instance]):
        own = list(steps)
        sections.append(PathSection(block, len(own), own[-1].arrival_ms - entered))
        entered = own[-1].arrival_ms
    return tuple(sections)


def path_text(report: TimingReport, labels: Sequence[str], feature_names: Sequence[str], input_bits: int) -> str:
    """The path in one line, such as "'width' bit 3 > hidden 0 (12 cells, 20.1 ms) > out[0]".

    A cell that lies alone between two sections of one block is counted to them.
    """
    if report.input_bit is None:
        return "no output waits for a gate"
    feature, bit = divmod(report.input_bit, input_bits)
    parts = [f"'{feature_names[feature]}' bit {bit}"]
    for section in path_sections(report, smoothed(report, labels)):
        noun = "cell" if section.cells == 1 else "cells"
        parts.append(f"{section.block} ({section.cells} {noun}, {section.delay_ms:.3g} ms)")
    return " > ".join([*parts, f"out[{report.output_bit}]"])


def smoothed(report: TimingReport, labels: Sequence[str]) -> list[str]:
    """The labels, with those of single cells on the path between two of one block changed to that block.

    Attribution puts some shared cells elsewhere, and a path does not leave a block for one cell.
    """
    result = list(labels)
    for before, at, after in zip(report.path, report.path[1:], report.path[2:], strict=False):
        if result[before.instance] == labels[after.instance]:
            result[at.instance] = result[before.instance]
    return result
