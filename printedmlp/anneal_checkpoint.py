"""Finished chains of an annealing search on disk, so that an interrupted one ends as if nothing had happened."""

from __future__ import annotations

import json
import threading
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from printedmlp.checkpoint import UNREADABLE, write_arrays
from printedmlp.errors import ConfigError, PrintedMLPWarning
from printedmlp.found import Candidates
from printedmlp.genome import GenomeLayout
from printedmlp.model import QReLU

FIELDS = ("errors", "areas", "genes")


class Store:
    """The finished chains of one search, in memory and in a file.

    Parameters
    ----------
    path : the file, or None for none. One that cannot be read or that belongs to another search gives a
        PrintedMLPWarning and is overwritten.
    digest : names the search.
    """

    def __init__(self, path: Path | None, digest: str) -> None:
        self._path, self._digest = path, digest
        self._lock = threading.Lock()
        self._results: dict[int, list[Candidates]] = {}
        if path is not None and path.exists():
            self._results = _read(path, digest)

    def load(self, number: int) -> list[Candidates] | None:
        """What the task of that number found, or None if it has not ended yet."""
        with self._lock:
            return self._results.get(number)

    def save(self, number: int, found: Sequence[Candidates]) -> None:
        """Keep what a task found; a reader sees the old file or the new one, never half of one."""
        with self._lock:
            self._results[number] = list(found)
            if self._path is not None:
                _write(self._path, self._digest, self._results)


def _write(path: Path, digest: str, results: Mapping[int, Sequence[Candidates]]) -> None:
    header: dict[str, Any] = {"digest": digest, "layouts": {}}
    arrays: dict[str, Any] = {}
    for number, found in sorted(results.items()):
        header["layouts"][str(number)] = [asdict(candidates.layout) for candidates in found]
        for part, candidates in enumerate(found):
            arrays |= {f"{number}_{part}_{name}": getattr(candidates, name) for name in FIELDS}
    write_arrays(path, header, arrays)


def _read(path: Path, digest: str) -> dict[int, list[Candidates]]:
    try:
        with np.load(path, allow_pickle=False) as data:
            header = json.loads(str(data["header"]))
            if header["digest"] != digest:
                _warn(path, "is of another search (settings, data or seed)")
                return {}
            return {
                int(number): [
                    Candidates(_layout(layout), *(data[f"{number}_{part}_{name}"] for name in FIELDS))
                    for part, layout in enumerate(layouts)
                ]
                for number, layouts in header["layouts"].items()
            }
    except (ConfigError, *UNREADABLE) as error:
        _warn(path, f"cannot be read ({error})")
        return {}


def _layout(fields: dict[str, Any]) -> GenomeLayout:
    lists = {name: tuple(fields[name]) for name in ("topology", "bias_range", "bias_shifts")}
    activations = tuple(QReLU(**activation) for activation in fields["activations"])
    return GenomeLayout(**{**fields, **lists, "activations": activations})


def _warn(path: Path, why: str) -> None:
    warnings.warn(f"checkpoint {path} {why}; starting afresh", PrintedMLPWarning, stacklevel=5)
