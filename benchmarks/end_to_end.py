"""Wall time and peak memory of every stage of a design run, from nothing, on several data sets.

    python -m benchmarks.end_to_end [--budget standard] [--json FILE] [DATASET ...]

Each stage runs in a process of its own, so that its memory is its own: of that process or of the largest single
tool it ran. The first simulation on a machine also compiles the simulator's runtime, which is part of the time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.tables import table
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


def row(result: dict[str, Any]) -> list[str]:
    """One data set's line: seconds / MB of each stage, then both over all stages."""
    records = [result["stages"][stage] for stage in STAGES]
    cells = [f"{r['seconds']:.1f} / {r['peak_memory_mb']}" for r in records]
    total = f"{sum(r['seconds'] for r in records):.0f}"
    return [result["dataset"], *cells, total, str(max(r["peak_memory_mb"] for r in records))]


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
    print(table(["data set", *STAGES, "all, s", "peak, MB"], [row(result) for result in results]))


if __name__ == "__main__":
    main()
