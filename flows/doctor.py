"""`python -m flows.doctor`: what the flow finds on this machine, what is missing, and what is known of the cells.

Exit code 0 when every required tool is there, 2 when one is missing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from flows.cli import run_command
from flows.tools import Tool, find_tools
from printedmlp.errors import ToolError
from printedmlp.kernels.compiler import find_compiler
from printedmlp.kernels.native import runnable
from printedmlp.technology import BUILT_IN, load_technology
from printedmlp.technology.figures import figures_known


def main(arguments: Sequence[str] | None = None, *, finder: Callable[[], list[Tool]] = find_tools) -> None:
    """Print one line a tool and a technology; raises ToolError naming the required tools that are missing."""
    parser = argparse.ArgumentParser(prog="python -m flows.doctor", description=__doc__)
    parser.add_argument("--technology", metavar="FILE", help="TOML file of cells to check as well")
    own = parser.parse_args(arguments).technology
    tools = [*finder(), native_kernel()]
    for tool in tools:
        print(_line(tool))
    for name in (*BUILT_IN, *([own] if own else [])):
        technology = load_technology(name)
        print(f"found    {f'cells {technology.name}':15} {figures_known(technology)}")
    missing = [tool.name for tool in tools if tool.required and tool.version is None]
    if missing:
        raise ToolError(f"missing: {', '.join(missing)}")


def native_kernel() -> Tool:
    """The code that evaluates populations: compiled for this processor, or numba's where there is no compiler."""
    compiler = find_compiler()
    kinds = runnable(compiler)
    version = f"{kinds[0]}, by {compiler.version}" if compiler else None
    return Tool("Native kernel", "evaluates populations", False, version, "numba does it, slower; install g++")


def _line(tool: Tool) -> str:
    if tool.version is not None:
        return f"found    {tool.name:15} {tool.version:45.45} {tool.purpose}"
    kind = "MISSING" if tool.required else "absent"
    return f"{kind:8} {tool.name:15} {tool.remedy:45.45} {tool.purpose}"


if __name__ == "__main__":
    sys.exit(run_command(main))
