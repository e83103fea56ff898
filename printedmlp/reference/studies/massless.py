"""Star clusters with massless particles: who sinks, who leaves, and can a small network tell beforehand?

Isolated clusters for segregation, clusters in a galaxy's tide for escapes, and the data set `cluster_escapers`,
split by rows and by whole clusters.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle
from numpy.typing import ArrayLike

from printedmlp.dataset import Dataset, load_dataset
from printedmlp.reference.massless import GROUPS, Frame, Tidal, isolated_run, tidal_run
from printedmlp.reference.outcome import Check, Context, Measure, Outcome
from printedmlp.reference.pictures import COLOURS, curves, letters, panels, save
from printedmlp.reference.studies.massless_runs import (
    EARLY,
    FULL,
    LATE,
    QUICK,
    SPLITS,
    TABLE,
    Plan,
    Score,
    collapse,
    escape_rate,
    scored,
)
from printedmlp.stars.cluster import Cluster, begin, moved


def run(context: Context) -> Outcome:
    """Simulate, train, check the claims, draw the picture; on the processor whatever the device."""
    plan = QUICK if context.quick else FULL
    alone = [isolated_run(plan.isolated, seed) for seed in context.seeds]
    tidal = [tidal_run(plan.tidal, seed) for seed in context.seeds]
    data = load_dataset(TABLE)
    scores = {split: [scored(data, split, seed, plan.epochs) for seed in context.seeds] for split in SPLITS}
    picture(plan, alone, tidal, data, context.folder / "massless.png")
    return Outcome(
        (*_cluster_measures(plan, alone, tidal), *_score_measures(scores)),
        checks(alone, tidal, scores["clusters"]),
        (
            _split_note(scores["rows"], scores["clusters"]),
            _inside_note(scores["clusters"]),
            "Stars that have left the cluster still pull; the tidal radius stays that of the whole mass.",
        ),
    )


def checks(alone: Sequence[list[Frame]], tidal: Sequence[Tidal], unseen: Sequence[Score]) -> tuple[Check, ...]:
    """The claims against what was measured; `unseen` are the scores on clusters that training had not seen."""
    return (
        _energy_check(alone),
        _virial_check(alone),
        _segregation_check(alone),
        _massless_check(alone),
        _expansion_check(alone),
        _escape_check(tidal),
        _classifier_check(unseen),
    )


def _late(frames: list[Frame], group: int) -> float:
    """Mean half-number radius of a group from the time `LATE` on."""
    return statistics.fmean(f.half[group] for f in frames if f.time >= LATE)


def _listed(values: Sequence[float], form: str = ".2f") -> str:
    return ", ".join(f"{value:{form}}" for value in values)


def _energy_check(alone: Sequence[list[Frame]]) -> Check:
    errors = [max(abs(f.energy / frames[0].energy - 1) for f in frames) for frames in alone]
    return Check(
        "energy is conserved by the run",
        f"largest relative error {_listed(errors, '.1e')}",
        "< 1e-3, every seed",
        max(errors) < 1e-3,
    )


def _virial_check(alone: Sequence[list[Frame]]) -> Check:
    ratios = [f.virial for frames in alone for f in frames]
    return Check(
        "the bound stars stay in virial equilibrium",
        f"K / |W| from {min(ratios):.2f} to {max(ratios):.2f}",
        "0.40 to 0.65, at all times, every seed",
        min(ratios) >= 0.4 and max(ratios) <= 0.65,
    )


def _segregation_check(alone: Sequence[list[Frame]]) -> Check:
    first = [frames[0].half[0] / frames[0].half[1] for frames in alone]
    late = [_late(frames, 0) / _late(frames, 1) for frames in alone]
    return Check(
        "stars segregate by mass",
        f"half-number radius, heaviest tenth over lightest half: {_listed(late)}, at first {_listed(first)}",
        f"mean < 0.7 from t = {LATE:g} on, 0.75 to 1.25 at first",
        statistics.fmean(late) < 0.7 and 0.75 <= statistics.fmean(first) <= 1.25,
    )


def _massless_check(alone: Sequence[list[Frame]]) -> Check:
    late = [_late(frames, 2) / _late(frames, 1) for frames in alone]
    return Check(
        "massless particles do not segregate",
        f"half-number radius over that of the lightest half of stars {_listed(late)}",
        f"mean >= 0.9 from t = {LATE:g} on",
        statistics.fmean(late) >= 0.9,
    )


def _expansion_check(alone: Sequence[list[Frame]]) -> Check:
    growth = [_late(frames, 2) / frames[0].half[2] for frames in alone]
    return Check(
        "massless particles follow the weakening potential outwards",
        f"half-number radius over the first {_listed(growth)}",
        f"mean > 1.5 from t = {LATE:g} on",
        statistics.fmean(growth) > 1.5,
    )


def _escape_check(tidal: Sequence[Tidal]) -> Check:
    until = float(tidal[0].times[-1])
    before = [escape_rate(run.massless, 0.0, collapse(run)) for run in tidal]
    after = [escape_rate(run.massless, collapse(run), until) for run in tidal]
    measured = "; ".join(
        f"{b:.4f} to t = {collapse(run):g}, then {a:.4f}" for run, b, a in zip(tidal, before, after, strict=True)
    )
    return Check(
        "massless particles escape faster before core collapse than after",
        f"escapes per particle left and unit of time: {measured}",
        "after < 0.8 of before (means)",
        statistics.fmean(after) < 0.8 * statistics.fmean(before),
    )


def _classifier_check(unseen: Sequence[Score]) -> Check:
    accuracy, auc, majority = (
        statistics.fmean(getattr(s, n) for s in unseen) for n in ("accuracy", "auc", "majority")
    )
    return Check(
        "8 hidden units tell who escapes from clusters not seen in training",
        f"AUC {auc:.3f}, accuracy {accuracy:.3f}, larger class {majority:.3f}",
        "AUC > 0.7, accuracy 0.03 above the larger class (means)",
        auc > 0.7 and accuracy - majority >= 0.03,
    )


def _split_note(rows: Sequence[Score], clusters: Sequence[Score]) -> str:
    seen, unseen = (statistics.fmean(s.accuracy for s in scores) for scores in (rows, clusters))
    return (
        f"Test accuracy on held-out rows of clusters seen in training {seen:.3f}, on unseen clusters {unseen:.3f}: "
        f"rows less clusters {100 * (seen - unseen):+.1f} points."
    )


def _inside_note(unseen: Sequence[Score]) -> str:
    accuracy, majority = (statistics.fmean(s.inside[k] for s in unseen) for k in range(2))
    return (
        "Of the unseen clusters' particles that begin within the tidal radius, where the answer is harder, "
        f"the network knows {accuracy:.3f}; {majority:.3f} of them stay."
    )


def _cluster_measures(plan: Plan, alone: Sequence[list[Frame]], tidal: Sequence[Tidal]) -> list[Measure]:
    count = plan.isolated.cluster
    data = f"isolated, {count.n_stars} stars, {count.n_massless} massless"
    rows = [
        Measure(
            "N-body run",
            f"{data}: {group}",
            f"half-number radius, t >= {LATE:g}",
            tuple(_late(f, k) for f in alone),
        )
        for k, group in enumerate(GROUPS)
    ]
    count, until = plan.tidal.cluster, plan.tidal.until
    data = f"tidal radius {count.jacobi_radius:g}, {count.n_stars} stars, {count.n_massless} massless"
    for name, left in (("stars", [r.stars for r in tidal]), ("massless particles", [r.massless for r in tidal])):
        shares = tuple(float(np.isfinite(times).mean()) for times in left)
        rows.append(Measure("N-body run", f"{data}: {name}", f"share escaped by t = {until:g}", shares))
    return rows


def _score_measures(scores: dict[str, list[Score]]) -> list[Measure]:
    names = {"rows": "split by rows", "clusters": "unseen clusters"}
    metrics = (("test accuracy", "accuracy"), ("AUC", "auc"), ("accuracy of the larger class", "majority"))
    return [
        Measure(
            "MLP 6-8-2",
            f"{TABLE}, {names[split]}",
            metric,
            tuple(getattr(s, field) for s in found),
            parameters=found[0].parameters if field != "majority" else 0,
            seconds=statistics.fmean(s.seconds for s in found) if field != "majority" else 0.0,
        )
        for split, found in scores.items()
        for metric, field in metrics
    ]


def picture(plan: Plan, alone: Sequence[list[Frame]], tidal: Sequence[Tidal], data: Dataset, path: Path) -> Path:
    """Clusters at first and later, half-number radii by time, escapes by time, who escapes by radius and energy."""
    figure, axes = panels(2, 3, width=3.8, height=3.4)
    config, until = plan.isolated.cluster, plan.isolated.until
    start = begin(config, 0)
    _drawn(axes[0, 0], start, 3.0, "isolated, t = 0")
    _drawn(axes[0, 1], moved(start, config, round(until * config.steps)), 3.0, f"isolated, t = {until:g}")
    config = plan.tidal.cluster
    _drawn(
        axes[0, 2], moved(begin(config, 0), config, round(EARLY * config.steps)), 12.0, f"in a tide, t = {EARLY:g}"
    )
    for factor, style in ((1, "-"), (2, "--")):
        axes[0, 2].add_patch(Circle((0, 0), factor * config.jacobi_radius, fill=False, linestyle=style, zorder=3))
    axes[0, 2].legend(loc="upper right")
    _by_time(axes[1, 0], alone)
    _escapes(axes[1, 1], tidal)
    _map(axes[1, 2], data)
    letters(axes.flat)
    return save(figure, path)


def _drawn(axes: Axes, cluster: Cluster, half_width: float, title: str) -> None:
    """The cluster seen along z: massless particles as dots, stars as discs whose area is their mass."""
    n, (x, y, _) = cluster.n_stars, cluster.position
    axes.scatter(x[n:], y[n:], s=3, color=COLOURS[7], linewidths=0, label="massless")
    heavy = np.argsort(-cluster.masses, kind="stable")[: n // 10]
    light = np.setdiff1d(np.arange(n), heavy)
    for members, colour, name in ((light, COLOURS[0], "stars"), (heavy, COLOURS[1], "heaviest tenth")):
        size = 3 + 1800 / half_width * cluster.masses[members]
        axes.scatter(x[members], y[members], s=size, color=colour, linewidths=0, alpha=0.8, label=name)
    axes.set(xlim=(-half_width, half_width), ylim=(-half_width, half_width), aspect="equal", title=title)
    axes.set_xlabel("x")
    axes.set_ylabel("y")


def _by_time(axes: Axes, alone: Sequence[list[Frame]]) -> None:
    radii: dict[str, ArrayLike] = {
        group: [[f.half[k] for f in frames] for frames in alone] for k, group in enumerate(GROUPS)
    }
    curves(axes, [f.time for f in alone[0]], radii, xlabel="time", ylabel="half-number radius")
    axes.set_ylim(0, 1.35 * axes.get_ylim()[1])
    axes.legend(loc="upper left")


def _escapes(axes: Axes, tidal: Sequence[Tidal]) -> None:
    """Escapes per body left and unit of time in spans of 4; dotted lines where the core is smallest."""
    edges = np.arange(0.0, tidal[0].times[-1] + 1, 4.0)
    spans = list(pairwise(edges.tolist()))
    rates: dict[str, ArrayLike] = {
        name: [[escape_rate(left, a, b) for a, b in spans] for left in all_left]
        for name, all_left in (("massless", [r.massless for r in tidal]), ("stars", [r.stars for r in tidal]))
    }
    curves(axes, (edges[:-1] + edges[1:]) / 2, rates, xlabel="time", ylabel="escapes per body left and unit")
    for number, each in enumerate(tidal):
        label = "core smallest" if number == 0 else None
        axes.axvline(collapse(each), color=COLOURS[6], linewidth=0.8, linestyle=":", label=label)
    axes.legend()


def _map(axes: Axes, data: Dataset) -> None:
    """Radius and Jacobi energy of the table's particles at first, by class."""
    radius, jacobi = (data.X[:, data.feature_names.index(name)] for name in ("radius", "jacobi_energy"))
    order = np.random.default_rng(0).permutation(data.n_samples)
    stays = data.class_names.index("stays")
    for label, colour, name in ((True, COLOURS[0], "stays"), (False, COLOURS[1], "escapes")):
        chosen = order[(data.y[order] == stays) == label]
        axes.scatter(radius[chosen], jacobi[chosen], s=4, color=colour, alpha=0.5, linewidths=0, label=name)
    axes.set_xlabel("radius at t = 0")
    axes.set_ylabel("Jacobi energy at t = 0")
    axes.legend(markerscale=3)
