"""Icarus Verilog, the light alternative: four-valued, nothing to compile, slow on large netlists."""

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path

from printedmlp.errors import ToolError
from sim.builds import kept_folder
from sim.harness import BENCH
from sim.processes import Command, child_environment, first_line, run_tool

_OLDEST = 11
_TRANSLATE = ("-g2005", "-gno-specify", "-Wportbind", "-s", BENCH)
_WRONG_WIDTH = re.compile(r"warning: Port .* expects")


@dataclass(frozen=True)
class Icarus:
    """The simulator: its compiler `iverilog` and its runtime `vvp`."""

    iverilog: Path
    vvp: Path

    name = "icarus"

    @cached_property
    def versions(self) -> dict[str, str]:
        """Versions of all that shapes a simulation."""
        return {"icarus": first_line([self.iverilog, "-V"]), "cocotb": version("cocotb")}

    def build(self, sources: Mapping[str, str], root: Path, jobs: int) -> tuple[Path, bool]:
        """As `Verilator.build`; `jobs` is of no use to Icarus."""
        del jobs
        content = {"sources": dict(sources), "options": list(_TRANSLATE), "versions": self.versions}
        return kept_folder(root, self.name, content, lambda folder: self._translate(sources, folder))

    def command(self, build: Path) -> Command:
        """The simulation's command line."""
        from cocotb_tools import config

        return [self.vvp, "-m", str(config.lib_name_path("vpi", "icarus")), build / BENCH]

    def _translate(self, sources: Mapping[str, str], folder: Path) -> None:
        for name, text in sources.items():
            (folder / name).write_text(text, encoding="utf-8")
        (folder / "files.txt").write_text("+timescale+1ns/1ps\n", encoding="utf-8")
        arguments: Command = [self.iverilog, *_TRANSLATE, "-f", "files.txt", "-o", BENCH, *sources]
        text = run_tool(arguments, folder, child_environment(folder), log="icarus.log")
        for line in text.splitlines():
            if line.startswith(f"{BENCH}.v:") and _WRONG_WIDTH.search(line):
                raise ToolError(f"iverilog: {line}")


@cache
def find_icarus() -> Icarus:
    """The installed Icarus Verilog; ToolError when it is missing or too old."""
    iverilog, vvp = shutil.which("iverilog"), shutil.which("vvp")
    if not iverilog or not vvp:
        raise ToolError("Icarus Verilog is missing: install 'iverilog', or simulate with Verilator")
    number = re.search(r"version (\d+)", first_line([iverilog, "-V"]))
    if number is None or int(number[1]) < _OLDEST:
        raise ToolError(f"Icarus Verilog is too old: version {_OLDEST} or newer is needed")
    return Icarus(Path(iverilog), Path(vvp))
