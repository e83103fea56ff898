"""A stranger's Verilog, looked at before any tool reads it: what could act beyond the circuit is refused.

Tools that read Verilog include other files, load memories from them, print, stop and, through DPI, call functions
of the C library. A circuit without memory needs none of that, so directives and system functions are those of a
short list. Whatever tools and this reader might take apart differently (quotes and comments that are never closed,
names put together by macros) is refused as well.
"""

import re
from collections.abc import Sequence

from printedmlp.errors import ToolError

_TOKEN = re.compile(
    r"""(?P<skip>//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'[sS]?[bodhBODH]\s*[0-9a-fA-FxXzZ?_]+|\d[\w.]*|[^\w"'/`$\\]+)"""
    r"""|(?P<directive>`\w*)|(?P<system>\$\w*)|\\(?P<escaped>\S+)|(?P<name>[A-Za-z_][\w$]*)|(?P<other>.)""",
    re.DOTALL,
)
_DIRECTIVES = frozenset({"celldefine", "endcelldefine", "default_nettype", "resetall", "timescale"}) | {
    *("define", "undef", "ifdef", "ifndef", "elsif", "else", "endif")
}
_RESERVED = re.compile("include|line|pragma|protect|systemc|uselib|veril|begin_keywords|end_keywords")
_FUNCTIONS = frozenset({"$clog2", "$signed", "$unsigned"})
_MESSAGES = frozenset({"$display", "$write"})
_WORDS = frozenset({"include", "import", "export", "bind"})
_DESYNCHRONISING = re.compile(r"""["`]|//|/\*""")
_DEEPEST = 1000
_OPEN, _CLOSED = "([{", ")]}"

Tokens = Sequence[re.Match[str]]


def harmless_tokens(verilog: str, *, messages: bool = False) -> Tokens:
    """The tokens of Verilog text that cannot act beyond its circuit; groups `escaped` and `name` are its names.

    Parameters
    ----------
    messages : whether $display and $write are allowed, for tools that leave them out of the circuit.

    Raises
    ------
    ToolError : naming the line and what is refused.
    """
    if "\0" in verilog:
        raise ToolError(f"Verilog line {verilog[: verilog.index(chr(0))].count(chr(10)) + 1}: a zero byte, no text")
    tokens = list(_TOKEN.finditer(verilog))
    macros = re.findall(r"`\s*define\s+([A-Za-z_]\w*)", verilog)
    directives = _DIRECTIVES.union(name for name in macros if not _RESERVED.match(name))
    functions = _FUNCTIONS | (_MESSAGES if messages else frozenset())
    for token in tokens:
        if why := _refused(token, directives, functions):
            raise ToolError(f"Verilog {_line_of(token)}: {why} is not allowed in a circuit")
    _refuse_deep(tokens)
    return tokens


def _refused(token: re.Match[str], directives: frozenset[str], functions: frozenset[str]) -> str:
    """What is wrong with a token, empty for a harmless one."""
    kind, text = token.lastgroup, token.group()
    if kind == "other":
        return _unclosed(token)
    harmful = (
        (kind == "directive" and text[1:] not in directives)
        or (kind == "system" and text not in functions)
        or (kind == "name" and text in _WORDS)
        or (kind == "escaped" and _DESYNCHRONISING.search(text) is not None)
    )
    return f"'{text:.60}'" if harmful else ""


def _unclosed(token: re.Match[str]) -> str:
    if token.group() == '"':
        return "a quotation mark that its line does not close"
    return "a comment that is never closed" if token.string.startswith("/*", token.start()) else ""


def _refuse_deep(tokens: Tokens) -> None:
    """Tools go down into brackets by calling themselves, as deep as their stack is."""
    depth = 0
    for token in tokens:
        if token.lastgroup == "skip" and token.group()[0] not in '/"':
            for mark in token.group():
                depth += (mark in _OPEN) - (mark in _CLOSED)
                if depth > _DEEPEST:
                    raise ToolError(f"Verilog {_line_of(token)}: brackets are nested more than {_DEEPEST} deep")


def _line_of(token: re.Match[str]) -> str:
    return f"line {token.string.count(chr(10), 0, token.start()) + 1}"
