"""The host's C++ compiler: found, asked what this processor can do, and made to build libraries that are kept.

A library is named by the hash of everything that decides its bytes, kept beside its checksum and moved into place
in one step. What is cut short, damaged or of another machine is never loaded but built anew.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from printedmlp.errors import ToolError

NAMES = ("c++", "g++", "clang++")
BUILD = ("-std=c++17", "-O3", "-fwrapv", "-fPIC", "-shared", "-fno-exceptions", "-w")
TIMEOUT_S = 120


@dataclass(frozen=True)
class Compiler:
    """A C++17 compiler.

    command : how it is called.
    macros : what it predefines when told to build for this very processor, one `#define` a line: its version and
        the processor's instruction sets.
    """

    command: tuple[str, ...]
    macros: str

    @property
    def version(self) -> str:
        """What it calls itself, such as `c++ 12.2.0`."""
        found = re.search(r'^#define __VERSION__ "(.*)"$', self.macros, re.MULTILINE)
        return f"{Path(self.command[0]).name} {found[1] if found else ''}".strip()

    def has(self, *features: str) -> bool:
        """Whether the processor has all instruction sets, by the names of their macros."""
        return all(f"#define {name} 1\n" in self.macros for name in features)

    def library(self, sources: Sequence[Path], options: Sequence[str]) -> ctypes.CDLL:
        """Build sources[0], which may include the others, or take the library that is kept.

        Raises
        ------
        ToolError : with the compiler's first complaint, or where the library cannot be loaded.
        """
        key = self._key(sources, options)
        for folder in (_cache_folder(), _private_folder()):
            file = folder / f"{key}.so"
            with suppress(OSError):  # a folder that refuses writing or execution: the next one
                if not _intact(file):
                    self._build(sources[0], options, file)
                return ctypes.CDLL(str(file))
        raise ToolError(f"a library built by {self.version} cannot be loaded")

    def _key(self, sources: Sequence[Path], options: Sequence[str]) -> str:
        texts = [path.read_text(encoding="utf-8") for path in sources]
        parts = (*self.command, self.macros, platform.platform(), *BUILD, *options, *texts)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def _build(self, source: Path, options: Sequence[str], file: Path) -> None:
        with tempfile.TemporaryDirectory(dir=file.parent, prefix="build-") as folder:
            built = Path(folder) / file.name
            _call([*self.command, *BUILD, *options, "-o", str(built), str(source)])
            checksum = built.with_suffix(".sha256")
            checksum.write_text(_checksum(built), encoding="ascii")
            os.replace(built, file)
            os.replace(checksum, _checksum_file(file))


def find_compiler() -> Compiler | None:
    """The first that works of the one in CXX, c++, g++ and clang++; None where there is none."""
    return _find(os.environ.get("CXX", ""), os.environ.get("PATH", os.defpath))


@cache
def _find(chosen: str, path: str) -> Compiler | None:
    for command in filter(None, [tuple(shlex.split(chosen)), *((name,) for name in NAMES)]):
        program = shutil.which(command[0], path=path)
        for flags in (["-march=native"], []):
            if program is not None:
                with suppress(ToolError, OSError):
                    call = (program, *command[1:])
                    return Compiler(call, _call([*call, *flags, "-dM", "-E", "-x", "c++", os.devnull]))
    return None


def _call(command: Sequence[str]) -> str:
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_S, env=environment
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"{command[0]} took more than {TIMEOUT_S} s") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines() or [""]
        raise ToolError(f"{command[0]} failed ({done.returncode}): {lines[0][:300]}")
    return done.stdout


def _intact(file: Path) -> bool:
    try:
        return _checksum_file(file).read_text(encoding="ascii") == _checksum(file)
    except (OSError, UnicodeDecodeError):
        return False


def _checksum(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _checksum_file(file: Path) -> Path:
    return file.with_suffix(".sha256")


def _cache_folder() -> Path:
    """This user's folder for libraries; a private one where it cannot be written."""
    chosen = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = (Path(chosen) if os.path.isabs(chosen) else Path.home() / ".cache") / "printedmlp"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return _private_folder()
    return folder if os.access(folder, os.W_OK | os.X_OK) else _private_folder()


@cache
def _private() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="printedmlp-")


def _private_folder() -> Path:
    """A folder of this process alone, removed when it ends."""
    return Path(_private().name)
