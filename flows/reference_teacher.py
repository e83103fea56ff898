"""The float teacher of a design run: an architecture of the suite, trained on the run's own rows.

PyTorch is asked for only when a teacher is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from printedmlp.errors import ConfigError
from printedmlp.reference.registry import TABLE_KEYS, load
from printedmlp.vectors import Vectors

Probabilities = NDArray[np.float64]
OWN = "rows"
"""No network, every copy keeps the class of its row: shows what copies alone are worth, and needs no PyTorch."""
SEEDS = 1 << 32
"""Seeds of networks are below this."""


@dataclass(frozen=True)
class Teacher:
    """A trained network as the flow sees it.

    Attributes
    ----------
    probabilities : codes (n, n_features) to class probabilities (n, n_classes).
    record : what chose it, ready for JSON.
    """

    probabilities: Callable[[NDArray[np.uint8]], Probabilities]
    record: dict[str, Any]


def check_teacher(key: str) -> None:
    """Refuse a teacher that there is not.

    Raises
    ------
    ConfigError : no such architecture.
    ToolError : PyTorch is not installed.
    """
    if key == OWN:
        return
    if key not in TABLE_KEYS:
        raise ConfigError(f"teacher: {key!r} is not one of {', '.join((*TABLE_KEYS, OWN))}")
    load("torch")


def torch_version(key: str | None) -> dict[str, str]:
    """The version of PyTorch, for the settings of a run whose teacher is a network; else nothing."""
    return {} if key in (None, OWN) else {"torch": metadata.version("torch")}


def learn(key: str, train: Vectors, validation: Vectors, *, seed: int) -> Teacher:
    """Train an architecture on the codes of the training rows; rate and epoch are chosen on the validation rows.

    Raises
    ------
    ToolError : PyTorch is not installed.
    """
    load("flows.reference").one_thread()
    torch, fitting = load("torch"), load("flows.reference_fit")
    training = load("printedmlp.reference.training")
    scaler = fitting.Scaler.fit(train.codes)

    def scaled(codes: NDArray[np.uint8]) -> Any:
        return torch.from_numpy(scaler.transform(codes))

    parts = [training.Tensors(scaled(part.codes), torch.from_numpy(part.y)) for part in (train, validation)]
    fitted = fitting.best_fit(key, *parts, train.n_classes, seed=seed % SEEDS)

    def probabilities(codes: NDArray[np.uint8]) -> Probabilities:
        return np.asarray(training.outputs(fitted.model, scaled(codes)).double().softmax(dim=1).numpy())

    right = probabilities(validation.codes).argmax(axis=1) == validation.y
    return Teacher(probabilities, {**fitted.to_json(), "validation_accuracy": float(right.mean())})
