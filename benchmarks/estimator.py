"""What `PrintedMLPClassifier` is worth on small built-in tables, and what scikit-learn's checks say of it.

    python -m benchmarks.estimator [--checks] [--json FILE]

Every table is split three times, 70 % of its rows to `fit` and 30 % unseen. "printed" is the estimator as it comes;
"in seconds" has trees and few moves, with and without a tree of scikit-learn to start from. Trees and networks of
scikit-learn stand beside them in floating point. With --checks the estimator checks are run instead, with their
count and processor time.
"""

from __future__ import annotations

import argparse
import json
import resource
import warnings
from collections import Counter
from pathlib import Path
from typing import Any
from unittest import SkipTest

import numpy as np
from sklearn.base import ClassifierMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import estimator_checks_generator

from flows.estimator import PrintedMLPClassifier
from flows.run import json_text, write_text
from printedmlp.dataset import load_dataset

TABLES = ("iris", "wine", "balance")
SPLITS = 3
SETTINGS = {
    "tree_generations": 20,
    "candidates": 6,
    "refine_starts": 4,
    "refine_moves": 20_000,
    "power_moves": 2000,
}
IN_SECONDS = "printed in seconds"
CHECKED = {"tree_generations": 1, "candidates": 2}
"""Least work for the checks, which fit about a hundred times: the smallest and the most accurate of the trees."""


def cpu_seconds() -> float:
    """Processor time of this process and of the tools it ran."""
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def rivals() -> dict[str, ClassifierMixin]:
    """Classifiers by name."""
    return {
        "printed": PrintedMLPClassifier(),
        IN_SECONDS: PrintedMLPClassifier(methods=("tree", "refine"), settings=SETTINGS),
        "DecisionTreeClassifier": DecisionTreeClassifier(random_state=0),
        "MLPClassifier": make_pipeline(StandardScaler(), MLPClassifier((8,), solver="lbfgs", random_state=0)),
    }


def measured(table: str) -> list[dict[str, Any]]:
    """One record for each classifier of every split of a table."""
    data, records = load_dataset(table), []
    for split in range(SPLITS):
        X, X_test, y, y_test = train_test_split(data.X, data.y, test_size=0.3, stratify=data.y, random_state=split)
        models = rivals()
        start = FrozenEstimator(models["DecisionTreeClassifier"].fit(X, y))
        models[f"{IN_SECONDS}, from the tree"] = clone(models[IN_SECONDS]).set_params(start=start)
        for name, model in models.items():
            before = cpu_seconds()
            model.fit(X, y)
            record = {"table": table, "split": split, "name": name, "test": float(model.score(X_test, y_test))}
            circuit = getattr(model, "circuit_", None)
            if circuit is not None:
                record |= {"area_cm2": circuit.area_cm2, "power_mw": circuit.power_mw, "front": len(model.front_)}
                record |= {"proved": sum(d.proved for d in model.front_), "cpu_s": cpu_seconds() - before}
            records.append(record)
    return records


def table_text(records: list[dict[str, Any]]) -> str:
    """Means over the splits, a row for each table and classifier."""
    lines = [
        "| table | classifier | unseen rows right | cm² | mW | front | proved | CPU s a fit |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for table, name in dict.fromkeys((r["table"], r["name"]) for r in records):
        own = [r for r in records if (r["table"], r["name"]) == (table, name)]
        cells = [table, name, f"{np.mean([r['test'] for r in own]):.1%}"]
        if "area_cm2" in own[0]:
            area, power, seconds = (np.mean([r[key] for r in own]) for key in ("area_cm2", "power_mw", "cpu_s"))
            front, proved = (sum(r[key] for r in own) for key in ("front", "proved"))
            cells += [f"{area:.4f}", f"{power:.3f}", str(front), str(proved), f"{seconds:.1f}"]
        lines.append("| " + " | ".join(cells + ["–"] * (8 - len(cells))) + " |")
    return "\n".join(lines)


def checks() -> dict[str, Any]:
    """How scikit-learn's estimator checks end, counted; names of those that fail, reasons of those left out."""
    estimator = PrintedMLPClassifier(methods=("tree",), settings=CHECKED)
    before, ends, failed, skipped = cpu_seconds(), Counter[str](), [], []
    for candidate, check in estimator_checks_generator(estimator):
        name = check.func.__name__
        try:
            check(candidate)
            ends["passed"] += 1
        except SkipTest as reason:
            ends["skipped"] += 1
            skipped.append(f"{name}: {reason}")
        except Exception as error:
            ends["failed"] += 1
            failed.append(f"{name}: {error}")
    return {**ends, "cpu_s": cpu_seconds() - before, "names_failed": failed, "names_skipped": skipped}


def main(arguments: list[str] | None = None) -> None:
    """Print the table or the count of checks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.estimator", description=__doc__)
    parser.add_argument("--checks", action="store_true", help="run scikit-learn's estimator checks instead")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args(arguments)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found: Any = checks() if options.checks else [record for table in TABLES for record in measured(table)]
    print(json.dumps(found, indent=1) if options.checks else table_text(found))
    if options.json:
        write_text(options.json, json_text(found))


if __name__ == "__main__":
    main()
