"""The float ceiling: what float networks reach on a run's own table, read from `reference.json` for the report.

`python -m flows.reference --on TABLE --folder RUN` writes the file; nothing here needs PyTorch.
"""

from __future__ import annotations

import json
import statistics
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.config import DesignConfig
from printedmlp.dataset import Dataset
from printedmlp.errors import DataError, PrintedMLPWarning

FILE = "reference.json"
FORMAT = "printedmlp.reference"
VERSION = 1
SPLIT_SETTINGS = ("official_split", "group_duplicates", "missing")
MODEL_NAMES = {
    "mlp": "plain MLP",
    "scaling_mlp": "scaling MLP",
    "gmlp": "gMLP",
    "bilinear_mlp": "bilinear MLP",
    "kan": "KAN",
    "kan_or_mlp": "B-spline MLP",
    "gcn": "GCN of nearest rows",
    "glnn": "GLNN student",
    "krd": "KRD student",
    "hgnn": "HGNN+ of nearest rows",
    "lighthgnn": "LightHGNN student",
}


@dataclass(frozen=True)
class Ceiling:
    """The architecture that validates best, and what it is worth on test rows.

    Attributes
    ----------
    name : of the architecture, in words.
    metric : of the run.
    test : its mean test value over the splits.
    seeds : of these splits; a single one is the run's own.
    own_split : whether circuits and networks have the same training, validation and test rows.
    input_bits : of the codes the networks were trained on; None for the table's own numbers.
    n_models : architectures it was chosen from.
    """

    name: str
    metric: str
    test: float
    seeds: tuple[int, ...]
    own_split: bool
    input_bits: int | None
    n_models: int

    @property
    def words(self) -> str:
        """One line for the report."""
        chosen = f"the best of {self.n_models} by validation" if self.n_models > 1 else "the only one trained"
        inputs = "the table's own numbers" if self.input_bits is None else f"{self.input_bits}-bit inputs"
        rows = "on the same split" if self.own_split else f"on average of {len(self.seeds)} other splits"
        metric = self.metric.replace("_", " ").replace("f1", "F1")
        return f"{self.test:.1%} test {metric} {rows}, by a {self.name} ({chosen}) on {inputs}"


def read_reference(path: Path) -> dict[str, Any]:
    """A `reference.json`; DataError of one line for a file that is none."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise DataError(f"{path}: is not JSON ({error})") from None
    if not isinstance(record, dict) or (record.get("format"), record.get("version")) != (FORMAT, VERSION):
        raise DataError(f"{path}: is not what `python -m flows.reference --on TABLE` writes")
    return record


def reference_for(path: Path, dataset: Dataset) -> dict[str, Any]:
    """A `reference.json` of this very table; DataError for one of another."""
    record = read_reference(path)
    table = record["dataset"]
    if (table["sha256"], table["class_names"]) != (dataset.sha256, list(dataset.class_names)):
        raise DataError(f"{path}: was made with another table or class column than {dataset.name}")
    return record


def run_ceiling(folder: Path, dataset: Dataset, config: DesignConfig) -> Ceiling | None:
    """The ceiling of a run folder with a `reference.json`; None without one, or with a warning if it is no use."""
    if not (folder / FILE).is_file():
        return None
    try:
        record = reference_for(folder / FILE, dataset)
    except DataError as error:
        warnings.warn(f"{error}; the report does without it", PrintedMLPWarning, stacklevel=2)
        return None
    return ceiling_of(record, config)


def ceiling_of(record: Mapping[str, Any], config: DesignConfig) -> Ceiling:
    """The best architecture of a file, on the run's own split if the file has it, else over all its splits.

    The choice is by the mean validation value of the metric, ties to fewer parameters; test rows have no say.
    """
    metric = config.metric
    models: Mapping[str, Mapping[str, Any]] = record["models"]
    alike = all(record["settings"][key] == getattr(config, key) for key in SPLIT_SETTINGS)
    seeds = [int(split["seed"]) for split in next(iter(models.values()))["splits"]]
    own = alike and config.seed in seeds
    shown = [config.seed] if own else seeds
    best = max(
        models, key=lambda key: (_mean(models[key], "validation", metric, shown), -models[key]["parameters"])
    )
    return Ceiling(
        name=MODEL_NAMES.get(best, best),
        metric=metric,
        test=_mean(models[best], "test", metric, shown),
        seeds=tuple(shown),
        own_split=own,
        input_bits=record["settings"]["input_bits"],
        n_models=len(models),
    )


def _mean(model: Mapping[str, Any], part: str, metric: str, seeds: Sequence[int]) -> float:
    return statistics.fmean(split[part][metric] for split in model["splits"] if split["seed"] in seeds)
