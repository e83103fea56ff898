"""Built simulations, kept by the hash of all that goes into them."""

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

_COMPLETE = "complete"
_TEMPORARY = "unfinished-"
_UNFINISHED_S = 24 * 3600
_UNUSED_S = 30 * 24 * 3600


def content_key(content: Mapping[str, Any]) -> str:
    """Sixteen bytes of SHA-256, in hexadecimal, over anything JSON can write."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def kept_folder(
    root: Path, kind: str, content: Mapping[str, Any], make: Callable[[Path], None]
) -> tuple[Path, bool]:
    """The folder that `make` fills for this content, and whether it was there already.

    It is filled under another name and renamed when it is whole, so that a killed build leaves nothing that looks
    complete and two processes may build the same at the same time: one's work is kept. A failed one keeps its logs.
    """
    folder = root / f"{kind}-{content_key(content)}"
    if (folder / _COMPLETE).is_file():
        os.utime(folder)
        return folder, True
    _remove_leftovers(root)
    partial = temporary_folder(root)
    make(partial)
    (partial / _COMPLETE).touch()
    _move(partial, folder)
    return folder, False


def temporary_folder(root: Path) -> Path:
    """A new folder for work under `root`. After a failure it stays for a day, with the logs in it."""
    root.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=root))


def _move(partial: Path, folder: Path) -> None:
    if folder.exists() and not (folder / _COMPLETE).is_file():
        shutil.rmtree(folder)
    try:
        partial.rename(folder)
    except OSError:
        if not (folder / _COMPLETE).is_file():
            raise
        shutil.rmtree(partial)


def _remove_leftovers(root: Path) -> None:
    """Delete what failed or was killed more than a day ago, and what nobody asked for in a month."""
    now = time.time()
    for path in root.iterdir() if root.is_dir() else ():
        limit_s = _UNFINISHED_S if path.name.startswith(_TEMPORARY) else _UNUSED_S
        with suppress(FileNotFoundError):
            if now - path.stat().st_mtime > limit_s:
                shutil.rmtree(path, ignore_errors=True)
