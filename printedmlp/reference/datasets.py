"""Small data for float networks: what ships with scikit-learn, and the folder `suite` of PRINTEDMLP_DATA."""

from __future__ import annotations

import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile

import numpy as np
from matplotlib.image import imread
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from printedmlp.errors import DataError
from printedmlp.registry import DATA_VARIABLE
from printedmlp.split import apportion

FOLDER = "suite"

Rows = NDArray[np.int64]


class Samples(NamedTuple):
    """Inputs (n, ...) float32 with one class index each, (n,) int64."""

    x: NDArray[np.float32]
    y: NDArray[np.int64]


def digits() -> Samples:
    """The 1797 handwritten digits of scikit-learn, (1797, 64) with values 0 .. 16."""
    bunch = load_digits()
    return Samples(bunch.data.astype(np.float32), bunch.target.astype(np.int64))


def suite_path(file: str) -> Path:
    """Where a file of the suite is; DataError that names it and the variable if it is nowhere."""
    given = os.environ.get(DATA_VARIABLE)
    if not given:
        raise DataError(f"{file}: set {DATA_VARIABLE} to the folder that holds {FOLDER}/{file}")
    path = Path(given, FOLDER, file)
    if not path.is_file():
        raise DataError(f"{path}: no such file; {DATA_VARIABLE} is the folder that should hold {FOLDER}/{file}")
    return path


def suite_array(file: str, *keys: str) -> tuple[NDArray[np.generic], ...]:
    """The named arrays of an .npz file of the suite, as stored.

    Raises
    ------
    DataError : no such file, no such array, no file of arrays, or a damaged one.
    """
    path = suite_path(file)
    try:
        archive = np.load(path, allow_pickle=False)
        if not isinstance(archive, NpzFile):
            raise DataError(f"{path} holds one array, not an archive of named ones")
        with archive:
            missing = [key for key in keys if key not in archive]
            if missing:
                raise DataError(f"{path}: no array '{missing[0]}'; it holds {', '.join(archive.files)}")
            return tuple(archive[key] for key in keys)
    except (ValueError, OSError, EOFError, BadZipFile, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}") from None


def suite_image(file: str) -> NDArray[np.float32]:
    """A PNG picture of the suite as (height, width) or (height, width, channels) float32 in 0 .. 1."""
    path = suite_path(file)
    try:
        return np.asarray(imread(path), dtype=np.float32)
    except (ValueError, OSError, SyntaxError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None


def stratified(y: NDArray[np.integer], fractions: Sequence[float], seed: int) -> list[Rows]:
    """Cut rows into parts, class by class, so that each part has the same shares of the classes.

    Parameters
    ----------
    y : (n,) class indices.
    fractions : shares of the parts; they add up to 1.

    Returns
    -------
    Row numbers of each part, ascending, disjoint and together all rows; same seed, same parts.
    """
    assert abs(sum(fractions) - 1) < 1e-9, "fractions must add up to 1"
    generator = np.random.default_rng(seed)
    parts: list[list[Rows]] = [[] for _ in fractions]
    for label in np.unique(y):
        members = generator.permutation(np.flatnonzero(y == label))
        ends = np.cumsum(apportion(len(members), fractions))[:-1]
        for part, piece in zip(parts, np.split(members, ends), strict=True):
            part.append(piece)
    return [np.sort(np.concatenate(part)).astype(np.int64) for part in parts]
