"""What a sweep file asks for: every run of the product of its settings, checked before any of them starts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

from flows.config import DesignConfig, make_config, setting_types
from flows.design import ready, settings_of
from flows.run import json_text, sha256_text
from flows.settings_file import checked_setting, place_of, read_table
from printedmlp.dataset import load_dataset
from printedmlp.errors import ConfigError, PrintedMLPError
from printedmlp.samples import Dataset

COMMAND = "sweep"
SPLITS = "splits"
"""The one key that is no setting of a run: so many seeds from 0."""
MOST_RUNS = 100_000
DIGITS = 8
"""Of the settings' digest in a run's name."""


class SweepMistakesError(ConfigError):
    """All that is wrong with a sweep file, one line each in `mistakes`."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__(mistakes[0])
        self.mistakes = list(mistakes)


@dataclass(frozen=True)
class PlannedRun:
    """One run of a sweep.

    Attributes
    ----------
    name : of its folder: data set, seed, budget and a digest of all settings.
    config : its settings, nothing left open.
    settings : what its manifest will hold: settings, code, versions, the table's hash.
    axes : the settings that differ within the sweep, without the seed, as text.
    weight : a rough measure of its work, to start long runs first.
    """

    name: str
    config: DesignConfig
    settings: Mapping[str, Any]
    axes: Mapping[str, str]
    weight: float


def read_plan(file: Path) -> list[PlannedRun]:
    """Every run that a sweep file asks for, in its order: the last key of the file changes fastest.

    The settings stand in a table `[sweep]` or alone. A value may be a list of values everywhere; a setting that is
    itself a list is then a list within it. Tables are read, settings of every run are checked against them, and
    technologies are loaded.

    Raises
    ------
    SweepMistakesError : with a line for each mistake.
    """
    choices = _choices(file, read_table(file, COMMAND))
    n_runs = prod(len(values) for values in choices.values())
    if n_runs > MOST_RUNS:
        raise SweepMistakesError([f"{file}: {n_runs} runs, more than {MOST_RUNS}"])
    varied = [key for key, values in choices.items() if key == "dataset" or (len(values) > 1 and key != "seed")]
    datasets: dict[tuple[Any, ...], Dataset] = {}
    runs: list[PlannedRun] = []
    mistakes: dict[str, None] = {}
    for values in product(*choices.values()):
        given = dict(zip(choices, values, strict=True))
        try:
            runs.append(_planned(make_config(None, given), varied, datasets))
        except PrintedMLPError as error:
            mistakes[f"{file}: {error}"] = None
    if mistakes:
        raise SweepMistakesError(list(mistakes))
    return runs


def _choices(file: Path, given: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The values of every setting; all mistakes that can be told without combining them are raised together."""
    choices: dict[str, list[Any]] = {}
    mistakes: list[str] = []
    for key, value in given.items():
        name, read = ("seed", _seeds) if key == SPLITS else (key, _values)
        try:
            choices[name] = read(file, key, value)
        except ConfigError as error:
            mistakes.append(str(error))
    if "dataset" not in given:
        mistakes.append(f"{file}: dataset: none given; name data sets or CSV files")
    if SPLITS in given and "seed" in given:
        mistakes.append(f"{place_of(file, SPLITS, COMMAND)}: {SPLITS} and seed say the same; give one of them")
    if mistakes:
        raise SweepMistakesError(mistakes)
    return choices


def _seeds(file: Path, key: str, value: Any) -> list[int]:
    if type(value) is not int or not 1 <= value <= MOST_RUNS:
        wanted = f"a number of seeds in 1..{MOST_RUNS}"
        raise ConfigError(f"{place_of(file, key, COMMAND)}: {key} must be {wanted}, not {value!r}")
    return list(range(value))


def _values(file: Path, key: str, value: Any) -> list[Any]:
    if isinstance(value, list):
        values = [_one_of(file, key, item, value) for item in value]
        twice = [item for number, item in enumerate(values) if item in values[:number]]
        if twice or not values:
            raise ConfigError(
                f"{place_of(file, key, COMMAND)}: {key} has {f'{twice[0]!r} twice' if twice else 'no values'}"
            )
        return values
    return [checked_setting(file, COMMAND, key, value, setting_types())]


def _one_of(file: Path, key: str, item: Any, values: list[Any]) -> Any:
    try:
        return checked_setting(file, COMMAND, key, item, setting_types())
    except ConfigError as error:
        if type(item) is int and key in DesignConfig.__dataclass_fields__ and "a list of" in str(error):
            # One topology of two layers, or two of one? Nobody should have to find out from the results.
            raise ConfigError(
                f"{place_of(file, key, COMMAND)}: {key} = {values} is a list of values here; "
                f"write [{values}] for one value, or a list for each of them"
            ) from None
        raise


def _planned(config: DesignConfig, varied: Sequence[str], datasets: dict[tuple[Any, ...], Dataset]) -> PlannedRun:
    source = (config.dataset, config.label, config.missing)
    if source not in datasets:
        datasets[source] = load_dataset(config.dataset, label=config.label, missing=config.missing)
    dataset = datasets[source]
    config, _ = ready(config, dataset)
    digest = sha256_text(json_text(config.to_json()))[:DIGITS]
    return PlannedRun(
        name=f"{dataset.name}-s{config.seed}-{config.budget}-{digest}",
        config=config,
        settings=settings_of(config, dataset),
        axes={key: shown(getattr(config, key)) for key in varied},
        weight=_weight(config, dataset),
    )


def _weight(config: DesignConfig, dataset: Dataset) -> float:
    """Rows times features times what the searches try."""
    tried = config.population * config.generations + config.chains * config.proposals
    return dataset.n_samples * dataset.n_features * (1.0 + tried + config.refine_starts * config.refine_moves)


def shown(value: Any) -> str:
    """A setting in a table: a list as 8-4, a path without its folders."""
    if isinstance(value, tuple):
        return "-".join(f"{item:g}" for item in value)
    return Path(value).name if isinstance(value, str) and value else str(value)


def each_once(runs: Sequence[PlannedRun], key: Callable[[PlannedRun], Any]) -> Iterator[list[PlannedRun]]:
    """The runs by what `key` says of them, groups in the order of their first runs."""
    groups: dict[Any, list[PlannedRun]] = {}
    for run in runs:
        groups.setdefault(key(run), []).append(run)
    yield from groups.values()
