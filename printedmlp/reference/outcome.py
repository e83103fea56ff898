"""What a study is told and what it found: plain data that goes to JSON and back."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self


@dataclass(frozen=True)
class Context:
    """How a study is to be run.

    Attributes
    ----------
    seeds : one repetition of every measurement each.
    quick : few epochs and little data, to see that everything works; its claims mean nothing.
    device : "cpu" or "cuda".
    folder : exists; the study's picture goes there as <key>.png.
    """

    seeds: tuple[int, ...]
    quick: bool
    device: str
    folder: Path


@dataclass(frozen=True)
class Measure:
    """One figure of merit of one model on one data set.

    Attributes
    ----------
    task, data, metric : in words, for the table.
    values : one a seed.
    published : the paper's own number as text; "" if it has none for this.
    parameters : trained numbers of the model.
    seconds : of training, one seed on average.
    """

    task: str
    data: str
    metric: str
    values: tuple[float, ...]
    published: str = ""
    parameters: int = 0
    seconds: float = 0.0

    @property
    def mean(self) -> float:
        """Mean over the seeds."""
        return statistics.fmean(self.values)

    @property
    def spread(self) -> float:
        """Sample standard deviation over the seeds; 0 for a single one."""
        return statistics.stdev(self.values) if len(self.values) > 1 else 0.0

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `asdict` made of a measure."""
        return cls(**{**data, "values": tuple(float(value) for value in data["values"])})


@dataclass(frozen=True)
class Check:
    """One claim of a paper, what was measured, the bound it is held against, and whether it was shown."""

    claim: str
    measured: str
    bound: str
    shown: bool


@dataclass(frozen=True)
class Outcome:
    """Everything a study reports."""

    measures: tuple[Measure, ...]
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data for json.dumps."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            tuple(Measure.from_json(measure) for measure in data["measures"]),
            tuple(Check(**check) for check in data["checks"]),
            tuple(data["notes"]),
        )
