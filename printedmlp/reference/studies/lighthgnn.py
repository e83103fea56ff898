"""LightHGNN on hypergraphs of papers and a planted one: does a network without hyperedges keep up?"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike

from printedmlp.reference.graph_data import NodeData
from printedmlp.reference.graphs import Hypergraph
from printedmlp.reference.outcome import Check, Context, Measure, Outcome
from printedmlp.reference.pictures import COLOURS, curves, letters, panels, save
from printedmlp.reference.studies.lighthgnn_runs import FULL, MODELS, QUICK, UNSEEN, Plan, Trial, tasks, trial
from printedmlp.reference.studies.lighthgnn_speed import Times, random_hypergraph, times

MAIN = "Cora coauthorship"
"""The data set that time is measured on and curves are drawn of; the planted hypergraph where it is missing."""
LARGE = FULL.sizes[-1]
"""Nodes of the hypergraph that the paper's own ratio is held against."""
MARKS = ("o", "s", "^", "D")

Trials = Mapping[str, Sequence[Trial]]
"""By data set, one a seed."""
Clocks = Mapping[str, Sequence[Times]]
"""By what was timed, one a seed: `MAIN` or its stand-in first, then random hypergraphs in order of their size."""


def run(context: Context) -> Outcome:
    """Train on every data set that is there, time single answers, draw the picture; on the processor always."""
    plan = QUICK if context.quick else FULL
    trials: dict[str, list[Trial]] = {}
    clocks: dict[str, list[Times]] = {}
    for seed in context.seeds:
        found = list(tasks(plan, seed))
        for task in found:
            trials.setdefault(task.data.name, []).append(trial(task, seed))
        main = next((task.data for task in found if task.data.name == MAIN), found[0].data)
        for data in (main, *(random_hypergraph(n, seed) for n in plan.sizes)):
            name = f"{data.name}, {data.structure.n_nodes:,} nodes"
            clocks.setdefault(name, []).append(_timed(data, plan, seed))
    picture(trials, clocks, context.folder / "lighthgnn.png")
    return Outcome(measures(trials, clocks), checks(trials, clocks), notes(trials, clocks))


def checks(trials: Trials, clocks: Clocks) -> tuple[Check, ...]:
    """The paper's claims: one on each data set, then those on all, then those on time."""
    first, *grown = clocks
    return (
        *(_accuracy_check(trials, data) for data in trials),
        _high_order_check(trials),
        _score_check(trials),
        _speed_check(first, clocks[first]),
        _growth_check([clocks[name] for name in grown]),
    )


def measures(trials: Trials, clocks: Clocks) -> tuple[Measure, ...]:
    """Accuracies on nodes of the hypergraph and on those that nobody met, and ratios of time."""
    rows = []
    published = {"LightHGNN": "16.3 points above the MLP, mean of 8 hypergraphs"}
    for data, runs in trials.items():
        for model in MODELS:
            found = [one.found[model] for one in runs]
            seconds = statistics.fmean(one.history.seconds for one in found)
            values = tuple(one.accuracy for one in found)
            said = published.get(model, "")
            rows.append(Measure(model, data, "test accuracy", values, said, found[0].parameters, seconds))
        for model in runs[0].unseen:
            values = tuple(one.unseen[model] for one in runs)
            rows.append(Measure(model, data, "accuracy on nodes not met", values))
    for name, clock in clocks.items():
        full, gather = tuple(map(full_ratio, clock)), tuple(map(gather_ratio, clock))
        said = "100 at 55,000 nodes" if clock[0].nodes == LARGE else ""
        rows.append(Measure("one answer", name, "full pass / student", full, said))
        rows.append(Measure("one answer", name, "exact gathering / student", gather))
    return tuple(rows)


def notes(trials: Trials, clocks: Clocks) -> tuple[str, ...]:
    """What a reader of the table should know."""
    first, *_, last = clocks
    apart = max(clock.difference for runs in clocks.values() for clock in runs)
    ready = ", ".join(f"{_mean(c.gathered / c.student for c in clocks[name]):.1f}" for name in (first, last))
    whole = ", ".join(f"{_mean(c.full / c.student_full for c in clocks[name]):.2f}" for name in (first, last))
    fetched = ", ".join(f"{_mean(c.fetched for c in clocks[name]):.0f}" for name in (first, last))
    kept = ", ".join(f"{data} {_mean(float(t.keep.mean()) for t in runs):.2f}" for data, runs in trials.items())
    lost = "; ".join(
        f"{data}: " + ", ".join(f"{model} {_mean(t.unseen[model] for t in runs):.3f}" for model in runs[0].unseen)
        for data, runs in trials.items()
    )
    return (
        f"With {UNSEEN:.0%} of the test nodes kept from training and distillation, accuracy on these: {lost}.",
        "Soft labels cover every node, test nodes without their classes: the student may remember them.",
        f"Times are the processor's on one thread, one node at a time. Gathering two hops fetches {fetched} nodes "
        f"({first}; {last}) and agrees with the full pass to {apart:.0e}; with them at hand, the arithmetic alone "
        f"takes {ready} student rows.",
        f"All nodes at once: teacher's time over student's {whole}; the gain is that a student asks for one row.",
        f"Mean probability that a hyperedge is taken by LightHGNN+: {kept}.",
    )


def full_ratio(clock: Times) -> float:
    """The teacher's full pass in student rows."""
    return clock.full / clock.student


def gather_ratio(clock: Times) -> float:
    """An exact answer from two hops in student rows."""
    return clock.gather / clock.student


def _timed(data: NodeData[Hypergraph], plan: Plan, seed: int) -> Times:
    return times(data, seed=seed, queries=plan.queries, repeats=plan.repeats)


def _accuracy_check(trials: Trials, data: str) -> Check:
    teacher, plain, light = (_accuracy(trials[data], model) for model in ("HGNN", "MLP", "LightHGNN"))
    return Check(
        claim=f"the student keeps up without hyperedges, {data}",
        measured=f"LightHGNN {light:.3f}, HGNN {teacher:.3f}, MLP {plain:.3f}",
        bound="at least HGNN - 0.02 and MLP + 0.12 (means)",
        shown=light >= teacher - 0.02 and light >= plain + 0.12,
    )


def _high_order_check(trials: Trials) -> Check:
    apart = {data: _accuracy(runs, "LightHGNN+") - _accuracy(runs, "LightHGNN") for data, runs in trials.items()}
    return Check(
        claim="LightHGNN+ is as accurate as LightHGNN",
        measured="difference " + ", ".join(f"{data} {value:+.3f}" for data, value in apart.items()),
        bound="within 0.015 on every data set (means)",
        shown=all(abs(value) <= 0.015 for value in apart.values()),
    )


def _score_check(trials: Trials) -> Check:
    scores = {data: [_score(runs, model) for model in MODELS[1:]] for data, runs in trials.items()}
    measured = "; ".join(f"{data} {a:.2f}, {b:.2f}, {plain:.2f}" for data, (plain, a, b) in scores.items())
    return Check(
        claim="students know of the hyperedges: their hidden values are smoother along them",
        measured=f"topology-aware score of LightHGNN, LightHGNN+, MLP: {measured}",
        bound="both below the MLP's on every data set (means)",
        shown=all(max(students) < plain for plain, *students in scores.values()),
    )


def _speed_check(name: str, clock: Sequence[Times]) -> Check:
    full, gather = _mean(map(full_ratio, clock)), _mean(map(gather_ratio, clock))
    return Check(
        claim=f"one answer of the student is quicker, {name}",
        measured=f"{full:.1f} times than a full pass, {gather:.1f} times than gathering two hops",
        bound="at least 10 and 5 times (means)",
        shown=full >= 10 and gather >= 5,
    )


def _growth_check(grown: Sequence[Sequence[Times]]) -> Check:
    ratios = {clock[0].nodes: _mean(map(full_ratio, clock)) for clock in grown}
    gathers = [_mean(map(gather_ratio, clock)) for clock in grown]
    values = list(ratios.values())
    measured = ", ".join(f"{nodes:,} nodes {ratio:.0f}" for nodes, ratio in ratios.items())
    return Check(
        claim="the gain over a full pass grows with the hypergraph",
        measured=f"{measured}; over gathering {', '.join(f'{ratio:.0f}' for ratio in gathers)}",
        bound="growing at every step (means)",
        shown=all(after > before for before, after in pairwise(values)),
    )


def _accuracy(runs: Sequence[Trial], model: str) -> float:
    return _mean(one.found[model].accuracy for one in runs)


def _score(runs: Sequence[Trial], model: str) -> float:
    return _mean(one.found[model].score for one in runs)


def picture(trials: Trials, clocks: Clocks, path: Path) -> Path:
    """Accuracies, learning curves and reliability; time by size, nodes not met, and scores."""
    figure, axes = panels(2, 3)
    flat = list(axes.flat)
    main = MAIN if MAIN in trials else next(iter(trials))
    _by_data(flat[0], {d: {m: [t.found[m].accuracy for t in r] for m in MODELS} for d, r in trials.items()})
    flat[0].set_ylabel("test accuracy")
    rights: dict[str, ArrayLike] = {
        model: [one.found[model].history.validation_accuracies for one in trials[main]] for model in MODELS
    }
    epochs = range(1, len(trials[main][0].found["MLP"].history.losses) + 1)
    curves(flat[1], epochs, rights, xlabel="epoch", ylabel="validation accuracy")
    flat[1].set_title(main)
    flat[1].legend(fontsize=7)
    _reliability(flat[2], trials[main], main)
    _time(flat[3], [clock for name, clock in list(clocks.items())[1:]])
    _by_data(flat[4], {d: {m: [t.unseen[m] for t in r] for m in r[0].unseen} for d, r in trials.items()})
    flat[4].set_ylabel("accuracy on nodes not met")
    _by_data(flat[5], {d: {m: [t.found[m].score for t in r] for m in MODELS} for d, r in trials.items()})
    flat[5].set_ylabel("topology-aware score")
    letters(flat)
    return save(figure, path)


def _by_data(axes: Axes, values: Mapping[str, Mapping[str, Sequence[float]]]) -> None:
    """A mark a seed, side by side for each data set's models."""
    for place, by_model in enumerate(values.values()):
        for model, found in by_model.items():
            number = MODELS.index(model)
            axes.scatter(
                [place + 0.18 * (number - 1.5)] * len(found),
                found,
                color=COLOURS[number],
                marker=MARKS[number],
                s=18,
                label=model if place == 0 else None,
            )
    axes.set_xticks(range(len(values)), [name.replace(" ", "\n", 1) for name in values], fontsize=7)
    axes.set_xlim(-0.6, len(values) - 0.4)
    axes.margins(y=0.2)
    axes.legend(fontsize=7, ncols=2, loc="upper right")


def _reliability(axes: Axes, runs: Sequence[Trial], name: str) -> None:
    edges = np.linspace(0, 1, 21).tolist()
    for seed, one in enumerate(runs):
        axes.hist(one.keep.numpy(), edges, histtype="step", color=COLOURS[seed], label=f"seed {seed}")
    axes.set(xlabel="probability that a hyperedge is taken", ylabel="hyperedges", yscale="log", title=name)
    axes.legend(fontsize=7, loc="upper left")


def _time(axes: Axes, grown: Sequence[Sequence[Times]]) -> None:
    sizes = [clock[0].nodes for clock in grown]
    kinds = {"full": "full pass", "gather": "exact gathering", "gathered": "once gathered", "student": "student"}
    by_name: dict[str, ArrayLike] = {
        name: np.array([[1e3 * getattr(one, kind) for one in clock] for clock in grown]).T
        for kind, name in kinds.items()
    }
    curves(axes, sizes, by_name, xlabel="nodes", ylabel="milliseconds an answer")
    axes.set(xscale="log", yscale="log")
    axes.set_xticks(sizes, [f"{size / 1000:g}k" for size in sizes])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.legend(fontsize=7)


def _mean(values: Iterable[float]) -> float:
    return statistics.fmean(values)
