"""The state of a search on disk, so that an interrupted one ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import warnings
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from printedmlp.errors import PrintedMLPWarning
from printedmlp.population import Population

PARTS = ("population", "archive")
UNREADABLE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    TypeError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What comes of a damaged file; RuntimeError where a part looks encrypted or packed in another way."""


@dataclass
class SearchState:
    """Everything the next generation depends on, besides the settings.

    number : generations done.
    population, archive : survivors, and the non-dominated feasible individuals of all evaluated so far.
    history : one JSON-ready record per generation, the initial population's first.
    """

    number: int
    population: Population
    archive: Population
    history: list[dict[str, Any]]


def save(path: Path, digest: str, states: Sequence[SearchState], rngs: Sequence[np.random.Generator]) -> None:
    """Write the states of all islands and their generators'; a reader sees the old file or the new one whole.

    Parameters
    ----------
    digest : names the search these states belong to: its settings, data, starts and seed.
    """
    islands = [
        {"number": state.number, "rng": rng.bit_generator.state, "history": state.history}
        for state, rng in zip(states, rngs, strict=True)
    ]
    arrays = {
        f"{island}_{part}_{field.name}": getattr(getattr(state, part), field.name)
        for island, state in enumerate(states)
        for part in PARTS
        for field in fields(Population)
    }
    write_arrays(path, {"digest": digest, "islands": islands}, arrays)


def write_arrays(path: Path, header: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Write a JSON-ready header and arrays by name as one .npz file, whole or not at all."""
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        np.savez(file, header=np.array(json.dumps(header)), **arrays)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def load(path: Path, digest: str, rngs: Sequence[np.random.Generator]) -> list[SearchState] | None:
    """The saved states, with the generators set to where they were; None without a file.

    A file that cannot be read or that belongs to another search gives None and a PrintedMLPWarning.
    """
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as data:
            header = json.loads(str(data["header"]))
            if header["digest"] != digest:
                _warn(path, "is of another search (settings, data or seed)")
                return None
            states = [_state(data, number, item) for number, item in enumerate(header["islands"])]
        for rng, item in zip(rngs, header["islands"], strict=True):
            rng.bit_generator.state = item["rng"]
    except UNREADABLE as error:
        _warn(path, f"cannot be read ({error})")
        return None
    return states


def _state(data: Mapping[str, Any], island: int, item: Mapping[str, Any]) -> SearchState:
    population, archive = (
        Population(*(data[f"{island}_{part}_{field.name}"] for field in fields(Population))) for part in PARTS
    )
    return SearchState(item["number"], population, archive, item["history"])


def _warn(path: Path, why: str) -> None:
    warnings.warn(f"checkpoint {path} {why}; starting afresh", PrintedMLPWarning, stacklevel=4)
