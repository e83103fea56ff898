"""Where a named data set comes from: its definition, or your folder, the cache, a download, a simulation.

What does not come from its definition is always checked against its checksum.
"""

import contextlib
import hashlib
import http.client
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from printedmlp.archive import convert, download
from printedmlp.builtin import BUILT_IN, BuiltIn
from printedmlp.catalogue import CATALOGUE, Entry
from printedmlp.errors import DataError
from printedmlp.files import read_bytes
from printedmlp.names import clean_text, shown_path
from printedmlp.records import MOST_BYTES

DATA_VARIABLE = "PRINTEDMLP_DATA"
CACHE_VARIABLE = "PRINTEDMLP_CACHE"

NAMES: tuple[str, ...] = (*BUILT_IN, *CATALOGUE)
"""Every name that `load_dataset` knows; those of `BUILT_IN` need neither file nor network."""

Fetch = Callable[[str], bytes]


def named_table(name: str, notes: list[str], fetch: Fetch = download) -> bytes:
    """Return the table of a named data set in the documented form.

    Built-in sets are generated. Others, and the built-in one that is a simulation, are looked up as NAME.csv in the
    folder PRINTEDMLP_DATA, then in the cache (PRINTEDMLP_CACHE, else ~/.cache/printedmlp), then downloaded with
    `fetch` (address to bytes; raises `OSError` or `ValueError`) or simulated, and cached. The bytes always have the
    documented checksum; a file in PRINTEDMLP_DATA that has another is a `DataError`, a damaged cache file is noted
    and made anew. `cardio` is not downloaded, because its original is an Excel workbook.
    """
    entry = _entry(name)
    if entry.sha256 is None:
        return entry.make()
    own = _data_folder()
    if own is not None and (own / f"{name}.csv").exists():
        return _verified(read_bytes(own / f"{name}.csv", MOST_BYTES, "table"), entry, str(own / f"{name}.csv"))
    cached = cache_folder() / f"{name}.csv"
    if cached.exists():
        try:
            return _verified(read_bytes(cached, MOST_BYTES, "table"), entry, str(cached))
        except DataError as error:
            notes.append(f"{error}; {'made' if isinstance(entry, BuiltIn) else 'fetched'} again")
    table = _simulated(name, entry) if isinstance(entry, BuiltIn) else _downloaded(name, entry, fetch)
    _store(cached, table, notes)
    return table


def citation(name: str) -> str:
    """Return who made a named data set and where it is from."""
    return _entry(name).citation


def official_train_rows(name: str) -> int | None:
    """Return how many rows of a named data set are its official training part; they come first."""
    return _entry(name).train_rows


def cache_folder() -> Path:
    """Return the folder that downloaded tables are kept in; it need not exist."""
    given = os.environ.get(CACHE_VARIABLE)
    return Path(given) if given else Path.home() / ".cache" / "printedmlp"


def _entry(name: str) -> BuiltIn | Entry:
    return BUILT_IN[name] if name in BUILT_IN else CATALOGUE[name]


def _data_folder() -> Path | None:
    given = os.environ.get(DATA_VARIABLE)
    if not given:
        return None
    if not Path(given).is_dir():
        raise DataError(f"{DATA_VARIABLE} is {shown_path(given)}, which is no folder")
    return Path(given)


def _verified(table: bytes, entry: BuiltIn | Entry, place: str) -> bytes:
    found = hashlib.sha256(table).hexdigest()
    if found != entry.sha256:
        raise DataError(f"{shown_path(place)}: sha256 is {found}, expected {entry.sha256}")
    return table


def _simulated(name: str, entry: BuiltIn) -> bytes:
    """Make a table whose bytes depend on every bit of the arithmetic, and refuse what another arithmetic gave."""
    try:
        return _verified(entry.make(), entry, f"{name}.csv made here")
    except DataError as error:
        raise DataError(f"data set '{name}': {error}: {_remedy(name)}") from None


def _remedy(name: str) -> str:
    return f"put {name}.csv into a folder and set {DATA_VARIABLE} to it"


def _downloaded(name: str, entry: Entry, fetch: Fetch) -> bytes:
    remedy = _remedy(name)
    if entry.layout is None:
        original = entry.members[0]
        raise DataError(f"data set '{name}' cannot be downloaded ({original} is an Excel workbook): {remedy}")
    try:
        archive = fetch(entry.url)
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = clean_text(str(error)) or type(error).__name__
        raise DataError(f"data set '{name}': no download from {entry.url} ({reason}): {remedy}") from None
    try:
        return _verified(convert(archive, entry, entry.layout), entry, f"{name}.csv made from {entry.url}")
    except DataError as error:
        raise DataError(f"data set '{name}': {error}: {remedy}") from None


def _store(path: Path, table: bytes, notes: list[str]) -> None:
    """Write the whole file or nothing; a cache that cannot be written costs a note, not the run."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(table)
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    except OSError as error:
        notes.append(f"{shown_path(path)} could not be written: {error.strerror}")
