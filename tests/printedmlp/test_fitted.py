"""Fitted networks and trees as classifiers of codes: by hand, through scalers, and what is refused."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.frozen import FrozenEstimator
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, RobustScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from printedmlp.errors import EstimatorError
from printedmlp.fitted import classifier_of_codes, hidden_sizes
from printedmlp.float_mlp import FloatMLP
from printedmlp.quantise import Quantiser
from printedmlp.trees import DecisionTree, Leaf, Test

X, Y = load_iris(return_X_y=True)
CLASSES = np.unique(Y)
QUANTISER = Quantiser.fit(X, 4, ["a", "b", "c", "d"])


def quietly(model, rows, labels):
    """A fitted model, however far its training came."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows, labels)


def middles(codes):
    step = (QUANTISER.high - QUANTISER.low) / 16
    return QUANTISER.low + (codes + 0.5) * step


def tree_of_codes(*arguments):
    found = classifier_of_codes(*arguments)
    assert isinstance(found, DecisionTree)
    return found


@pytest.fixture(scope="module")
def network():
    return MLPClassifier((4,), solver="lbfgs", max_iter=60, random_state=0, alpha=1.0)


def test_a_stump_by_hand():
    values, labels = np.array([[0.0], [4.0], [12.0], [16.0]]), np.array([5, 5, 9, 9])
    quantiser = Quantiser.fit(values, 4, ["x"])
    stump = DecisionTreeClassifier().fit(values, labels)
    tree = tree_of_codes(stump, quantiser, values, [5, 9])
    assert tree.nodes == (Test(0, 8, 1, 2), Leaf(0), Leaf(1))


def test_a_falling_scale_swaps_the_branches():
    values, labels = np.array([[0.0], [4.0], [12.0], [16.0]]), np.array([5, 5, 9, 9])
    quantiser = Quantiser.fit(values, 4, ["x"])
    falling = make_pipeline(FunctionTransformer(lambda x: 3 - 2 * x), DecisionTreeClassifier()).fit(values, labels)
    tree = tree_of_codes(falling, quantiser, values, [5, 9])
    assert tree.nodes == (Test(0, 8, 1, 2), Leaf(0), Leaf(1))


def test_a_threshold_that_no_row_reaches_goes_with_its_test():
    stump = DecisionTreeClassifier().fit([[0.0], [100.0]], [0, 1])
    rows = np.array([[0.0], [16.0]])
    assert tree_of_codes(stump, Quantiser.fit(rows, 4, ["x"]), rows, [0, 1]).nodes == (Leaf(0),)
    constant = np.array([[70.0], [70.0]])
    assert tree_of_codes(stump, Quantiser.fit(constant, 4, ["x"]), constant, [0, 1]).nodes == (Leaf(1),)


@pytest.mark.parametrize("scalers", [(), (StandardScaler(),), (MinMaxScaler((-1, 3)), RobustScaler())])
def test_a_network_answers_the_middle_of_a_code_as_before(network, scalers):
    fitted = quietly(make_pipeline(*scalers, network), X, Y)
    taken = classifier_of_codes(fitted, QUANTISER, X, CLASSES)
    assert isinstance(taken, FloatMLP)
    codes = np.random.default_rng(0).integers(0, 16, size=(200, 4))
    assert (taken.predict(codes) == fitted.predict(middles(codes))).all()


def test_two_classes_and_one_that_the_network_never_saw(network):
    fitted = quietly(network, X[Y > 0], Y[Y > 0])
    taken = classifier_of_codes(fitted, QUANTISER, X, CLASSES)
    codes = np.random.default_rng(0).integers(0, 16, size=(200, 4))
    assert (taken.predict(codes) == fitted.predict(middles(codes))).all()


def test_a_tree_agrees_but_between_two_thresholds():
    fitted = make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=3, random_state=0)).fit(X, Y)
    taken = classifier_of_codes(FrozenEstimator(fitted), QUANTISER, X, CLASSES)
    assert (taken.predict(QUANTISER.transform(X)) == fitted.predict(X)).mean() > 0.9


@pytest.mark.parametrize(
    ("start", "message"),
    [
        (make_pipeline(PCA(), DecisionTreeClassifier()).fit(X, Y), r"steps \(pca\) do more than scale"),
        (make_pipeline(PCA(2), DecisionTreeClassifier()).fit(X, Y), r"steps \(pca\) do more than scale"),
        (MLPClassifier(), "MLPClassifier is not fitted; .*FrozenEstimator"),
        (quietly(MLPClassifier((2,), activation="tanh", max_iter=1), X, Y), "activation 'tanh'"),
        (quietly(MLPClassifier((2,), max_iter=1), X, np.eye(3, dtype=int)[Y]), "more than one question"),
        (DecisionTreeClassifier().fit(X, np.column_stack([Y, Y])), "more than one question"),
        (DecisionTreeClassifier().fit(X[:, :2], Y), "fitted to 2 features, the table has 4"),
        (DecisionTreeClassifier().fit(X, Y + 1), "class 3 is not among"),
        (StandardScaler().fit(X), "StandardScaler is no MLPClassifier"),
        ("a text", "str is no MLPClassifier"),
    ],
)
def test_what_cannot_be_a_start_is_refused_in_a_line(start, message):
    with pytest.raises(EstimatorError, match=message) as raised:
        classifier_of_codes(start, QUANTISER, X, CLASSES)
    assert "\n" not in str(raised.value)


def test_features_in_another_order_are_refused():
    fitted = DecisionTreeClassifier(max_depth=2).fit(X, Y)
    fitted.feature_names_in_ = np.array(["A", "B", "C", "D"], dtype=object)
    assert tree_of_codes(fitted, QUANTISER, X, CLASSES).n_leaves > 1
    fitted.feature_names_in_ = np.array(["b", "a", "c", "d"], dtype=object)
    with pytest.raises(EstimatorError, match="in another order"):
        classifier_of_codes(fitted, QUANTISER, X, CLASSES)


def test_hidden_sizes(network):
    fitted = quietly(network, X, Y)
    assert hidden_sizes(fitted) == hidden_sizes(FrozenEstimator(make_pipeline(StandardScaler(), fitted))) == (4,)
    assert hidden_sizes(DecisionTreeClassifier()) is None
