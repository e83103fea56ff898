"""The search for small circuits: simulated annealing of networks of one hidden layer under error budgets.

Chains of several hidden widths start from trained networks, trees and sparse random neurons. Each first learns,
then goes through the error budgets from the fewest errors it reached upwards, and shrinks its circuit under each.
In later rounds the best circuits of all chains are annealed again in the same way. A chain depends on its start and
its seed alone and a round on the rounds before it, so that the number of threads changes nothing but the time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, astuple, replace
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from printedmlp.anneal_checkpoint import Store
from printedmlp.anneal_settings import AnnealSettings
from printedmlp.anneal_tasks import Problem, Progress, Task, Watch, Worker
from printedmlp.area import AreaUnits
from printedmlp.chain import row_weights
from printedmlp.cores import available_cores
from printedmlp.errors import ModelError
from printedmlp.found import Candidates, Found, Pool
from printedmlp.genome import Genes, GenomeLayout
from printedmlp.model import DiscreteMLP, QReLU
from printedmlp.technology import Technology

__all__ = ["AnnealSettings", "Found", "anneal"]


def anneal(
    settings: AnnealSettings,
    X_train: ArrayLike,
    y_train: ArrayLike,
    *,
    n_classes: int,
    input_bits: int,
    technology: Technology,
    rng: np.random.Generator,
    class_weights: Sequence[int] | None = None,
    lsb: int = 4,
    msb: int = 11,
    starts: Sequence[DiscreteMLP] = (),
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
    checkpoint: Path | None = None,
    threads: int | None = None,
) -> list[Found]:
    """Small circuits for every number of errors within reach.

    Parameters
    ----------
    X_train : (n_samples, n_features) integer codes in 0 .. 2^input_bits - 1.
    y_train : (n_samples,) class indices below `n_classes`.
    technology : its cells' areas are what is minimised.
    rng : the only source of chance; the same state gives the same result, bit for bit.
    class_weights : (C,) positive integers, what a wrong row of each class counts; None for one each.
    lsb, msb : lowest and highest bit of the hidden activations; the chains may lower the highest (`tops`).
    starts : classifiers of one hidden layer, one term a connection, that the first chains start from instead.
    on_progress : called after every level with levels done, levels in all, fewest errors and smallest area in mm2
        so far; an exception it raises ends the search.
    should_stop : asked often; once it says yes, what is found so far is the result.
    checkpoint : file that keeps every finished chain; a call that finds it goes on from there to the same result.
    threads : chains at a time; by default one per available core.

    Returns
    -------
    At most `settings.keep` classifiers, fewest errors first: the non-dominated ones, then those nearest to them.

    Raises
    ------
    ConfigError, ModelError : for settings, class weights, rows or start points that do not fit.
    """
    X, y = np.asarray(X_train), np.asarray(y_train)
    _check_rows(X, y, n_classes, input_bits)
    weights = row_weights(y, n_classes, class_weights)
    problem = Problem(X, y, weights, n_classes, input_bits, AreaUnits.of(technology), lsb, msb)
    tasks = _tasks(settings, problem, starts, rng)
    store = Store(checkpoint, _digest(settings, problem, tasks))
    watch = Watch(len(tasks) * settings.levels, on_progress, should_stop)
    found: list[Candidates] = []
    # The limit holds for the whole process: chains that set it for themselves would lift it for each other.
    with threadpool_limits(1), ThreadPoolExecutor(threads or available_cores()) as workers:
        for first in range(0, len(tasks), settings.chains):
            pool = Pool(found) if found else None
            jobs = [
                workers.submit(_result, settings, problem, task, pool, store, watch)
                for task in tasks[first : first + settings.chains]
            ]
            found += _gathered(jobs, watch)
    return Pool(found).found(settings.keep) if found else []


def _tasks(
    settings: AnnealSettings, problem: Problem, starts: Sequence[DiscreteMLP], rng: np.random.Generator
) -> list[Task]:
    """Every chain of every round. All chance is drawn here, so that resuming draws the same."""
    widths = _widths(settings, problem)
    seeds = rng.integers(1 << 63, size=(settings.rounds + 1) * settings.chains)
    tasks = []
    for number, seed in enumerate(seeds.tolist()):
        place = number % settings.chains
        layout = problem.layout(widths[place % len(widths)], settings.tops[place % len(settings.tops)])
        start: str | Genes = settings.starts[place % len(settings.starts)]
        if place < len(starts):
            layout = _layout_of(starts[place], layout)
            start = layout.encode(starts[place])
        tasks.append(Task(number, place, layout, start, seed))
    return tasks


def _widths(settings: AnnealSettings, problem: Problem) -> list[int]:
    """The widths that are not absurd for the table; the smallest one if all are."""
    most = max(problem.X.shape[1], 2 * problem.n_classes)
    return [width for width in settings.widths if width <= most] or [min(settings.widths)]


def _layout_of(model: DiscreteMLP, layout: GenomeLayout) -> GenomeLayout:
    """The layout with the sizes, hidden activations and bias shifts of a given start point."""
    activations = tuple(layer.activation for layer in model.layers if isinstance(layer.activation, QReLU))
    shifts = tuple(layer.bias_shift for layer in model.layers)
    return replace(layout, topology=model.topology, activations=activations, bias_shifts=shifts)


def _result(
    settings: AnnealSettings, problem: Problem, task: Task, pool: Pool | None, store: Store, watch: Watch
) -> list[Candidates]:
    known = store.load(task.number)
    if known is not None:
        watch.tick(settings.levels, known)
        return known
    if watch.ended:
        return []
    try:
        candidates = Worker(settings, problem, task, watch).run(pool)
    except BaseException:
        watch.end()
        raise
    if not watch.ended:
        store.save(task.number, candidates)
    return candidates


def _gathered(jobs: Sequence[Future[list[Candidates]]], watch: Watch) -> list[Candidates]:
    try:
        return [candidates for job in jobs for candidates in job.result()]
    except BaseException:
        watch.end()
        raise


def _digest(settings: AnnealSettings, problem: Problem, tasks: Sequence[Task]) -> str:
    """Names this search: everything its result depends on."""
    arrays = [problem.X, problem.y, problem.weights, *(t.start for t in tasks if not isinstance(t.start, str))]
    facts = [
        asdict(settings),
        astuple(problem.units),
        (problem.n_classes, problem.input_bits, problem.lsb, problem.msb, problem.X.shape),
        [
            (asdict(task.layout), task.start if isinstance(task.start, str) else "given", task.seed)
            for task in tasks
        ],
    ]
    digest = hashlib.sha256(json.dumps(facts).encode())
    for array in arrays:
        digest.update(np.ascontiguousarray(array, dtype=np.int64).tobytes())
    return digest.hexdigest()


def _check_rows(X: NDArray[np.generic], y: NDArray[np.generic], n_classes: int, input_bits: int) -> None:
    if X.ndim != 2 or not X.size or y.shape != (len(X),):
        raise ModelError(f"rows of shape {X.shape} with labels of shape {y.shape}")
    for name, values, stop in (("code", X, 1 << input_bits), ("label", y, n_classes)):
        if values.dtype.kind not in "ui":
            raise ModelError(f"{name}s must be integers, not {values.dtype}")
        if values.min() < 0 or values.max() >= stop:
            raise ModelError(f"{name}s must be in 0..{stop - 1}, not {values.min()}..{values.max()}")
