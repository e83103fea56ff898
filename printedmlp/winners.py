"""Which classes can win within the bounds of their scores, and what has to be compared to tell."""

from collections.abc import Sequence

from printedmlp.model import Interval, LayerIntervals


def possible_winners(scores: Sequence[Interval]) -> tuple[int, ...]:
    """Classes that win for some scores within the bounds, ties going to the lower index.

    Class c never wins exactly when a lower index reaches c's high bound even at its own low bound, or a higher one
    exceeds it. With bounds taken as independent nothing else can be folded: every class left wins when it is at its
    high bound and the others at their low bounds.
    """
    return tuple(
        c
        for c, (_, high) in enumerate(scores)
        if not any(low > high or (low == high and d < c) for d, (low, _) in enumerate(scores) if d != c)
    )


def compared_bounds(scores: LayerIntervals) -> tuple[Interval, ...]:
    """The first possible winner's rectified score and everyone else's sum; the possible winners stay the same."""
    first = possible_winners(scores.outputs)[0]
    return tuple(scores.outputs[c] if c == first else bounds for c, bounds in enumerate(scores.sums))
