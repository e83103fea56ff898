"""The estimator: what fit leaves, what it answers by, and that broken circuits and contradictions are refused."""

import json
import pickle
import warnings
from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from flows import estimator_run, mapping
from flows.estimator import PrintedMLPClassifier
from flows.estimator_choice import chosen
from flows.estimator_settings import SETTINGS
from hdl.synthesis import read_netlist
from printedmlp.circuit import Instance
from printedmlp.circuit.simulate import classes, input_bits_of, simulate
from printedmlp.errors import EstimatorError, PrintedMLPError, VerificationError
from printedmlp.quantise import Quantiser
from printedmlp.technology import load_technology
from tests.flows.test_estimator_checks import small

IRIS = load_iris()
X, Y = IRIS.data, IRIS.target_names[IRIS.target]


def quietly(model):
    """A network fitted to the table, however far its training came."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, Y)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def fitted(runs):
    return small(folder=runs, probability=True, settings={"tree_generations": 1, "candidates": 4}).fit(X, Y)


def answers_of_netlist(estimator, rows):
    technology = load_technology("egfet")
    netlist = read_netlist(estimator.to_verilog("netlist"), technology)
    bits = input_bits_of(estimator.quantiser_.transform(rows), estimator.input_bits)
    return classes(netlist, simulate(netlist, technology, bits, len(rows)), len(rows))


def test_every_answer_is_that_of_the_netlist(fitted):
    rows = np.random.default_rng(0).uniform(X.min(axis=0) - 1, X.max(axis=0) + 1, size=(500, 4))
    for design in fitted.front_:
        twin = fitted.with_circuit(design.id)
        assert (twin.predict(rows) == fitted.classes_[answers_of_netlist(twin, rows)]).all()
        assert design.proved


def test_the_front_is_sorted_and_the_rule_took_the_smallest_that_is_good_enough(fitted):
    areas, merits = ([getattr(design, key) for design in fitted.front_] for key in ("area_cm2", "merit"))
    assert len(areas) > 2
    assert areas == sorted(areas)
    assert fitted.circuit_ is next(d for d in fitted.front_ if d.merit >= max(merits) - fitted.max_loss)
    assert fitted.score(X, Y) > 0.9


def test_searches_saw_training_rows_only_and_there_are_no_test_rows(fitted):
    record = json.loads((fitted.run_folder_ / "dataset.json").read_text())
    train, validation, test = (record["split"][part] for part in ("train", "validation", "test"))
    assert test == []
    assert sorted(train + validation) == list(range(150))
    # A quarter of 50 rows of each class; equal remainders go to the earlier part.
    assert np.bincount(IRIS.target[validation]).tolist() == [12, 12, 12]
    assert not (fitted.run_folder_ / "vectors" / "test.csv").exists()
    assert fitted.quantiser_.low.tolist() == X[train].min(axis=0).tolist()
    assert fitted.quantiser_.high.tolist() == X[train].max(axis=0).tolist()


def test_the_same_fit_goes_on_in_its_folder(fitted, runs, monkeypatch):
    before = sorted(path.name for path in runs.iterdir())
    monkeypatch.setattr(mapping, "map_verilog", lambda *a, **k: pytest.fail("mapped again"))
    again = clone(fitted).fit(X, Y)
    assert again.to_json() == fitted.to_json()
    assert sorted(path.name for path in runs.iterdir()) == before


def test_a_pickle_outlives_the_temporary_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    estimator = make_pipeline(StandardScaler(), small()).fit(X, Y)
    assert list(tmp_path.iterdir()) == []
    twin = pickle.loads(pickle.dumps(estimator))
    assert twin[-1].run_folder_ is None
    assert (twin.predict(X) == estimator.predict(X)).all()
    assert twin[-1].to_verilog() == estimator[-1].to_verilog()
    assert not hasattr(twin, "predict_proba")


def test_shares_are_counted_on_validation_rows(fitted):
    design = replace(fitted.circuit_, answers=((7, 0, 0), (0, 3, 2), (0, 0, 0)), validation_accuracy=0.8)
    twin = fitted.with_circuit(design.id)
    twin.circuit_ = design
    shares = twin.predict_proba(X)[np.unique(fitted.predict(X), return_index=True)[1]]
    # Three made-up rows of each answer: 2.4 right, 0.3 of either other class.
    wanted = [[9.4 / 10, 0.3 / 10, 0.3 / 10], [0.3 / 8, 5.4 / 8, 2.3 / 8], [0.1, 0.1, 0.8]]
    assert shares == pytest.approx(np.array(wanted))
    assert sum(map(sum, fitted.circuit_.answers)) == 36


def test_another_circuit_of_the_front(fitted):
    least = fitted.with_circuit(fitted.front_[0].id)
    assert least.circuit_ is fitted.front_[0] is not fitted.circuit_
    assert fitted.score(X, Y) > least.score(X, Y)
    with pytest.raises(EstimatorError, match="no circuit 'tree-99'; the front has tree-1, "):
        fitted.with_circuit("tree-99")


def made_up(design, *points):
    return [
        replace(design, id=str(k), merit=merit, area_cm2=area, power_mw=power)
        for k, (merit, area, power) in enumerate(points)
    ]


@pytest.mark.parametrize(
    ("rule", "loss", "taken"),
    [("area", 0.05, "1"), ("power", 0.05, "2"), ("merit", 0.05, "3"), ("area", 0.0, "3"), ("area", 1.0, "0")],
)
def test_rules_of_choice(fitted, rule, loss, taken):
    front = made_up(fitted.circuit_, (0.5, 1, 1), (0.9, 2, 3), (0.92, 3, 2), (0.95, 4, 4))
    assert chosen(front, rule, loss).id == taken


def test_a_function_chooses_among_the_front_and_nothing_else(fitted):
    front = made_up(fitted.circuit_, (0.5, 1, None), (0.9, 2, 3))
    assert chosen(front, lambda designs: designs[0], 0.0) is front[0]
    with pytest.raises(EstimatorError, match="no circuit of the front"):
        chosen(front, lambda designs: replace(designs[0]), 0.0)
    with pytest.raises(EstimatorError, match="needs a technology with power figures"):
        chosen(front, "power", 0.0)


def test_the_page_is_self_contained_and_escapes_names(fitted, tmp_path):
    twin = fitted.with_circuit(fitted.circuit_.id)
    twin._class_names = ("<script>", "b", "c")
    text = twin.report(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text() == text == twin.report()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "http" not in text.replace("http://www.w3.org", "")
    assert all(design.id in text for design in fitted.front_)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"methods": ("trees",)}, "methods: 'trees' is not one of paper, tree, search, refine"),
        ({"methods": ("refine",)}, "methods: name at least one of paper, tree, search"),
        ({"settings": {"dataset": "iris"}}, "settings: 'dataset' is not one of"),
        ({"settings": {"generations": -1}}, "generations: -1 is not in"),
        ({"settings": {"generations": "many"}}, "settings: "),
        ({"class_weights": {"setosa": 1, "rose": 2}}, "class_weights: 'rose' is no class of the table"),
        ({"class_weights": {"setosa": 1}}, "class_weights: no weight for class 'versicolor'"),
        ({"class_weights": {"setosa": 1, "versicolor": 1, "virginica": 0}}, "0.0 is not a positive number"),
        ({"hidden": (0,)}, r"hidden: \[0\] must be layer sizes"),
        ({"start": DecisionTreeClassifier()}, "the DecisionTreeClassifier is not fitted"),
        (
            {"start": quietly(MLPClassifier((2,), solver="lbfgs", max_iter=5)), "hidden": (3,)},
            r"hidden: \[3\] are not the sizes of start, \[2\]",
        ),
    ],
)
def test_parameters_that_contradict_something_are_refused_in_a_line(changes, message):
    with pytest.raises(EstimatorError, match=message) as raised:
        small(**changes).fit(X, Y)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "changes", [{"input_bits": 9}, {"max_loss": 2}, {"budget": "long"}, {"choose": "cost"}, {"metric": "auc"}]
)
def test_scikit_learn_names_parameters_out_of_range(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        small(**changes).fit(X, Y)


def test_tables_that_no_circuit_can_be_made_of(fitted):
    with pytest.raises(EstimatorError, match="y holds one class only"):
        small().fit(X[:50], Y[:50])
    with pytest.raises(PrintedMLPError, match="no class has two rows"):
        small().fit(X[[0, 60, 120]], Y[[0, 60, 120]])
    with pytest.raises(ValueError, match="3 features, but PrintedMLPClassifier is expecting 4"):
        fitted.predict(X[:, :3])
    with pytest.raises(NotFittedError):
        small().to_verilog()


def test_limits_that_nothing_keeps_to_are_told_with_the_nearest_circuit():
    with pytest.raises(EstimatorError, match="no circuit keeps to the limits; the nearest, "):
        small(max_area=0.0, min_accuracy=1.0).fit(X, Y)


def flipped(netlist):
    """The netlist with its last NAND2 a NOR2."""
    place = max(k for k, instance in enumerate(netlist.instances) if instance.cell == "NAND2X1")
    wrong = Instance("NOR2X1", netlist.instances[place].inputs)
    return replace(netlist, instances=(*netlist.instances[:place], wrong, *netlist.instances[place + 1 :]))


def test_a_flipped_gate_ends_fit_by_proof_and_by_simulation(fitted, tmp_path, monkeypatch):
    again = clone(fitted).set_params(folder=tmp_path)
    read = mapping.netlist_of
    broken = {design.netlist: flipped(design.netlist) for design in fitted.front_[1:]}
    monkeypatch.setattr(
        estimator_run, "netlist_of", lambda job, entry: broken.get(netlist := read(job, entry), netlist)
    )
    # Damaged in memory, the netlist is no longer the one that was written.
    with pytest.raises(VerificationError, match=r"netlist\.v is not the netlist that was mapped"):
        again.fit(X, Y)
    monkeypatch.setattr("flows.proofs.check_written", lambda *_: None)
    with pytest.raises(VerificationError, match="is refuted: the netlist answers"):
        again.fit(X, Y)
    monkeypatch.setattr(estimator_run, "prove_all", lambda job, claims: [{} for _ in claims])
    with pytest.raises(VerificationError, match=r"the netlist answers . for codes"):
        again.fit(X, Y)


def test_settings_are_names_that_flows_design_knows():
    assert all(hasattr(estimator_run.DesignConfig, name) for name in SETTINGS)


def test_a_given_tree_is_among_those_that_the_search_starts_from(fitted, runs):
    start = DecisionTreeClassifier(max_depth=4, splitter="random", random_state=7).fit(X, Y)
    estimator = small(folder=runs, start=FrozenEstimator(start)).fit(X, Y)
    given = json.loads((estimator.run_folder_ / "search" / "given.json").read_text())
    found = json.loads((estimator.run_folder_ / "search" / "tree.json").read_text())["found"]
    assert given["networks"] == []
    assert given["trees"][0] in [entry["model"] for entry in found]
    assert clone(estimator).fit(X, Y).run_folder_ == estimator.run_folder_ != fitted.run_folder_
    with pytest.raises(EstimatorError, match="FrozenEstimator"):
        clone(estimator).set_params(start=clone(start)).fit(X, Y)


@pytest.mark.slow
def test_a_given_network_is_in_the_first_populations(runs):
    network = MLPClassifier((3,), solver="lbfgs", max_iter=100, random_state=1)
    network = quietly(make_pipeline(StandardScaler(), network))
    few = {"restarts": 1, "population": 16, "generations": 0, "chains": 1, "proposals": 50, "candidates": 2}
    share = {"nearly_exact_share": 0.1}
    estimator = PrintedMLPClassifier(
        methods=("paper", "search"), settings={**few, **share}, start=network, folder=runs
    ).fit(X, Y)
    given = json.loads((estimator.run_folder_ / "search" / "given.json").read_text())
    # Two of 16 come from starts, the first of them the given one; no generation has changed it.
    found = json.loads((estimator.run_folder_ / "search" / "paper.json").read_text())["found"]
    assert len(given["networks"]) == 1
    assert given["networks"][0] in [entry["model"] for entry in found]
    assert estimator.score(X, Y) > 0.8


@pytest.mark.slow
def test_parameter_searches_and_cross_validation(runs):
    grid = GridSearchCV(small(), {"max_loss": [0.0, 0.4], "input_bits": [2]}, cv=2).fit(X, Y)
    assert grid.best_params_["max_loss"] == 0.0
    assert grid.best_estimator_.quantiser_.input_bits == 2
    scores = cross_val_score(make_pipeline(StandardScaler(), small(n_jobs=-1)), X, Y, cv=3)
    assert scores.min() > 0.8


@pytest.mark.slow
def test_cores_do_not_change_the_result():
    few = {"tree_generations": 1, "candidates": 2, "refine_starts": 2, "refine_moves": 2000, "power_moves": 500}
    one, two = (
        PrintedMLPClassifier(methods=("tree", "refine"), settings=few, n_jobs=n).fit(X, Y).to_json() for n in (1, 2)
    )
    assert one == two


@pytest.mark.tools
def test_the_whole_report_is_that_of_a_design_run_on_the_given_rows(runs, monkeypatch):
    train, test = np.arange(0, 150, 2), np.arange(1, 150, 2)
    estimator = small(folder=runs, settings={"tree_generations": 1, "candidates": 2, "restarts": 1})
    estimator.fit(X[train], Y[train])
    page = estimator.full_report(X[test], Y[test])
    front = json.loads((page.parent / "front.json").read_text())
    record = next(point for point in front["front"] if point["area_cm2"] == estimator.circuit_.area_cm2)
    assert record["n"] == 75
    assert record["accuracy"] == pytest.approx(estimator.score(X[test], Y[test]))
    assert record["verification"]["passed"]
    assert page.read_text().startswith("<!doctype html>")
    monkeypatch.setattr("flows.circuits.verify_many", lambda *_: pytest.fail("simulated again"))
    assert estimator.full_report(X[test], Y[test]) == page


def test_a_whole_report_needs_the_runs_files(fitted, tmp_path):
    with pytest.raises(EstimatorError, match="set folder before fit"):
        PrintedMLPClassifier.from_json(fitted.to_json()).full_report(X, Y)
    with pytest.raises(EstimatorError, match="'rose' is not among the classes of fit"):
        fitted.full_report(X[:1], ["rose"])
    twin = fitted.with_circuit(fitted.circuit_.id)
    twin.run_folder_ = tmp_path
    with pytest.raises(EstimatorError, match="is not as fit left it"):
        twin.full_report(X, Y)


def test_the_quantiser_is_that_of_the_flow(fitted):
    record = json.loads((fitted.run_folder_ / "quantiser.json").read_text())
    assert Quantiser.from_json(record).to_json() == fitted.quantiser_.to_json()
