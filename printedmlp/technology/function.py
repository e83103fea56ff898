"""Boolean functions of cells, written as Liberty writes them, turned into truth tables."""

import re
from collections.abc import Sequence

from printedmlp.errors import ConfigError

_TOKEN = re.compile(r"\s*(?:([A-Za-z_][\w\[\]]*)|([01])|(.))")
_MAX_INPUTS = 16


def variable_table(index: int, n_inputs: int) -> int:
    """Truth table of input ``index`` itself: bit s is bit ``index`` of s, for s below 2**n_inputs."""
    period = 1 << index
    block = ((1 << period) - 1) << period
    repeats = ((1 << (1 << n_inputs)) - 1) // ((1 << 2 * period) - 1)
    return block * repeats


def truth_table(function: str, inputs: Sequence[str]) -> int:
    """Truth table of ``function`` over ``inputs``: bit s is the output when input i has the value of bit i of s.

    Operators, tightest first: ``!`` before and ``'`` after an operand, ``^``, then ``*``, ``&`` or nothing at
    all, then ``+`` or ``|``; parentheses; the constants 0 and 1. Raises ConfigError naming the function.
    """
    if len(inputs) > _MAX_INPUTS:
        raise ConfigError(f"function '{function}': {len(inputs)} inputs, more than {_MAX_INPUTS}")
    try:
        return _Parser(function, inputs).parse()
    except RecursionError:
        raise ConfigError(f"function '{function:.40}...' is nested too deeply") from None


class _Parser:
    """Recursive descent over the tokens; every value is a truth table, so operators are bitwise."""

    def __init__(self, text: str, inputs: Sequence[str]) -> None:
        self.text = text
        self.full = (1 << (1 << len(inputs))) - 1
        self.values = {name: variable_table(i, len(inputs)) for i, name in enumerate(inputs)}
        self.tokens = [m.group().strip() for m in _TOKEN.finditer(text.strip()) if m.group().strip()]
        self.position = 0

    def parse(self) -> int:
        value = self.any_of()
        if self.position != len(self.tokens):
            raise self.error(f"unexpected '{self.peek()}'")
        return value

    def error(self, what: str) -> ConfigError:
        return ConfigError(f"function '{self.text}': {what}")

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.position += 1
        return token

    def any_of(self) -> int:
        value = self.all_of()
        while self.peek() in ("+", "|"):
            self.take()
            value |= self.all_of()
        return value

    def all_of(self) -> int:
        value = self.exclusive()
        while (token := self.peek()) and token not in ("+", "|", ")"):
            if token in ("*", "&"):
                self.take()
            value &= self.exclusive()
        return value

    def exclusive(self) -> int:
        value = self.operand()
        while self.peek() == "^":
            self.take()
            value ^= self.operand()
        return value

    def operand(self) -> int:
        value = self.atom()
        while self.peek() == "'":
            self.take()
            value ^= self.full
        return value

    def atom(self) -> int:
        token = self.take()
        if token == "!":
            return self.full ^ self.operand()
        if token == "(":
            value = self.any_of()
            if self.take() != ")":
                raise self.error("a parenthesis is not closed")
            return value
        if token in ("0", "1"):
            return self.full * int(token)
        if token in self.values:
            return self.values[token]
        raise self.error(f"'{token}' is not an input" if token else "it ends too early")
