"""Verilog texts of several origins made fit for one simulation: renamed apart, unable to touch the machine."""

import re
from collections.abc import Iterator

from hdl.frontend import vendor_model
from hdl.harmless import Tokens, harmless_tokens
from printedmlp.errors import ToolError

_PORTS = frozenset({"inp", "out"})


def isolate(verilog: str, prefix: str, *, top: str = "top") -> str:
    """The text with every module it defines renamed to `prefix + name`, so that texts cannot meet.

    Only names change, and directives of other texts are undone at the start. Text that could act beyond the circuit
    (read files, run code, stop the simulation) is refused: directives and system functions are those a circuit
    without memory needs.

    Raises
    ------
    ToolError : when the module `top` is not defined exactly once, a module is named like a port, or naming the
        directive or system function that is refused.
    """
    tokens = harmless_tokens(verilog)
    modules = list(_defined_modules(tokens))
    if modules.count(top) != 1:
        raise ToolError(f"module '{top}' is defined {modules.count(top)} times in the Verilog, not once")
    if clash := _PORTS.intersection(modules):
        raise ToolError(f"a module is named '{min(clash)}', like a port of '{top}'")
    return "`resetall\n" + "".join(_renamed(token, frozenset(modules), prefix) for token in tokens)


def with_vendor_models(verilog: str) -> str:
    """The text, and behind it the model of the vendor cell DW01_satrnd when it uses that and does not define it."""
    model = vendor_model(verilog)
    return f"{verilog}\n{model.read_text(encoding='utf-8')}" if model else verilog


def _defined_modules(tokens: Tokens) -> Iterator[str]:
    words = (token["escaped"] or token["name"] for token in tokens if token["escaped"] or token["name"])
    for word in words:
        if word in ("module", "macromodule", "primitive"):
            yield next(words, "")


def _renamed(token: re.Match[str], modules: frozenset[str], prefix: str) -> str:
    if token["name"] in modules:
        return prefix + token.group()
    if token["escaped"] in modules:
        return "\\" + prefix + token["escaped"]
    return token.group()
