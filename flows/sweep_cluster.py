"""Where a sweep's runs are worked on: processes of this machine, or a Dask scheduler's workers.

A run that loses its worker is sent out again here, so that its tries are counted; the local cluster's own retries
are switched off for it. A scheduler of the user's keeps its own (`distributed.scheduler.allowed-failures`, three
unless it was told otherwise), and only a run that used these up counts as a try here.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, Queue
from typing import Any, cast

from flows.sweep_task import Outcome, Task, run_task
from printedmlp.cores import available_cores
from printedmlp.errors import ConfigError, ToolError

try:
    import dask
    import psutil  # type: ignore[import-untyped]
    from distributed import Client, KilledWorker, LocalCluster, WorkerPlugin, get_worker
    from distributed.client import Future
except ModuleNotFoundError:
    raise ToolError("Dask is not installed: pip install 'printedmlp[sweep]'") from None

CONNECT_S = 10.0
WORKERS_S = 60.0
"""How long to wait for a scheduler, and for the first of its workers."""
POLL_S = 0.5
GONE = "the scheduler is gone; the same command goes on from here"
LOCAL_SETTINGS = {
    # Every death of a worker is told to the sweep, which counts tries itself.
    "distributed.scheduler.allowed-failures": 0,
    # On a busy machine a new process may take longer than the cluster would wait before it gives the place up.
    "distributed.deploy.lost-worker-timeout": "10 minutes",
    # Runs start processes of their own.
    "distributed.worker.daemon": False,
    # Memory is the operating system's to give; a share for each worker would stop runs that still have room.
    "distributed.worker.memory.terminate": False,
    "distributed.worker.memory.pause": False,
}
Work = Callable[[Task], Outcome]


class OwnCores(WorkerPlugin):
    """Binds each local worker to its share of the cores: runs side by side use them better than within one run.

    Parameters
    ----------
    n_workers : of the cluster; worker names are their numbers from 0, and a restarted one keeps its name.
    """

    name = "own cores"

    def __init__(self, n_workers: int) -> None:
        self.n_workers = n_workers

    def setup(self, worker: Any) -> None:
        """Bind the process before it has any thread for runs."""
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, share_of(sorted(os.sched_getaffinity(0)), int(worker.name), self.n_workers))


def share_of(cores: Sequence[int], number: int, of: int) -> set[int]:
    """The cores of worker `number`: a share of its own, or a single one where there are more workers than cores."""
    if of >= len(cores):
        return {cores[number % len(cores)]}
    return set(cores[number * len(cores) // of : (number + 1) * len(cores) // of])


@contextmanager
def local_cluster(n_workers: int | None) -> Iterator[Client]:
    """Worker processes of one thread each on this machine, one a core unless another number is given.

    Raises
    ------
    ToolError : they cannot be started.
    """
    wanted = n_workers or available_cores()
    with dask.config.set(LOCAL_SETTINGS), _quiet():
        cluster = _started(wanted)
        with cluster, Client(cluster) as client:
            client.register_plugin(OwnCores(wanted))
            try:
                yield client
            finally:
                # A run in a thread cannot be asked to end; its checkpoints are on disk.
                _kill_workers(cluster)


def _started(n_workers: int) -> LocalCluster:
    try:
        return LocalCluster(
            n_workers=n_workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            memory_limit=0,
            silence_logs=logging.CRITICAL,
        )
    except (RuntimeError, OSError) as error:
        raise ToolError(f"{n_workers} local workers cannot be started: {' '.join(str(error).split())}") from None


@contextmanager
def remote_cluster(address: str, *, timeout_s: float = CONNECT_S, workers_s: float = WORKERS_S) -> Iterator[Client]:
    """The workers of a scheduler at an address such as tcp://host:8786.

    Raises
    ------
    ToolError : nothing answers there, or no worker has come in time.
    """
    with _quiet():
        try:
            client = Client(address, timeout=timeout_s, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ToolError(f"--scheduler {address}: {_reason(error)}") from None
        with client:
            try:
                client.wait_for_workers(1, timeout=workers_s)
            except TimeoutError:
                raise ToolError(f"--scheduler {address}: no worker has come in {workers_s:g} s") from None
            yield client


def check_shared(client: Client, folder: Path) -> None:
    """Refuse a folder that not every worker sees; ConfigError names one that does not."""
    token = folder / f".{secrets.token_hex(8)}.part"
    token.touch()
    try:
        for worker, seen in client.run(os.path.exists, str(token)).items():
            if not seen:
                raise ConfigError(f"--shared {folder}: worker {worker} does not see this folder")
    finally:
        token.unlink()


def at_worker(task: Task) -> Outcome:
    """One run, as a worker is asked for it."""
    return run_task(task, get_worker().local_directory)


def outcomes(
    client: Client,
    tasks: Sequence[Task],
    *,
    tries: int,
    work: Work = at_worker,
    on_retry: Callable[[Task, int], object] = lambda task, number: None,
    on_wait: Callable[[], object] = lambda: None,
) -> Iterator[tuple[Task, int, Outcome]]:
    """Every task with its number of tries and how it ended, in the order in which they end.

    No more tasks are sent than there are threads for them: one that waited at a worker would be counted as lost
    together with the one that ends the worker.

    Parameters
    ----------
    tries : of a task that loses its workers; after so many it has failed.
    on_retry : told the task and the number of its next try.
    on_wait : called now and then while tasks run.

    Raises
    ------
    ToolError : the scheduler is gone.
    """
    ended: Queue[Future] = Queue()
    todo = deque((task, 1) for task in tasks)
    sent: dict[str, tuple[Future, Task, int]] = {}
    while todo or sent:
        free = _n_threads(client) - len(sent)
        for task, number in [todo.popleft() for _ in range(min(free, len(todo)))]:
            future = _sent(client, work, task, number)
            sent[future.key] = (future, task, number)
            future.add_done_callback(ended.put)
        try:
            future, task, number = sent.pop(ended.get(timeout=POLL_S).key)
        except Empty:
            on_wait()
            continue
        outcome = _outcome(future)
        if outcome is None and number < tries:
            on_retry(task, number + 1)
            todo.appendleft((task, number + 1))
        else:
            yield task, number, outcome or Outcome(f"its worker was lost {number} time{'s' * (number > 1)}")


def _outcome(future: Future) -> Outcome | None:
    """What a task came to; None where its worker was lost."""
    try:
        return cast(Outcome, future.result())
    except KilledWorker:
        return None
    except CancelledError:
        raise ToolError(GONE) from None
    except Exception as error:
        # The worker cannot read what it was sent, or the client what came back.
        return Outcome(f"{type(error).__name__}: {' '.join(str(error).split())}")


def _sent(client: Client, work: Work, task: Task, number: int) -> Future:
    # What an earlier try has left is to be kept.
    task = task if number == 1 else task.kept()
    return client.submit(work, task, key=f"{task.name}-try{number}-{secrets.token_hex(4)}", pure=False)


def _n_threads(client: Client) -> int:
    """Threads of all workers that take tasks by now; ToolError where nobody answers.

    A worker that is still starting is given nothing: the task that was meant for it would wait at another one.
    """
    try:
        workers = client.sync(client.scheduler.identity, n_workers=-1)["workers"].values()
    except (OSError, AttributeError, TimeoutError):
        raise ToolError(GONE) from None
    return sum(worker["nthreads"] for worker in workers if worker["status"] == "running")


def _kill_workers(cluster: LocalCluster) -> None:
    """End the workers and the tools that they wait for, which would go on for nobody."""
    for nanny in cluster.workers.values():
        with suppress(AttributeError, ProcessLookupError, psutil.Error):
            nanny.auto_restart = False
            worker = nanny.process.process._process
            tools = psutil.Process(worker.pid).children(recursive=True)
            worker.kill()
            for tool in tools:
                with suppress(psutil.Error):
                    tool.kill()


def _reason(error: Exception) -> str:
    return "nothing answers there" if isinstance(error, OSError) else " ".join(str(error).split())


@contextmanager
def _quiet() -> Iterator[None]:
    """Dask's own log told to nobody: what matters to the user is said here."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
