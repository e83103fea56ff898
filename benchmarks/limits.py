"""What a larger run costs: time and memory of every stage against rows, features and width of the network.

    python -m benchmarks.limits [--time-limit 60] [--memory-limit 12] [--until search] [--json FILE] [SERIES ...]

Made-up tables, one of the three varied at a time up to 100,000 rows and 500 features, then the whole of it;
digits; and images of handwritten figures where PRINTEDMLP_DATA has them. Every stage runs in a process of its own
with a limit of wall time and of address space; a table whose stage reaches one goes no further. Told is processor
time over all cores, which other work on the machine changes little, less that of the same command with nothing
left to do, which is start and reading. The effort is small and the same for all, so that figures tell how a stage
grows; on a given table, time grows with the settings of moves, generations and proposals. An exponent is the
slope of a straight line through the logarithms of a series' points.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables import table
from flows.design import STAGES as WORK

EFFORT = ["--budget", "quick", "--restarts", "2", "--population", "40", "--generations", "50", "--chains", "2"]
EFFORT += ["--proposals", "500", "--tree-generations", "5", "--candidates", "2", "--refine-starts", "1"]
EFFORT += ["--refine-moves", "5000", "--power-moves", "2000"]
STAGES = list(WORK)
FIRST, READING = STAGES[0], "start and reading"
CLASSES, SEED = 5, 0
LEAST_S = 0.1
"""Shorter times are mostly constant and say nothing of growth."""
IMAGES = Path("suite", "mnist_5k_10k.npz")
LARGEST = (100_000, 500, 4)
Record = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """A made-up table and the width of the network's hidden layer."""

    rows: int = 2000
    features: int = 20
    width: int = 4


SERIES = {
    "rows": [Size(rows=n) for n in (1000, 5000, 20_000, 100_000)],
    "features": [Size(features=n) for n in (10, 50, 150, 500)],
    "width": [Size(width=n) for n in (2, 6, 16, 32)],
    "largest": [Size(*LARGEST)],
    "digits": [Size(1797, 64, 4)],
    "images": [Size(5000, 784, 4)],
}
VARIED = ("rows", "features", "width")


def made_up(size: Size) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers 0 to 99 around a mean of their class that some features know; X (rows, features), y (rows,)."""
    rng = np.random.default_rng([SEED, size.rows, size.features])
    y = rng.integers(CLASSES, size=size.rows)
    means = np.where(rng.random(size.features) < 0.5, rng.uniform(20, 80, (CLASSES, size.features)), 50.0)
    X = rng.normal(means[y], 15.0).round().clip(0, 99).astype(np.uint8)
    return X, y


def images() -> tuple[np.ndarray, np.ndarray] | None:
    """The training images as rows, or None where nobody has them."""
    file = Path(os.environ.get("PRINTEDMLP_DATA", ""), IMAGES)
    if not file.is_file():
        return None
    with np.load(file) as data:
        return data["x_train"].reshape(len(data["y_train"]), -1), data["y_train"]


def table_of(series: str, size: Size, folder: Path) -> str | None:
    """What the flow is given: a name, the path of a file made for it, or None where there is no such data."""
    if series == "digits":
        return "digits"
    content = images() if series == "images" else made_up(size)
    if content is None:
        return None
    X, y = content
    file = folder / f"{series}.csv"
    head = ",".join([*(f"f{number}" for number in range(X.shape[1])), "class"])
    np.savetxt(file, np.column_stack([X, y]), fmt="%d", delimiter=",", header=head, comments="")
    return str(file)


def stages_of(dataset: str, size: Size, out: Path, options: argparse.Namespace) -> Iterator[tuple[str, Record]]:
    """Start and reading, then stage by stage: seconds and MB, or `why` at what was not finished."""
    why, first = ran(dataset, size, out, FIRST, options)
    start = first
    if not why:
        why, start = ran(dataset, size, out, FIRST, options)
    yield READING, {"why": why} if why else {"seconds": start}
    for stage in STAGES[: STAGES.index(options.until) + 1] if not why else ():
        why, used = ("", first) if stage == FIRST else ran(dataset, size, out, stage, options)
        if why:
            yield stage, {"why": why}
            return
        record = json.loads((out / "manifest.json").read_text(encoding="utf-8"))["stages"][stage]
        yield (
            stage,
            {"seconds": max(used - start, 0.0), "wall_s": record["seconds"], "mb": record["peak_memory_mb"]},
        )


def ran(dataset: str, size: Size, out: Path, stage: str, options: argparse.Namespace) -> tuple[str, float]:
    """Run the flow up to a stage; why it did not get there ("" if it did), and processor seconds."""
    command = [
        sys.executable,
        "-m",
        "flows.design",
        dataset,
        "--out",
        str(out),
        "--until",
        stage,
        "--quiet",
        *EFFORT,
    ]
    limit = partial(resource.setrlimit, resource.RLIMIT_AS, (int(options.memory_limit * 2**30),) * 2)
    before = processor_s()
    with subprocess.Popen(
        [*command, "--hidden", str(size.width), *EFFORT],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=limit,
    ) as process:
        try:
            _, told = process.communicate(timeout=options.time_limit)
        except subprocess.TimeoutExpired:
            return f"over {options.time_limit:g} s", 0.0
        finally:
            # Tools of a stage that was cut short would go on without it.
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    used = processor_s() - before
    if process.returncode == 0:
        return "", used
    return ("no memory" if "Memory" in told else (told.strip().splitlines() or ["failed"])[-1]), 0.0


def processor_s() -> float:
    """Processor seconds of all processes that were waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def measured(series: str, size: Size, options: argparse.Namespace) -> Record | None:
    """One table; None where there is no such data."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = table_of(series, size, Path(folder))
        if dataset is None:
            return None
        stages = dict(stages_of(dataset, size, Path(folder) / "run", options))
    return {"series": series, **vars(size), "stages": stages}


def slope(sizes: Sequence[float], values: Sequence[float]) -> float | None:
    """The exponent of a power law through the points; None for fewer than three."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0]) if len(sizes) >= 3 else None


def exponent(records: Sequence[Record], series: str, stage: str, key: str, least: float) -> str:
    """How a stage's seconds or MB grow along a series."""
    known = [(r[series], r["stages"][stage][key]) for r in records if key in r["stages"].get(stage, {})]
    points = [(size, value) for size, value in known if value >= least]
    found = slope(*zip(*points, strict=True)) if points else None
    return "–" if found is None else f"{found:.2f} ({len(points)})"


def cell(stage: Record | None) -> str:
    """Seconds / MB of a stage, or why there are none."""
    if stage is None or "why" in stage:
        return stage["why"] if stage else "–"
    return f"{stage['seconds']:.1f}" + (f" / {stage['mb']}" if "mb" in stage else "")


def row(record: Record, stages: Sequence[str]) -> list[str]:
    """One table's line."""
    sizes = [str(record[key]) for key in VARIED]
    return [record["series"], *sizes, *(cell(record["stages"].get(stage)) for stage in stages)]


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("series", nargs="*", default=list(SERIES), metavar="SERIES", help=", ".join(SERIES))
    parser.add_argument("--time-limit", type=float, default=60.0, metavar="S", help="of each stage")
    parser.add_argument("--memory-limit", type=float, default=12.0, metavar="GB", help="address space of a process")
    parser.add_argument("--until", default="search", choices=STAGES)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.series if name not in SERIES]:
        parser.error(f"no series '{unknown[0]}'; there are {', '.join(SERIES)}")
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures and the exponents."""
    options = parsed(arguments)
    stages = [READING, *STAGES[: STAGES.index(options.until) + 1]]
    records: list[Record] = []
    for series in options.series:
        for size in SERIES[series]:
            record = measured(series, size, options)
            if record is None:
                print(f"{series}: left out, PRINTEDMLP_DATA has no {IMAGES}", file=sys.stderr)
                continue
            records.append(record)
            print(f"{series} {vars(size)}: done", file=sys.stderr, flush=True)
    head = ["series", "rows", "features", "width", *stages]
    print(table(head, [row(record, stages) for record in records]), end="\n\n")
    for key, least, words in (("seconds", LEAST_S, "time"), ("mb", 1.0, "memory")):
        rows = []
        for series in (name for name in VARIED if name in options.series):
            own = [record for record in records if record["series"] == series]
            rows.append([series, *(exponent(own, series, stage, key, least) for stage in stages)])
        print(table([f"exponent of {words} (points)", *stages], rows), end="\n\n")
    if options.json:
        options.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
