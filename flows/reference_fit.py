"""A float network on a table: every learning rate is tried, rate and epoch are chosen on the validation rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from printedmlp.reference.registry import ROW_GRAPH_MODULE, ROW_GRAPHS, TABULAR, load
from printedmlp.reference.training import History, Settings, Tensors, built, cross_entropy, fit

RATES = (1e-2, 1e-3)
"""Peak learning rates that are tried, those of the comparison of KANs with MLPs."""
BATCH = 64
STEPS = {False: 4000, True: 300}
EPOCHS = {False: (20, 150), True: (3, 20)}
"""Steps of a full and of a quick training, and the epochs that they are held between."""
CLIP = 4.0
"""Deviations from the mean at which an input is clipped: splines end there, and test rows may lie anywhere."""

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Scaler:
    """Brings every feature to mean 0 and deviation 1 on the rows it was fitted on; constant features become 0."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def fit(cls, X: NDArray[np.number]) -> Scaler:
        """Take the statistics of the training rows (n_samples, n_features)."""
        deviation = X.std(axis=0, dtype=np.float64)
        return cls(X.mean(axis=0, dtype=np.float64), np.where(deviation > 0, deviation, np.inf))

    def transform(self, X: NDArray[np.number]) -> Matrix:
        """(n_samples, n_features) float32 between -CLIP and CLIP."""
        return np.asarray(np.clip((X - self.mean) / self.deviation, -CLIP, CLIP), dtype=np.float32)


@dataclass(frozen=True)
class Fitted:
    """A trained network.

    Attributes
    ----------
    model : with the weights of its best epoch.
    learning_rate : the one it was trained at.
    history : of that training.
    seconds : of the trainings at all rates.
    """

    model: nn.Module
    learning_rate: float
    history: History
    seconds: float

    def to_json(self) -> dict[str, Any]:
        """What the validation rows chose."""
        epochs = len(self.history.losses)
        return {"learning_rate": self.learning_rate, "best_epoch": self.history.best_epoch, "epochs": epochs}


def best_fit(
    key: str,
    train: Tensors,
    validation: Tensors,
    n_classes: int,
    *,
    seed: int,
    quick: bool = False,
    device: str = "cpu",
) -> Fitted:
    """One tabular architecture, at the rate with the best validation accuracy, ties to the lower loss.

    Parameters
    ----------
    key : one of `printedmlp.reference.registry.TABLE_KEYS`.
    train, validation : scaled rows (n, n_features) and their classes.
    seed : of the first weights and the batches.
    quick : few epochs: does everything work?
    """
    seconds, tried = 0.0, []
    for rate in RATES:
        settings = _settings(len(train.x), rate, quick, device)
        model, history = _trained(key, train, validation, n_classes, settings, seed)
        seconds += history.seconds
        best = history.best_epoch - 1
        tried.append((history.validation_accuracies[best], -history.validation_losses[best], rate, model, history))
    _, _, rate, model, history = max(tried, key=lambda one: one[:2])
    return Fitted(model, rate, history, seconds)


def new_model(key: str, n_features: int, n_classes: int, seed: int) -> nn.Module:
    """An untrained network of a tabular architecture; the seed decides its weights."""
    if key in ROW_GRAPHS:
        return built(partial(load(ROW_GRAPH_MODULE).row_model, key, n_features, n_classes), seed)
    make = load(TABULAR[key]).tabular_model
    return built(partial(make, n_features, n_classes), seed)


def _trained(
    key: str, train: Tensors, validation: Tensors, n_classes: int, settings: Settings, seed: int
) -> tuple[nn.Module, History]:
    if key in ROW_GRAPHS:
        model, history = load(ROW_GRAPH_MODULE).fit_rows(key, train, validation, n_classes, settings, seed=seed)
        return model, history
    model = new_model(key, train.x.shape[1], n_classes, seed)
    return model, fit(model, cross_entropy(), train, validation, settings, seed=seed)


def _settings(n_train: int, rate: float, quick: bool, device: str) -> Settings:
    least, most = EPOCHS[quick]
    epochs = STEPS[quick] // -(-n_train // BATCH)
    return Settings(
        epochs=min(max(epochs, least), most),
        batch_size=BATCH,
        learning_rate=rate,
        weight_decay=0.01,
        schedule="one_cycle",
        device=device,
    )
