"""`printedmlp doctor`: what the flow finds on this machine, what is missing, and what is known of the cells."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from flows.cli import EXIT_MISSING, EXIT_OK, NOTHING_KEPT, answer, run_command
from flows.options import TECHNOLOGY, CommandParser, Kind
from flows.run import json_text
from flows.tools import Tool, find_tools
from printedmlp.kernels.compiler import find_compiler
from printedmlp.kernels.native import runnable
from printedmlp.technology import BUILT_IN, load_technology
from printedmlp.technology.figures import figures_known

FORMAT = "printedmlp.doctor"
DESCRIPTION = "What the flow finds on this machine, what is missing, and what is known of the cells."
EXAMPLES = (("", "look"), ("--technology mine.toml", "check a file of cells as well"))
MISSING = "a tool that a design run needs is not there"


def main(arguments: Sequence[str] | None = None, *, finder: Callable[[], list[Tool]] = find_tools) -> int:
    """Tell of every tool and technology; exit code 1 where a required tool is missing."""
    options = parser().parse_args(arguments)
    with answer(as_json=options.json) as tell:
        tools = [*finder(), native_kernel()]
        names = (*BUILT_IN, *([options.technology] if options.technology else []))
        cells = {load_technology(name).name: figures_known(load_technology(name)) for name in names}
        missing = [tool.name for tool in tools if tool.required and tool.version is None]
        record = {
            "format": FORMAT,
            "version": 1,
            "tools": [asdict(tool) for tool in tools],
            "technologies": cells,
            "missing": missing,
        }
        tell(json_text(record) if options.json else "" if options.quiet else _text(tools, cells, options.verbose))
    if missing:
        print(f"error: missing: {', '.join(missing)}", file=sys.stderr)
    return EXIT_MISSING if missing else EXIT_OK


def parser() -> CommandParser:
    """The command line of the doctor."""
    made = CommandParser("doctor", DESCRIPTION, examples=EXAMPLES, missing=MISSING)
    made.value(TECHNOLOGY, "--technology", Kind("file", str, "str", "FILE"), "TOML file of cells to check as well")
    return made.finish(settings=False)


def native_kernel() -> Tool:
    """The code that evaluates populations: compiled for this processor, or numba's where there is no compiler."""
    compiler = find_compiler()
    kinds = runnable(compiler)
    version = f"{kinds[0]}, by {compiler.version}" if compiler else None
    return Tool("Native kernel", "evaluates populations", False, version, "numba does it, slower; install g++")


def _text(tools: Sequence[Tool], cells: dict[str, Any], verbose: bool) -> str:
    lines = [_line(tool, verbose) for tool in tools]
    return "\n".join([*lines, *(f"found    {f'cells {name}':15} {words}" for name, words in cells.items())]) + "\n"


def _line(tool: Tool, verbose: bool) -> str:
    """One line a tool; versions and remedies are cut to a column unless everything is wanted."""
    kind = "found" if tool.version is not None else "MISSING" if tool.required else "absent"
    words = tool.remedy if tool.version is None else tool.version
    return f"{kind:8} {tool.name:15} {words if verbose else words[:45]:45} {tool.purpose}"


if __name__ == "__main__":
    sys.exit(run_command(main, when_interrupted=NOTHING_KEPT))
