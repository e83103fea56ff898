"""How much smaller than the exact bespoke MLP: fronts of the standard budget over several seeds.

    python -m benchmarks.reductions [--seeds 3] [--budget standard] [--runs FOLDER] [--json FILE] [DATASET ...]

A seed decides split, training and search together. For each loss level (percentage points of *validation* accuracy
against the exact baseline) the smallest circuit within it is taken; its test accuracy is reported, never used.
Areas are divided into that of the exact baseline in its smallest form. Power is static, at 1.0 V. Means over the
seeds, with the smallest and largest in brackets; a level that no seed reached is a dash. Run folders are kept in
FOLDER and an interrupted benchmark goes on from them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.tables import spread, table
from flows.config import make_config
from flows.design import design

DATASETS = ("redwine", "cardio", "pendigits", "seeds")
Front = dict[str, Any]


def front_of(dataset: str, seed: int, budget: str, runs: Path) -> Front:
    """Run (or finish, or reuse) one design and read its front."""
    config = make_config(None, {"dataset": dataset, "seed": seed, "budget": budget})
    folder = design(config, runs / f"{Path(dataset).stem}-s{seed}-{budget}", quiet=True)
    return dict(json.loads((folder / "front.json").read_text(encoding="utf-8")))


def exact_row(name: str, fronts: Sequence[Front]) -> list[str]:
    """The baseline's line: topology, accuracies, area and power at 1.0 V in both forms."""
    exact, textbook = [front["exact"] for front in fronts], [front["textbook"] for front in fronts]
    return [
        name,
        "-".join(map(str, exact[0]["topology"])),
        spread([e["validation_accuracy"] for e in exact], "{:.3f}".format),
        spread([e["accuracy"] for e in exact], "{:.3f}".format),
        spread([e["majority_accuracy"] for e in exact], "{:.3f}".format),
        spread([e["area_cm2"] for e in exact], "{:.1f}".format),
        spread([e["power_mw"]["1"] for e in exact], "{:.0f}".format),
        spread([t["area_cm2"] for t in textbook], "{:.1f}".format),
        spread([t["power_mw"]["1"] for t in textbook], "{:.0f}".format),
    ]


def level_row(name: str, fronts: Sequence[Front], level: int) -> list[str]:
    """One loss level's line: seeds that reached it, factor, area, power, test accuracy."""
    rows = [next(r for r in front["reductions"] if r["loss"] == level) for front in fronts]
    pairs = [
        (front["exact"], next(p for p in front["front"] if p["id"] == row["id"]))
        for front, row in zip(fronts, rows, strict=True)
        if row["id"] is not None
    ]
    return [
        name,
        f"{level} %",
        f"{len(pairs)} of {len(fronts)}",
        spread([e["area_cm2"] / p["area_cm2"] for e, p in pairs if p["area_cm2"]], "{:.0f}".format),
        spread([p["area_cm2"] for _, p in pairs], "{:.3f}".format),
        spread([p["power_mw"]["1"] for _, p in pairs], "{:.2f}".format),
        spread([p["accuracy"] for _, p in pairs], "{:.3f}".format),
        spread([p["accuracy"] - e["accuracy"] for e, p in pairs], "{:+.3f}".format),
    ]


def main() -> None:
    """Print the baselines and the reductions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", default=DATASETS)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--budget", default="standard")
    parser.add_argument("--runs", type=Path, default=Path("runs", "benchmark"))
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = {
        Path(name).stem: [front_of(name, seed, options.budget, options.runs) for seed in range(options.seeds)]
        for name in options.datasets
    }
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    head = ["exact baseline", "topology", "validation", "test", "majority", "area, cm²", "power, mW"]
    head += ["textbook area, cm²", "textbook power, mW"]
    print(table(head, [exact_row(name, fronts) for name, fronts in found.items()]), end="\n\n")
    head = ["data set", "loss", "seeds", "area ÷", "area, cm²", "power, mW", "test", "test against exact"]
    levels = [row["loss"] for row in next(iter(found.values()))[0]["reductions"]]
    print(table(head, [level_row(name, fronts, level) for name, fronts in found.items() for level in levels]))


if __name__ == "__main__":
    main()
