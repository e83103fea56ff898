"""Wall time and peak memory of every stage of a design run, from nothing, on several data sets.

    python benchmarks/end_to_end.py [--budget standard] [--json FILE] [DATASET ...]

Each stage runs in a process of its own, so that its memory is its own: of that process or of the largest single tool
it ran. The first simulation on a machine also compiles the simulator's runtime, which is part of the time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.design import STAGES

DATASETS = ("iris", "breast_cancer_diagnostic", "redwine", "cardio", "pendigits")


def measure(dataset: str, budget: str) -> dict[str, Any]:
    """Run all stages of one data set; the manifest's seconds and megabytes by stage."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        for stage in STAGES:
            command = ["flows.design", dataset, "--budget", budget, "--out", str(run), "--until", stage, "--quiet"]
            subprocess.run([sys.executable, "-m", *command], check=True)
        stages = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["stages"]
    return {"dataset": dataset, "budget": budget, "stages": stages}


def table(results: Sequence[dict[str, Any]]) -> str:
    """Markdown: one row a data set, seconds / MB in each stage's column."""
    head = ["data set", *STAGES, "all, s", "peak, MB"]
    lines = ["| " + " | ".join(head) + " |", "| --- " + "| ---: " * (len(head) - 1) + "|"]
    for result in results:
        records = [result["stages"][stage] for stage in STAGES]
        cells = [f"{r['seconds']:.1f} / {r['peak_memory_mb']}" for r in records]
        total = f"{sum(r['seconds'] for r in records):.0f}"
        peak = str(max(r["peak_memory_mb"] for r in records))
        lines.append("| " + " | ".join([result["dataset"], *cells, total, peak]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Print the table; seconds / MB per stage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", default=DATASETS)
    parser.add_argument("--budget", default="standard")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results = [measure(dataset, options.budget) for dataset in options.datasets]
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(table(results))


if __name__ == "__main__":
    main()
