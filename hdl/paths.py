"""The longest path in words: from which bit of which feature, through which blocks, to which bit of the class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from hdl.blocks import Blocks
from hdl.timing import TimingReport
from printedmlp.units import with_unit


@dataclass(frozen=True)
class PathSection:
    """Cells of one block that follow each other on a path, and the delay in ms from entering to leaving them."""

    block: str
    cells: int
    delay_ms: float


def path_sections(report: TimingReport, blocks: Blocks) -> tuple[PathSection, ...]:
    """A path split where it leaves a block; the sections' delays add up to the path's."""
    sections = []
    entered = 0.0
    for block, steps in groupby(
        zip(path_blocks(report, blocks), report.path, strict=True), key=lambda pair: pair[0]
    ):
        arrivals = [step.arrival_ms for _, step in steps]
        sections.append(PathSection(block, len(arrivals), arrivals[-1] - entered))
        entered = arrivals[-1]
    return tuple(sections)


def path_text(report: TimingReport, blocks: Blocks, feature_names: Sequence[str], input_bits: int) -> str:
    """The path in one line, such as "'width' bit 3 > hidden 0 (12 cells, 20.1 ms) > out[0]"."""
    if report.input_bit is None:
        return "no output waits for a gate"
    feature, bit = divmod(report.input_bit, input_bits)
    parts = [f"'{feature_names[feature]}' bit {bit}"]
    for section in path_sections(report, blocks):
        noun = "cell" if section.cells == 1 else "cells"
        parts.append(f"{section.block} ({section.cells} {noun}, {with_unit(section.delay_ms, 'ms')})")
    return " > ".join([*parts, f"out[{report.output_bit}]"])


def path_blocks(report: TimingReport, blocks: Blocks) -> list[str]:
    """Block of every step of a path.

    A path goes through one block of each level at most, and levels only rise; attribution, which puts some shared
    cells elsewhere, is overruled in as few cells as possible.
    """
    cost = dict.fromkeys(blocks.levels, 0)
    choices: list[dict[str, str]] = []
    for step in report.path:
        before = {b: min(_sources(b, blocks.levels), key=lambda source: cost[source]) for b in blocks.levels}
        cost = {b: cost[before[b]] + (blocks.labels[step.instance] != b) for b in blocks.levels}
        choices.append(before)
    block = min(cost, key=lambda b: cost[b], default="")
    found: list[str] = []
    for before in reversed(choices):
        found.append(block)
        block = before[block]
    return found[::-1]


def _sources(block: str, levels: Mapping[str, int]) -> list[str]:
    """Blocks that a path can come from into a block: itself first, then those of lower levels."""
    return [block, *(b for b, level in levels.items() if level < levels[block])]
