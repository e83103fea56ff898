"""Our bit heaps beside shared adder graphs of da4ml: the same networks, synthesis and cells.

    python -m benchmarks.adder_graphs RUN ... [--networks N] [--json FILE]

Takes folders of finished runs, and of each the exact network and N of each stage that finds networks. The exact
networks are the fair ones: no form has chosen their weights. Networks that were found were chosen by counted full
adders, or by what our form costs, and then by its mapped area.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path

from benchmarks.tables import table
from flows.compare import Options, compare
from flows.compared_row import ADDERS, Row
from flows.progress import Reporter

STAGES = ("exact", "paper", "search")
SAME = 0.001
"""Areas that differ by less than this share are the same."""
HEAD = ["data set", "network", "form", "ours, cm²", "adder graph, cm²", "graph / ours", "adders of the graph"]


def graph_rows(folders: Sequence[Path], networks: int) -> list[Row]:
    """The adder graphs of the runs' networks that have any cell."""
    options = Options(STAGES, per_stage=networks, adder_graphs=networks, proved=False)
    rows = compare(folders, options, Reporter(quiet=True)).rows
    return [row for row in rows if row.series == ADDERS]


def ratio(row: Row) -> float:
    """Area of the graph's circuit over that of ours."""
    return row.area_cm2 / float((row.beside or {})["area_cm2"])


def counted(ratios: Sequence[float]) -> str:
    """How often each form is the smaller one, and the geometric mean of graph over ours."""
    ours = sum(value > 1 + SAME for value in ratios)
    graph = sum(value < 1 - SAME for value in ratios)
    mean = statistics.geometric_mean(ratios)
    return (
        f"ours smaller in {ours}, the graph in {graph}, the same in {len(ratios) - ours - graph}; mean {mean:.3f}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table and how often each form is the smaller one."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.adder_graphs", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folder of a finished run")
    parser.add_argument("--networks", type=int, default=3, metavar="N", help="networks of each stage (3)")
    parser.add_argument("--json", type=Path, help="file that receives the figures")
    given = parser.parse_args(arguments)
    rows = graph_rows(given.runs, given.networks)
    cells = []
    for row in rows:
        beside = row.beside or {}
        figures = [f"{beside['area_cm2']:.3g}", f"{row.area_cm2:.3g}", f"{ratio(row):.2f}", str(beside["adders"])]
        cells.append([row.data_set, row.id.removesuffix(" graph"), row.form, *figures])
    print(table(HEAD, cells))
    for name, own in (("exact", True), ("found", False)):
        if ratios := [ratio(row) for row in rows if (row.stage == "exact") == own]:
            print(f"\n{name}: {counted(ratios)}")
    if given.json:
        given.json.write_text(json.dumps([row.to_json() for row in rows], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
