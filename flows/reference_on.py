"""`printedmlp reference --on TABLE`: the float ceiling of a table, on the splits that `design` makes.

Every architecture of the suite that takes a plain feature vector is trained on the training rows, at each of two
learning rates, and so are graph networks on the training rows joined to their nearest and the perceptrons that
learn from these; the rate and the epoch are chosen on the validation rows, the test rows are answered once.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import nn

from flows.ceiling import FILE, FORMAT, MODEL_NAMES, SPLIT_SETTINGS, VERSION, read_reference
from flows.progress import Reporter
from flows.reference_fit import Scaler, best_fit, new_model
from flows.reference_table import text_table
from flows.run import json_text, write_text
from printedmlp.dataset import Dataset, load_dataset
from printedmlp.errors import ConfigError, DataError
from printedmlp.metrics import METRICS, evaluate
from printedmlp.preparation import Prepared, prepare
from printedmlp.reference.registry import TABLE_KEYS
from printedmlp.reference.training import Tensors, outputs, parameter_count, pick_device

CIRCUIT_BITS = 4

HEAD = ("architecture", "parameters", "validation", "test accuracy", "test balanced", "seconds")
NUMBERS = HEAD[1:]


def run_on(options: argparse.Namespace) -> Path:
    """The command: train, print the table of the splits, write `reference.json`; returns its path."""
    keys = _keys(options.models)
    pick_device(options.device)
    torch.set_num_threads(1)
    dataset = load_dataset(options.on, label=options.label, missing=options.missing)
    place = (options.folder or Path("runs", "reference", dataset.name)) / FILE
    record = _record(dataset, keys, options)
    kept = {} if options.again else _kept_splits(place, record)
    reporter = Reporter(quiet=options.quiet, verbose=options.verbose)
    reporter.line(f"{dataset.name}: {dataset.n_samples} rows, {dataset.n_features} features -> {place}")
    place.parent.mkdir(parents=True, exist_ok=True)
    for seed in range(options.seed, options.seed + options.splits):
        found = kept.get(seed) or train_split(dataset, keys, seed, options)
        for key, split in found.items():
            record["models"][key]["splits"].append(split)
        write_text(place, json_text(record))
        reporter.line(f"split {seed}: {'kept from an earlier run' if seed in kept else 'done'}")
    if not options.quiet:
        print("\n" + table_text(record))
        print(f"ceiling: {place}")
    return place


def train_split(
    dataset: Dataset, keys: Sequence[str], seed: int, options: argparse.Namespace
) -> dict[str, dict[str, Any]]:
    """Every architecture on one split: what `reference.json` holds of it."""
    prepared = prepare(
        dataset,
        seed=seed,
        input_bits=CIRCUIT_BITS if options.input_bits is None else options.input_bits,
        official_split=options.official_split,
        group_duplicates=options.group_duplicates,
    )
    parts = _tensors(prepared, codes=options.input_bits is not None)
    return {key: {"seed": seed, **_train_model(key, prepared, parts, seed, options)} for key in keys}


def table_text(record: Mapping[str, Any]) -> str:
    """The means and deviations over the splits, best validation first, and the majority class below."""
    models = record["models"]
    order = sorted(models, key=lambda key: -_over_splits(models[key], "validation", "accuracy")[0])
    rows = [
        (
            MODEL_NAMES.get(key, key),
            f"{models[key]['parameters']}",
            _percent(models[key], "validation", "accuracy"),
            _percent(models[key], "test", "accuracy"),
            _percent(models[key], "test", "balanced_accuracy"),
            f"{statistics.fmean(split['seconds'] for split in models[key]['splits']):.1f}",
        )
        for key in order
    ]
    splits = models[order[0]]["splits"]
    majority = statistics.fmean(split["test"]["majority_accuracy"] for split in splits)
    note = f"in %, mean ± deviation over {len(splits)} splits; always the majority class: {majority:.1%}"
    return f"{text_table(HEAD, rows, NUMBERS)}\n{note}"


def _train_model(
    key: str, prepared: Prepared, parts: Mapping[str, Tensors], seed: int, options: argparse.Namespace
) -> dict[str, Any]:
    """One architecture on one split."""
    fitted = best_fit(
        key,
        parts["train"],
        parts["validation"],
        prepared.dataset.n_classes,
        seed=seed,
        quick=options.quick,
        device=options.device,
    )
    return {
        **fitted.to_json(),
        "seconds": round(fitted.seconds, 2),
        **{part: _measured(fitted.model, parts[part], prepared) for part in ("validation", "test")},
    }


def _measured(model: nn.Module, rows: Tensors, prepared: Prepared) -> dict[str, float]:
    answers = outputs(model, rows.x).argmax(dim=1).cpu().numpy()
    found = evaluate(
        rows.y.numpy(), answers, n_classes=prepared.dataset.n_classes, majority_class=prepared.majority_class
    )
    return {**{metric: found.value(metric) for metric in METRICS}, "majority_accuracy": found.majority_accuracy}


def _tensors(prepared: Prepared, *, codes: bool) -> dict[str, Tensors]:
    """The parts' rows, scaled by the training rows; `codes` takes the quantiser's, not the table's numbers."""
    X = prepared.quantiser.transform(prepared.dataset.X) if codes else prepared.dataset.X
    scaled = Scaler.fit(X[prepared.split.train]).transform(X)
    return {
        part: Tensors(torch.from_numpy(scaled[rows]), torch.from_numpy(prepared.dataset.y[rows]))
        for part, rows in zip(("train", "validation", "test"), prepared.split, strict=True)
    }


def _keys(given: str | None) -> list[str]:
    keys = list(TABLE_KEYS) if given is None else given.split(",")
    for key in keys:
        if key not in TABLE_KEYS:
            raise ConfigError(f"--models: {key!r} is not one of {', '.join(TABLE_KEYS)}")
    return list(dict.fromkeys(keys))


def _record(dataset: Dataset, keys: Sequence[str], options: argparse.Namespace) -> dict[str, Any]:
    """What the file holds before the first split."""
    models = {key: new_model(key, dataset.n_features, dataset.n_classes, 0) for key in keys}
    return {
        "format": FORMAT,
        "version": VERSION,
        "dataset": {"name": dataset.name, "sha256": dataset.sha256, "class_names": list(dataset.class_names)},
        "settings": {
            **{key: getattr(options, key) for key in SPLIT_SETTINGS},
            "input_bits": options.input_bits,
            "quick": options.quick,
            "device": options.device,
            "torch": metadata.version("torch"),
        },
        "models": {key: {"parameters": parameter_count(model), "splits": []} for key, model in models.items()},
    }


def _kept_splits(place: Path, record: Mapping[str, Any]) -> dict[int, dict[str, dict[str, Any]]]:
    """By seed, the splits that an earlier run of the same command has in its file."""
    try:
        old = read_reference(place)
    except DataError:
        return {}
    same = all(old.get(key) == record[key] for key in ("dataset", "settings"))
    counts = {key: model["parameters"] for key, model in record["models"].items()}
    if not same or {key: model["parameters"] for key, model in old["models"].items()} != counts:
        return {}
    kept: dict[int, dict[str, dict[str, Any]]] = {}
    for key, model in old["models"].items():
        for split in model["splits"]:
            kept.setdefault(split["seed"], {})[key] = split
    return kept


def _over_splits(model: Mapping[str, Any], part: str, metric: str) -> tuple[float, float]:
    values = [split[part][metric] for split in model["splits"]]
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else 0.0


def _percent(model: Mapping[str, Any], part: str, metric: str) -> str:
    mean, spread = _over_splits(model, part, metric)
    return f"{100 * mean:.1f} ± {100 * spread:.1f}"
