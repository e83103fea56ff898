"""The benchmarks that look at single circuits of finished runs."""

import json

import numpy as np
import pytest

from benchmarks import blocks, layout, power, timing
from benchmarks.run_circuits import RunCircuit, run_circuits
from printedmlp.circuit import classes, input_bits_of, simulate
from printedmlp.technology import load_technology
from printedmlp.trees import grown
from printedmlp.vectors import Vectors
from tests.hdl.test_blocks import network
from tests.netlists import inverter_chain

EGFET = load_technology("egfet")


@pytest.mark.tools
def test_a_network_made_block_by_block_is_the_same_function():
    model = network()
    netlist, labels = blocks.joined(model, EGFET)
    X = np.random.default_rng(0).integers(0, 16, (500, 4)).astype(np.uint8)
    values = simulate(netlist, EGFET, input_bits_of(X, 4), len(X))
    assert np.array_equal(classes(netlist, values, len(X)), model.predict(X))
    assert len(labels) == len(netlist.instances)
    assert {"hidden 0", "hidden 1", "argmax"} <= set(labels)


def test_sorted_rows_switch_less_than_the_same_in_random_order():
    def ratio(*codes):
        rows = np.array(codes, dtype=np.uint8)[:, None]
        vectors = Vectors(rows, np.zeros(len(rows), dtype=np.int64), 2, 0)
        tree = grown(1, 1, 2, (0, 1, 0, 1))
        return power.shuffled(RunCircuit("x", "tree", tree, inverter_chain(1), vectors, 1, ("x",)), EGFET)

    assert ratio(*[0] * 8, *[1] * 8) > 3
    assert ratio(*[0, 1] * 8) < 1
    assert ratio(0, 0, 0) is None


@pytest.mark.tools
def test_tables_of_a_run(run_folder, tmp_path, capsys):
    folder = tmp_path / "iris-s0"
    folder.symlink_to(run_folder, target_is_directory=True)
    figures = tmp_path / "figures.json"
    power.main(["iris", "--folder", str(tmp_path), "--json", str(figures)])
    records = json.loads(figures.read_text())
    assert {record["stage"] for record in records} >= {"exact", "textbook", "search", "refine"}
    for record in records:
        if record["cells"]:
            assert record["fastest"]["leakage_share"] <= record["leakage_share"]["1"] <= 1
            assert record["leakage_share_with_glitches"] <= record["leakage_share"]["1"]
    timing.main(["iris", "--folder", str(tmp_path)])
    layout.main(["--run", str(folder), "--json", str(figures)])
    for record in json.loads(figures.read_text()):
        assert record["of_random"] is None or record["of_random"] <= 1.2
        assert record["of_start"] is None or record["of_start"] <= 1
    printed = capsys.readouterr().out
    for circuit in run_circuits(folder, EGFET):
        assert printed.count(f"| iris {circuit.stage} |") >= 2 or not circuit.netlist.instances
