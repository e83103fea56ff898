"""Design runs that are killed, run out of disk or lose their tools, and what is in the folder once they went on."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flows.config import config_toml, make_config
from flows.design import STAGES
from flows.run import MANIFEST

TINY: dict[str, Any] = {
    "dataset": "iris",
    "budget": "quick",
    "hidden": (1,),
    "restarts": 2,
    "population": 16,
    "generations": 12,
    "chains": 1,
    "proposals": 100,
    "tree_generations": 2,
    "candidates": 2,
    "refine_starts": 4,
    "refine_moves": 1000,
    "jitter": 1,
    "power_moves": 500,
}
"""A run with all stages in as little time as they take."""
KILLED = -9
SHORT_S = 0.2
"""A stage that takes less is killed while it writes, since no timer meets it."""
PATIENCE_S = 1800.0
PIECES = ("search", "synthesis")
"""Folders with what a stage keeps although the manifest does not know it yet."""


@dataclass(frozen=True)
class Cut:
    """Where and how a run is cut short, see `benchmarks.interrupted`."""

    stage: str
    how: str
    at: float

    def to_json(self) -> str:
        """For the command line."""
        return json.dumps({"stage": self.stage, "how": self.how, "at": self.at})


@dataclass(frozen=True)
class Ended:
    """How a process ended: exit code, negative for a signal, and its standard error."""

    code: int
    error: str

    @property
    def told(self) -> bool:
        """Whether it ended with exit code 2, one line that says why, and no traceback."""
        lines = [line for line in self.error.splitlines() if not line.startswith("warning: ")]
        return self.code == 2 and len(lines) == 1 and lines[0].startswith("error: ")


def settings_file(folder: Path, **changes: Any) -> Path:
    """The settings of a tiny run as a TOML file in a folder."""
    file = folder / "settings.toml"
    file.write_text(config_toml(make_config(None, {**TINY, **changes})), encoding="utf-8")
    return file


def run(settings: Path, folder: Path, cut: Cut | None = None, **environment: str) -> Ended:
    """A design run in a process of its own, cut short or to its end."""
    module = ["flows.design"] if cut is None else ["benchmarks.interrupted", cut.to_json()]
    command = [sys.executable, "-m", *module, "--config", str(settings), "--out", str(folder), "--quiet"]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENCE_S, env={**os.environ, **environment}
    )
    return Ended(done.returncode, done.stderr)


def contents(folder: Path) -> dict[str, str]:
    """Checksums of all files of a run, and of what the manifest says but for seconds and memory."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    manifest = json.loads(files.pop(MANIFEST).read_text(encoding="utf-8"))
    for record in manifest["stages"].values():
        del record["seconds"], record["peak_memory_mb"]
    manifest.pop("proof_seconds", None)
    files.pop(".lock", None)
    found = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sorted(files.items())}
    return {**found, MANIFEST: hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()}


def moments(reference: Path, kills: int, rng: np.random.Generator) -> list[Cut]:
    """Random moments of a run to kill it at, spread over all stages, in the order of the stages.

    `reference` is a whole run with the same settings; how long its stages took says where the moments can be.
    """
    records = json.loads((reference / MANIFEST).read_text(encoding="utf-8"))["stages"]
    names = list(STAGES)
    places = sorted(
        number * len(names) // kills if kills < len(names) else number % len(names) for number in range(kills)
    )
    return [_moment(names[place], records[names[place]], number, rng) for number, place in enumerate(places)]


def _moment(stage: str, record: dict[str, Any], number: int, rng: np.random.Generator) -> Cut:
    how = ("time", "half", "renamed")[number % 3]
    if how == "time" and record["seconds"] >= SHORT_S:
        return Cut(stage, how, round(float(rng.uniform(0, record["seconds"])), 3))
    return Cut(stage, "half" if how == "time" else how, int(rng.integers(1, len(record["files"]) + 1)))


@dataclass(frozen=True)
class Survived:
    """What came of a chain of kills: kills that met the run, damaged pieces, and whether the end is identical."""

    kills: int
    damaged: int
    identical: bool


def survive(
    settings: Path, folder: Path, reference: Path, cuts: Sequence[Cut], rng: np.random.Generator
) -> Survived:
    """Kill a run again and again, go on each time, damage what it kept, and compare the end with the reference."""
    kills = damaged = 0
    for cut in cuts:
        ended = run(settings, folder, cut)
        kills += ended.code == KILLED
        if ended.code not in (KILLED, 0):
            return Survived(kills, damaged, False)
        if ended.code == KILLED and cut.stage in ("search", "synthesis", "refine"):
            damaged += damage_a_piece(folder, rng)
    ended = run(settings, folder)
    return Survived(kills, damaged, ended.code == 0 and contents(folder) == contents(reference))


def damage_a_piece(folder: Path, rng: np.random.Generator) -> bool:
    """Truncate a file that an unfinished stage left, or change a byte of it; whether there was one."""
    known = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["stages"].values()
    finished = {folder / name for record in known for name in record["files"]}
    pieces = sorted(path for name in PIECES for path in (folder / name).glob("[!.]*") if path not in finished)
    if not pieces:
        return False
    piece = pieces[int(rng.integers(len(pieces)))]
    data = bytearray(piece.read_bytes())
    place = int(rng.integers(len(data)))
    if rng.random() < 0.5:
        del data[place:]
    else:
        data[place] ^= 1
    piece.write_bytes(data)
    return True


@contextmanager
def small_disk(place: Path, size: str) -> Iterator[bool]:
    """A file system in memory of a small size at an empty folder; whether this user may have one."""
    place.mkdir()
    mounted = _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place))
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(place)], check=False)


def remounted(place: Path, options: str) -> bool:
    """Change a mounted file system, such as "ro" or "rw,size=64m"."""
    return _mount("-o", f"remount,{options}", str(place))


def _mount(*arguments: str) -> bool:
    try:
        return subprocess.run(["mount", *arguments], capture_output=True, check=False).returncode == 0
    except OSError:
        return False
