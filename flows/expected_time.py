"""How long the stages of a run may take: what earlier runs beside it took, and nothing where there are none.

Seconds of a manifest are those of the machine that made the run, as busy as it was; they are a hint and no promise.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.run import FORMAT, MANIFEST

SAME_WORK = "the same table and settings, whatever the seed"
SAME_TABLE = "the same table and budget, other settings"
NOT_WORK = ("seed", "code", "label", "dataset")
"""Settings that do not change how much there is to do; so are the versions of packages."""
MOST_RUNS = 200


@dataclass(frozen=True)
class Expected:
    """What the stages may take.

    Attributes
    ----------
    seconds : by stage, the median of the runs that it is based on.
    basis : what these runs have in common with this one; empty without any.
    runs : their folders.
    """

    seconds: Mapping[str, float]
    basis: str
    runs: tuple[str, ...]

    def of(self, stages: Sequence[str]) -> float | None:
        """Seconds of all these stages together; None where one of them was never seen."""
        known = [self.seconds.get(stage) for stage in stages]
        return None if None in known else sum(value for value in known if value is not None)


def expected_time(folder: Path, settings: Mapping[str, Any]) -> Expected:
    """Look among the runs beside a run folder, itself included, for those that say how long it will take.

    Parameters
    ----------
    folder : the run's place, which need not exist.
    settings : the run's, as its manifest has them or would have them.
    """
    runs = {str(file.parent): manifest for file in _manifests(folder) if (manifest := _read(file))}
    for basis, alike in ((SAME_WORK, _same_work), (SAME_TABLE, _same_table)):
        chosen = {name: run for name, run in runs.items() if alike(run["settings"], settings)}
        seconds = _medians(list(chosen.values()))
        if seconds:
            return Expected(seconds, basis, tuple(sorted(chosen)))
    return Expected({}, "", ())


def _manifests(folder: Path) -> list[Path]:
    return sorted(folder.parent.glob(f"*/{MANIFEST}"))[:MOST_RUNS]


def _read(file: Path) -> dict[str, Any] | None:
    """A manifest; None for what is none, which is somebody else's matter here."""
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        good = manifest["format"] == FORMAT and isinstance(manifest["settings"], dict)
        return dict(manifest) if good and isinstance(manifest["stages"], dict) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _same_work(there: Mapping[str, Any], here: Mapping[str, Any]) -> bool:
    keys = {key for key in (*there, *here) if key not in NOT_WORK and not key.endswith("_version")}
    return all(there.get(key) == here.get(key) for key in keys)


def _same_table(there: Mapping[str, Any], here: Mapping[str, Any]) -> bool:
    return all(there.get(key) == here.get(key) for key in ("dataset_sha256", "budget"))


def _medians(runs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    seconds: dict[str, list[float]] = {}
    for run in runs:
        for stage, record in run["stages"].items():
            taken = record.get("seconds") if isinstance(record, dict) and not record.get("stopped_early") else None
            if isinstance(taken, (int, float)):
                seconds.setdefault(stage, []).append(float(taken))
    return {stage: statistics.median(values) for stage, values in seconds.items()}
