"""From the estimator's parameters and rows to an order for a design run; what contradicts itself is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from flows.config import BUDGETS, DesignConfig, make_config, with_hidden
from flows.design import check_limits
from flows.estimator_run import METHODS, Order
from flows.mapping import REFINE
from printedmlp.errors import ConfigError, EstimatorError
from printedmlp.fitted import classifier_of_codes, hidden_sizes
from printedmlp.preparation import prepared
from printedmlp.samples import Dataset
from printedmlp.split import split_without_test
from printedmlp.technology import load_technology
from printedmlp.topology import default_hidden

NAME = "table"
"""What a table in memory is called in Verilog and on pages."""
SETTINGS = (*BUDGETS["quick"], "lsb", "msb", "jitter", "crossover_rate", "mutations_per_child", "removal_share")
SETTINGS += ("nearly_exact_share", "max_accuracy_loss", "proof_time_limit", "random_vectors")
"""Further settings of `flows.design` that make sense for arrays."""
SAME_NAME = ("budget", "metric", "input_bits", "technology", "max_area", "max_power", "min_accuracy")
"""Parameters that are settings of `flows.design` as they are."""
Parameters = Mapping[str, Any]


def order_for(
    parameters: Parameters,
    X: NDArray[np.float64],
    labels: NDArray[np.integer],
    classes: NDArray[Any],
    feature_names: Sequence[str],
) -> Order:
    """What to design.

    Parameters
    ----------
    parameters : of `PrintedMLPClassifier`, by name.
    X : (n_samples, n_features) finite numbers.
    labels : (n_samples,) indices of `classes`, which are the sorted labels.
    feature_names : as displayed.

    Raises
    ------
    EstimatorError : naming the parameter.
    PrintedMLPError : the technology or the table cannot be used.
    """
    seed, start = _seed(parameters["random_state"]), parameters["start"]
    config, technology = _config(parameters, seed, classes), load_technology(parameters["technology"])
    check_limits(config, technology)
    methods = _methods(parameters["methods"])
    dataset = Dataset.of_arrays(NAME, X, labels, feature_names, [str(label) for label in classes])
    split = split_without_test(dataset, seed=seed, validation=float(parameters["validation_fraction"]))
    ready = prepared(dataset, split, config.input_bits)
    given = None if start is None else classifier_of_codes(start, ready.quantiser, X[split.train], classes)
    return Order(ready, with_hidden(config, default_hidden(NAME, len(classes))), technology, methods, given)


def _seed(random_state: int | np.random.RandomState | None) -> int:
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def _config(parameters: Parameters, seed: int, classes: NDArray[Any]) -> DesignConfig:
    settings = {key: _plain(value) for key, value in (parameters["settings"] or {}).items()}
    strangers = [key for key in settings if key not in SETTINGS]
    if strangers:
        raise EstimatorError(f"settings: {strangers[0]!r} is not one of {', '.join(SETTINGS)}")
    values = {key: _plain(parameters[key]) for key in SAME_NAME}
    values |= {"dataset": NAME, "seed": seed, "hidden": _hidden(parameters["hidden"], parameters["start"])}
    values["class_weights"] = _weights(parameters["class_weights"], classes)
    try:
        return make_config(None, {**settings, **values})
    except TypeError as error:
        raise EstimatorError(f"settings: {error}") from None
    except ConfigError as error:
        raise EstimatorError(str(error)) from None


def _plain(value: Any) -> Any:
    """NumPy's numbers as Python's, which JSON and TOML can hold."""
    return value.item() if isinstance(value, np.generic) else value


def _methods(given: Sequence[str]) -> tuple[str, ...]:
    methods = (given,) if isinstance(given, str) else tuple(given)
    for method in methods:
        if method not in METHODS:
            raise EstimatorError(f"methods: {method!r} is not one of {', '.join(METHODS)}")
    if not set(methods) - {REFINE}:
        raise EstimatorError(f"methods: name at least one of {', '.join(m for m in METHODS if m != REFINE)}")
    return tuple(method for method in METHODS if method in methods)


def _hidden(hidden: Sequence[int] | None, start: Any) -> tuple[int, ...] | None:
    given = None if start is None else hidden_sizes(start)
    wanted = None if hidden is None else tuple(int(size) for size in hidden)
    if given is not None and wanted is not None and given != wanted:
        raise EstimatorError(f"hidden: {list(wanted)} are not the sizes of start, {list(given)}")
    return given if wanted is None else wanted


def _weights(spec: Mapping[Any, float] | str | None, classes: NDArray[Any]) -> str | tuple[float, ...] | None:
    if spec is None or isinstance(spec, str):
        return spec
    labels = classes.tolist()
    strangers = [label for label in spec if label not in labels]
    missing = [label for label in labels if label not in spec]
    if strangers or missing:
        what = f"{strangers[0]!r} is no class" if strangers else f"no weight for class {missing[0]!r}"
        raise EstimatorError(f"class_weights: {what} of the table")
    return tuple(float(spec[label]) for label in labels)
