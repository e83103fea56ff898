"""VQGraph on citation graphs: do codes of local structure mean something, and does a student gain by them?"""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from printedmlp.reference.outcome import Check, Context, Measure, Outcome
from printedmlp.reference.studies.runs import ACCURACY, sizes_check
from printedmlp.reference.studies.vqgraph_picture import picture
from printedmlp.reference.studies.vqgraph_runs import (
    CODES,
    GCN,
    MAIN,
    MLP,
    PROBE,
    RELEASED_FORM,
    SOFT,
    Codebook,
    Network,
    Results,
    Speed,
    measured,
)
from printedmlp.reference.vqgraph import RELEASED, VQGraph, VQGraphConfig

PUBLISHED = {
    "Cora": {MLP: "59.2 %", SOFT: "80.3 % (GLNN)", CODES: "83.9 %"},
    "Citeseer": {MLP: "58.5 %", SOFT: "71.2 % (GLNN)", CODES: "76.1 %"},
}
"""Test accuracies of the paper's table 1, on other splits of these graphs with a SAGE teacher."""
TASK = "node classification"
RELEASED_SIZES = (6_256_997, 7_165_000)
"""Trained numbers, and numbers in the codebook."""


def run(context: Context) -> Outcome:
    """Train everything, check the claims on the main data set, draw the picture."""
    found = measured(context)
    picture(found[0], context.folder / "vqgraph.png")
    return Outcome(
        tuple(measure for results in found for measure in _measures(results)),
        checks(found[0]),
        (
            f"Claims are tried on {found[0].data}. Paper's accuracies: other splits, a SAGE teacher.",
            *(_note(results) for results in found),
        ),
    )


def checks(results: Results) -> tuple[Check, ...]:
    """The claims against what was measured."""
    return (
        _sizes(),
        _taught(results),
        _above_gnn(results),
        _structural(results.codebooks[MAIN]),
        _no_collapse(results.codebooks[MAIN]),
        _assigned(results),
        _gain(results),
        _fast(results.speeds),
    )


def closed_form(config: VQGraphConfig) -> int:
    """Trained numbers of the teacher."""
    F, D, H, C = config.n_features, config.width, config.hidden, config.n_classes
    return (F * D + D) + 2 * (D * D + D) + (D * H + H) + (H * C + C)


def _mean(networks: Sequence[Network]) -> float:
    return statistics.fmean(network.accuracy for network in networks)


def _agreement(networks: Sequence[Network]) -> float:
    return statistics.fmean(network.agreement for network in networks)


def _measures(results: Results) -> list[Measure]:
    published = PUBLISHED.get(results.data, {})
    named = {
        **{f"teacher, {name}": networks for name, networks in results.teachers.items()},
        **{f"student of {name}": networks for name, networks in results.by_size.items() if name != MAIN},
    }
    rows = [(task, networks, "") for task, networks in named.items()]
    rows += [
        (f"student, {name}" if name not in (MLP, GCN) else name, networks, published.get(name, ""))
        for name, networks in results.students.items()
        if name != PROBE
    ]
    return [
        Measure(
            task,
            results.data,
            ACCURACY,
            tuple(network.accuracy for network in networks),
            text,
            networks[0].parameters,
            statistics.fmean(network.seconds for network in networks),
        )
        for task, networks, text in rows
    ]


def _sizes() -> Check:
    return sizes_check(
        claim="the released teacher for Cora has 6 256 997 parameters and a codebook of 7 165 000 numbers",
        bound="exactly, and by the closed form",
        published={"released": RELEASED},
        make=VQGraph,
        closed_form=closed_form,
        near=lambda _, count: (count, RELEASED.n_codes * RELEASED.width) == RELEASED_SIZES,
    )


def _taught(results: Results) -> Check:
    student, teacher, plain = map(_mean, (results.students[CODES], results.teachers[MAIN], results.students[MLP]))
    return Check(
        claim="a student of one node's features comes up to its teacher",
        measured=f"student {student:.3f}, teacher {teacher:.3f}, MLP on labels {plain:.3f}",
        bound=">= teacher - 0.01 and >= MLP + 0.12 (means)",
        shown=student >= teacher - 0.01 and student >= plain + 0.12,
    )


def _above_gnn(results: Results) -> Check:
    student, teacher, gcn = map(_mean, (results.students[CODES], results.teachers[MAIN], results.students[GCN]))
    return Check(
        claim="the student is better than graph networks",
        measured=f"student {student:.3f}, its teacher {teacher:.3f}, GCN {gcn:.3f}",
        bound="above both (means)",
        shown=student > max(teacher, gcn),
    )


def _structural(books: Sequence[Codebook]) -> Check:
    ratio = [book.same_code / book.chance for book in books]
    majority = statistics.fmean(book.majority for book in books)
    return Check(
        claim="nodes that share a code share structure and class",
        measured=f"edges within a code {', '.join(f'{value:.1f}' for value in ratio)} times chance, "
        f"majority class of the code right for {majority:.3f}",
        bound=">= 4 times on every seed, >= 0.65 on average",
        shown=min(ratio) >= 4 and majority >= 0.65,
    )


def _no_collapse(books: Sequence[Codebook]) -> Check:
    return Check(
        claim="the codebook does not collapse",
        measured="perplexity "
        + ", ".join(f"{book.perplexity:.0f} with {book.used} codes in use" for book in books)
        + f" of {len(books[0].table)}",
        bound="perplexity >= 15 on every seed",
        shown=min(book.perplexity for book in books) >= 15,
    )


def _assigned(results: Results) -> Check:
    taught, soft = results.students[CODES], results.students[SOFT]
    return Check(
        claim="the student learns the teacher's codes at no cost",
        measured=f"agreement {_agreement(taught):.2f} with and {_agreement(soft):.2f} without the code loss, "
        f"accuracy {_mean(taught):.3f} and {_mean(soft):.3f}",
        bound="agreement >= 0.3 and <= 0.1, accuracy not lower by more than 0.01 (means)",
        shown=_agreement(taught) >= 0.3 and _agreement(soft) <= 0.1 and _mean(taught) >= _mean(soft) - 0.01,
    )


def _gain(results: Results) -> Check:
    gains = [
        one.accuracy - other.accuracy
        for one, other in zip(results.students[CODES], results.students[SOFT], strict=True)
    ]
    return Check(
        claim="soft code assignment makes a student more accurate than soft labels alone",
        measured="gain " + ", ".join(f"{gain:+.3f}" for gain in gains),
        bound="> 0 on every seed and >= 0.01 on average",
        shown=min(gains) > 0 and statistics.fmean(gains) >= 0.01,
    )


def _fast(speeds: Sequence[Speed]) -> Check:
    return Check(
        claim="a query of one node is faster without the graph",
        measured="teacher on all nodes "
        + ", ".join(f"{speed.all_nodes:.0f}" for speed in speeds)
        + " times the student's time, on the neighbourhood "
        + ", ".join(f"{speed.neighbourhood:.0f}" for speed in speeds),
        bound="all nodes >= 10 on every seed",
        shown=min(speed.all_nodes for speed in speeds) >= 10,
    )


def _note(results: Results) -> str:
    books, students = results.codebooks[MAIN], results.students
    parts = (
        f"perplexity {statistics.fmean(book.perplexity for book in books):.0f}",
        f"majority class of a code right for {statistics.fmean(book.majority for book in books):.3f}",
        f"agreement {_agreement(students[CODES]):.2f}",
        f"{_agreement(students[PROBE]):.2f} if only the head is fitted, after a training without codes",
        f"{_agreement(students[RELEASED_FORM]):.2f} with the release's unlike similarities and tau 4",
    )
    return f"{results.data}, {MAIN}: " + "; ".join(parts) + "."
