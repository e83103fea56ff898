"""Outside programs, called in one place: a private folder, a log, a time limit, and the failure quoted.

Yosys ends its process on any error, so it always runs as a child. The time limits only keep a broken run from
hanging: every effort is bounded by the size of the circuit, so results do not depend on the machine's speed.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Event

from printedmlp.errors import ToolBrokenOffError, ToolError

TIME_LIMIT_S = 3600.0
_YOSYS_CHILD = "import sys; from pyosys import libyosys; libyosys.run_pass('script ' + sys.argv[1])"
_running: set[subprocess.Popen[bytes]] = set()
_ending = Event()


@cache
def abc_path() -> Path:
    """The ``yosys-abc`` program that comes with pyosys; ToolError when it is missing."""
    spec = find_spec("pyosys")
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    path = folder / ("yosys-abc.exe" if os.name == "nt" else "yosys-abc")
    if not path.is_file():
        raise ToolError("yosys-abc is missing: install pyosys, which brings it")
    return path


def run_yosys(
    commands: Sequence[str], work_dir: Path, *, name: str = "yosys", timeout_s: float = TIME_LIMIT_S
) -> str:
    """Run Yosys commands in ``work_dir``; the log, also kept as ``<name>.log``. ToolError quotes the failure."""
    script = work_dir / f"{name}.ys"
    script.write_text("\n".join(commands) + "\n", encoding="utf-8")
    command = [sys.executable, "-c", _YOSYS_CHILD, script.name]
    code, log = run_child(command, work_dir, _environment(work_dir), timeout_s)
    (work_dir / f"{name}.log").write_text(log, encoding="utf-8")
    if code:
        raise ToolError(f"Yosys: {_first_error(log)}")
    return log


def run_abc(commands: Sequence[str], work_dir: Path, *, name: str = "abc", timeout_s: float = TIME_LIMIT_S) -> str:
    """Run ABC commands in ``work_dir``; the log, also kept as ``<name>.log``. ToolError quotes the failure."""
    script = work_dir / f"{name}.abc"
    script.write_text("\n".join(commands) + "\n", encoding="utf-8")
    command = [str(abc_path()), "-q", f"source {script.name}"]
    code, log = run_child(command, work_dir, _environment(work_dir), timeout_s)
    (work_dir / f"{name}.log").write_text(log, encoding="utf-8")
    if code or re.search(r"^(Error|\*\* cmd error)", log, re.MULTILINE):
        raise ToolError(f"ABC: {_first_error(log)}")
    return log


def run_child(
    command: Sequence[str],
    work_dir: Path,
    environment: Mapping[str, str],
    timeout_s: float,
    *,
    name: str | None = None,
) -> tuple[int, str]:
    """Exit code and output of a program run in ``work_dir`` with nothing to read and only these variables.

    ToolError, calling it by ``name`` or its file name, when it cannot be started; ToolBrokenOffError when it
    exceeds the time limit or is killed.
    """
    program = name or Path(command[0]).name
    try:
        code, output = _run(command, work_dir, environment, timeout_s)
    except subprocess.TimeoutExpired:
        raise ToolBrokenOffError(f"{program}: no result after {timeout_s:g} s") from None
    except OSError as error:
        raise ToolError(f"{program} cannot be started: {error.strerror}") from None
    if code == -signal.SIGKILL:
        raise ToolBrokenOffError(f"{program} was killed; it may need more memory than there is")
    return code, output.decode("utf-8", "replace")


def _run(
    command: Sequence[str], work_dir: Path, environment: Mapping[str, str], timeout_s: float
) -> tuple[int, bytes]:
    with subprocess.Popen(
        command,
        cwd=work_dir,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        # Ctrl-C at a terminal reaches the whole group; a run that is asked to stop still needs its tools.
        process_group=0,
    ) as process:
        _running.add(process)
        try:
            # Asked after the process is known, so that none that starts beside `end_children` outlives it.
            if _ending.is_set():
                raise KeyboardInterrupt
            output, _ = process.communicate(timeout=timeout_s)
        except BaseException:
            process.kill()
            raise
        finally:
            _running.discard(process)
    if _ending.is_set():
        raise KeyboardInterrupt
    return process.returncode, output


def end_children() -> None:
    """Kill every program that `run_child` waits for, and let it start no other; what waits is interrupted.

    Threads that wait for a program cannot be interrupted otherwise. They get KeyboardInterrupt and no ToolError, so
    that nothing takes a killed program for one that failed and goes on without its answer.
    """
    _ending.set()
    for process in list(_running):
        process.kill()


def _environment(work_dir: Path) -> Mapping[str, str]:
    """Temporary files stay in the run's own folder: ABC's have fixed names and would meet other runs'."""
    return {**os.environ, "TMPDIR": str(work_dir.resolve()), "HOME": str(work_dir.resolve())}


def _first_error(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    found = [line for line in lines if re.search(r"\berror\b", line, re.IGNORECASE)]
    return (found or lines[-1:] or ["ended without a message"])[0][:300]
