"""What chose each circuit of a run, in sentences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flows.wording import listed, significant
from printedmlp.choice import ROBUST_GAIN, ROUNDING
from printedmlp.front import FrontPoint, Level

Figures = Mapping[str, Any]
BASELINES = {
    "exact": "Nothing chose it: it is the exact baseline that all factors on this page are against.",
    "textbook": "Nothing chose it: it is the exact baseline in the form whose areas the literature publishes.",
}


class Choices:
    """Tells of circuits what chose them.

    Parameters
    ----------
    front, reductions : of front.json.
    levels : stages side by side.
    size : what the area that decided is of, for the sentence.
    has_power : whether power decided too.
    prints : whether the merit of prints did.
    """

    def __init__(
        self,
        front: Sequence[Figures],
        reductions: Sequence[Figures],
        levels: Sequence[Level],
        *,
        size: str,
        has_power: bool,
        prints: bool = False,
    ) -> None:
        self.front = [FrontPoint.from_json(record) for record in front]
        self.reductions, self.levels = reductions, levels
        self.decided = [size, *(["power"] if has_power else []), *(["merit of prints"] if prints else [])]

    def of(self, record: Figures) -> list[str]:
        """Sentences about one circuit."""
        point = FrontPoint.from_json(record)
        if point.stage in BASELINES:
            return [BASELINES[point.stage]]
        return [self._standing(point), *self._cards(point), *self._levels(point)]

    def _standing(self, point: FrontPoint) -> str:
        if any(other.id == point.id for other in self.front):
            return f"On the front: no circuit beats it in merit ({point.merit:.1%}), {listed(self.decided)}."
        better = next((other for other in self.front if _beats(other, point)), None)
        kept = "Kept to compare the stages"
        if better is None:
            return f"{kept}; not on the front."
        figures = f"merit {better.merit:.1%} on {significant(better.chosen_area_cm2)} cm²"
        return f"{kept}; {better.id} beats it with {figures}."

    def _cards(self, point: FrontPoint) -> list[str]:
        losses = [row["loss"] for row in self.reductions if row["id"] == point.id]
        return [f"The smallest of the front within {_points(losses)} of validation loss."] if losses else []

    def _levels(self, point: FrontPoint) -> list[str]:
        own = [level.loss for level in self.levels if level.smallest.get(point.stage) == point]
        best = [f"Its stage's best validation score: {point.score:.1%}."] if None in own else []
        losses = [loss for loss in own if loss is not None]
        return best + ([f"The smallest of its stage within {_points(losses)}."] if losses else [])


def _points(losses: Sequence[float]) -> str:
    words = listed([f"{loss:g}" for loss in losses])
    return f"{words} point{'' if list(losses) == [1] else 's'}"


def _beats(one: FrontPoint, other: FrontPoint) -> bool:
    """Whether a circuit is no worse in anything that decides."""
    return (
        one.merit >= other.merit - ROUNDING
        and one.chosen_area_cm2 <= other.chosen_area_cm2 + ROUNDING
        and (one.choice_power_mw or 0.0) <= (other.choice_power_mw or 0.0) + ROUNDING
        and (one.printed_merit or 0.0) >= (other.printed_merit or 0.0) - ROBUST_GAIN - ROUNDING
    )
