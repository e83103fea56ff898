"""Run the code cells of a notebook and write what they print into it: `python -m benchmarks.notebook FILE.ipynb`.

Cells run one after the other in this process, without Jupyter; only what they print is kept.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.run import write_text


def printed_by(notebook: dict[str, Any]) -> list[str]:
    """What each code cell prints, in the notebook's order."""
    names: dict[str, Any] = {"__name__": "__main__"}
    return [_run(source(cell), names) for cell in code_cells(notebook)]


def code_cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    """The cells with code."""
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def source(cell: dict[str, Any]) -> str:
    """A cell's text, which notebooks hold as one text or as a list of lines."""
    text = cell["source"]
    return text if isinstance(text, str) else "".join(text)


def shown(cell: dict[str, Any]) -> str:
    """What a code cell is kept to have printed."""
    return "".join(output["text"] for output in cell["outputs"])


def _run(text: str, names: dict[str, Any]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(text, "<cell>", "exec"), names)
    return out.getvalue()


def main(arguments: Sequence[str]) -> None:
    """Run a notebook's cells and put their output into the file."""
    path = Path(arguments[0])
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for number, (cell, text) in enumerate(zip(code_cells(notebook), printed_by(notebook), strict=True), start=1):
        stream = {"output_type": "stream", "name": "stdout", "text": text}
        cell |= {"execution_count": number, "outputs": [stream] if text else []}
        print(text, end="")
    write_text(path, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
