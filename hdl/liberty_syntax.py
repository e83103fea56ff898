"""The syntax of Liberty files: nested groups with attributes, nothing of their meaning."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from printedmlp.errors import ConfigError

_TOKEN = re.compile(
    r"(?P<skip>\s+|\\\r?\n|/\*.*?\*/|//[^\n]*)"
    r'|"(?P<string>(?:[^"\\]|\\.)*)"'
    r"|(?P<mark>[(){}:;,])"
    r'|(?P<word>(?:[^\s(){}:;,"\\/]|/(?![*/]))+)',
    re.DOTALL,
)


class Token(NamedTuple):
    """A mark, a word or a string (without its quotes) and the line it starts on."""

    kind: str
    text: str
    line: int


@dataclass
class Group:
    """``kind (arguments) { ... }``: ``attributes`` keep the last value of each name, words or strings."""

    kind: str
    arguments: tuple[str, ...]
    line: int
    attributes: dict[str, tuple[str, ...]] = field(default_factory=dict)
    groups: list["Group"] = field(default_factory=list)

    @property
    def name(self) -> str:
        """First argument, empty when there is none."""
        return self.arguments[0] if self.arguments else ""

    def all(self, kind: str) -> list["Group"]:
        """The direct subgroups of that kind."""
        return [group for group in self.groups if group.kind == kind]

    def get(self, attribute: str, default: str = "") -> str:
        """An attribute's first value."""
        values = self.attributes.get(attribute, ())
        return values[0] if values else default


def parse_liberty(text: str, place: str) -> Group:
    """The library group of the text. ``place`` names it in a ConfigError, which also tells the line."""
    parser = _Parser(list(_tokens(text, place)), place)
    root = Group("file", (), 1)
    try:
        while parser.peek():
            parser.statement(root)
    except RecursionError:
        raise ConfigError(f"{place}: groups are nested too deeply") from None
    libraries = root.all("library")
    if len(libraries) != 1:
        raise ConfigError(f"{place}: {len(libraries)} library groups, expected one")
    return libraries[0]


def _tokens(text: str, place: str) -> Iterator[Token]:
    position, line = 0, 1
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ConfigError(f"{place} line {line}: cannot read {text[position : position + 20]!r}")
        kind = match.lastgroup or ""
        if kind != "skip":
            yield Token(kind, re.sub(r"\\\r?\n\s*", "", match.group(kind)), line)
        line += match.group().count("\n")
        position = match.end()


class _Parser:
    def __init__(self, tokens: list[Token], place: str) -> None:
        self.tokens = tokens
        self.place = place
        self.position = 0

    def peek(self) -> Token | None:
        return self.tokens[self.position] if self.position < len(self.tokens) else None

    def take(self) -> Token:
        token = self.peek()
        if token is None:
            raise ConfigError(f"{self.place}: it ends inside a group")
        self.position += 1
        return token

    def next_is(self, mark: str) -> bool:
        token = self.peek()
        return token is not None and token.kind == "mark" and token.text == mark

    def statement(self, group: Group) -> None:
        """One attribute, group or stray semicolon inside ``group``."""
        token = self.take()
        if token.kind == "mark":
            if token.text != ";":
                raise ConfigError(f"{self.place} line {token.line}: unexpected '{token.text}'")
        elif self.next_is(":"):
            self.take()
            group.attributes[token.text] = (self.value(token.line),)
        elif self.next_is("("):
            self.parenthesised(token, group)
        else:
            raise ConfigError(f"{self.place} line {token.line}: '{token.text}' is neither attribute nor group")

    def value(self, line: int) -> str:
        """A simple attribute's value: up to the semicolon, or to the end of its line when that is forgotten."""
        parts: list[str] = []
        while (token := self.peek()) and token.line == line and token.text not in (";", "}"):
            parts.append(self.take().text)
        if self.next_is(";"):
            self.take()
        if not parts:
            raise ConfigError(f"{self.place} line {line}: an attribute has no value")
        return " ".join(parts)

    def parenthesised(self, name: Token, group: Group) -> None:
        """A group with a body, or an attribute with a list of values."""
        self.take()
        arguments: list[str] = []
        while not self.next_is(")"):
            token = self.take()
            if token.kind != "mark":
                arguments.append(token.text)
            elif token.text not in (",", ":"):
                raise ConfigError(f"{self.place} line {token.line}: unexpected '{token.text}'")
        self.take()
        if self.next_is("{"):
            group.groups.append(self.body(Group(name.text, tuple(arguments), name.line)))
        else:
            group.attributes[name.text] = tuple(arguments)

    def body(self, group: Group) -> Group:
        self.take()
        while not self.next_is("}"):
            self.statement(group)
        self.take()
        return group
