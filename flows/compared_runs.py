"""Finished runs as a comparison reads them: their settings, test rows, and the circuits of each stage's own front.

Nothing is written into a run. What a run left is checked against the checksums of its manifest first.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from flows.chosen_by import CLASSIFIER, chosen_by, system_area
from flows.circuits import by_merit
from flows.config import DesignConfig, make_config
from flows.mapping import BASELINES, EXACT, REFINE, SEARCH, TEXTBOOK, Entry, area_of, spread, worth_keeping
from flows.run import MANIFEST, Run, read_manifest, sha256_file, sha256_text
from hdl.liberty import read_liberty
from printedmlp.choice import ROUNDING
from printedmlp.classifier import classifier_from_json
from printedmlp.errors import ConfigError, PrintedMLPWarning
from printedmlp.front import LOSSES, STAGE_ORDER
from printedmlp.preparation import PARTS
from printedmlp.technology import Technology, load_technology
from printedmlp.vectors import Vectors, read_vectors

OURS = "ours"
STAGES = (*STAGE_ORDER, OURS)
"""What can be compared of a run; "ours" is search and refinement together."""
USUAL_STAGES = tuple(stage for stage in STAGE_ORDER if stage != TEXTBOOK)
MADE_OF = {OURS: (SEARCH, REFINE)}
NOT_SETTINGS = ("seed", "dataset", "code", "dataset_sha256", "technology_sha256")
"""What may differ between runs of one series: which rows are tested, and what made the run."""


@dataclass(frozen=True)
class ComparedRun:
    """One finished run.

    Attributes
    ----------
    folder : as the user named it.
    run : its files.
    config : its settings.
    technology : the cells it was mapped to.
    """

    folder: Path
    run: Run
    config: DesignConfig
    technology: Technology

    @cached_property
    def dataset(self) -> dict[str, Any]:
        """The run's dataset.json."""
        return dict(self.run.read_json("dataset.json"))

    @property
    def name(self) -> str:
        """The data set's."""
        return str(self.dataset["name"])

    @cached_property
    def split(self) -> str:
        """Hash of the rows that train, validate and test: equal for runs that share them."""
        rows = json.dumps([self.dataset["sha256"], [self.dataset["split"][part] for part in PARTS]])
        return sha256_text(rows)[:16]

    @property
    def settings(self) -> dict[str, Any]:
        """What decides the search, without what may differ inside a series."""
        found = self.run.manifest["settings"].items()
        return {k: v for k, v in found if k not in NOT_SETTINGS and not k.endswith("_version")}

    def vectors(self, part: str) -> Vectors:
        """The rows of a part as the circuits see them."""
        read = read_vectors(self.run.path("vectors", f"{part}.csv"), self.bus_bits)
        return Vectors(read.codes, read.y, self.dataset["n_classes"], self.dataset["majority_class"])

    @property
    def bus_bits(self) -> int:
        """Input bits of the run's circuits."""
        return len(self.dataset["feature_names"]) * self.config.input_bits

    @cached_property
    def entries(self) -> list[Entry]:
        """Records of all mapped circuits with the merit that decides, baselines first."""
        entries = self.run.read_json("search", "candidates.json")
        if REFINE in self.run.manifest["stages"]:
            entries = entries + self.run.read_json("search", "refine.json")["found"]
        return self._sized(by_merit(entries, len(self.dataset["split"]["validation"])))

    @cached_property
    def chosen_by(self) -> str:
        """Whether the classifier's area or the whole system's decided, as the run's front.json says."""
        if "front" not in self.run.manifest["stages"]:
            return CLASSIFIER
        return chosen_by(self.run.read_json("front.json"))

    def _sized(self, entries: list[Entry]) -> list[Entry]:
        """The records with the system's area where it decided; only designs have one that the run wrote down."""
        if self.chosen_by == CLASSIFIER:
            return entries
        areas = [system_area((self.design_of(entry) or {}).get("system")) for entry in entries]
        return [
            {**e, "system": {"area_cm2": area}} for e, area in zip(entries, areas, strict=True) if area is not None
        ]

    @property
    def exact_score(self) -> float:
        """Validation score of the exact baseline, which losses are counted from."""
        return float(next(e["score"] for e in self.entries if e["stage"] == EXACT))

    @cached_property
    def designs(self) -> dict[tuple[str, str], dict[str, Any]]:
        """Records of the run's designs by stage and hash of the classifier; none before they are finished.

        Raises ConfigError for a record that calls itself otherwise than its folder.
        """
        if "designs" not in self.run.manifest["stages"]:
            return {}
        paths = sorted(self.run.path("designs").glob("*/measure.json"))
        records = [self.run.read_json("designs", path.parent.name, path.name) for path in paths]
        for path, record in zip(paths, records, strict=True):
            # Where a design's files are read and written follows from it.
            if record["id"] != (name := path.parent.name):
                raise ConfigError(f"{path}: its id is {record['id']!r:.80}, its folder '{name}'")
        return {(record["stage"], record["model_sha256"]): record for record in records}

    def design_of(self, entry: Entry) -> dict[str, Any] | None:
        """The record of the design that a circuit became, None for one that the run keeps no folder of."""
        model = classifier_from_json(entry["model"])
        return self.designs.get((entry["stage"], sha256_text(model.dumps())))

    def front_of(self, stage: str) -> list[Entry]:
        """A stage's own front by merit and the area that decided, smallest first; of a baseline its one circuit."""
        own = [e for e in self.entries if e["stage"] in MADE_OF.get(stage, (stage,))]
        return own if stage in BASELINES else worth_keeping(own, [area_of(e) for e in own])

    def chosen_of(self, stage: str, n: int) -> list[Entry]:
        """At most n of a stage's front, evenly spread, and those that answer for it at a level of loss."""
        front = self.front_of(stage)
        wanted = [*spread(front, n), *(e for e in levels_of(front, self.exact_score).values() if e is not None)]
        return [entry for entry in front if any(entry is other for other in wanted)]


def levels_of(front: Sequence[Entry], exact_score: float) -> dict[float | None, Entry | None]:
    """By loss the smallest circuit within it; None stands for the best validation score.

    Losses are percentage points of validation score below the exact baseline's.
    """
    best = max((entry["score"] for entry in front), default=0.0)
    least: dict[float | None, float] = {None: best}
    least |= {float(loss): exact_score - loss / 100 for loss in LOSSES}
    return {loss: _smallest(front, score) for loss, score in least.items()}


def _smallest(front: Sequence[Entry], least: float) -> Entry | None:
    able = [entry for entry in front if entry["score"] >= least - ROUNDING]
    return min(able, key=lambda e: (area_of(e), -e["score"], e["key"]), default=None)


def open_finished(folder: Path, stages: Sequence[str]) -> ComparedRun:
    """Open a run to read from.

    Raises
    ------
    ConfigError : there is no run, a stage that is needed is not done, or a file is not as the run left it.
    """
    run = Run(folder, _manifest(folder))
    needed = ["data", "synthesis"]
    if any(REFINE in MADE_OF.get(stage, (stage,)) for stage in stages):
        needed.append("refine")
    needed += [stage for stage in ("designs", "front") if stage in run.manifest["stages"]]
    for stage in needed:
        _check_done(run, stage)
    early = [stage for stage, record in run.manifest["stages"].items() if record.get("stopped_early")]
    if early:
        line = f"{folder}: {', '.join(early)} ended early, before the budget was spent"
        warnings.warn(line, PrintedMLPWarning, stacklevel=2)
    config = make_config(folder / "config.toml", {})
    return ComparedRun(folder, run, config, _technology(folder, config, run.manifest["settings"]))


def _manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if not path.is_file():
        raise ConfigError(f"{folder}: is not the folder of a run: it has no {MANIFEST}")
    return read_manifest(path)


def _check_done(run: Run, stage: str) -> None:
    record = run.manifest["stages"].get(stage)
    if record is None:
        raise ConfigError(f"{run.folder}: stage '{stage}' is not done; finish the run, or leave out what needs it")
    for name, digest in record["files"].items():
        path = run.path(name)
        if not path.is_file() or sha256_file(path) != digest:
            raise ConfigError(f"{path}: is not as the run left it; the run's own command makes it anew")


def _technology(folder: Path, config: DesignConfig, settings: dict[str, Any]) -> Technology:
    given = config.liberty or config.technology
    digest = settings.get("technology_sha256")
    if digest is not None and (not Path(given).is_file() or sha256_file(Path(given)) != digest):
        raise ConfigError(f"{folder}: its cells, {given}, are not here as they were")
    return read_liberty(Path(config.liberty)) if config.liberty else load_technology(config.technology)


def check_alike(runs: Sequence[ComparedRun]) -> None:
    """Refuse, with a ConfigError, runs whose figures do not compare.

    All must have the same cells, metric and sample rate; those of one data set the same table; and no two of one
    data set the same rows and the same settings.
    """
    if not runs:
        raise ConfigError("no run given")
    same: tuple[tuple[str, Callable[[ComparedRun], Any]], ...] = (
        ("technology", lambda run: run.technology.name),
        ("cells", lambda run: _cells_digest(run.technology)),
        ("metric", lambda run: run.config.metric),
        ("sample_rate", lambda run: run.config.sample_rate),
    )
    for what, value in same:
        _check_same(runs, what, value)
    for own in by_data_set(runs).values():
        _check_same(own, "table (sha256)", lambda run: str(run.dataset["sha256"])[:12])
        seen: dict[str, Path] = {}
        for run in own:
            key = json.dumps([run.split, run.settings], sort_keys=True)
            if key in seen:
                raise ConfigError(f"{run.folder}: has the rows and the settings of {seen[key]}; name one of them")
            seen[key] = run.folder


def tell_other_code(runs: Sequence[ComparedRun]) -> None:
    """Warn where runs of one data set were not all made by the same version of this flow."""
    for name, own in by_data_set(runs).items():
        if len({run.run.manifest["settings"].get("code") for run in own}) > 1:
            line = f"{name}: not all runs were made by the same version of this flow"
            warnings.warn(line, PrintedMLPWarning, stacklevel=2)


def _cells_digest(technology: Technology) -> str:
    return hashlib.sha256(repr(technology).encode()).hexdigest()[:12]


def _check_same(runs: Sequence[ComparedRun], what: str, value: Callable[[ComparedRun], Any]) -> None:
    first = runs[0]
    for run in runs[1:]:
        if value(run) != value(first):
            raise ConfigError(
                f"{run.folder}: {what} {value(run)} does not compare with {value(first)} of {first.folder}"
            )


def by_data_set(runs: Sequence[ComparedRun]) -> dict[str, list[ComparedRun]]:
    """The runs of each data set, in the order given."""
    found: dict[str, list[ComparedRun]] = {}
    for run in runs:
        found.setdefault(run.name, []).append(run)
    return found


def variants(runs: Sequence[ComparedRun]) -> dict[Path, str]:
    """Settings that tell the runs of one data set apart beside their rows, by folder; empty where none do."""
    settings = [run.settings for run in runs]
    keys = sorted({key for own in settings for key in own})
    differing = [key for key in keys if len({json.dumps(own.get(key)) for own in settings}) > 1]
    # A budget stands for the numbers that it sets.
    told = ["budget"] if "budget" in differing else differing
    words = {run.folder: _words(run, told) for run in runs}
    if len(set(words.values())) < len({json.dumps(own, sort_keys=True) for own in settings}):
        words = {run.folder: _words(run, differing) for run in runs}
    return words


def _words(run: ComparedRun, keys: Sequence[str]) -> str:
    return ", ".join(f"{key} {run.settings.get(key)}" for key in keys)
