"""Child processes of a simulation: an environment of their own, a log, a time limit, and the failure quoted."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from hdl.tools import run_child
from printedmlp.errors import ToolError

Command = list[str | Path]

_KEPT = ("HOME", "LD_LIBRARY_PATH", "CPATH", "LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def child_environment(work_dir: Path, *, path_first: Sequence[Path] = ()) -> dict[str, str]:
    """The variables a tool is given: nothing but those named here, temporary files in `work_dir`."""
    folders = [*map(str, path_first), os.environ.get("PATH", os.defpath)]
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PATH": os.pathsep.join(folders), "TMPDIR": str(work_dir.resolve()), "LC_ALL": "C.UTF-8"}


def run_tool(
    arguments: Command,
    work_dir: Path,
    environment: Mapping[str, str],
    *,
    log: str,
    name: str | None = None,
    timeout_s: float = 1800,
) -> str:
    """Run a program in `work_dir` and return what it printed, also kept as `work_dir/log`.

    Messages call it by its file name, or by `name`.

    Raises
    ------
    ToolError : when it cannot be started, fails or exceeds the time limit; one line with its first complaint.
    """
    command = [str(argument) for argument in arguments]
    program = name or Path(command[0]).name
    code, text = run_child(command, work_dir, environment, timeout_s, name=program)
    (work_dir / log).write_text(text, encoding="utf-8")
    if code:
        raise ToolError(f"{program} failed ({code}): {first_complaint(text)} (log: {work_dir / log})")
    return text


def first_complaint(log: str) -> str:
    """The first line of a log that speaks of an error, or else its last line, shortened."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    found = [line for line in lines if re.search(r"\berror\b|\bfatal\b|Traceback", line, re.IGNORECASE)]
    return (found or lines[-1:] or ["it printed nothing"])[0][:300]


def first_line(arguments: Command) -> str:
    """First line that a program prints, such as its version; ToolError when it does not run."""
    command = [str(argument) for argument in arguments]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise ToolError(f"{Path(command[0]).name} does not run: {error}") from None
    lines = (done.stdout + done.stderr).decode("utf-8", "replace").splitlines()
    return lines[0].strip() if lines else ""


def python_path() -> str:
    """The module search path for a Python inside a simulator: this package's own place, then the parent's path."""
    here = str(Path(__file__).resolve().parents[1])
    return os.pathsep.join([here, *(os.path.abspath(entry) for entry in sys.path if entry)])
