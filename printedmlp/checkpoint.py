"""The state of a search on disk, so that an interrupted one ends as if nothing had happened."""

from __future__ import annotations

import json
import os
import warnings
import zipfile
import zlib
from collections.abc import Mapping
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


def save(path: Path, digest: str, state: SearchState, rng: np.random.Generator) -> None:
    """Write the state and the generator's; a reader sees the old file or the new one, never half of one.

    Parameters
    ----------
    digest : names the search this state belongs to: its settings, data, starts and seed.
    """
    header = {"digest": digest, "number": state.number, "rng": rng.bit_generator.state, "history": state.history}
    arrays = {
        f"{part}_{field.name}": getattr(getattr(state, part), field.name)
        for part in PARTS
        for field in fields(Population)
    }
    write_arrays(path, header, arrays)


def write_arrays(path: Path, header: Mapping[str, Any], arrays: Mapping[str, Any]) -> None:
    """Write a JSON-ready header and arrays by name as one .npz file, whole or not at all."""
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        np.savez(file, header=np.array(json.dumps(header)), **arrays)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def load(path: Path, digest: str, rng: np.random.Generator) -> SearchState | None:
    """The saved state, with `rng` set to where it was; None without a file.

    A file that cannot be read or that belongs to another search gives None and a PrintedMLPWarning.
    """
    if not path.exists():
        return None
    try:
        with np.load(path, allow_pickle=False) as data:
            header = json.loads(str(data["header"]))
            parts = [Population(*(data[f"{part}_{field.name}"] for field in fields(Population))) for part in PARTS]
        if header["digest"] != digest:
            _warn(path, "is of another search (settings, data or seed)")
            return None
        state = SearchState(header["number"], parts[0], parts[1], header["history"])
        rng.bit_generator.state = header["rng"]
    except UNREADABLE as error:
        _warn(path, f"cannot be read ({error})")
        return None
    return state


def _warn(path: Path, why: str) -> None:
    warnings.warn(f"checkpoint {path} {why}; starting afresh", PrintedMLPWarning, stacklevel=4)
