"""Verilog of a classifier: readable, plain Verilog-2001, and the same bytes for the same classifier."""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from amaranth.back import rtlil
from amaranth.lib import wiring

from hdl.classifier import Classifier
from hdl.textbook import TextbookClassifier
from hdl.tools import run_yosys
from printedmlp.model import DiscreteMLP
from printedmlp.names import COMMENT_WIDTH, safe_comment

_COMMANDS = ("read_rtlil design.il", "opt_expr", "opt_merge", "opt_clean", "write_verilog -noattr design.v")


def classifier_verilog(model: DiscreteMLP, *, header: Sequence[str] = ()) -> str:
    """Verilog of a classifier, module `top` with the ports `inp` and `out` first.

    Parameters
    ----------
    header : lines of any text; each becomes one comment line of bounded length in printable ASCII.

    Raises
    ------
    ToolError : quoting Yosys when it fails.
    """
    classifier = Classifier(model)
    return components_verilog({"top": classifier, **classifier.blocks}, header)


def textbook_verilog(model: DiscreteMLP, *, header: Sequence[str] = (), named: bool = False) -> str:
    """Verilog of the same classifier in plain arithmetic, see `hdl.textbook`; else as `classifier_verilog`."""
    return components_verilog({"top": TextbookClassifier(model, named=named)}, header)


def components_verilog(components: dict[str, wiring.Component], header: Sequence[str] = ()) -> str:
    """Verilog of components by module name, in the order given, after `header`; else as `classifier_verilog`."""
    comments = "".join(f"// {safe_comment(line, COMMENT_WIDTH)}".rstrip() + "\n" for line in header)
    return comments + "\n".join(_written(components))


def _written(components: dict[str, wiring.Component]) -> list[str]:
    """Verilog of each component, in the order given."""
    design = "\n".join(_rtlil(name, block) for name, block in components.items())
    with tempfile.TemporaryDirectory(prefix="printedmlp-") as folder:
        work_dir = Path(folder)
        (work_dir / "design.il").write_text(design, encoding="utf-8")
        run_yosys(_COMMANDS, work_dir, name="emit")
        text = (work_dir / "design.v").read_text(encoding="utf-8")
    modules = {
        found[2]: found[1] + "\n" for found in re.finditer(r"^(module (\w+).*?^endmodule)$", text, re.M | re.S)
    }
    return [modules[name] for name in components]


def _rtlil(name: str, block: wiring.Component) -> str:
    """RTLIL of one component. Amaranth counts ports from 0, which Yosys takes for no place and puts last."""
    text: str = rtlil.convert(block, name=name, emit_src=False)
    return re.sub(r"\b(input|output) (\d+) ", lambda found: f"{found[1]} {int(found[2]) + 1} ", text)
