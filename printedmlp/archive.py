"""UCI archives: download of the zip file and conversion of its files to the documented form."""

import io
import time
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator, Sequence

from printedmlp.builtin import table_bytes
from printedmlp.catalogue import Entry, Layout
from printedmlp.errors import DataError
from printedmlp.names import quoted
from printedmlp.values import parse_number

TIMEOUT_S = 20.0
"""Longest silence of the server."""
DEADLINE_S = 120.0
"""Longest whole download."""
MOST_BYTES = 64 << 20
"""Largest archive and largest file in one; the real ones are below 2 MiB."""


def download(url: str) -> bytes:
    """Fetch an address over HTTP; bounded in time and size. Raises `OSError` or `ValueError` when it cannot."""
    end = time.monotonic() + DEADLINE_S
    chunks: list[bytes] = []
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as response:
        while chunk := response.read1(1 << 16):
            chunks.append(chunk)
            if sum(map(len, chunks)) > MOST_BYTES:
                raise ValueError(f"more than {MOST_BYTES} bytes")
            if time.monotonic() > end:
                raise TimeoutError(f"not finished after {DEADLINE_S:g} s")
    return b"".join(chunks)


def convert(archive: bytes, entry: Entry, layout: Layout) -> bytes:
    """Return the table of a data set in the documented form, from the bytes of its UCI zip archive.

    Raises `DataError` naming the archive, the file and the line when a file is missing or not as expected.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as bundle:
            files = [(name, _member(bundle, name)) for name in entry.members]
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{entry.url} is not a readable zip archive: {error}") from None
    return table_bytes(entry.columns, [row for name, data in files for row in _rows(name, data, entry, layout)])


def _member(bundle: zipfile.ZipFile, name: str) -> bytes:
    found = [info for info in bundle.infolist() if info.filename.rpartition("/")[2] == name]
    if not found:
        raise DataError(f"the archive has no file {name}; it holds {', '.join(bundle.namelist()[:8])}")
    if found[0].file_size > MOST_BYTES:
        raise DataError(f"the archive's {name} has more than {MOST_BYTES} bytes")
    return bundle.read(found[0])


def _rows(name: str, data: bytes, entry: Entry, layout: Layout) -> Iterator[Sequence[float | str]]:
    lines = data.decode("latin-1").splitlines()
    for number, line in enumerate(lines[layout.header_rows :], start=layout.header_rows + 1):
        if not line.strip() or line.startswith(("@", "%")):
            continue
        cells = [cell.strip() for cell in line.split(layout.separator)][layout.drop_first :]
        if len(cells) != len(entry.columns):
            raise DataError(f"{name} line {number}: {len(cells)} cells, expected {len(entry.columns)}")
        if not (layout.complete_only and "?" in cells):
            yield [*(_value(cell, name, number) for cell in cells[:-1]), cells[-1]]


def _value(cell: str, name: str, number: int) -> float | str:
    if cell == "?":
        return ""
    value = parse_number(cell)
    if value is None:
        raise DataError(f"{name} line {number}: {quoted(cell)} is not a number")
    return value
