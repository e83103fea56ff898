"""What the study of star clusters simulates and trains, and how a table of whole clusters is split."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from printedmlp.dataset import Dataset
from printedmlp.reference.datasets import stratified
from printedmlp.reference.massless import RunConfig, Tidal
from printedmlp.reference.mlp import MLP, Config
from printedmlp.reference.training import Settings, Tensors, built, cross_entropy, fit, outputs, parameter_count
from printedmlp.stars.cluster import ClusterConfig

TABLE = "cluster_escapers"
CLUSTERS = 10
UNSEEN = 3
"""Clusters of the table that a split by clusters keeps for the test."""
RADIUS = 6
DERIVED = slice(RADIUS, 12)
"""Radius to Jacobi energy among the table's inputs."""
TIDAL_RADIUS = ClusterConfig().jacobi_radius
LATE = 30.0
EARLY = 20.0
"""The core collapses before this time, if it does."""
SPLITS = ("rows", "clusters")


@dataclass(frozen=True)
class Plan:
    """How much is simulated and trained."""

    isolated: RunConfig
    tidal: RunConfig
    epochs: int


QUICK = Plan(
    RunConfig(ClusterConfig(64, 200, jacobi_radius=0.0), LATE),
    RunConfig(ClusterConfig(64, 200), 2 * EARLY),
    epochs=3,
)
FULL = Plan(
    RunConfig(ClusterConfig(256, 1000, jacobi_radius=0.0), 2 * LATE),
    RunConfig(ClusterConfig(128, 1500), 2 * EARLY),
    epochs=40,
)


class Score(NamedTuple):
    """What a network reached on test rows, and what the larger class of the training rows always would.

    `inside` are accuracy and that share of the rows that begin within the tidal radius.
    """

    accuracy: float
    auc: float
    majority: float
    inside: tuple[float, float]
    parameters: int
    seconds: float


def collapse(run: Tidal) -> float:
    """Time of the smallest core radius among the early ones."""
    early = run.times <= EARLY
    return float(run.times[early][np.argmin(run.core[early])])


def escape_rate(left: NDArray[np.float64], begins: float, ends: float) -> float:
    """Escapes in a span of time over the time that particles spent inside then: a rate per unit of time."""
    escapes = int(((left > begins) & (left <= ends)).sum())
    there = np.clip(np.minimum(left, ends) - begins, 0.0, None).sum()
    return float(escapes / there) if there else 0.0


def scored(data: Dataset, split: str, seed: int, epochs: int) -> Score:
    """Train 8 hidden units on the derived inputs; the epoch is chosen on a fifth of the training rows."""
    rows, test = _parts(data, split, seed)
    train, validation = (rows[part] for part in stratified(data.y[rows], (0.8, 0.2), seed))
    x = data.X[:, DERIVED]
    x = ((x - x[train].mean(0)) / x[train].std(0)).astype(np.float32)
    parts = [
        Tensors(torch.from_numpy(x[part]), torch.from_numpy(data.y[part])) for part in (train, validation, test)
    ]
    model = built(lambda: MLP(Config(x.shape[1], 2, (8,), "tanh")), seed)
    started = time.perf_counter()
    fit(model, cross_entropy(), parts[0], parts[1], Settings(epochs, 64, 0.01, schedule="cosine"), seed=seed)
    logits = outputs(model, parts[2].x).numpy()  # (n, 2)
    truth, larger = data.y[test], np.bincount(data.y[train]).argmax()
    right, inside = logits.argmax(1) == truth, data.X[test, RADIUS] <= TIDAL_RADIUS
    return Score(
        accuracy=float(right.mean()),
        auc=float(roc_auc_score(truth, logits[:, 1] - logits[:, 0])),
        majority=float((truth == larger).mean()),
        inside=(float(right[inside].mean()), float((truth == larger)[inside].mean())),
        parameters=parameter_count(model),
        seconds=time.perf_counter() - started,
    )


def _parts(data: Dataset, split: str, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to train on and to test on: 7 to 3 of each class, or other clusters for the test with every seed."""
    if split == "rows":
        train, test = stratified(data.y, (0.7, 0.3), seed)
        return train, test
    cluster = np.arange(data.n_samples) // (data.n_samples // CLUSTERS)
    first = CLUSTERS - UNSEEN + UNSEEN * seed
    unseen = np.isin(cluster, [(first + k) % CLUSTERS for k in range(UNSEEN)])
    return np.flatnonzero(~unseen), np.flatnonzero(unseen)
