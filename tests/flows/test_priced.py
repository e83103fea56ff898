"""Design runs that know the price of thresholds: what they choose by, and that a fault in them is found."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.priced_thresholds import PRICED, PRUNED, SECOND, at_losses, lines
from flows import design, priced_refinement, thermometer
from flows.config import make_config
from flows.levels import EVOLVED, proved_equal
from flows.mapping import Choice, Judge, area_of, power_of_choice
from hdl.cells import verilog_text
from hdl.thermometer import ThermometerInputs, netlist_of_codes, of_codes
from hdl.thresholds import Thresholds
from printedmlp.circuit import Instance, Netlist
from printedmlp.classifier import classifier_from_json
from printedmlp.errors import VerificationError
from printedmlp.front import select_front
from sim.runner import Candidate, Options, verify_many
from tests.flows.conftest import SMALL, job_of
from tests.netlists import EGFET

pytestmark = pytest.mark.tools

COMPARATOR_UW = (8.24, 10.4, 12.9, 15.7, 18.7, 22.0, 25.4, 29.1, 32.8, 36.8, 40.8, 44.9, 49.1, 53.4, 57.8)
"""By level, as published."""
INSTANCE = re.compile(r"^\s*(\w+) g\d+ \((.*)\);$", re.MULTILINE)
PIN = re.compile(r"\.(\w+)\(([^)]*)\)")


@pytest.fixture(scope="module")
def priced(tmp_path_factory):
    config = make_config(None, {**SMALL, "inputs": "thermometer"})
    return design.design(config, tmp_path_factory.mktemp("priced") / "iris", quiet=True)


def records(folder):
    return {path.parent.name: json.loads(path.read_text()) for path in folder.glob("designs/*/measure.json")}


def signals(text, bits):
    """Values (n,) of every net of a written netlist on rows of input bits (n, n_bits); cells with their states."""
    nets = {f"inp[{i}]": column.astype(bool) for i, column in enumerate(bits.T)}
    nets |= {"1'b0": np.zeros(len(bits), dtype=bool), "1'b1": np.ones(len(bits), dtype=bool)}
    states = []
    for cell, pins in INSTANCE.findall(text):
        own, wired = EGFET.cell(cell), dict(PIN.findall(pins))
        state = sum(nets[wired[pin]].astype(int) << k for k, pin in enumerate(own.inputs))
        nets[wired[own.output]] = np.array([own.truth_table >> s & 1 for s in state], dtype=bool)
        states.append((own, state))
    return nets, states


def bits_of(folder, codes):
    places = json.loads((folder / "inputs.json").read_text())
    return places, np.array([codes[:, place["feature"]] >= place["level"] for place in places]).T


def test_a_systems_figures_are_those_of_its_written_netlist_and_comparators(priced):
    codes = job_of(priced, inputs="thermometer").vectors("test").codes
    seen = 0
    for name, record in records(priced).items():
        if "thermometer" not in record:
            continue
        folder = priced / "designs" / name
        places, bits = bits_of(folder, codes)
        _, states = signals((folder / "thermometer_netlist.v").read_text(), bits)
        used = {place["feature"] for place in places}
        mm2 = sum(cell.area_mm2 for cell, _ in states) + 0.144 * len(used) + 0.032 * len(places)
        uw = sum(np.mean([cell.leakage_nw[1.0][s] for s in state]) / 1000 for cell, state in states)
        uw += sum(COMPARATOR_UW[place["level"] - 1] for place in places)
        system = record["system"]["thermometer"]
        assert system["area_cm2"] == pytest.approx(mm2 / 100), name
        assert system["power_mw"] == pytest.approx(uw / 1000), name
        seen += 1
    assert seen >= 5


def test_what_evolution_left_on_levels_is_its_model_on_every_test_row(priced):
    job = job_of(priced, inputs="thermometer")
    codes, found = job.vectors("test").codes, records(priced)
    evolved = {n: r for n, r in found.items() if r.get("thermometer", {}).get("recipe") == "evolution"}
    assert evolved
    for name, record in evolved.items():
        folder = priced / "designs" / name
        text = (folder / "thermometer_netlist.v").read_text()
        nets, _ = signals(text, bits_of(folder, codes)[1])
        outputs = re.findall(r"assign out\[(\d+)\] = (.*);", text)
        answers = sum(nets[net].astype(int) << int(bit) for bit, net in outputs)
        model = classifier_from_json(json.loads((folder / "model.json").read_text()))
        assert model.predict(codes).tolist() == answers.tolist()
        assert record["thermometer"]["proved_equal_on_all_codes"]
        assert set(record["thermometer"]["verification"]["mismatches"].values()) == {0}
        assert record["proof"]["integers"]["verdict"] == "proved"
        # No comparator of gates is left in it: gates read levels as they are.
        assert "core" not in (folder / "thermometer.v").read_text()


def test_the_front_is_that_of_whole_systems(priced):
    front = [r for r in records(priced).values() if r["on_front"]]
    figures = [
        (-r["merit"], (s := r["system"]["thermometer"] or r["system"]["full"])["area_cm2"], s["power_mw"])
        for r in front
        if "thermometer" in r["system"]
    ]
    assert len(figures) > 2
    for one in figures:
        assert not any(all(a < b - 1e-9 for a, b in zip(other, one, strict=True)) for other in figures)


def test_a_system_decides_where_it_is_known():
    own = {"key": "a", "merit": 0.9, "score": 0.9, "area_cm2": 1.0, "choice_power_mw": 3.0}
    other = {**own, "key": "b", "area_cm2": 2.0, "choice_power_mw": 4.0}
    assert [c.id for c in select_front([Choice(own), Choice(other)])] == ["a"]
    own["system"] = {"area_cm2": 5.0, "power_mw": 9.0}
    other["system"] = {"area_cm2": 4.0, "power_mw": 8.0}
    assert [c.id for c in select_front([Choice(own), Choice(other)])] == ["b"]
    assert (area_of(own), power_of_choice(own)) == (5.0, 9.0)
    assert power_of_choice({**own, "system": {"area_cm2": 5.0, "power_mw": None}}) == 0


INPUTS = ThermometerInputs(Thresholds(((3,), (5,)), 0, ((0, 1, 2, 3),) * 2), 4)
BOTH = "module top(input [1:0] inp, output out); {} g0 (.A1(inp[0]), .A2(inp[1]), .Y(out)); endmodule"


def first_form():
    """x0 >= 3 and x1 >= 5 on the bits of the codes."""
    low = Instance("OR2X1", (4, 5)), Instance("AND2X1", (2, 3)), Instance("OR2X1", (10, 11))
    high = Instance("OR2X1", (6, 7)), Instance("AND2X1", (8, 13)), Instance("OR2X1", (9, 14))
    return Netlist(8, (*low, *high, Instance("AND2X1", (12, 15))), (16,))


def test_the_proof_finds_a_flipped_gate_on_comparators_outputs(tmp_path):
    right, wrong = (netlist_of_codes(BOTH.format(cell), INPUTS, 1, EGFET) for cell in ("AND2X1", "OR2X1"))
    assert proved_equal("refine-1", right, first_form(), EGFET, tmp_path)
    with pytest.raises(VerificationError, match="its thermometer netlist answers otherwise"):
        proved_equal("refine-1", wrong, first_form(), EGFET, tmp_path)


def test_the_simulation_finds_it_too(priced, tmp_path):
    found = records(priced)
    name = next(n for n, r in found.items() if r.get("thermometer", {}).get("cells", 0) > 1 and r["on_front"])
    folder, job = priced / "designs" / name, job_of(priced, inputs="thermometer")
    text = (folder / "thermometer_netlist.v").read_text()
    flipped = re.sub(r"assign out\[0\] = (\S+);", r"assign out[0] = ~\1;", text)
    assert flipped != text
    model = classifier_from_json(json.loads((folder / "model.json").read_text()))
    places, _ = bits_of(folder, job.vectors("test").codes)
    n = job.dataset.n_features
    levels = tuple(tuple(p["level"] for p in places if p["feature"] == f) for f in range(n))
    inputs = ThermometerInputs(Thresholds(levels, 0, ((),) * n), 4)
    files = [tmp_path / "rtl.v", tmp_path / "netlist.v"]
    sources = ((folder / "thermometer.v").read_text(), flipped)
    for file, source in zip(files, sources, strict=True):
        file.write_text(of_codes(source, inputs, 2))
    candidate = Candidate(name, thermometer.Answers(model), *files)
    with pytest.raises(VerificationError, match="is refused"):
        verify_many([candidate], verilog_text(EGFET), job.vectors("test").codes, Options())


def test_evolved_circuits_know_their_levels_and_what_they_cost(priced):
    job = job_of(priced, inputs="thermometer")
    judge = Judge.of(job)
    # Petal width: 0 below level 3, 2 from level 10 on.
    everything = priced_refinement.levels_of(job)
    low, high = (2 + everything.places.index((3, level)) for level in (3, 10))
    n = len(everything.places)
    netlist = Netlist(n, (Instance("INVX1", (low,)), Instance("NOR2X1", (2 + n, high))), (3 + n, high))
    found = priced_refinement.candidate(job, judge, netlist)
    assert found.entry[EVOLVED]["levels"] == ((), (), (), (3, 10))
    gates = EGFET.cell("INVX1").area_mm2 + EGFET.cell("NOR2X1").area_mm2
    assert area_of(found.entry) == pytest.approx((gates + 0.176 + 0.032) / 100)
    assert power_of_choice(found.entry) > (12.9 + 36.8) / 1000
    assert found.entry["merit"] > 0.9


def test_a_circuit_that_reads_nothing_costs_no_comparator(priced):
    job = job_of(priced, inputs="thermometer")
    n = len(priced_refinement.levels_of(job).places)
    found = priced_refinement.candidate(job, Judge.of(job), Netlist(n, (), (1, 0)))
    assert (area_of(found.entry), power_of_choice(found.entry)) == (0, 0)
    inverted = Netlist(n, (Instance("INVX1", (0,)),), (2 + n, 0))
    found = priced_refinement.candidate(job, Judge.of(job), inverted)
    assert area_of(found.entry) == pytest.approx(EGFET.cell("INVX1").area_mm2 / 100)


def test_without_the_option_nothing_has_a_price(priced):
    job = job_of(priced)
    assert job.config.inputs == "binary"
    assert not priced_refinement.is_priced(job)
    assert priced_refinement.is_priced(replace(job, config=replace(job.config, inputs="thermometer")))
    bare = replace(job.technology, front_end=None)
    thermometer_job = replace(job, config=replace(job.config, inputs="thermometer"), technology=bare)
    assert not priced_refinement.is_priced(thermometer_job)


def test_the_benchmark_takes_the_least_system_that_loses_no_more():
    def system(merit, area, power):
        return {"key": f"{area}", "merit": merit, "area_cm2": area, "power_mw": power, "test": merit}

    split = {
        PRUNED: [system(0.9, 4.0, 8.0), system(0.88, 2.0, 9.0)],
        SECOND: [system(0.9, 2.0, 4.0), system(0.88, 1.0, 5.0)],
        PRICED: [system(0.89, 0.5, 2.0), system(0.85, 0.25, 1.0)],
    }
    rows = {row[1:3]: row[3:] for row in map(tuple, lines("made up", [at_losses(split)]))}
    assert rows["0", PRICED] == ("–",) * 6
    assert rows["0", SECOND] == ("2 ± 0", "2.00", "90.0% ± 0.0%", "4 ± 0", "2.00", "90.0% ± 0.0%")
    assert rows["2", SECOND] == ("1 ± 0", "2.00", "88.0% ± 0.0%", "4 ± 0", "2.00", "90.0% ± 0.0%")
    assert rows["5", PRICED] == ("0.25 ± 0", "8.00", "85.0% ± 0.0%", "1 ± 0", "8.00", "85.0% ± 0.0%")
