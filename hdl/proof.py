"""Formal proof that a netlist is its classifier, by a route that takes nothing from emission and Yosys on trust.

* "whole circuit", for decision trees and circuits of gates: the definition as one bit-vector formula, the netlist
  as another, made of its cells' truth tables; the solver bitwuzla is asked for an input on which they differ.
* "neuron by neuron", for networks, whose sums are too hard for a solver as a whole: a reference circuit is written
  from the integer definition (`hdl.reference`), every piece of it is proved to be the definition's
  (`hdl.neuron_proof`), and ABC proves the reference and the netlist equal by sweeping.
* "word by word", for networks in the textbook form: the same, with a reference circuit whose sums follow the adders
  that Yosys makes of that form (`hdl.word_adders`), since sweeping needs nets that both circuits have.

What has to be trusted: bitwuzla; for networks also ABC's verdict "equivalent" and the bookkeeping of
`hdl.neuron_proof` and `hdl.linear_forms`; the truth tables of the technology's cells. Found differences need no
trust, since they are tried on the classifier and on the simulated netlist.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from hdl.blif import logic_blif
from hdl.equivalence import UndecidedError, counterexample
from hdl.frontend import Aig
from hdl.neuron_proof import unproved_piece
from hdl.reference import GENERIC, Reference, reference_circuit
from hdl.solver import NOT_PROVED, PROVED, REFUTED, Formulas, Word, solver_version
from hdl.structural import netlist_verilog
from hdl.tools import run_abc
from hdl.word_adders import ArrangementError, textbook_reference
from printedmlp.circuit import Netlist
from printedmlp.circuit.gates import GateClassifier
from printedmlp.circuit.simulate import classes, input_bits_of, simulate
from printedmlp.classifier import Classifier
from printedmlp.errors import ToolBrokenOffError, VerificationError
from printedmlp.model import DiscreteMLP
from printedmlp.technology import Technology
from printedmlp.trees import DecisionTree, Leaf

WHOLE, BY_NEURONS, BY_WORDS = "whole circuit", "neuron by neuron", "word by word"
Found = tuple[str, str, tuple[int, ...] | None]
"""Verdict, reason, and the input codes on which netlist and classifier differ."""


@dataclass(frozen=True)
class Proof:
    """What became of one proof.

    Attributes
    ----------
    route : WHOLE, BY_NEURONS or BY_WORDS.
    solver : programs and versions that the verdict rests on.
    verdict : "proved", "refuted" or "not proved".
    reason : why it is not proved; else empty.
    seconds : wall time.
    sha256 : of "model", the classifier's JSON text, and of "netlist", its Verilog without a header.
    counterexample : a code for each feature on which netlist and classifier differ; None unless refuted.
    """

    route: str
    solver: str
    verdict: str
    reason: str
    seconds: float
    sha256: dict[str, str]
    counterexample: tuple[int, ...] | None

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dictionary without the seconds, which differ from run to run."""
        return {
            "route": self.route,
            "solver": self.solver,
            "verdict": self.verdict,
            "reason": self.reason,
            "sha256": self.sha256,
            "counterexample": None if self.counterexample is None else list(self.counterexample),
        }


def prove(
    classifier: Classifier,
    netlist: Netlist,
    technology: Technology,
    *,
    time_limit_s: float = 600,
    work_dir: Path,
    textbook: bool = False,
) -> Proof:
    """Prove a netlist to be its classifier on all inputs, or find an input on which they differ.

    Parameters
    ----------
    classifier : the integer definition.
    netlist : cells of `technology` between n_features * input_bits inputs and the class's bits.
    time_limit_s : after which the answer is "not proved"; it covers all steps together.
    work_dir : receives the programs' files and logs.
    textbook : a network's netlist comes from its textbook form. Another one is proved too, if it is given the time.

    Raises
    ------
    VerificationError : the netlist has other ports than the classifier's circuit.
    ConfigError : the netlist has cells that the technology lacks, or that have other pins.
    ToolError : a program is missing or fails other than by taking too long.
    """
    start = time.monotonic()
    _check_ports(classifier, netlist, technology)
    work_dir.mkdir(parents=True, exist_ok=True)
    route = (BY_WORDS if textbook else BY_NEURONS) if isinstance(classifier, DiscreteMLP) else WHOLE
    left = _clock(start + time_limit_s)
    swept = "" if route == WHOLE else f", ABC of Yosys {metadata.version('pyosys')}"
    solver = f"{solver_version()}{swept}"
    if isinstance(classifier, DiscreteMLP):
        found = _network(classifier, netlist, technology, left, work_dir, textbook=textbook)
    else:
        found = _whole(classifier, netlist, technology, left)
    verdict, reason, codes = _confirmed(found, classifier, netlist, technology)
    hashes = {"model": _sha256(classifier.dumps()), "netlist": _sha256(netlist_verilog(netlist, technology))}
    seconds = time.monotonic() - start
    return Proof(route, solver, verdict, reason, seconds, hashes, codes)


def _clock(deadline: float) -> Callable[[], float]:
    return lambda: deadline - time.monotonic()


def _check_ports(classifier: Classifier, netlist: Netlist, technology: Technology) -> None:
    wanted = classifier.n_features * classifier.input_bits, max(1, (classifier.n_classes - 1).bit_length())
    found = netlist.n_inputs, len(netlist.outputs)
    if found != wanted:
        raise VerificationError(
            f"the netlist has {found[0]} input and {found[1]} output bits, "
            f"its classifier {wanted[0]} and {wanted[1]}"
        )
    netlist.check(technology)


def _whole(classifier: Classifier, netlist: Netlist, technology: Technology, left: Callable[[], float]) -> Found:
    f = Formulas()
    inputs = [f.variable(f"x{i}", classifier.input_bits) for i in range(classifier.n_features)]
    bits = [bit for x in inputs for bit in f.bits(x)]
    if isinstance(classifier, DecisionTree):
        defined = _tree_formula(f, classifier, inputs, len(netlist.outputs))
    elif isinstance(classifier, GateClassifier):
        defined = _gates_formula(f, classifier, bits)
    else:
        raise VerificationError(f"no formula is known for a {type(classifier).__name__}")
    answer = f.equal(defined, f.outputs(netlist, technology, bits), left())
    codes = tuple(answer.values[f"x{i}"] for i in range(classifier.n_features)) if answer.values else None
    return answer.verdict, "the solver's time was up" if answer.verdict == NOT_PROVED else "", codes


def _tree_formula(f: Formulas, tree: DecisionTree, inputs: list[Word], width: int) -> Word:
    decided: dict[int, Word] = {}
    for number, node in reversed(list(enumerate(tree.nodes))):
        if isinstance(node, Leaf):
            decided[number] = f.constant(node.label, width)
        else:
            holds = f.apply("BV_UGE", inputs[node.feature], f.constant(node.threshold, tree.input_bits))
            decided[number] = f.choice(holds, decided[node.above], decided[node.below])
    return decided[0]


def _gates_formula(f: Formulas, classifier: GateClassifier, bits: list[Word]) -> Word:
    values = [f.constant(0, 1), f.constant(1, 1), *bits]
    for gate in classifier.gates:
        values.append(f.table(gate.table, [values[net] for net in gate.inputs]))
    return f.word([values[net] for net in classifier.outputs])


def _network(
    model: DiscreteMLP,
    netlist: Netlist,
    technology: Technology,
    left: Callable[[], float],
    work_dir: Path,
    *,
    textbook: bool,
) -> Found:
    try:
        reference = _yosys_adders(model, left, work_dir) if textbook else reference_circuit(model)
        if (piece := unproved_piece(model, reference, left)) is not None:
            return NOT_PROVED, f"the {piece} is not proved", None
        bits = _difference(reference, netlist, technology, left, work_dir)
    except (TimeoutError, ArrangementError) as error:
        return NOT_PROVED, str(error), None
    except UndecidedError:
        return NOT_PROVED, "ABC could not decide", None
    if bits is None:
        return PROVED, "", None
    width = model.input_bits
    words = [bits[i * width : (i + 1) * width] for i in range(model.n_features)]
    return REFUTED, "", tuple(sum(bit << j for j, bit in enumerate(word)) for word in words)


def _yosys_adders(model: DiscreteMLP, left: Callable[[], float], work_dir: Path) -> Reference:
    with _in_time("Yosys", left):
        return textbook_reference(model, work_dir, timeout_s=left())


def _difference(
    reference: Reference, netlist: Netlist, technology: Technology, left: Callable[[], float], work_dir: Path
) -> tuple[int, ...] | None:
    """Input bits on which the reference and the netlist differ; None when ABC proves them equal."""
    with _in_time("ABC", left):
        (work_dir / "integers.blif").write_text(logic_blif(reference.netlist, GENERIC), encoding="utf-8")
        run_abc(["read_blif integers.blif", "strash", "write_aiger integers.aig"], work_dir, name="integers")
        aig = Aig(work_dir / "integers.aig", reference.netlist.n_inputs, len(reference.netlist.outputs), 0)
        return counterexample(aig, netlist, technology, work_dir, timeout_s=left())


@contextmanager
def _in_time(program: str, left: Callable[[], float]) -> Iterator[None]:
    """A program that is broken off because no seconds are left: a TimeoutError that says so."""
    late = TimeoutError(f"{program}'s time was up")
    if left() <= 0:
        raise late
    try:
        yield
    except ToolBrokenOffError:
        if left() <= 0:
            raise late from None
        raise


def _confirmed(found: Found, classifier: Classifier, netlist: Netlist, technology: Technology) -> Found:
    """A difference counts only if the classifier and the simulated netlist answer differently."""
    codes = found[2]
    if codes is None:
        return found
    expected, answered = answers(classifier, netlist, technology, codes)
    if expected == answered:
        return NOT_PROVED, f"codes {list(codes)} were said to differ and do not", None
    return found


def answers(
    classifier: Classifier, netlist: Netlist, technology: Technology, codes: tuple[int, ...]
) -> tuple[int, int]:
    """The class that the classifier gives one row of codes, and the output word of the simulated netlist."""
    X = np.array([codes], dtype=np.int64)
    values = simulate(netlist, technology, input_bits_of(X, classifier.input_bits), 1)
    return int(classifier.predict(X)[0]), int(classes(netlist, values, 1)[0])


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


__all__ = ["BY_NEURONS", "BY_WORDS", "NOT_PROVED", "PROVED", "REFUTED", "WHOLE", "Proof", "answers", "prove"]
