"""Data sets: by name or from a CSV file, split without leaking, quantised as the circuit sees them.

This is the entrance; the rooms behind it are `samples` (what a data set is), `table` (the CSV reader),
`registry` (the named sets), `split` and `quantise`.
"""

import difflib
import hashlib
import os
import warnings
from pathlib import Path

from printedmlp.archive import download
from printedmlp.errors import DataError, PrintedMLPWarning
from printedmlp.files import read_bytes
from printedmlp.names import clean_text, quoted, slug
from printedmlp.quantise import Quantiser
from printedmlp.records import MOST_BYTES
from printedmlp.registry import NAMES, Fetch, citation, named_table, official_train_rows
from printedmlp.samples import Dataset, conflicting_inputs, duplicate_rows
from printedmlp.split import Split, split_dataset
from printedmlp.table import read_table

__all__ = [
    "NAMES",
    "Dataset",
    "Quantiser",
    "Split",
    "conflicting_inputs",
    "duplicate_rows",
    "load_dataset",
    "split_dataset",
]


def load_dataset(
    name_or_path: str | os.PathLike[str],
    *,
    label: str | int | None = None,
    missing: str = "drop",
    drop_index: bool = True,
    fetch: Fetch = download,
) -> Dataset:
    """Load a data set by name (one of `NAMES`) or a CSV file by path.

    A text that is a known name is that name; write `./iris` for a file called so. `label` names the class
    column (name or number from 0; the last by default). Rows that miss an input are left out, or refused with
    `missing="error"`. `drop_index` leaves out columns that only number the rows of a file; the columns of
    named sets are documented and never taken for such. `fetch` replaces the download. Everything that was
    repaired or left out is a `PrintedMLPWarning` and in `Dataset.warnings`; everything that cannot be used is
    a `DataError` of one line with file, line, column and value.
    """
    notes: list[str] = []
    named = isinstance(name_or_path, str) and name_or_path in NAMES
    name = str(name_or_path) if named else slug(Path(name_or_path).stem)
    place = f"{name}.csv" if named else clean_text(Path(name_or_path).name) or "table"
    data = named_table(name, notes, fetch) if named else _file_bytes(name_or_path)
    table = read_table(data, place, notes, label=label, missing=missing, drop_index=drop_index and not named)
    for note in notes:
        warnings.warn(note, PrintedMLPWarning, stacklevel=2)
    return Dataset(
        name=name,
        X=table.X,
        y=table.y,
        feature_names=table.feature_names,
        class_names=table.class_names,
        sha256=hashlib.sha256(data).hexdigest(),
        source=citation(name) if named else place,
        warnings=tuple(notes),
        official_train_rows=official_train_rows(name) if named else None,
    )


def _file_bytes(path: str | os.PathLike[str]) -> bytes:
    text = os.fspath(path)
    if not text.strip():
        raise DataError("no data set named: give a name or the path of a CSV file")
    looks_like_name = not Path(text).suffix and Path(text).name == text
    if looks_like_name and not os.path.lexists(text):
        near = difflib.get_close_matches(text.lower(), NAMES, n=1)
        hint = f"did you mean {quoted(near[0])}?" if near else f"names are {', '.join(NAMES)}"
        raise DataError(f"no data set or file {quoted(text)}; {hint}")
    return read_bytes(Path(text), MOST_BYTES, "table")
