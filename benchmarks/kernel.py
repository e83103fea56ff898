"""Chromosomes a second of every population kernel that runs on this machine, beside numpy, in one run.

    python -m benchmarks.kernel [--rounds 15] [--cores 1 2] [--json FILE]

Random dense chromosomes on random samples. The numpy loop is that of `DiscreteMLP.predict`: one term after the
other, in int64, on an array of one row a sample. The second one has its samples in int32 and in contiguous columns.
All are timed in turn, a few times each so that caches are warm, round after round, and the shortest time counts.
"""

from __future__ import annotations

import argparse
import json
import timeit
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import table
from printedmlp.evaluate import PopulationEvaluator
from printedmlp.genome import Genes, GenomeLayout
from printedmlp.kernels import native
from printedmlp.kernels.compiler import find_compiler

CASES = (((16, 5, 10), 7494), ((9, 3, 2), 489), ((21, 3, 3), 1275))
NUMPY = "numpy loop"
NUMPY_CHROMOSOMES = 2
WORK = 1_000_000
"""Chromosomes times samples of a kernel's timing."""
REPEATS = 5

Samples = tuple[NDArray[Any], NDArray[np.int64]]


def numpy_classes(layout: GenomeLayout, values: NDArray[Any], genes: Genes) -> NDArray[np.int64]:
    """Class of each sample by one chromosome, (G,); values (n, F) in the type to compute in."""
    weights = iter(genes.tolist())
    for layer, (n_inputs, n_neurons) in enumerate(zip(layout.topology, layout.topology[1:], strict=False)):
        sums = np.empty_like(values, shape=(len(values), n_neurons))
        for j in range(n_neurons):
            sums[:, j] = 0
            for i in range(n_inputs):
                sign, mask, exponent = next(weights), next(weights), next(weights)
                sums[:, j] += sign * ((values[:, i] & mask) << exponent)
            sums[:, j] += next(weights) << layout.bias_shifts[layer]
        if layer < len(layout.activations):
            activation = layout.activations[layer]
            values = np.clip(sums, 0, (1 << (activation.msb + 1)) - 1) >> activation.lsb
    return np.asarray(np.argmax(np.maximum(sums, 0), axis=1), dtype=np.int64)


def numpy_errors(layout: GenomeLayout, samples: Samples, population: Genes) -> list[int]:
    """Wrong samples of each chromosome of (P, G)."""
    X, y = samples
    return [int((numpy_classes(layout, X, genes) != y).sum()) for genes in population]


def contestants(
    layout: GenomeLayout, samples: Samples, population: Genes, cores: Sequence[int]
) -> dict[tuple[str, int], tuple[int, Callable[[], Any]]]:
    """What is timed, by name and number of cores: how many chromosomes a call evaluates, and the call."""
    X, y = samples
    columns = np.asfortranarray(X, dtype=np.int32)
    few = population[:NUMPY_CHROMOSOMES]
    result: dict[tuple[str, int], tuple[int, Callable[[], Any]]] = {
        (NUMPY, 1): (len(few), partial(numpy_errors, layout, samples, few)),
        (f"{NUMPY}, int32 columns", 1): (len(few), partial(numpy_errors, layout, (columns, y), few)),
    }
    for threads in cores:
        for backend in ("numba", *native.runnable(find_compiler())):
            evaluator = PopulationEvaluator(layout, X, y, threads=threads, backend=backend)
            assert evaluator.errors(few).tolist() == numpy_errors(layout, samples, few)
            result[backend, threads] = (len(population), partial(evaluator.errors, population))
    return result


def measure(
    topology: tuple[int, ...], n_samples: int, rounds: int, cores: Sequence[int]
) -> dict[tuple[str, int], float]:
    """Chromosomes a second of each contestant: the best of `rounds`."""
    layout, rng = GenomeLayout.uniform(topology), np.random.default_rng(0)
    X = rng.integers(0, 1 << layout.input_bits, (n_samples, topology[0]))
    samples = X, rng.integers(0, topology[-1], n_samples)
    entries = contestants(layout, samples, layout.random(WORK // n_samples, rng), cores)
    seconds = dict.fromkeys(entries, float("inf"))
    for _ in range(rounds):
        for name, (_, call) in entries.items():
            seconds[name] = min(seconds[name], *timeit.repeat(call, number=1, repeat=REPEATS))
    return {name: count / seconds[name] for name, (count, _) in entries.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--cores", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    results, rows = [], []
    for topology, n_samples in CASES:
        shape = f"{'-'.join(map(str, topology))}, {n_samples} samples"
        rates = measure(topology, n_samples, options.rounds, options.cores)
        for (name, threads), rate in rates.items():
            ratio = rate / rates[NUMPY, 1]
            results.append({"shape": shape, "kernel": name, "cores": threads, "per_second": rate, "ratio": ratio})
            rows.append([shape, name, str(threads), f"{rate:,.0f}", f"{1e6 / rate:.2f}", f"{ratio:,.1f}"])
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(table(["shape", "kernel", "cores", "chromosomes/s", "us each", "times the numpy loop"], rows))


if __name__ == "__main__":
    main()
