"""Formal proofs of a run's designs: what is proved goes into the records, what is refuted stops the run."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from flows.job import Job
from flows.run import sha256_text
from hdl.proof import NOT_PROVED, PROVED, REFUTED, Proof, answers, prove
from hdl.structural import written_netlist
from printedmlp.circuit import Netlist
from printedmlp.classifier import Classifier
from printedmlp.errors import VerificationError
from printedmlp.names import quoted
from printedmlp.quantise import Quantiser
from printedmlp.technology import Technology

NOT_TRIED = {"route": "", "solver": "", "verdict": NOT_PROVED, "reason": "not tried", "counterexample": None}
"""The record of a design without time for proofs."""
SECONDS = "proof_seconds"


@dataclass(frozen=True)
class Claim:
    """A design's name, classifier and netlist, its netlist and Verilog as written, and the log of the mapping.

    ``textbook`` tells that the Verilog is the textbook form, whose sums are proved by another route.
    """

    name: str
    model: Classifier
    netlist: Netlist
    text: str
    verilog: str
    log: Sequence[str]
    textbook: bool = False


def prove_all(job: Job, claims: Sequence[Claim]) -> list[dict[str, Any]]:
    """The record of every claim; the seconds go into the manifest, which alone may differ from run to run.

    Raises
    ------
    VerificationError : naming a row, in the user's units, on which a netlist is not its classifier; or a written
        netlist that is another one.
    """
    found = list(job.in_parallel("proof", lambda claim: _proof(job, claim), claims))
    for claim, proof in zip(claims, found, strict=True):
        if proof is not None and proof.verdict == REFUTED:
            raise VerificationError(_refutation(job, claim, proof))
    seconds = {c.name: round(p.seconds, 2) for c, p in zip(claims, found, strict=True) if p is not None}
    job.run.manifest[SECONDS] = seconds
    job.reporter.line(f"proofs: {sum(seconds.values()):.1f} s in all")
    return [_record(claim, proof) for claim, proof in zip(claims, found, strict=True)]


def _proof(job: Job, claim: Claim) -> Proof | None:
    check_written(claim, job.technology)
    limit = job.config.proof_time_limit
    if not limit:
        return None
    with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
        return prove(
            claim.model,
            claim.netlist,
            job.technology,
            time_limit_s=limit,
            work_dir=Path(folder),
            textbook=claim.textbook,
        )


def check_written(claim: Claim, technology: Technology) -> None:
    """Refuse, with a VerificationError, a text that does not say what the netlist is."""
    if written_netlist(claim.text, technology) != claim.netlist:
        raise VerificationError(f"design {quoted(claim.name)}: netlist.v is not the netlist that was mapped")


def _record(claim: Claim, proof: Proof | None) -> dict[str, Any]:
    mapped = any(line.endswith("proved equal to the Verilog") for line in claim.log)
    verilog = {
        "solver": f"ABC of Yosys {metadata.version('pyosys')}",
        "verdict": PROVED if mapped else NOT_PROVED,
        "sha256": {"verilog": _sha256(claim.verilog), "netlist": _sha256(claim.text)},
    }
    return {"verilog": verilog, "integers": dict(NOT_TRIED) if proof is None else proof.to_json()}


def _sha256(verilog: str) -> str:
    """Of Verilog without the header's comments, as `grep -v '^//'` leaves it."""
    lines = verilog.splitlines(keepends=True)
    return sha256_text("".join(line for line in lines if not line.startswith("//")))


def proof_words(record: Mapping[str, Any] | None) -> str:
    """One sentence about a design's proof record; empty where there is none."""
    if record is None:
        return ""
    verilog, integers = record["verilog"], record["integers"]
    first = f"Verilog = netlist: {verilog['verdict']} ({verilog['solver']}); netlist = integers: "
    if integers["verdict"] == PROVED:
        return f"{first}proved, {integers['route']} ({integers['solver']})."
    return f"{first}{integers['verdict']} ({integers['reason']})."


def proof_count(points: Sequence[Mapping[str, Any]]) -> str:
    """How many of the netlists are proved to be their classifiers, and which are not; empty without records."""
    records = {point["id"]: point["proof"]["integers"] for point in points if point.get("proof")}
    open_ = [f"{name} ({record['reason']})" for name, record in records.items() if record["verdict"] != PROVED]
    proved = len(records) - len(open_)
    words = f"{proved} of {len(records)} netlists formally proved to be their classifiers" if records else ""
    return f"{words}; not proved: {', '.join(open_)}" if open_ else words


def _refutation(job: Job, claim: Claim, proof: Proof) -> str:
    assert proof.counterexample is not None
    quantiser = Quantiser.from_json(job.run.read_json("quantiser.json"))
    return refutation(claim, proof.counterexample, quantiser, job.dataset.class_names, job.technology)


def refutation(
    claim: Claim, codes: tuple[int, ...], quantiser: Quantiser, class_names: Sequence[str], technology: Technology
) -> str:
    """One line: the row in the user's units, what the classifier answers and what the netlist answers."""
    expected, answered = answers(claim.model, claim.netlist, technology, codes)
    values = quantiser.values_inside(codes)
    row = ", ".join(
        f"{quoted(name)} {f'{value:.6g}' if math.isfinite(value) else f'code {code}'}"
        for name, value, code in zip(quantiser.feature_names, values, codes, strict=True)
    )
    return (
        f"design {quoted(claim.name)} is refuted: the netlist answers {_class(answered, class_names)}, "
        f"its classifier {_class(expected, class_names)} for {row} (codes {list(codes)})"
    )


def _class(index: int, names: Sequence[str]) -> str:
    return quoted(str(names[index])) if index < len(names) else f"code {index}, which is no class,"
