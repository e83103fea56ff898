"""The exact bespoke classifier of the literature (stage `exact`): float training, fixed weights, no approximation.

The conventions are those of Mubarik et al., "Printed Machine Learning Classifiers", MICRO 2020, and of the works
that compare against it: inputs of 4 bits, weights of 8 bits hard-wired into the circuit, rectified hidden neurons.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from printedmlp.errors import ConfigError
from printedmlp.float_mlp import ALPHAS, FloatMLP, accuracy, train_float_mlp
from printedmlp.model import DiscreteMLP
from printedmlp.quantised_mlp import HiddenForm, quantise_network


@dataclass(frozen=True)
class Accuracies:
    """Shares of rows predicted right, float network and its integer form, on training and validation rows."""

    float_train: float
    float_validation: float
    train: float
    validation: float


@dataclass(frozen=True)
class ExactBaseline:
    """What `exact_baseline` chose.

    Attributes
    ----------
    model : the integer classifier; its weights are canonical-signed-digit terms.
    network : the float network behind it.
    accuracies : of this restart; test rows are never seen here.
    restarts : every restart's float network, best validation accuracy first; `restarts[0]` is `network`.
    """

    model: DiscreteMLP
    network: FloatMLP
    accuracies: Accuracies
    restarts: tuple[FloatMLP, ...]


def exact_baseline(
    X_train: NDArray[np.integer],
    y_train: NDArray[np.integer],
    X_validation: NDArray[np.integer],
    y_validation: NDArray[np.integer],
    *,
    topology: Sequence[int],
    input_bits: int,
    n_classes: int,
    restarts: int,
    rng: np.random.Generator,
    weight_bits: int = 8,
    hidden_form: HiddenForm = "truncated",
) -> ExactBaseline:
    """Train, quantise and choose the exact classifier.

    Small networks depend strongly on their start, so `restarts` of them are trained and the one whose *integer*
    form is most accurate on the validation rows is taken; ties go to training accuracy, then to the earlier one.

    Parameters
    ----------
    X_train, X_validation : (n_samples, n_features) codes in 0 .. 2^input_bits - 1.
    y_train, y_validation : (n_samples,) class indices below `n_classes`. A class without training rows never wins.
    topology : neurons of each hidden layer.
    hidden_form : "truncated" keeps the 8 highest bits of the rectified sums, "full" all (see `quantise_network`);
        the published circuits have the size of the first.

    Raises
    ------
    ConfigError : for fewer than one restart, a hidden layer of no neurons, or `weight_bits` not in 2..12.
    """
    _check_settings(topology, restarts, weight_bits)
    candidates = []
    for number, random_state in enumerate(rng.integers(1 << 31, size=restarts)):
        network = train_float_mlp(
            X_train,
            y_train,
            hidden=topology,
            input_bits=input_bits,
            n_classes=n_classes,
            alpha=ALPHAS[number % len(ALPHAS)],
            random_state=int(random_state),
        )
        model = quantise_network(
            network, X_train, input_bits=input_bits, weight_bits=weight_bits, hidden_form=hidden_form
        )
        found = _accuracies(network, model, X_train, y_train, X_validation, y_validation)
        candidates.append((found, network, model))
    candidates.sort(key=lambda c: (-c[0].validation, -c[0].train))
    found, network, model = candidates[0]
    return ExactBaseline(model, network, found, tuple(c[1] for c in candidates))


def _check_settings(topology: Sequence[int], restarts: int, weight_bits: int) -> None:
    if restarts < 1:
        raise ConfigError(f"restarts must be at least 1, not {restarts}")
    if any(size < 1 for size in topology):
        raise ConfigError(f"topology: every hidden layer needs a neuron, not {tuple(topology)}")
    if not 2 <= weight_bits <= 12:
        raise ConfigError(f"weight_bits must be in 2..12, not {weight_bits}")


def _accuracies(
    network: FloatMLP,
    model: DiscreteMLP,
    X_train: NDArray[np.integer],
    y_train: NDArray[np.integer],
    X_validation: NDArray[np.integer],
    y_validation: NDArray[np.integer],
) -> Accuracies:
    return Accuracies(
        accuracy(network.predict(X_train), y_train),
        accuracy(network.predict(X_validation), y_validation),
        accuracy(model.predict(X_train), y_train),
        accuracy(model.predict(X_validation), y_validation),
    )
