"""How well estimates of a circuit rank designs, against what synthesis makes of them.

    python -m benchmarks.cost_correlation [--designs 360] [--seed 100] [--processes 2] [--json FILE] [DATASET ...]

Spearman's rank correlation with the synthesised area (quick effort, EGFET cells, without routing) of the full-adder
count of DATE 2024, the closed-form area and the area of the hashed gates, for each data set and all together. A
third of the designs are start points thinned at random, a third comes out of NSGA-II, a third was pruned under an
error budget; constant ones and those above 6 cm2 are left out. Data sets not at hand are left out and named.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks.correlation_designs import Design, designs
from benchmarks.tables import table
from hdl.emit import classifier_verilog
from hdl.synthesis import map_verilog
from printedmlp.area import AreaModel, AreaUnits, hashed_area
from printedmlp.cost import PopulationCost
from printedmlp.errors import DataError
from printedmlp.technology import Technology, load_technology

SHIPPED = ("balance", "iris", "wine", "breast_cancer_diagnostic", "digits")
OTHERS = ("redwine", "cardio", "pendigits", "seeds")
ESTIMATES = ("full adders", "closed form", "hashed gates")
GROUPS = ("", ", evolved or pruned", ", pruned")


@dataclass(frozen=True)
class Measured:
    """One design's synthesised area, its estimates in the order of ESTIMATES, and how long each took once."""

    dataset: str
    kind: str
    area_mm2: float
    estimates: tuple[float, float, float]
    microseconds: tuple[float, float, float]


def measure(design: Design) -> Measured:
    """Map one design and estimate it."""
    technology = _technology()
    model = design.layout.decode(design.genes)
    with tempfile.TemporaryDirectory() as folder:
        verilog = classifier_verilog(model)
        mapped = map_verilog(verilog, technology, effort="quick", work_dir=Path(folder), prove=False)
    area = AreaModel(design.layout, AreaUnits.of(technology))
    timed = [
        _timed(lambda: float(PopulationCost(design.layout).full_adders(design.genes[None])[0])),
        _timed(lambda: float(area.areas(design.genes[None])[0])),
        _timed(lambda: hashed_area(model, technology)),
    ]
    values, microseconds = zip(*timed, strict=True)
    found = mapped.netlist.area_cm2(technology) * 100
    return Measured(design.dataset, design.kind, found, values, microseconds)


@cache
def _technology() -> Technology:
    return load_technology("egfet")


def _timed(estimate: Callable[[], float]) -> tuple[float, float]:
    start = time.perf_counter()
    return estimate(), (time.perf_counter() - start) * 1e6


def correlations(found: Sequence[Measured]) -> list[float]:
    """Spearman's coefficient of each estimate with the synthesised area; NaN for fewer than three designs."""
    if len(found) < 3:
        return [float("nan")] * len(ESTIMATES)
    areas, estimates = np.array([m.area_mm2 for m in found]), np.array([m.estimates for m in found])
    return [float(spearmanr(estimates[:, k], areas).statistic) for k in range(len(ESTIMATES))]


def row(name: str, found: Sequence[Measured]) -> list[str]:
    """One line: all designs, then those that evolution or pruning made, and what the estimates are in mm2."""
    made = [m for m in found if m.kind != "thinned"]
    pruned = [m for m in found if m.kind == "pruned"]
    areas = np.array([m.area_mm2 for m in found])
    return [
        name,
        f"{len(found)}",
        f"{areas.min():.1f} to {areas.max():.0f}",
        *(f"{value:.3f}" for group in (found, made, pruned) for value in correlations(group)),
        *(f"{value:.2f}" for value in _ratios(found)[1:]),
    ]


def _ratios(found: Sequence[Measured]) -> NDArray[np.float64]:
    estimates, areas = np.array([m.estimates for m in found]), np.array([m.area_mm2 for m in found])
    return np.asarray(np.median(estimates / areas[:, None], axis=0))


def collect(names: Sequence[str], n: int, seed: int, processes: int) -> dict[str, list[Measured]]:
    """Make and measure about n designs in all, equally many of each data set; constant circuits are left out."""
    made: list[Design] = []
    for name in names:
        share = -(-n // len(names))
        try:
            made += designs(name, share + -share % 6, seed)
        except DataError as error:
            print(f"left out: {error}")
    # The largest first, so that no process is left alone with one at the end.
    made.sort(key=lambda design: -design.area_mm2)
    with ProcessPoolExecutor(processes) as pool:
        found = [measured for measured in pool.map(measure, made) if measured.area_mm2 > 0]
    return {name: [m for m in found if m.dataset == name] for name in dict.fromkeys(m.dataset for m in found)}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("datasets", nargs="*", default=(*SHIPPED, *OTHERS))
    parser.add_argument("--designs", type=int, default=360)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = collect(options.datasets, options.designs, options.seed, options.processes)
    together = [measured for group in found.values() for measured in group]
    if options.json:
        options.json.write_text(json.dumps([asdict(m) for m in together], indent=1) + "\n", encoding="utf-8")
    head = ["data set", "designs", "area, mm²", *(f"{e}{g}" for g in GROUPS for e in ESTIMATES)]
    head += [f"{estimate} ÷ area" for estimate in ESTIMATES[1:]]
    print(table(head, [*(row(name, group) for name, group in sorted(found.items())), row("all", together)]))
    times = np.median([m.microseconds for m in together], axis=0)
    print("\nmedian time:", ", ".join(f"{e} {t:.0f} µs" for e, t in zip(ESTIMATES, times, strict=True)))


if __name__ == "__main__":
    main()
