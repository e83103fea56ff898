"""What `--json` prints of a run folder: one document for scripts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flows.run import Run
from hdl.proof import PROVED

RESULT = "printedmlp.result"
VERSION = 1
CIRCUIT_KEYS = ("id", "stage", "area_cm2", "cells", "power_mw", "delay_ms")


def result_document(run: Run) -> dict[str, Any]:
    """The run's state: its settings, stages, circuits and files; what is not made yet is null.

    Parameters
    ----------
    run : opened for reading.
    """
    stages = run.manifest["stages"]
    front = run.read_json("front.json") if "front" in stages else None
    dataset = run.read_json("dataset.json") if "data" in stages else None
    return {
        "format": RESULT,
        "version": VERSION,
        "folder": str(run.folder),
        "data_set": dataset and {key: value for key, value in dataset.items() if key != "split"},
        "rows": dataset and {part: len(rows) for part, rows in dataset["split"].items()},
        "settings": run.manifest["settings"],
        "stages": {name: _stage(record) for name, record in stages.items()},
        "exact": front and _circuit(run, front["exact"]),
        "front": front and [_circuit(run, record) for record in front["front"]],
        "report": str(run.path("report.html")) if "report" in stages else None,
    }


def _stage(record: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: record[key] for key in ("seconds", "peak_memory_mb")}
    return {**kept, "stopped_early": bool(record.get("stopped_early"))}


def _circuit(run: Run, record: Mapping[str, Any]) -> dict[str, Any]:
    """A circuit in short; its `measure.json` has everything."""
    folder = run.path("designs", record["id"])
    return {
        **{key: record[key] for key in CIRCUIT_KEYS},
        "validation": record["score"],
        "test": record[record["metric"]],
        "proved": record["proof"]["integers"]["verdict"] == PROVED,
        "folder": str(folder),
    }
