"""Outside programs, called in one place: a private folder, a log, a time limit, and the failure quoted.

Yosys ends its process on any error, so it always runs as a child. The time limits only keep a broken run from
hanging: every effort is bounded by the size of the circuit, so results do not depend on the machine's speed.
"""

import errno
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from typing import IO

from printedmlp.errors import ToolBrokenOffError, ToolError, ToolMissingError

TIME_LIMIT_S = 3600.0
MOST_MEMORY = 16 << 30
"""Address space of any program, in bytes."""
MOST_WRITTEN = 1 << 30
"""Largest file that a program may write, in bytes, its log included."""
MOST_LOG = 64 << 20
"""What is read of a program's output, in bytes."""
LEAST_FREE = 1 << 16
"""A disk with fewer free bytes counts as full."""
_BOUNDED = ("sh", "-c", 'ulimit -v "$0" 2>/dev/null; ulimit -f "$1" 2>/dev/null; shift; exec "$@"')
"""Arguments: KiB of memory, blocks of 512 bytes of a file, then the command."""
_YOSYS_CHILD = "import sys; from pyosys import libyosys; libyosys.run_pass('script ' + sys.argv[1])"
_running: set[subprocess.Popen[bytes]] = set()
_ending = Event()


@dataclass(frozen=True)
class Limits:
    """What one program may take: seconds, and bytes of address space."""

    seconds: float = TIME_LIMIT_S
    memory: int = MOST_MEMORY


READING = Limits(600.0, 4 << 30)
"""For reading Verilog: a line of it can stand for as much work and memory as there is."""


@cache
def abc_path() -> Path:
    """The ``yosys-abc`` program that comes with pyosys; ToolError when it is missing."""
    spec = find_spec("pyosys")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    path = folder / ("yosys-abc.exe" if os.name == "nt" else "yosys-abc")
    if not path.is_file():
        raise ToolError("yosys-abc is missing: install pyosys, which brings it")
    return path


def run_yosys(commands: Sequence[str], work_dir: Path, *, name: str = "yosys", limits: Limits = Limits()) -> str:
    """Run Yosys commands in ``work_dir``; the log, also kept as ``<name>.log``. ToolError quotes the failure."""
    script = work_dir / f"{name}.ys"
    script.write_text("\n".join(commands) + "\n", encoding="utf-8")
    command = [sys.executable, "-c", _YOSYS_CHILD, script.name]
    code, log = run_child(
        command, work_dir, _environment(work_dir), limits.seconds, name="Yosys", memory=limits.memory
    )
    (work_dir / f"{name}.log").write_text(log, encoding="utf-8")
    if code:
        raise ToolError(f"Yosys: {_failure(code, log)}")
    return log


def run_abc(commands: Sequence[str], work_dir: Path, *, name: str = "abc", timeout_s: float = TIME_LIMIT_S) -> str:
    """Run ABC commands in ``work_dir``; the log, also kept as ``<name>.log``. ToolError quotes the failure."""
    script = work_dir / f"{name}.abc"
    script.write_text("\n".join(commands) + "\n", encoding="utf-8")
    command = [str(abc_path()), "-q", f"source {script.name}"]
    code, log = run_child(command, work_dir, _environment(work_dir), timeout_s)
    (work_dir / f"{name}.log").write_text(log, encoding="utf-8")
    if code or re.search(r"^(Error|\*\* cmd error)", log, re.MULTILINE):
        raise ToolError(f"ABC: {_failure(code, log)}")
    return log


def run_child(
    command: Sequence[str],
    work_dir: Path,
    environment: Mapping[str, str],
    timeout_s: float,
    *,
    name: str | None = None,
    memory: int = MOST_MEMORY,
) -> tuple[int, str]:
    """Exit code and output of a program run in ``work_dir`` with nothing to read and only these variables.

    It may take ``memory`` bytes of address space, and `MOST_WRITTEN` bytes for each file that it writes; its output
    is one of them.

    Raises
    ------
    ToolMissingError : it cannot be started; called by ``name`` or its file name.
    ToolBrokenOffError : it exceeds the time limit or is killed.
    OSError : the disk is full, or it writes more than it may.
    """
    program = name or Path(command[0]).name
    if shutil.which(command[0], path=environment.get("PATH", os.defpath)) is None:
        raise ToolMissingError(f"{program} cannot be started: there is no program {command[0]}")
    bounded = [*_BOUNDED, str(memory >> 10), str(MOST_WRITTEN >> 9), *command]
    with tempfile.TemporaryFile(dir=work_dir) as output:
        try:
            code = _exit_code(bounded, work_dir, environment, timeout_s, output)
        except subprocess.TimeoutExpired:
            raise ToolBrokenOffError(f"{program}: no result after {timeout_s:g} s") from None
        except OSError as error:
            raise ToolMissingError(f"{program} cannot be started: {error.strerror}") from None
        output.seek(0)
        log = output.read(MOST_LOG).decode("utf-8", "replace")
    _refuse_broken_off(program, code)
    _refuse_full_disk(work_dir, log)
    return code, log


def _exit_code(
    command: Sequence[str], work_dir: Path, environment: Mapping[str, str], timeout_s: float, output: IO[bytes]
) -> int:
    """Wait for a program; when it takes too long, or waiting is interrupted, its whole group is killed."""
    with subprocess.Popen(
        command,
        cwd=work_dir,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        # Ctrl-C at a terminal reaches the whole group; a run that is asked to stop still needs its tools.
        process_group=0,
    ) as process:
        _running.add(process)
        try:
            # Asked after the process is known, so that none that starts beside `end_children` outlives it.
            if _ending.is_set():
                raise KeyboardInterrupt
            code = process.wait(timeout_s)
        except BaseException:
            _kill(process)
            raise
        finally:
            _running.discard(process)
    if _ending.is_set():
        raise KeyboardInterrupt
    return code


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a program and all that it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def end_children() -> None:
    """Kill every program that `run_child` waits for, and let it start no other; what waits is interrupted.

    Threads that wait for a program cannot be interrupted otherwise. They get KeyboardInterrupt and no ToolError, so
    that nothing takes a killed program for one that failed and goes on without its answer.
    """
    _ending.set()
    for process in list(_running):
        _kill(process)


def _refuse_broken_off(program: str, code: int) -> None:
    if code == -signal.SIGKILL:
        raise ToolBrokenOffError(f"{program} was killed; it may need more memory than there is")
    if -code in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        raise ToolBrokenOffError(f"{program} was ended by {signal.Signals(-code).name}")
    if code == -signal.SIGXFSZ:
        raise OSError(errno.EFBIG, f"{program} wrote a file larger than it may be")


def _refuse_full_disk(work_dir: Path, log: str) -> None:
    """What a tool left on a full disk may be cut short, and some tools do not notice."""
    disk = os.statvfs(work_dir)
    free = disk.f_bavail if os.geteuid() else disk.f_bfree
    if free * disk.f_frsize < LEAST_FREE or "No space left on device" in log:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(work_dir))


def _environment(work_dir: Path) -> Mapping[str, str]:
    """Temporary files stay in the run's own folder: ABC's have fixed names and would meet other runs'."""
    return {**os.environ, "TMPDIR": str(work_dir.resolve()), "HOME": str(work_dir.resolve())}


def _failure(code: int, log: str) -> str:
    """The first line of a log that speaks of an error; without one the signal that ended it, or its last line."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    if found := [line for line in lines if re.search(r"\berror\b|bad_alloc|MemoryError", line, re.IGNORECASE)]:
        return found[0][:300]
    if code < 0:
        return f"ended by {signal.Signals(-code).name}; the circuit may be too large or too deep"
    return (lines[-1:] or ["ended without a message"])[0][:300]
