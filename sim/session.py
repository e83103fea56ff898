"""One simulation from circuits to numbers: the harness is built, every vector applied, the record read back."""

import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from printedmlp.errors import ConfigError, ToolError, VerificationError
from sim.bench import RECORD_VARIABLE, WORDS_VARIABLE
from sim.builds import temporary_folder
from sim.harness import BENCH, Field, field_values, harness_verilog
from sim.icarus import find_icarus
from sim.processes import Command, child_environment, first_complaint, python_path, run_tool
from sim.vectors import Stimulus, words_text
from sim.verilator import find_verilator

_LOG = "simulation.log"


class Simulator(Protocol):
    """What a simulator has to offer; see `sim.verilator.Verilator`."""

    name: str

    @property
    def versions(self) -> dict[str, str]:
        """Versions of all that shapes a simulation."""

    def build(self, sources: Mapping[str, str], root: Path, jobs: int) -> tuple[Path, bool]:
        """The folder of a built simulation, and whether it was there already."""

    def command(self, build: Path) -> Command:
        """The command line that runs a built simulation."""


@dataclass(frozen=True)
class Answers:
    """What the circuits answered.

    Attributes
    ----------
    values : (n_vectors, n_fields) int64.
    defined : (n_vectors, n_fields) bool, False where a bit was neither 0 nor 1.
    versions : of the simulator and its tools.
    seconds : wall time of "build" and "simulate".
    reused : the build was there already.
    """

    values: NDArray[np.int64]
    defined: NDArray[np.bool_]
    versions: dict[str, str]
    seconds: dict[str, float]
    reused: bool


def find_simulator(name: str) -> Simulator:
    """The simulator 'verilator' or 'icarus'; ConfigError for another name, ToolError when it is not installed."""
    if name == "verilator":
        return find_verilator()
    if name == "icarus":
        return find_icarus()
    raise ConfigError(f"simulator must be 'verilator' or 'icarus', not {name!r:.60}")


def simulate(
    circuits: Mapping[str, str],
    fields: Sequence[Field],
    cells_verilog: str,
    stimulus: Stimulus,
    *,
    simulator: Simulator,
    root: Path,
    jobs: int,
) -> Answers:
    """Apply all vectors to all circuits at once.

    Parameters
    ----------
    circuits : Verilog by file name; `x_rtl.v` and `x_netlist.v` define the modules `x_rtl_top` and `x_netlist_top`.
    fields : what to observe of the instances `x_rtl` and `x_netlist`.
    cells_verilog : the modules that netlists instantiate.
    root : folder of the built simulations.
    jobs : compilers run side by side.

    Raises
    ------
    ToolError : quoting the simulator when the circuits cannot be built or run.
    VerificationError : when fewer vectors were answered than applied.
    """
    width = stimulus.codes.shape[1] * stimulus.input_bits
    instances = [Path(name).stem for name in circuits]
    harness = harness_verilog(instances, fields, width)
    sources = {"cells.v": cells_verilog, **circuits, f"{BENCH}.v": harness}
    start = time.perf_counter()
    build, reused = simulator.build(sources, root, jobs)
    built = time.perf_counter()
    record = _run(simulator, build, words_text(stimulus), root)
    bits = read_record(record, len(stimulus), sum(f.width for f in fields))
    seconds = {"build": round(built - start, 3), "simulate": round(time.perf_counter() - built, 3)}
    return Answers(*field_values(bits, fields), simulator.versions, seconds, reused)


def read_record(record: str, n_vectors: int, width: int) -> NDArray[np.uint8]:
    """Bits of the bench's record, (n_vectors, width), column i is bit i: 0, 1, or 2 for an undefined bit.

    Raises
    ------
    VerificationError : unless the record holds exactly `n_vectors` (at least one) whole answers and says so.
    """
    lines = record.split("\n")
    if n_vectors < 1 or lines[-2:] != [f"answers {n_vectors}", ""] or len(lines) != n_vectors + 2:
        raise VerificationError(
            f"the simulation's record is incomplete: {max(len(lines) - 2, 0)} answers to {n_vectors} vectors"
        )
    answers = lines[:-2]
    if any(len(answer) != width for answer in answers):
        raise VerificationError(f"the simulation's record is damaged: an answer is not {width} bits long")
    symbols = np.frombuffer("".join(answers).encode("ascii", "replace"), dtype=np.uint8).reshape(-1, width)
    return np.where(symbols == ord("1"), 1, np.where(symbols == ord("0"), 0, 2)).astype(np.uint8)[:, ::-1]


def _run(simulator: Simulator, build: Path, words: str, root: Path) -> str:
    folder = temporary_folder(root)
    (folder / "words.txt").write_text(words, encoding="ascii")
    environment = _environment(folder)
    log = run_tool(simulator.command(build), folder, environment, log=_LOG)
    record = folder / environment[RECORD_VARIABLE]
    if not record.is_file():
        raise VerificationError(f"the simulation left no record: {first_complaint(log)} (log: {folder / _LOG})")
    text = record.read_text(encoding="ascii")
    shutil.rmtree(folder)
    return text


def _environment(folder: Path) -> dict[str, str]:
    """Variables of the simulator's process, which starts a Python with cocotb inside."""
    return child_environment(folder) | {
        "COCOTB_ANSI_OUTPUT": "0",
        "COCOTB_RANDOM_SEED": "0",
        "COCOTB_RESULTS_FILE": "results.xml",
        "COCOTB_REWRITE_ASSERTION_FILES": "",
        "COCOTB_TEST_MODULES": "sim.bench",
        "COCOTB_TOPLEVEL": BENCH,
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "GPI_USERS": _gpi_users(),
        "PYGPI_PYTHON_BIN": sys.executable,
        "PYTHONPATH": python_path(),
        "TOPLEVEL_LANG": "verilog",
        WORDS_VARIABLE: "words.txt",
        RECORD_VARIABLE: "record.txt",
    }


def _gpi_users() -> str:
    from cocotb_tools.config import pygpi_entry_point
    from find_libpython import find_libpython

    library = os.environ.get("LIBPYTHON_LOC") or find_libpython()
    if not library:
        raise ToolError(f"no shared libpython belongs to {sys.executable}: cocotb needs one")
    return f"{library};{pygpi_entry_point()}"
