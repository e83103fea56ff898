"""Scikit-learn's own checks of an estimator: all of them as a slow test, those that fit little in the quick set."""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks

from flows.estimator import PrintedMLPClassifier

FEW = {"tree_generations": 1, "candidates": 2}
"""The smallest and the most accurate tree go on to synthesis, so that there is a front."""
QUICK = {
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_estimator_cloneable",
    "check_estimators_unfitted",
    "check_get_params_invariance",
    "check_set_params",
    "check_complex_data",
    "check_classifiers_one_label",
    "check_classifiers_regression_target",
    "check_n_features_in",
}


PROBABILITY = {
    "check_classifiers_train",
    "check_decision_proba_consistency",
    "check_estimators_pickle",
    "check_methods_sample_order_invariance",
    "check_methods_subset_invariance",
}
"""Checks that look at probabilities where there are some."""


def small(**parameters):
    """An estimator whose fit is as little work as the flow honestly does: a tree or two, mapped and proved."""
    return PrintedMLPClassifier(**{"methods": ("tree",), "settings": FEW, **parameters})


def checks_of(estimator):
    """Scikit-learn's checks of an estimator by name."""
    return {check.func.__name__: check for _, check in estimator_checks_generator(estimator)}


@pytest.mark.slow
@parametrize_with_checks([small()])
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(PROBABILITY))
def test_scikit_learns_checks_of_probabilities(name):
    with_shares = small(probability=True)
    checks_of(with_shares)[name](with_shares)


@pytest.mark.parametrize("name", sorted(QUICK))
def test_scikit_learns_quick_checks(name):
    checks_of(small())[name](small())


def test_a_check_can_fail():
    class Meddling(PrintedMLPClassifier):
        def __init__(self, *, max_loss=0.01):
            super().__init__(max_loss=2 * max_loss)

    with pytest.raises(RuntimeError, match="modifies parameter max_loss"):
        checks_of(small())["check_parameters_default_constructible"](Meddling())
