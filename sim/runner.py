"""Proof by simulation: RTL and netlist answer every vector as the classifier does, or the design is refused."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hdl.classifier import published_scores
from hdl.harmless import harmless_tokens
from printedmlp.classifier import Classifier
from printedmlp.cores import available_cores
from printedmlp.errors import DataError, ModelError, ToolError
from printedmlp.model import DiscreteMLP
from printedmlp.names import quoted
from printedmlp.registry import cache_folder
from sim.harness import Field
from sim.records import Observed, refuse_failed, verdict
from sim.session import Answers, find_simulator, simulate
from sim.vectors import Stimulus, stimulus
from sim.verilog import isolate, with_vendor_models

_KINDS = ("rtl", "netlist", "scores")


@dataclass(frozen=True)
class Candidate:
    """A classifier and the Verilog files, each with module `top`, that claim to be the same function.

    `name` only labels the record and messages.
    """

    name: str
    model: Classifier
    rtl: Path
    netlist: Path


@dataclass(frozen=True)
class Options:
    """How to simulate.

    `n_random` random vectors from `seed` join data and corners; built simulations are kept in `build_dir` (by
    default in the cache folder) and at most `jobs` compilers run side by side (by default one per processor).
    """

    seed: int = 0
    n_random: int = 10_000
    build_dir: Path | None = None
    simulator: str = "verilator"
    jobs: int | None = None


@dataclass(frozen=True)
class Comparison:
    """The record of a comparison, and the first circuit's class of each given row, (n_samples,) int64."""

    record: dict[str, Any]
    classes: NDArray[np.int64]


def verify(
    model: Classifier,
    rtl: Path,
    netlist: Path,
    cells_verilog: str,
    X: ArrayLike,
    *,
    seed: int,
    n_random: int = 10_000,
    build_dir: Path | None = None,
    simulator: str = "verilator",
    name: str = "classifier",
) -> dict[str, Any]:
    """Check one design as `check_many` does and refuse it, with a VerificationError, on the first mismatch."""
    options = Options(seed=seed, n_random=n_random, build_dir=build_dir, simulator=simulator)
    return verify_many([Candidate(name, model, rtl, netlist)], cells_verilog, X, options)[0]


def verify_many(
    candidates: Sequence[Candidate], cells_verilog: str, X: ArrayLike, options: Options
) -> list[dict[str, Any]]:
    """Check several designs as `check_many` does and raise VerificationError for the first one that is wrong."""
    records = check_many(candidates, cells_verilog, X, options)
    for record in records:
        refuse_failed(record)
    return records


def check_many(
    candidates: Sequence[Candidate], cells_verilog: str, X: ArrayLike, options: Options
) -> list[dict[str, Any]]:
    """Simulate RTL and netlist of all designs side by side; compare classes, and a network's scores, with models.

    One simulation is built for all of them, which takes little longer than for one.

    Parameters
    ----------
    candidates : designs with the same number of features and input bits.
    cells_verilog : modules of the cells that the netlists instantiate.
    X : (n_samples, n_features) integer codes, all applied, before corners and random vectors.

    Returns
    -------
    One record per design, in order: see `sim.records.verdict`, with "simulator" (versions), "sha256" of the files,
    the cells and the model, and last "seconds", the only entry that differs from run to run.

    Raises
    ------
    ModelError : for vectors that do not fit, or designs of different shape.
    DataError : when a Verilog file cannot be read.
    ToolError : when a circuit cannot be built or is not fit to be simulated.
    VerificationError : when the simulator did not answer every vector.
    """
    if not candidates:
        return []
    input_bits = _common_shape(candidates, X)
    vectors = stimulus(X, input_bits, n_random=options.n_random, seed=options.seed)
    designs = [_prepared(candidate, index) for index, candidate in enumerate(candidates)]
    circuits = {file: text for design in designs for file, text in design.circuits.items()}
    fields = [field for design in designs for field in design.fields]
    answers = _simulate(circuits, fields, cells_verilog, vectors, options)
    records, start = [], 0
    for candidate, design in zip(candidates, designs, strict=True):
        columns = slice(start, start := start + len(design.fields))
        observed = list(_observed(candidate.model, design, answers, columns, vectors))
        hashes = {**design.sha256, "cells": _sha256(cells_verilog.encode())}
        records.append(_record(candidate.name, _KINDS, observed, vectors, answers, hashes))
    return records


def compare(
    rtl: str,
    netlist: str,
    cells_verilog: str,
    X: ArrayLike,
    *,
    input_bits: int,
    output_bits: int,
    options: Options,
    name: str = "circuit",
) -> Comparison:
    """Compare two circuits, given as Verilog text, with each other; the first is what is expected of the second.

    Parameters
    ----------
    rtl, netlist : Verilog with module `top`; the netlist instantiates cells of `cells_verilog`. The RTL may use the
        vendor cell DW01_satrnd.
    X : (n_samples, n_features) integer codes.
    input_bits, output_bits : bits of each code, and of the port `out`.

    Raises
    ------
    As `check_many`, and VerificationError when the circuits differ or answer with undefined bits.
    """
    vectors = stimulus(X, input_bits, n_random=options.n_random, seed=options.seed)
    fields = (Field("d0_rtl", "out", output_bits), Field("d0_netlist", "out", output_bits))
    texts = {"rtl": rtl, "netlist": netlist}
    circuits = {
        f"d0_{kind}.v": _isolated(with_vendor_models(text), f"d0_{kind}_", f"{kind} of {quoted(name)}")
        for kind, text in texts.items()
    }
    answers = _simulate(circuits, fields, cells_verilog, vectors, options)
    observed = [
        Observed(kind, f"{kind} class", answers.values[:, i], answers.defined[:, i], answers.values[:, 0])
        for i, kind in enumerate(texts)
    ]
    hashes = {kind: _sha256(text.encode()) for kind, text in {**texts, "cells": cells_verilog}.items()}
    record = _record(name, list(texts), observed, vectors, answers, hashes)
    refuse_failed(record)
    return Comparison(record, answers.values[: vectors.n_data, 0])


@dataclass(frozen=True)
class _Design:
    """A candidate ready to simulate: renamed Verilog by file name, what to observe, hashes of what was given."""

    circuits: dict[str, str]
    fields: tuple[Field, ...]
    score_classes: tuple[int, ...]
    sha256: dict[str, str]


def _prepared(candidate: Candidate, index: int) -> _Design:
    delivered = {"rtl": _read(candidate.rtl), "netlist": _read(candidate.netlist)}
    circuits = {
        f"d{index}_{kind}.v": _isolated(
            data.decode("utf-8", "replace"), f"d{index}_{kind}_", f"{kind} of design {quoted(candidate.name)}"
        )
        for kind, data in delivered.items()
    }
    width = max(1, (candidate.model.n_classes - 1).bit_length())
    scores = published_scores(candidate.model) if isinstance(candidate.model, DiscreteMLP) else {}
    fields = [Field(f"d{index}_{kind}", "out", width) for kind in delivered]
    fields += [Field(f"d{index}_rtl", net.name, net.width, net.signed) for net in scores.values()]
    hashes = {kind: _sha256(data) for kind, data in delivered.items()}
    hashes["model"] = _sha256(candidate.model.dumps().encode())
    return _Design(circuits, tuple(fields), tuple(scores), hashes)


def _observed(
    model: Classifier, design: _Design, answers: Answers, columns: slice, vectors: Stimulus
) -> Iterator[Observed]:
    classes = model.predict(vectors.codes)
    labels = [("rtl", "rtl class", classes), ("netlist", "netlist class", classes)]
    if isinstance(model, DiscreteMLP):
        scores = model.scores(vectors.codes)
        labels += [("scores", f"rtl score of class {c}", scores[:, c]) for c in design.score_classes]
    values, defined = answers.values[:, columns], answers.defined[:, columns]
    for index, (kind, label, expected) in enumerate(labels):
        yield Observed(kind, label, values[:, index], defined[:, index], expected)


def _record(
    name: str,
    kinds: Sequence[str],
    observed: Sequence[Observed],
    vectors: Stimulus,
    answers: Answers,
    hashes: dict[str, str],
) -> dict[str, Any]:
    seconds = {"build_reused": answers.reused, **answers.seconds}
    return {
        **verdict(name, kinds, observed, vectors),
        "simulator": answers.versions,
        "sha256": hashes,
        "seconds": seconds,
    }


def _simulate(
    circuits: dict[str, str], fields: Sequence[Field], cells_verilog: str, vectors: Stimulus, options: Options
) -> Answers:
    harmless_tokens(cells_verilog)
    return simulate(
        circuits,
        fields,
        cells_verilog,
        vectors,
        simulator=find_simulator(options.simulator),
        root=(options.build_dir or cache_folder() / "simulation").resolve(),
        jobs=options.jobs or available_cores(),
    )


def _common_shape(candidates: Sequence[Candidate], X: ArrayLike) -> int:
    """Input bits of all models; ModelError when they differ in shape or X has another number of features."""
    shapes = {(c.model.n_features, c.model.input_bits) for c in candidates}
    if len(shapes) > 1:
        raise ModelError(f"designs simulated together differ in (n_features, input_bits): {sorted(shapes)}")
    n_features, input_bits = shapes.pop()
    shape = np.shape(X)
    if len(shape) != 2 or shape[1] != n_features:
        raise ModelError(f"vectors of shape {shape}, expected (n_samples, {n_features})")
    return input_bits


def _isolated(verilog: str, prefix: str, what: str) -> str:
    try:
        return isolate(verilog, prefix)
    except ToolError as error:
        raise ToolError(f"{what}: {error}") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
