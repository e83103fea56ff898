"""The run folder: what every stage reads and writes, whole or not at all.

Files are written beside their place and renamed into it; a folder of a design likewise. `manifest.json` records for
each finished stage the checksum of every file it made, so that an interrupted run knows what it can keep: a stage
counts as done only while the manifest names it and all its files still have their checksums.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from printedmlp.errors import ConfigError
from printedmlp.files import parse_json

MANIFEST = "manifest.json"
FORMAT = "printedmlp.run"
CHECKSUM = "sha256"


def sha256_text(text: str) -> str:
    """Hex SHA-256 of a text in UTF-8."""
    return hashlib.sha256(text.encode()).hexdigest()


def sha256_file(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def json_text(data: Any) -> str:
    """JSON in one fixed form: sorted keys, indented, no NaN, newline at the end."""
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def write_text(path: Path, text: str) -> None:
    """Write a file in UTF-8, whole or not at all."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: a temporary neighbour, flushed to disk, then renamed into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A new folder that appears at `path` only when the block ends well; an older one there is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=path.parent, prefix=".", suffix=".part"))
    try:
        yield draft
        draft.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        draft.replace(path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


@dataclass
class Run:
    """One run folder, opened for one process.

    Parameters
    ----------
    folder : the run's place; made by `open_run`.
    manifest : what `manifest.json` holds.
    fresh_stages : stages that this process ran.
    """

    folder: Path
    manifest: dict[str, Any]
    fresh_stages: set[str] = field(default_factory=set)

    def path(self, *parts: str) -> Path:
        """A path inside the run folder."""
        return self.folder.joinpath(*parts)

    def read_json(self, *parts: str) -> Any:
        """Parse one of the run's JSON files; ConfigError for one that somebody damaged."""
        path = self.path(*parts)
        try:
            return parse_json(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ConfigError(f"{path}: is damaged ({error}); delete it, and it is made anew") from None

    def write_json(self, data: Any, *parts: str) -> None:
        """Write one of the run's JSON files, whole or not at all."""
        write_text(self.path(*parts), json_text(data))

    def write_piece(self, data: Mapping[str, Any], *parts: str) -> None:
        """Write a record that its stage keeps when it is interrupted, with its own checksum."""
        self.write_json({**data, CHECKSUM: sha256_text(json_text(data))}, *parts)

    def read_piece(self, *parts: str) -> dict[str, Any] | None:
        """What `write_piece` wrote, without the checksum; None where it is absent or no longer as it was written.

        The manifest knows a stage's files only once the stage is done.
        """
        try:
            data = dict(parse_json(self.path(*parts).read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None
        digest = data.pop(CHECKSUM, None)
        return data if digest == sha256_text(json_text(data)) else None

    def is_done(self, stage: str, given: Sequence[str] = ()) -> bool:
        """Whether a stage finished, all its files are still as it left them, and the given ones as it read them."""
        record = self.manifest["stages"].get(stage)
        if record is None or (record.get("stopped_early") and stage not in self.fresh_stages):
            return False
        return record.get("given", {}) == self._digests(given) and all(
            self._unchanged(name, digest) for name, digest in record["files"].items()
        )

    def do(
        self,
        stage: str,
        work: Callable[[], list[str]],
        stopped: Callable[[], bool] = lambda: False,
        given: Sequence[str] = (),
    ) -> bool:
        """Run one stage unless it is done; `work` returns the paths it wrote, relative to the folder.

        Later stages are forgotten first, since they were made from what this one is about to replace. Files that
        are no longer as the stage left them are deleted, so that a stage which keeps its own finished pieces does
        not keep a changed one. A stage after which `stopped` says yes was cut short: another process runs it again.
        `given` are files that other commands may put into the folder for the stage to read: it runs again once one
        of them appears, changes or goes. Returns whether the stage ran.
        """
        if self.is_done(stage, given):
            return False
        self._delete_changed(stage)
        self._forget_from(stage)
        start = time.monotonic()
        files = work()
        self.manifest["stages"][stage] = {
            "files": {name: sha256_file(self.path(name)) for name in sorted(files)},
            "seconds": round(time.monotonic() - start, 2),
            "peak_memory_mb": peak_memory_mb(),
            **({"stopped_early": True} if stopped() else {}),
            **({"given": digests} if (digests := self._digests(given)) else {}),
        }
        self.fresh_stages.add(stage)
        self._save()
        return True

    def _digests(self, names: Sequence[str]) -> dict[str, str]:
        """Checksums of those of the files that are there."""
        return {name: sha256_file(self.path(name)) for name in names if self.path(name).is_file()}

    def _unchanged(self, name: str, digest: str) -> bool:
        path = self.path(name)
        return path.is_file() and sha256_file(path) == digest

    def _delete_changed(self, stage: str) -> None:
        files = self.manifest["stages"].get(stage, {"files": {}})["files"]
        for name, digest in files.items():
            if not self._unchanged(name, digest):
                self.path(name).unlink(missing_ok=True)

    def _forget_from(self, stage: str) -> None:
        order = self.manifest["order"]
        stale = set(order[order.index(stage) :])
        self.manifest["stages"] = {k: v for k, v in self.manifest["stages"].items() if k not in stale}
        self._save()

    def _save(self) -> None:
        write_text(self.path(MANIFEST), json_text(self.manifest))


class BusyError(ConfigError):
    """Another process is working in the folder."""


@contextmanager
def alone_in(folder: Path, kind: str) -> Iterator[None]:
    """Make a folder if it is not there and keep other processes from working in it until the block ends.

    Raises
    ------
    BusyError : another process has the folder, which is of that kind in the message.
    ConfigError : it cannot be made or written.
    """
    _make_folder(folder)
    with _lock_file(folder) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise BusyError(f"{folder}: another process is working in this {kind}") from None
        yield


@contextmanager
def open_run(folder: Path, settings: Mapping[str, Any], order: list[str], *, fresh: bool = False) -> Iterator[Run]:
    """Open or create a run folder, alone.

    Parameters
    ----------
    folder : where the run lives; created if absent.
    settings : JSON-ready settings; an existing run must have the same.
    order : stage names from first to last.
    fresh : discard an existing run in the folder first.

    Raises
    ------
    ConfigError : another process has the folder, it holds other settings, or it is no run folder and not empty;
        the last also when `fresh`, so that no other folder is ever emptied.
    """
    with alone_in(folder, "run folder"):
        run = Run(folder, _manifest(folder, settings, order, fresh))
        if fresh:
            _clear(folder)
        _remove_drafts(folder)
        run._save()
        yield run


def peek_run(folder: Path, settings: Mapping[str, Any], order: list[str], *, fresh: bool = False) -> Run:
    """The run that `open_run` would open, to be looked at: without its lock, and nothing is written.

    Raises
    ------
    ConfigError : as `open_run` would.
    """
    if folder.exists():
        _check_writable(folder)
        return Run(folder, _manifest(folder, settings, order, fresh))
    return Run(folder, _new_manifest(settings, order))


def _new_manifest(settings: Mapping[str, Any], order: list[str]) -> dict[str, Any]:
    return {"format": FORMAT, "settings": json.loads(json.dumps(settings)), "order": order, "stages": {}}


def _lock_file(folder: Path) -> IO[bytes]:
    """The file that holds the folder's lock; a link of that name, which a stranger left, is not followed."""
    place = folder / ".lock"
    try:
        return os.fdopen(os.open(place, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o644), "r+b", 0)
    except OSError as error:
        raise ConfigError(f"{place}: cannot be opened: {error.strerror}") from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{folder}: cannot be made: {error.strerror}") from None
    _check_writable(folder)


def _check_writable(folder: Path) -> None:
    if not folder.is_dir():
        raise ConfigError(f"{folder}: cannot be made: {os.strerror(errno.EEXIST)}")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"{folder}: is not writable")


def _manifest(folder: Path, settings: Mapping[str, Any], order: list[str], fresh: bool) -> dict[str, Any]:
    new = _new_manifest(settings, order)
    path = folder / MANIFEST
    strangers = [entry.name for entry in folder.iterdir() if entry.name != ".lock"]
    if not path.is_file():
        if any(not name.endswith(".part") for name in strangers):
            raise ConfigError(f"{folder}: holds '{sorted(strangers)[0]}' but no {MANIFEST}; choose another --out")
        return new
    old = read_manifest(path)
    if fresh:
        return new
    changed = [k for k in sorted(new["settings"]) if old["settings"].get(k) != new["settings"][k]]
    if changed or old["order"] != order:
        key = changed[0] if changed else "order"
        there, here = old["settings"].get(key), new["settings"].get(key)
        raise ConfigError(
            f"{folder}: holds a run with other settings ({key}: {there!r} there, {here!r} now); "
            "choose another --out, or --fresh to discard it"
        )
    return old


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of a run folder; ConfigError for anything that is none."""
    try:
        manifest = parse_json(path.read_text(encoding="utf-8"))
        kinds = {"settings": dict, "order": list, "stages": dict}
        sound = manifest["format"] == FORMAT and all(isinstance(manifest[key], kind) for key, kind in kinds.items())
        if sound and all(map(_is_record, manifest["stages"].values())):
            return dict(manifest)
    except (ValueError, KeyError, TypeError):
        pass
    raise ConfigError(f"{path}: is not the manifest of a run")


def _is_record(stage: Any) -> bool:
    """Whether this can be what the manifest says of a stage; files elsewhere are none that a stage made."""
    files = stage["files"]
    return isinstance(files, dict) and all(
        isinstance(digest, str) and "\0" not in name and not {"..", "/"}.intersection(Path(name).parts)
        for name, digest in files.items()
    )


def _clear(folder: Path) -> None:
    # The manifest goes last: without it, what a kill left would be nobody's run.
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name == MANIFEST):
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != ".lock":
            entry.unlink()


def _remove_drafts(folder: Path) -> None:
    for draft in folder.rglob(".*.part"):
        if draft.is_dir():
            shutil.rmtree(draft, ignore_errors=True)
        else:
            draft.unlink(missing_ok=True)


def peak_memory_mb() -> int:
    """Largest resident memory so far, in MB, of this process or of any single tool it ran."""
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tools = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(own, tools) // 1024
