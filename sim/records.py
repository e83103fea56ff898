"""The verdict on simulated circuits: answers against expected answers, as a record that JSON can write."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.errors import VerificationError
from printedmlp.names import quoted
from sim.vectors import Stimulus

N_SHOWN = 5
"""Mismatches that a record shows in full."""


@dataclass(frozen=True)
class Observed:
    """One observed net of a design over all vectors.

    Attributes
    ----------
    kind : "rtl" and "netlist" for classes, "scores" for a score of the RTL.
    label : what a message calls it, such as "netlist class".
    values, expected : (n_vectors,) int64.
    defined : (n_vectors,) bool, False where the circuit's answer has a bit that is neither 0 nor 1.
    """

    kind: str
    label: str
    values: NDArray[np.int64]
    defined: NDArray[np.bool_]
    expected: NDArray[np.int64]

    @property
    def wrong(self) -> NDArray[np.bool_]:
        """Vectors on which it is not what it should be, (n_vectors,) bool."""
        return np.asarray(~self.defined | (self.values != self.expected), dtype=bool)


def verdict(name: str, kinds: Sequence[str], observed: Sequence[Observed], vectors: Stimulus) -> dict[str, Any]:
    """What was compared and what differed; answers are counted by the given kinds.

    Returns
    -------
    "design", "passed", "vectors" (counts by origin), "compared" and "mismatches" (answers by kind), and
    "first_mismatches", at most N_SHOWN with circuit, vector, codes, expected and got (None for undefined).
    """
    wrong = np.stack([o.wrong for o in observed], axis=1)
    return {
        "design": name,
        "passed": not wrong.any(),
        "vectors": vectors.to_json(),
        "compared": {kind: sum(len(o.values) for o in observed if o.kind == kind) for kind in kinds},
        "mismatches": {kind: sum(int(o.wrong.sum()) for o in observed if o.kind == kind) for kind in kinds},
        "first_mismatches": [_mismatch(observed[f], int(v), vectors) for v, f in np.argwhere(wrong)[:N_SHOWN]],
    }


def refuse_failed(record: dict[str, Any]) -> None:
    """Raise VerificationError, naming circuit, vector, expected and got, unless the record says passed."""
    if record["passed"]:
        return
    first = record["first_mismatches"][0]
    total = record["vectors"]["total"]
    counts = ", ".join(f"{kind} {count}" for kind, count in record["mismatches"].items() if count)
    got = "undefined" if first["got"] is None else first["got"]
    raise VerificationError(
        f"design {quoted(record['design'])} is refused after {total} vectors, mismatches: {counts}; "
        f"first at vector {first['vector']}, codes {first['codes']}: {first['circuit']} {got}, "
        f"expected {first['expected']}"
    )


def _mismatch(observed: Observed, vector: int, vectors: Stimulus) -> dict[str, Any]:
    return {
        "circuit": observed.label,
        "vector": vector,
        "codes": vectors.codes[vector].tolist(),
        "expected": int(observed.expected[vector]),
        "got": int(observed.values[vector]) if observed.defined[vector] else None,
    }
