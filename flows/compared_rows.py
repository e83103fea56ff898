"""Rows of a comparison: circuits of runs, a stranger's Verilog, shared adder graphs, and figures of others.

Every circuit is measured here, on the test rows of its run, by the one code of `flows.figures`: what a run wrote of
its designs gives only the proofs, and the names.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from flows.compared_row import ADDERS, FOREIGN, KEPT, Row
from flows.compared_runs import ComparedRun
from flows.config import PROOF_TIME_LIMIT_S
from flows.config import THERMOMETER as SECOND_FORM
from flows.figures import figures_of
from flows.mapping import TEXTBOOK, Entry, model_of
from flows.measure import check_outputs, read_circuit, simulate_both
from flows.proofs import NOT_TRIED
from flows.run import sha256_file, sha256_text
from hdl.adder_graph import LIBRARY, library_version
from hdl.proof import PROVED, REFUTED, prove
from hdl.shared_adders import shared_circuit
from hdl.synthesis import map_verilog, netlist_verilog, read_netlist
from printedmlp.circuit import Netlist
from printedmlp.circuit.simulate import classes, input_bits_of, simulate
from printedmlp.classifier import Classifier, description
from printedmlp.errors import DataError, ToolError, VerificationError
from printedmlp.model import DiscreteMLP
from printedmlp.preparation import PARTS
from printedmlp.technology import Technology
from sim.vectors import stimulus


@dataclass(frozen=True)
class Circuit:
    """A circuit of a run on its way to a row: its record, netlist and classifier."""

    run: ComparedRun
    entry: Entry
    netlist: Netlist
    model: Classifier

    @classmethod
    def of(cls, run: ComparedRun, entry: Entry) -> Circuit:
        """Read a mapped netlist of a run."""
        text = run.run.read_json(entry["netlist_file"])["netlist"]
        return cls(run, entry, read_netlist(text, run.technology), model_of(entry))

    @property
    def id(self) -> str:
        """Name of its design, or the stage and the first digits of its key."""
        design = self.run.design_of(self.entry)
        return str(design["id"]) if design else f"{self.entry['stage']} {self.entry['key'][:6]}"


def circuit_row(circuit: Circuit, series: str, variant: str, levels: tuple[float, ...], *, proved: bool) -> Row:
    """Measure a run's circuit.

    Parameters
    ----------
    proved : whether a circuit that the run has no proof of is to be proved now.

    Raises
    ------
    VerificationError : a proof finds a row that it answers otherwise than its classifier.
    """
    run, entry, design = circuit.run, circuit.entry, circuit.run.design_of(circuit.entry)
    return Row(
        series=series,
        variant=variant,
        id=circuit.id,
        form=description(circuit.model) or "-".join(map(str, circuit.model.topology)),
        stage=entry["stage"],
        validation=entry["score"],
        merit=entry["merit"],
        levels=levels,
        figures=with_second_form(_figures(circuit.netlist, run, circuit.model), design),
        proof=_proof(circuit, design, proved),
        source=entry["netlist_file"] if design is None else f"designs/{design['id']}",
        folder=None if design is None else str(run.folder / "designs" / design["id"]),
        sha256=_sha256(circuit.netlist, run.technology),
        **_place(run),
    )


def _place(run: ComparedRun) -> dict[str, Any]:
    return {
        "data_set": run.name,
        "run": str(run.folder),
        "split": run.split,
        "seed": run.config.seed,
        "chosen_by": run.chosen_by,
    }


def _figures(netlist: Netlist, run: ComparedRun, model: Classifier | None) -> dict[str, Any]:
    found = figures_of(
        netlist,
        run.technology,
        run.vectors("test"),
        run.config.input_bits,
        classifier=model,
        feature_names=run.dataset["feature_names"],
        rate_hz=run.config.sample_rate,
    )
    power = found["power"]
    return {**{key: found[key] for key in KEPT}, "total_mw": power["total_mw"] if power else None}


def with_second_form(figures: dict[str, Any], design: Mapping[str, Any] | None) -> dict[str, Any]:
    """The figures with those of the design's second form, which only a run makes, where it has one."""
    second = ((design or {}).get("system") or {}).get(SECOND_FORM)
    if not second or not figures["system"]:
        return figures
    return {**figures, "system": {**figures["system"], SECOND_FORM: second}}


def _sha256(netlist: Netlist, technology: Technology) -> str:
    return sha256_text(netlist_verilog(netlist, technology))


def _proof(circuit: Circuit, design: Mapping[str, Any] | None, proved: bool) -> dict[str, str]:
    record = design["proof"]["integers"] if design and "proof" in design else None
    own = _sha256(circuit.netlist, circuit.run.technology)
    if record is None or record.get("sha256", {}).get("netlist", own) != own:
        record = _proved_now(circuit) if proved else NOT_TRIED
    words = record["solver"] if record["verdict"] == PROVED else record["reason"]
    return {"verdict": str(record["verdict"]), "words": f"netlist = classifier: {record['verdict']} ({words})"}


def _proved_now(circuit: Circuit) -> dict[str, Any]:
    technology, textbook = circuit.run.technology, circuit.entry["stage"] == TEXTBOOK
    with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
        options = {"time_limit_s": PROOF_TIME_LIMIT_S, "work_dir": Path(folder), "textbook": textbook}
        proof = prove(circuit.model, circuit.netlist, technology, **options)
    if proof.verdict == REFUTED:
        raise VerificationError(
            f"{circuit.run.folder}: the netlist of {circuit.id} is not its classifier, "
            f"for example for the codes {list(proof.counterexample or ())}"
        )
    return proof.to_json()


def adder_row(circuit: Circuit, variant: str) -> Row:
    """The same network with the sums of a shared adder graph, mapped with its run's effort and measured alike.

    Raises
    ------
    VerificationError : it answers some row otherwise than the classifier.
    """
    run, model = circuit.run, circuit.model
    assert isinstance(model, DiscreteMLP)
    with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
        shared = shared_circuit(model)
        mapped = map_verilog(shared.verilog, run.technology, effort=run.config.effort, work_dir=Path(folder))
    tried = check_answers(circuit.id, mapped.netlist, run, model)
    words = (
        f"netlist = its Verilog: {PROVED}; Verilog = classifier: the same answers on {tried} vectors, not proved"
    )
    return Row(
        series=ADDERS,
        variant=variant,
        id=f"{circuit.id} graph",
        form=description(model) or "-".join(map(str, model.topology)),
        stage=circuit.entry["stage"],
        validation=circuit.entry["score"],
        merit=circuit.entry["merit"],
        figures=_figures(mapped.netlist, run, model),
        proof={"verdict": "simulated", "words": words},
        source=f"{LIBRARY} {library_version()}, recipe '{mapped.recipe}'",
        sha256=_sha256(mapped.netlist, run.technology),
        beside={
            "id": circuit.id,
            "area_cm2": circuit.netlist.area_cm2(run.technology),
            "adders": shared.n_adders,
        },
        **_place(run),
    )


def check_answers(name: str, netlist: Netlist, run: ComparedRun, model: Classifier) -> int:
    """Try a netlist on all rows of the run's table, corners and random codes; how many there were.

    Raises
    ------
    VerificationError : it answers one of them otherwise than the classifier.
    """
    rows = np.concatenate([run.vectors(part).codes for part in PARTS])
    tried = stimulus(rows, model.input_bits, n_random=run.config.random_vectors, seed=run.config.seed).codes
    values = simulate(netlist, run.technology, input_bits_of(tried, model.input_bits), len(tried))
    wrong = np.flatnonzero(classes(netlist, values, len(tried)) != model.predict(tried))
    if len(wrong):
        codes = [int(code) for code in tried[wrong[0]]]
        raise VerificationError(f"{name}: its adder graph answers otherwise for the codes {codes}")
    return len(tried)


def foreign_row(path: Path, label: str, run: ComparedRun, effort: str, *, simulated: bool) -> Row:
    """Measure a stranger's Verilog on the test rows of a run.

    Raises
    ------
    DataError, ToolError : it is no circuit for these rows; the message says why.
    """
    try:
        circuit = read_circuit(path, run.technology, effort)
    except ToolError as error:
        raise ToolError(f"{path}: {error}") from None
    check_outputs(path, circuit.netlist)
    if circuit.netlist.n_inputs != run.bus_bits:
        n = len(run.dataset["feature_names"])
        raise DataError(
            f"{path}: inp has {circuit.netlist.n_inputs} bits; the rows of {run.folder} have {run.bus_bits}, "
            f"{n} features of {run.config.input_bits} bits"
        )
    vectors = run.vectors("test")
    tried = simulate_both(circuit, run.technology, vectors, run.config.input_bits) if simulated else 0
    return Row(
        series=FOREIGN,
        id=label,
        stage=FOREIGN,
        figures=_figures(circuit.netlist, run, None),
        proof=_foreign_proof(circuit.recipe, tried),
        source=f"{path.name}, sha256 {sha256_file(path)[:12]}",
        folder=str(path.parent),
        sha256=_sha256(circuit.netlist, run.technology),
        **_place(run),
    )


def _foreign_proof(recipe: str | None, tried: int) -> dict[str, str]:
    taken = "taken as it is" if recipe is None else f"netlist = its Verilog: {PROVED} (recipe '{recipe}')"
    simulated = f"; simulated beside it on {tried} vectors" if tried else ""
    words = f"{taken}{simulated}; no classifier is known to prove it against"
    return {"verdict": "as given" if recipe is None else "= its Verilog", "words": words}
