"""`PrintedMLPClassifier`: a design run behind scikit-learn's interface.

`fit` runs the stages of `flows.design` on the rows it is given, all but those that need test rows, and keeps the
front of verified circuits; one of them, chosen by a rule, is the classifier. Every answer of `predict` is that of
the integer classifier which the circuit's netlist is checked against.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from joblib import effective_n_jobs  # type: ignore[import-untyped]
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from flows.config import BUDGETS
from flows.estimator_choice import RULES, chosen
from flows.estimator_file import Portable
from flows.estimator_page import page
from flows.estimator_report import full_report
from flows.estimator_run import METHODS, Order, found_designs
from flows.estimator_settings import order_for
from flows.header import header_lines
from flows.printed_design import PrintedDesign, named_classes
from flows.progress import Reporter
from flows.run import sha256_text, write_text
from hdl.synthesis import netlist_verilog
from printedmlp.cores import at_most
from printedmlp.errors import EstimatorError
from printedmlp.metrics import METRICS
from printedmlp.quantise import MOST_BITS
from printedmlp.technology import load_technology


class PrintedMLPClassifier(ClassifierMixin, BaseEstimator):
    """A classifier that can be printed, found by hardware-aware search and proved to be its circuit.

    Parameters
    ----------
    budget : "quick", "standard" or "thorough": how long the methods search and how hard synthesis tries.
    methods : which of "paper" (the genetic trainer of DATE 2024), "tree", "search" (annealed networks) and "refine"
        (gate-level evolution of what the others found) to try; at least one of the first three.
    metric : "accuracy", "balanced_accuracy" or "macro_f1"; what circuits are chosen by. `score` is accuracy always.
    class_weights : what a wrong training row counts in the search, by class: "balanced", a dictionary from label to
        a positive number, or None for equal weights, balanced ones where the metric is not accuracy.
    input_bits : bits of each quantised feature, 1 to 8.
    hidden : sizes of the hidden layers of the method "paper"; None takes those of `start`, or a rule.
    technology : "egfet", "cnt_tft" or the path of a TOML file.
    max_area, max_power : hard limits of a circuit in cm2 and in mW at the nominal voltage.
    min_accuracy : least value of the metric on the validation rows.
    choose : which circuit of the front is the classifier, among those whose merit is at most `max_loss` below the
        best: "area" takes the smallest, "power" the one that draws least, and "merit" the best of all whatever
        `max_loss` is. A function is given the list `front_` and returns one of it.
    max_loss : merit that may be given up, 0 to 1.
    validation_fraction : share of the rows, class by class, that searches do not train on.
    probability : offer `predict_proba`.
    start : a fitted `MLPClassifier` (activation "relu") or `DecisionTreeClassifier` for the search to start from,
        perhaps the end of a pipeline that scales each feature alone. In a parameter search it must be wrapped in
        `sklearn.frozen.FrozenEstimator`, since cloning drops a fit.
    settings : further settings of `flows.design` by name, such as {"generations": 500}.
    random_state : of the split and all searches. The same number and rows give the same circuits.
    folder : where runs are kept, each in a folder of its own named by everything that decides it; the same fit
        later goes on there. None works in a temporary folder.
    n_jobs : cores that `fit` may use; None is one, -1 all. The result does not depend on it.
    verbose : print a line for every stage.

    Attributes
    ----------
    classes_ : (n_classes,) labels in the order of the circuit's output codes.
    n_features_in_, feature_names_in_ : of the table; the names only where it had any.
    front_ : list of `PrintedDesign`, smallest first.
    circuit_ : the one that `predict` answers by.
    quantiser_ : from the table's units to codes; it saw training rows only.
    table_ : name and SHA-256 of the table, as Verilog files name it.
    run_folder_ : the run's files; None where they were temporary.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "budget": [StrOptions(set(BUDGETS))],
        "methods": ["array-like"],
        "metric": [StrOptions(set(METRICS))],
        "class_weights": [StrOptions({"balanced"}), dict, None],
        "input_bits": [Interval(Integral, 1, MOST_BITS, closed="both")],
        "hidden": ["array-like", None],
        "technology": [str],
        "max_area": [Interval(Real, 0, None, closed="left"), None],
        "max_power": [Interval(Real, 0, None, closed="left"), None],
        "min_accuracy": [Interval(Real, 0, 1, closed="both"), None],
        "choose": [StrOptions(set(RULES)), callable],
        "max_loss": [Interval(Real, 0, 1, closed="both")],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "probability": ["boolean"],
        "start": [object],
        "settings": [dict, None],
        "random_state": ["random_state"],
        "folder": [str, Path, None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        *,
        budget: Literal["quick", "standard", "thorough"] = "quick",
        methods: Sequence[str] = METHODS,
        metric: str = "accuracy",
        class_weights: Mapping[Any, float] | Literal["balanced"] | None = None,
        input_bits: int = 4,
        hidden: Sequence[int] | None = None,
        technology: str = "egfet",
        max_area: float | None = None,
        max_power: float | None = None,
        min_accuracy: float | None = None,
        choose: str | Callable[[list[PrintedDesign]], PrintedDesign] = "area",
        max_loss: float = 0.01,
        validation_fraction: float = 0.25,
        probability: bool = False,
        start: Any = None,
        settings: Mapping[str, Any] | None = None,
        random_state: int | np.random.RandomState | None = 0,
        folder: str | Path | None = None,
        n_jobs: int | None = None,
        verbose: bool = False,
    ) -> None:
        self.budget = budget
        self.methods = methods
        self.metric = metric
        self.class_weights = class_weights
        self.input_bits = input_bits
        self.hidden = hidden
        self.technology = technology
        self.max_area = max_area
        self.max_power = max_power
        self.min_accuracy = min_accuracy
        self.choose = choose
        self.max_loss = max_loss
        self.validation_fraction = validation_fraction
        self.probability = probability
        self.start = start
        self.settings = settings
        self.random_state = random_state
        self.folder = folder
        self.n_jobs = n_jobs
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Design circuits for a table and choose one.

        Parameters
        ----------
        X : (n_samples, n_features) finite numbers.
        y : (n_samples,) labels of at least two classes.

        Raises
        ------
        EstimatorError, ValueError : what the table or a parameter is that no circuit can be made of.
        PrintedMLPError : a setting, tool or technology that cannot be used.
        """
        rows, targets = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(targets)
        classes, labels = np.unique(targets, return_inverse=True)
        if len(classes) < 2:
            raise EstimatorError(f"y holds one class only ({classes[0]!r}); a classifier needs two")
        names = [str(name) for name in getattr(self, "feature_names_in_", [f"x{i}" for i in range(rows.shape[1])])]
        order = order_for(self.get_params(deep=False), rows, labels, classes, names)
        folder = None if self.folder is None else Path(self.folder, _folder_name(order))
        with at_most(effective_n_jobs(self.n_jobs)), tempfile.TemporaryDirectory(prefix="printedmlp-") as place:
            front = found_designs(order, folder or Path(place, "run"), Reporter(quiet=not self.verbose))
        self.classes_, self.front_, self.run_folder_ = classes, front, folder
        self.quantiser_ = order.ready.quantiser
        self.table_ = {"name": order.dataset.name, "sha256": order.dataset.sha256}
        self._class_names, self._majority = order.dataset.class_names, order.ready.majority_class
        self.circuit_ = chosen(front, self.choose, self.max_loss)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Label of each row of X (n_samples, n_features): what the circuit answers, (n_samples,).

        A word that names no class, which few circuits ever give, is read as the most frequent training class.
        """
        answers = self._answers(X)
        return np.asarray(self.classes_[answers])

    def _answers(self, X: ArrayLike) -> NDArray[np.int64]:
        check_is_fitted(self)
        codes = self.quantiser_.transform(validate_data(self, X, reset=False, dtype=np.float64))
        return named_classes(self.circuit_.model.predict(codes), len(self.classes_), self._majority)

    @available_if(lambda self: self.probability)
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Share of each class among validation rows that the circuit answered alike, (n_samples, n_classes).

        A printed circuit says a class and nothing of how sure it is, so rows answered alike have the same shares.
        They are counted with one made-up row for each class, divided as if answers were right as often as on all
        validation rows. The largest share may be another class than the answer, where the circuit errs that often.
        """
        answers = self._answers(X)
        return _shares(self.circuit_)[answers]

    def with_circuit(self, name: str) -> Self:
        """A fitted copy that answers by another circuit of the front, named by its `id`."""
        check_is_fitted(self)
        found = [design for design in self.front_ if design.id == name]
        if not found:
            raise EstimatorError(f"no circuit {name!r}; the front has {', '.join(d.id for d in self.front_)}")
        twin = type(self)(**self.get_params(deep=False))
        twin.__dict__.update({**self.__dict__, "circuit_": found[0]})
        return twin

    def to_verilog(self, kind: Literal["rtl", "netlist"] = "rtl") -> str:
        """The circuit as Verilog of module `top`: behavioural ("rtl") or in printed cells ("netlist")."""
        check_is_fitted(self)
        design = self.circuit_
        table = {**self.table_, "classes": list(self._class_names)}
        header = header_lines(f"printedmlp circuit {design.id}", table, self.quantiser_.to_json(), design.model)
        if kind == "rtl":
            return design.rtl(header)
        if kind == "netlist":
            return netlist_verilog(design.netlist, load_technology(self.technology), header=header)
        raise EstimatorError(f"kind: {kind!r} is neither 'rtl' nor 'netlist'")

    def report(self, path: str | Path | None = None) -> str:
        """A self-contained page about circuit and front on the rows of `fit`: its HTML, written if asked."""
        check_is_fitted(self)
        text = page(self.front_, self.circuit_, load_technology(self.technology), self.metric, self._class_names)
        if path is not None:
            write_text(Path(path), text)
        return text

    def full_report(self, X: ArrayLike, y: ArrayLike) -> Path:
        """Go on with the stages that need test rows, and return the path of the page that `flows.design` writes.

        The exact baselines are made, every circuit is simulated with Verilator, and figures are those on the test
        rows given here, which must not have been in `fit`. Needs the run's files: set `folder` before `fit`.
        """
        check_is_fitted(self)
        if self.run_folder_ is None:
            raise EstimatorError("the run was temporary; set folder before fit to go on with it")
        rows = validate_data(self, X, reset=False, dtype=np.float64)
        labels = np.asarray(y)
        strangers = sorted(set(labels.tolist()) - set(self.classes_.tolist()), key=str)
        if strangers:
            raise EstimatorError(f"y: {strangers[0]!r} is not among the classes of fit")
        if len(rows) != len(labels):
            raise EstimatorError(f"X has {len(rows)} rows, y {len(labels)}")
        test = np.searchsorted(self.classes_, labels)
        with at_most(effective_n_jobs(self.n_jobs)):
            return full_report(self.run_folder_, rows, test, self._class_names, Reporter(quiet=not self.verbose))

    def to_json(self) -> str:
        """The circuit with all that is needed to use it elsewhere, as JSON text; `from_json` reads it."""
        check_is_fitted(self)
        names = [str(name) for name in getattr(self, "feature_names_in_", [])]
        portable = Portable(
            technology=self.technology,
            metric=self.metric,
            probability=bool(self.probability),
            table=self.table_,
            classes=self.classes_,
            class_names=self._class_names,
            majority=self._majority,
            feature_names=tuple(names),
            quantiser=self.quantiser_,
            design=self.circuit_,
        )
        return json.dumps(portable.to_json(), indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, *, technology: str | None = None) -> Self:
        """A fitted estimator from what `to_json` wrote, its front the one circuit. Nothing in the text is executed.

        Parameters
        ----------
        text : JSON.
        technology : the cells, where the text does not name built-in ones: no path in a text is followed.

        Raises
        ------
        PrintedMLPError : one line that names what is wrong with the text.
        """
        portable = Portable.loads(text, technology)
        estimator = cls()
        estimator.set_params(
            technology=portable.technology, metric=portable.metric, probability=portable.probability
        )
        estimator.classes_, estimator.quantiser_ = portable.classes, portable.quantiser
        estimator.front_, estimator.circuit_ = [portable.design], portable.design
        estimator.n_features_in_ = portable.design.model.n_features
        if portable.feature_names:
            estimator.feature_names_in_ = np.array(portable.feature_names, dtype=object)
        estimator.table_, estimator.run_folder_ = dict(portable.table), None
        estimator._class_names, estimator._majority = portable.class_names, portable.majority
        return estimator


def _folder_name(order: Order) -> str:
    return sha256_text(json.dumps(order.settings(), sort_keys=True))[:16]


def _shares(design: PrintedDesign) -> NDArray[np.float64]:
    """(C, C) shares of the classes by answer."""
    counts = np.asarray(design.answers, dtype=np.float64)
    n = len(counts)
    right = design.validation_accuracy
    prior = np.where(np.eye(n, dtype=bool), right, (1 - right) / (n - 1))
    return np.asarray((counts + n * prior) / (counts.sum(axis=1, keepdims=True) + n), dtype=np.float64)
