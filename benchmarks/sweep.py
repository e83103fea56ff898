"""What several workers gain over one, and where the rest goes.

    python -m benchmarks.sweep [SWEEP.toml] [--workers 1 2 4] [--until search] [--json FILE]

The same sweep from nothing with each number of workers, as the command line runs it, and once with one worker on
one core. Linear would be the wall time of one worker divided by the number of workers. What keeps it from that is
told apart: cores that one worker had used already ("cores used", processor time through wall time); runs that take
longer beside others (cores, memory and clock are shared); workers that wait for the longest runs at the end (the
schedule of the measured runs, longest first, against an even share); and what is left of the wall time, the start
of the command and its workers and the way of tasks and results. The last two are also measured alone, on tasks that
do nothing.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.tables import table
from flows.config import make_config
from flows.design import STAGES
from flows.sweep_task import Outcome, Task

DEFAULT = """dataset = ["iris", "wine", "breast_cancer_diagnostic"]
splits = 4
budget = "quick"
"""
EMPTY_TASKS = 100
Record = dict[str, Any]


def nothing(task: Task) -> Outcome:
    """A run that is done at once."""
    return Outcome()


def swept(file: Path, workers: int, until: str, cores: set[int]) -> Record:
    """One sweep from nothing on these cores: wall and processor time, and the seconds of every run."""
    with tempfile.TemporaryDirectory() as folder:
        options = ["--out", folder, "--workers", str(workers), "--until", until, "--quiet"]
        start, used = time.monotonic(), _processor_s()
        command = [sys.executable, "-m", "flows.sweep", str(file), *options]
        subprocess.run(command, check=True, preexec_fn=lambda: os.sched_setaffinity(0, cores))
        wall, used = time.monotonic() - start, _processor_s() - used
        rows = json.loads((Path(folder) / "sweep.json").read_text(encoding="utf-8"))["runs"]
    seconds = [row["seconds"] for row in rows]
    return {"workers": workers, "cores": len(cores), "wall_s": wall, "processor_s": used, "runs_s": seconds}


def _processor_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def overhead(workers: int) -> Record:
    """Seconds until a local cluster takes tasks, and seconds a task that does nothing."""
    from flows.sweep_cluster import local_cluster, outcomes

    start = time.monotonic()
    with local_cluster(workers) as client:
        ready = time.monotonic()
        config = make_config(None, {"dataset": "iris"})
        tasks = [Task(str(number), config, {}, "data", None) for number in range(EMPTY_TASKS)]
        for _ in outcomes(client, tasks, tries=1, work=nothing):
            pass
        return {"start_s": ready - start, "task_s": (time.monotonic() - ready) / EMPTY_TASKS}


def schedule_s(runs_s: Sequence[float], workers: int) -> float:
    """When the last run ends if each, longest first, goes to the worker that is free first."""
    free = [0.0] * workers
    for seconds in sorted(runs_s, reverse=True):
        heapq.heapreplace(free, free[0] + seconds)
    return max(free)


def row(record: Record, one_core: Record, first: Record) -> list[str]:
    """One number of workers: its speed-up, and the parts of its distance from linear."""
    workers, wall, runs = record["workers"], record["wall_s"], record["runs_s"]
    planned = schedule_s(runs, workers)
    return [
        str(workers),
        str(record["cores"]),
        f"{wall:.1f}",
        f"{one_core['wall_s'] / wall:.2f}",
        f"{first['wall_s'] / wall:.2f}",
        f"{record['processor_s'] / wall:.2f}",
        f"{sum(runs) / sum(one_core['runs_s']):.2f}",
        f"{max(runs):.1f}",
        f"{planned / (sum(runs) / workers):.2f}",
        f"{wall - planned:.1f}",
        f"{record['start_s']:.1f}",
        f"{1000 * record['task_s']:.0f}",
    ]


HEAD = ["workers", "cores", "wall, s", "speed-up over one core", "over the first number", "cores used"]
HEAD += ["runs longer by", "longest run, s", "schedule / even share", "wall beyond schedule, s", "start alone, s"]
HEAD += ["empty task, ms"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2, 4])
    parser.add_argument("--until", default="search", choices=STAGES)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        file = options.file or Path(folder) / "sweep.toml"
        if options.file is None:
            file.write_text(DEFAULT, encoding="utf-8")
        cores = os.sched_getaffinity(0)
        one_core = {**swept(file, 1, options.until, {min(cores)}), **overhead(1)}
        records = [{**swept(file, n, options.until, cores), **overhead(n)} for n in options.workers]
    print(f"{len(records[0]['runs_s'])} runs until {options.until}, {len(cores)} cores\n")
    print(table(HEAD, [row(record, one_core, records[0]) for record in (one_core, *records)]))
    if options.json:
        options.json.write_text(json.dumps([one_core, *records], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
