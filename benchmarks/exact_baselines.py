"""The exact bespoke baseline in both forms beside the published one.

    python -m benchmarks.exact_baselines [--seeds 3] [--restarts 16] [--json FILE] [DATASET ...]

One float network, quantised to 8-bit weights, mapped as the smallest exact circuit known here and as multipliers
and sums. Test accuracy and areas are means over the seeds (split and training), with the smallest and largest in
brackets. Published figures: exact bespoke MLPs as the literature reports them, and the areas that the authors' own
circuits have in an open flow with the same cells.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.tables import spread, table
from flows.circuits import BASELINES
from flows.config import make_config
from flows.design import design

PUBLISHED = {
    "cardio": ("0.88", "31 to 33"),
    "pendigits": ("0.94", "67"),
    "redwine": ("0.56", "18 to 19"),
    "whitewine": ("0.54", "31 to 32"),
}


def baselines(dataset: str, seed: int, restarts: int) -> dict[str, Any]:
    """Train, map and simulate both forms; no search."""
    none = {"generations": 0, "population": 8, "tree_generations": 0, "chains": 1, "proposals": 1, "candidates": 1}
    options = {"budget": "quick", "restarts": restarts, "refine_starts": 0, **none}
    config = make_config(None, {"dataset": dataset, "seed": seed, **options})
    with tempfile.TemporaryDirectory() as folder:
        run = design(config, Path(folder) / "run", quiet=True)
        front = json.loads((run / "front.json").read_text(encoding="utf-8"))
    return {name: front[name] for name in BASELINES}


def row(dataset: str, found: Sequence[dict[str, Any]]) -> list[str]:
    """One data set's line."""
    accuracy, area = PUBLISHED.get(dataset, ("–", "–"))
    return [
        dataset,
        "-".join(map(str, found[0]["exact"]["topology"])),
        spread([f["exact"]["accuracy"] for f in found], "{:.3f}".format),
        accuracy,
        spread([f["textbook"]["area_cm2"] for f in found], "{:.1f}".format),
        area,
        spread([f["exact"]["area_cm2"] for f in found], "{:.1f}".format),
        spread([f["textbook"]["power_mw"]["1"] for f in found], "{:.0f}".format),
        spread([f["exact"]["power_mw"]["1"] for f in found], "{:.0f}".format),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", default=list(PUBLISHED))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--restarts", type=int, default=16)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = {
        name: [baselines(name, seed, options.restarts) for seed in range(options.seeds)]
        for name in options.datasets
    }
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    head = ["data set", "topology", "test", "published", "textbook, cm²", "published, cm²", "smallest, cm²"]
    print(table([*head, "textbook, mW", "smallest, mW"], [row(name, results) for name, results in found.items()]))


if __name__ == "__main__":
    main()
