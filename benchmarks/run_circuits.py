"""Circuits of finished runs for the benchmarks that look at circuits: of every stage the one of most merit."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows.mapping import BASELINES, PAPER, REFINE, SEARCH, TREE, model_of
from hdl.structural import read_netlist
from printedmlp.circuit import Netlist
from printedmlp.classifier import Classifier
from printedmlp.technology import Technology
from printedmlp.vectors import Vectors, read_vectors

FOLDER = Path("runs", "published")
DATA_SETS = ("cardio", "redwine", "whitewine", "vertebral_3c", "balance", "pendigits")


@dataclass(frozen=True)
class RunCircuit:
    """A mapped circuit of a run, what it computes, and the run's test rows."""

    data_set: str
    stage: str
    model: Classifier
    netlist: Netlist
    vectors: Vectors
    input_bits: int
    feature_names: tuple[str, ...]


def run_circuits(folder: Path, technology: Technology) -> Iterator[RunCircuit]:
    """The baselines of a run up to synthesis or further, and the circuit of most merit of each later stage."""
    record = _json(folder, "dataset.json")
    names = tuple(record["feature_names"])
    bits = _bits(folder)
    read = read_vectors(folder / "vectors" / "test.csv", len(names) * bits)
    vectors = Vectors(read.codes, read.y, record["n_classes"], record["majority_class"])
    for entry in _chosen(folder):
        netlist = read_netlist(_json(folder, entry["netlist_file"])["netlist"], technology)
        yield RunCircuit(record["name"], entry["stage"], model_of(entry), netlist, vectors, bits, names)


def _chosen(folder: Path) -> Iterator[dict[str, Any]]:
    entries = _json(folder, "search", "candidates.json")
    if folder.joinpath("search", "refine.json").is_file():
        entries += _json(folder, "search", "refine.json")["found"]
    yield from (entry for entry in entries if entry["stage"] in BASELINES)
    for stage in (PAPER, TREE, SEARCH, REFINE):
        own = [entry for entry in entries if entry["stage"] == stage]
        if own:
            yield min(own, key=lambda e: (-e["merit"], e["area_cm2"], e["key"]))


def _bits(folder: Path) -> int:
    exact = _json(folder, "search", "exact.json")["model"]
    return int(exact["input_bits"])


def _json(folder: Path, *parts: str) -> Any:
    return json.loads(folder.joinpath(*parts).read_text(encoding="utf-8"))


def parsed(name: str, about: str | None, arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options of a benchmark over runs."""
    return parser_of(name, about).parse_args(arguments)


def parser_of(name: str, about: str | None) -> argparse.ArgumentParser:
    """A parser of the options of a benchmark over runs: data sets, folder of runs, seed, file for the figures."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}", description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("datasets", nargs="*", default=list(DATA_SETS), metavar="DATA_SET")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="runs as benchmarks.published leaves them")
    parser.add_argument("--seed", type=int, default=0, help="split whose run is read (default: 0)")
    parser.add_argument("--json", type=Path, help="file that receives the figures")
    return parser


def run_folder(options: argparse.Namespace, data_set: str) -> Path:
    """Where the run of a data set lies."""
    return Path(options.folder, f"{data_set}-s{options.seed}")
