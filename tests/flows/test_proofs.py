"""Proofs in a run: what the records say, and a refuted circuit stops the run with a row in the user's units."""

import csv
import hashlib
import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flows import circuits, proofs, stages
from flows.proofs import Claim, check_written, proof_count, proof_words, refutation
from flows.run import MANIFEST
from flows.summary import summary_text
from hdl.proof import BY_WORDS, prove
from hdl.structural import netlist_verilog
from printedmlp.circuit import Instance, Netlist
from printedmlp.circuit.gates import Gate, GateClassifier
from printedmlp.errors import VerificationError
from printedmlp.quantise import Quantiser
from tests.flows.test_report import words
from tests.netlists import EGFET

QUANTISER = Quantiser(1, np.array([0.0, 10.0]), np.array([4.0, 10.0]), ("length", "width"))
"""Two features of one bit: length reaches code 1 from 2 on, width is constant."""


def test_a_refutation_is_one_line_in_the_users_units(tmp_path):
    both = GateClassifier(2, 1, 2, (Gate(0b1000, (2, 3)),), (4,))
    claim = Claim("gate-1", both, Netlist(2, (), (2,)), "", "", ())
    found = prove(both, claim.netlist, EGFET, work_dir=tmp_path)
    assert found.counterexample is not None
    assert refutation(claim, found.counterexample, QUANTISER, ("no", "yes"), EGFET) == (
        "design 'gate-1' is refuted: the netlist answers 'yes', its classifier 'no' "
        "for 'length' 3, 'width' 10 (codes [1, 0])"
    )
    line = refutation(claim, (1, 1), QUANTISER, ("no",), EGFET)
    assert "code 1, which is no class" in line
    assert "'width' code 1" in line


def test_a_written_netlist_that_is_another_one_is_refused():
    wire = Netlist(2, (), (2,))
    both = GateClassifier(2, 1, 2, (Gate(0b1000, (2, 3)),), (4,))
    check_written(Claim("wire", both, wire, netlist_verilog(wire, EGFET, header=["a wire"]), "", ()), EGFET)
    other = netlist_verilog(Netlist(2, (), (3,)), EGFET)
    with pytest.raises(VerificationError, match=r"'wire': netlist\.v is not the netlist that was mapped"):
        check_written(Claim("wire", both, wire, other, "", ()), EGFET)


def test_values_inside_have_their_codes():
    quantiser = Quantiser(4, np.array([-1.0, 3.0]), np.array([2.5, 3.5]), ("a", "b"))
    codes = np.stack([np.arange(16), np.arange(16)[::-1]], axis=1)
    values = np.array([quantiser.values_inside(row) for row in codes])
    assert np.array_equal(quantiser.transform(values), codes)
    assert np.isnan(QUANTISER.values_inside((0, 1))[1])


def test_the_records_words():
    assert proof_words(None) == ""
    record = {
        "verilog": {"verdict": "proved", "solver": "ABC"},
        "integers": {"verdict": "proved", "route": "whole circuit", "solver": "bitwuzla 1", "reason": ""},
    }
    words = proof_words(record)
    assert words == "Verilog = netlist: proved (ABC); netlist = integers: proved, whole circuit (bitwuzla 1)."
    slow = {**record, "integers": {**record["integers"], "verdict": "not proved", "reason": "ABC's time was up"}}
    assert proof_words(slow).endswith("netlist = integers: not proved (ABC's time was up).")
    assert proof_count([]) == ""
    assert proof_count([{"id": "a", "proof": record}, {"id": "b", "proof": None}]) == (
        "1 of 1 netlists formally proved to be their classifiers"
    )
    assert proof_count([{"id": "a", "proof": record}, {"id": "b", "proof": slow}, {"id": "c"}]) == (
        "1 of 2 netlists formally proved to be their classifiers; not proved: b (ABC's time was up)"
    )


@pytest.mark.tools
def test_every_design_of_a_run_is_proved(run_folder):
    seconds = json.loads((run_folder / MANIFEST).read_text())[proofs.SECONDS]
    for path in (run_folder / "designs").glob("*/measure.json"):
        record = json.loads(path.read_text())
        proof, name = record["proof"], path.parent.name
        assert proof["verilog"]["verdict"] == "proved"
        for kind, file in (("verilog", "classifier.v"), ("netlist", "netlist.v")):
            assert proof["verilog"]["sha256"][kind] == sha256_without_comments(path.with_name(file))
        assert proof["integers"]["verdict"] == "proved"
        assert (proof["integers"]["route"] == BY_WORDS) == (name == "textbook")
        assert proof["integers"]["sha256"]["model"] == record["model_sha256"]
        assert proof["integers"]["sha256"]["netlist"] == proof["verilog"]["sha256"]["netlist"]
        assert seconds[name] >= 0
    page = (run_folder / "report.html").read_text()
    assert "netlist = integers of the classifier: yes" in words(page)
    assert "netlists formally proved to be their classifiers." in page
    rows = csv.DictReader((run_folder / "front.csv").read_text().splitlines())
    assert {row["proof"] for row in rows} == {"proved"}


def sha256_without_comments(path):
    """As `grep -v '^//' FILE | sha256sum` tells it."""
    lines = [line for line in path.read_bytes().splitlines(keepends=True) if not line.startswith(b"//")]
    return hashlib.sha256(b"".join(lines)).hexdigest()


@pytest.mark.tools
@pytest.mark.parametrize(("limit", "reason"), [(1e-9, ""), (0.0, "not tried")])
def test_without_time_nothing_is_said_to_be_proved(reopened, limit, reason, monkeypatch):
    monkeypatch.setattr(circuits, "_simulated", simulated_already)
    job = reopened("designs", proof_time_limit=limit)
    for stage in (circuits.designs, stages.front, stages.report):
        stage(job)
    records = [json.loads(path.read_text()) for path in job.run.folder.glob("designs/*/measure.json")]
    assert {record["proof"]["integers"]["verdict"] for record in records} == {"not proved"}
    rows = csv.DictReader((job.run.folder / "front.csv").read_text().splitlines())
    assert {row["proof"] for row in rows} == {"not proved"}
    page = words((job.run.folder / "report.html").read_text())
    assert f"netlist = integers of the classifier: not shown {reason}" in page
    assert "netlist = integers of the classifier: yes" not in page
    shown = summary_text(job.run.read_json("front.json"), job.technology)
    assert f"0 of {len(records)} netlists formally proved to be their classifiers; not proved: textbook (" in shown
    assert not list(Path(tempfile.gettempdir()).glob("printedmlp-*/integers*"))


def simulated_already(job, drafts, found):
    record = {"vectors": {"total": 1}, "mismatches": {"rtl": 0}, "seconds": 0.0}
    return [record for _ in found]


@pytest.mark.tools
def test_a_refuted_design_stops_the_run_in_one_line(reopened, monkeypatch):
    job = reopened("designs")
    measured = circuits._measured

    def damaged(*arguments):
        design = measured(*arguments)
        if not design.netlist.instances:
            return design
        wrong = Instance("INVX1", (design.netlist.outputs[0],))
        instances = (*design.netlist.instances, wrong)
        outputs = (design.netlist.n_nets, *design.netlist.outputs[1:])
        return replace(design, netlist=Netlist(design.netlist.n_inputs, instances, outputs))

    monkeypatch.setattr(circuits, "_measured", damaged)
    with pytest.raises(VerificationError, match=r"is refuted: the netlist answers .*\(codes \[") as caught:
        circuits.designs(job)
    assert "\n" not in str(caught.value)
    row = dict(re.findall(r"'([^']+)' (-?[\d.]+)[, ]", str(caught.value).partition(" for ")[2]))
    assert set(row) == set(job.dataset.feature_names)
    quantiser = Quantiser.from_json(job.run.read_json("quantiser.json"))
    codes = json.loads(str(caught.value).partition("(codes ")[2].rstrip(")"))
    values = [[float(row[name]) for name in quantiser.feature_names]]
    assert quantiser.transform(values).tolist() == [codes]
    assert not (job.run.folder / "designs").exists()
