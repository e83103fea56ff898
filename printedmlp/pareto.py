"""Sets of points of which none is better than another in everything. Every coordinate is minimised."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray


def non_dominated(points: ArrayLike) -> NDArray[np.bool_]:
    """Which points no other point dominates; of equal points only the first.

    Parameters
    ----------
    points : (n, d) with d of 1 or more, all coordinates to be minimised.

    Returns
    -------
    (n,) mask in the order of the points.
    """
    values = np.asarray(points)
    keep = np.zeros(len(values), dtype=bool)
    if not len(values):
        return keep
    # Stable and lexicographic: whatever dominates or repeats a point comes before it.
    order = np.lexsort(values.T[::-1])
    if values.shape[1] <= 2:
        last = values[order, -1]
        keep[order[0]] = True
        keep[order[1:]] = last[1:] < np.minimum.accumulate(last)[:-1]
        return keep
    front: list[int] = []
    for index in order:
        if not np.any(np.all(values[front] <= values[index], axis=1)):
            front.append(int(index))
    keep[front] = True
    return keep


def layers(points: ArrayLike) -> Iterator[NDArray[np.intp]]:
    """Indices of the non-dominated points, then of those that only they dominate, and so on, each in order.

    Parameters
    ----------
    points : (n, d), all coordinates to be minimised.
    """
    values = np.asarray(points)
    left = np.arange(len(values))
    while len(left):
        layer = non_dominated(values[left])
        yield left[layer]
        left = left[~layer]


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """Volume dominated by `points` up to the `reference` point, exactly.

    Parameters
    ----------
    points : (n, d), all coordinates to be minimised; those not below the reference everywhere add nothing.
    reference : (d,) the worst corner.
    """
    corner = np.asarray(reference, dtype=float)
    values = np.asarray(points, dtype=float).reshape(-1, len(corner))
    values = values[(values < corner).all(axis=1)]
    return _volume(values[non_dominated(values)], corner)


def _volume(front: NDArray[np.float64], corner: NDArray[np.float64]) -> float:
    if not len(front):
        return 0.0
    front = front[np.argsort(front[:, -1], kind="stable")]
    if len(corner) == 1:
        return float(corner[0] - front[0, 0])
    # Slice along the last coordinate: between two levels the section is that of all points below.
    levels = np.append(front[:, -1], corner[-1])
    if len(corner) == 2:
        return float(np.sum((corner[0] - np.minimum.accumulate(front[:, 0])) * np.diff(levels)))
    sections = (hypervolume(front[: n + 1, :-1], corner[:-1]) for n in range(len(front)))
    return float(sum(area * height for area, height in zip(sections, np.diff(levels), strict=True)))
