"""What a design run would do: its rows, its settings and their sources, its stages and how long they may take.

Nothing is written, downloaded or trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import timedelta
from pathlib import Path
from typing import Any

from flows.config import BUDGETS, DesignConfig, setting_types
from flows.expected_time import Expected, expected_time
from flows.run import Run
from flows.settings_file import read_settings
from printedmlp.dataset import Dataset
from printedmlp.errors import ConfigError
from printedmlp.preparation import PARTS, prepare

FORMAT = "printedmlp.plan"
DONE, TO_DO, NOT_ASKED = "done", "to do", "not asked for"


def refuse_download(address: str) -> bytes:
    """Stands in for the download of a data set, which a dry run leaves out; ConfigError with the address."""
    raise ConfigError(f"the table is not on this machine; a real run downloads it from {address}")


def plan(
    config: DesignConfig, dataset: Dataset, run: Run, sources: Mapping[str, str], states: Mapping[str, str]
) -> dict[str, Any]:
    """The JSON-ready plan of a run that was opened to be looked at, its hidden sizes filled in.

    Parameters
    ----------
    config, dataset : as for a run.
    run : see `flows.run.peek_run`.
    sources : of the settings, see `setting_sources`.
    states : of the stages, see `stage_states`.
    """
    split = prepare(
        dataset,
        seed=config.seed,
        input_bits=config.input_bits,
        official_split=config.official_split,
        group_duplicates=config.group_duplicates,
    ).split
    expected = expected_time(run.folder, run.manifest["settings"])
    to_do = [stage for stage, state in states.items() if state == TO_DO]
    values = {item.name: getattr(config, item.name) for item in fields(config)}
    return {
        "format": FORMAT,
        "version": 1,
        "folder": str(run.folder),
        "data_set": dataset.summary(),
        "rows": {part: len(rows) for part, rows in zip(PARTS, split, strict=True)},
        "topology": [dataset.n_features, *(config.hidden or ()), dataset.n_classes],
        "settings": {
            key: {"value": list(value) if isinstance(value, tuple) else value, "source": sources[key]}
            for key, value in values.items()
        },
        "stages": [
            {"name": stage, "state": state, "expected_s": expected.seconds.get(stage)}
            for stage, state in states.items()
        ],
        "expected_s": expected.of(to_do),
        "basis": _basis(expected),
    }


def stage_states(run: Run, until: str, *, given: Sequence[str] = ()) -> dict[str, str]:
    """By stage, in order, whether it is done, to do, or not asked for; what follows a stage to do is to do.

    `given` are files that other commands may have put into the folder for the last stage.
    """
    order, states, all_done = run.manifest["order"], {}, True
    last = order.index(until)
    for place, stage in enumerate(order):
        all_done = all_done and run.is_done(stage, given if stage == order[-1] else ())
        states[stage] = DONE if all_done else TO_DO if place <= last else NOT_ASKED
    return states


def setting_sources(file: Path | None, given: Mapping[str, Any]) -> dict[str, str]:
    """By setting where its value comes from: "option", "file", "budget" or "default"."""
    held = read_settings(file, "design", setting_types()) if file is not None else {}
    by_option = {key: "option" for key, value in given.items() if value is not None}
    found = {**dict.fromkeys(BUDGETS["quick"], "budget"), **dict.fromkeys(held, "file"), **by_option}
    return {item.name: found.get(item.name, "default") for item in fields(DesignConfig)}


def plan_text(record: Mapping[str, Any], *, verbose: bool) -> str:
    """The plan for a person; `verbose` shows every setting, else those that are not default."""
    data, rows = record["data_set"], record["rows"]
    settings = record["settings"]
    shown = [key for key, setting in settings.items() if verbose or setting["source"] not in ("default", "budget")]
    counts = ", ".join(f"{n} {name}" for name, n in data["classes"].items())
    lines = [
        ("data set", f"{data['name']} ({data['source']}), {data['n_samples']} rows"),
        ("inputs", f"{len(data['feature_names'])}: {', '.join(data['feature_names'])}"),
        ("classes", f"{len(data['classes'])}: {counts}"),
        ("split", ", ".join(f"{rows[part]} {part}" for part in PARTS) + f" rows, seed {settings['seed']['value']}"),
        ("copies of rows", str(data["duplicate_rows"])),
        ("topology", "-".join(map(str, record["topology"]))),
        *((key, f"{settings[key]['value']} ({settings[key]['source']})") for key in shown),
        *((stage["name"], _stage_words(stage)) for stage in record["stages"]),
        ("folder", record["folder"]),
        ("time", _time_words(record)),
    ]
    return "".join(f"{name:20} {value}\n" for name, value in lines) + "dry run: nothing was written\n"


def _stage_words(stage: Mapping[str, Any]) -> str:
    seconds = stage["expected_s"]
    return str(stage["state"]) + (f", about {_duration(seconds)}" if seconds and stage["state"] == TO_DO else "")


def _time_words(record: Mapping[str, Any]) -> str:
    basis = record["basis"]
    if record["expected_s"] is None or basis is None:
        return "not known: no earlier run of this table with this budget beside the folder"
    names = ", ".join(basis["runs"][:3]) + (", ..." if len(basis["runs"]) > 3 else "")
    return f"about {_duration(record['expected_s'])}, by {len(basis['runs'])} of {basis['alike']}: {names}"


def _basis(expected: Expected) -> dict[str, Any] | None:
    return {"alike": expected.basis, "runs": list(expected.runs)} if expected.runs else None


def _duration(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 60 else str(timedelta(seconds=round(seconds)))
