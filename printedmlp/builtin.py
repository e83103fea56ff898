"""Data sets that need no file: the balance scale, which is a formula, star clusters, which are simulated, and those
that scikit-learn ships.

Each is written in the documented form of a table (see `table_bytes`) and read back by the reader that reads
user files, so a built-in data set and its CSV are the same thing with the same checksum.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from printedmlp.values import number_text


class BuiltIn(NamedTuple):
    """A data set that is made in place.

    `make` returns the table's bytes. With a `sha256` the table takes seconds to make, is kept like a downloaded one
    and checked against it. The first `train_rows` rows are the training part of the official split, if it has one.
    """

    make: Callable[[], bytes]
    citation: str
    sha256: str | None = None
    train_rows: int | None = None


_SCIKIT_LEARN = {
    "iris": ("load_iris", "Fisher, R. A. (1936). Iris plants."),
    "wine": ("load_wine", "Forina, M. et al. (1991). Wine recognition data."),
    "breast_cancer_diagnostic": (
        "load_breast_cancer",
        "Wolberg, W. et al. (1995). Breast Cancer Wisconsin (Diagnostic).",
    ),
    "digits": (
        "load_digits",
        "Alpaydin, E. & Kaynak, C. (1998). Optical Recognition of Handwritten Digits, test part.",
    ),
}


def table_bytes(header: Sequence[str], rows: Iterable[Sequence[float | str]]) -> bytes:
    """Write a table in the documented form, the one that checksums are taken of.

    UTF-8, comma, LF, one header row, the class last; numbers as the shortest decimal that reads back to the
    same double, whole numbers without a point; text (the class, an empty cell) as it is.
    """
    lines = (",".join(c if isinstance(c, str) else number_text(c) for c in row) for row in rows)
    return "".join(f"{line}\n" for line in (",".join(header), *lines)).encode()


def balance_bytes() -> bytes:
    """Return the balance scale data set: all 5^4 inputs in lexicographic order, classed by their torques."""
    header = ("left_weight", "left_distance", "right_weight", "right_distance", "class")
    rows = []
    for left_weight, left_distance, right_weight, right_distance in itertools.product(range(1, 6), repeat=4):
        torque = left_weight * left_distance - right_weight * right_distance
        side = "L" if torque > 0 else "R" if torque < 0 else "B"
        rows.append((left_weight, left_distance, right_weight, right_distance, side))
    return table_bytes(header, rows)


def cluster_escapers_bytes() -> bytes:
    """Return the table of massless particles in star clusters, see `printedmlp.stars.escapers`; takes seconds."""
    from printedmlp.stars.escapers import CONFIG, FEATURES, HORIZON, SEEDS, escaper_rows

    return table_bytes([*FEATURES, "class"], escaper_rows(CONFIG, SEEDS, HORIZON))


def _scikit_learn_bytes(loader: str) -> bytes:
    from sklearn import datasets

    bunch = getattr(datasets, loader)()
    header = [re.sub(r"[^a-z0-9]+", "_", str(name).lower()).strip("_") for name in bunch.feature_names]
    classes = [str(name) for name in bunch.target_names]
    rows = ([*values, classes[label]] for values, label in zip(bunch.data.tolist(), bunch.target, strict=True))
    return table_bytes([*header, "class"], rows)


def _from_scikit_learn(loader: str) -> Callable[[], bytes]:
    return lambda: _scikit_learn_bytes(loader)


BUILT_IN: dict[str, BuiltIn] = {
    "balance": BuiltIn(balance_bytes, "Siegler, R. (1976). Balance Scale. Generated from its definition."),
    **{
        name: BuiltIn(_from_scikit_learn(loader), f"{citation} As shipped with scikit-learn.")
        for name, (loader, citation) in _SCIKIT_LEARN.items()
    },
    "cluster_escapers": BuiltIn(
        cluster_escapers_bytes,
        "Massless particles in ten simulated star clusters, 400 rows each, after Flammini Dotti, F. et al. (2025). "
        "A&A 693, A166. Generated; the official split tests on three clusters that training has not seen.",
        sha256="ddbb908eb5beb2f4f793430e38a1990fc737c558b379b0ecf81395da53b32463",
        train_rows=2800,
    ),
}
"""What needs neither file nor network, by name."""
