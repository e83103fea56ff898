"""Entries of a technology's file, each told with its place and value where it is wrong."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from printedmlp.errors import ConfigError
from printedmlp.technology.function import truth_table

_PIN = re.compile(r"[A-Za-z_]\w*")
_SHOWN = 60
LARGEST = 1e30
"""Beyond it a number is a mistake, and products of such numbers would not be finite."""


@dataclass(frozen=True)
class Entries:
    """A table of the file; `place` is its name there, empty for the file itself.

    Every method raises ConfigError naming place and value where an entry is absent or of another kind.
    """

    data: Mapping[str, Any]
    place: str = ""

    def error(self, key: str, what: str) -> ConfigError:
        """The error that names an entry."""
        return ConfigError(f"{self.at(key)}: {what}")

    def at(self, key: str) -> str:
        """The full name of an entry."""
        return f"{self.place}.{key}" if self.place else key

    def wrong(self, key: str, wanted: str) -> ConfigError:
        """The error that names an entry and quotes it."""
        return self.error(key, f"{self.data[key]!r:.{_SHOWN}} is not {wanted}")

    def value(self, key: str) -> Any:
        """An entry of any kind."""
        if key not in self.data:
            raise self.error(key, "is missing")
        return self.data[key]

    def text(self, key: str, default: str | None = None) -> str:
        """A line of printable text; `default` where it is absent, if there is one."""
        found = self.value(key) if default is None else self.data.get(key, default)
        if not isinstance(found, str) or not found.isprintable():
            raise self.wrong(key, "a line of text")
        return found

    def pins(self, key: str) -> tuple[str, ...]:
        """Distinct names of pins, one at least."""
        found = self.value(key)
        listed = isinstance(found, list) and all(isinstance(name, str) and _PIN.fullmatch(name) for name in found)
        if not listed or not found or len(set(found)) < len(found):
            raise self.wrong(key, 'a list of distinct names of pins, such as ["A", "B"]')
        return tuple(found)

    def function(self, key: str, inputs: Sequence[str], default: str | None = None) -> str:
        """A Boolean function of the inputs."""
        found = self.text(key, default)
        try:
            truth_table(found, inputs)
        except ConfigError as error:
            raise ConfigError(f"{self.place}: {error}") from None
        return found

    def number(self, key: str, *, least: float = -math.inf) -> float:
        """A number, no less than `least`."""
        return self._number(key, self.value(key), least)

    def numbers(self, key: str, *, count: int | None = None, least: float = -math.inf) -> tuple[float, ...]:
        """A list of numbers, no less than `least`; `count` of them unless that is None."""
        found = self.value(key)
        if not isinstance(found, list) or not found:
            raise self.wrong(key, "a list of numbers")
        if count is not None and len(found) != count:
            raise self.error(key, f"{len(found)} figures, not {count}")
        return tuple(self._number(key, value, least) for value in found)

    def rising(self, key: str) -> tuple[float, ...]:
        """A list of numbers from 0 on, each above the one before."""
        found = self.numbers(key, least=0)
        if any(high <= low for low, high in pairwise(found)):
            raise self.wrong(key, "a list of rising numbers")
        return found

    def rows(self, key: str, n_rows: int, n_columns: int) -> tuple[tuple[float, ...], ...]:
        """A table of numbers."""
        found = self.value(key)
        if not isinstance(found, list) or len(found) != n_rows or any(not isinstance(row, list) for row in found):
            raise self.error(key, f"not {n_rows} rows of {n_columns} figures")
        if any(len(row) != n_columns for row in found):
            raise self.error(key, f"not {n_rows} rows of {n_columns} figures")
        return tuple(tuple(self._number(key, value, -math.inf) for value in row) for row in found)

    def table(self, key: str) -> Entries:
        """A table; an empty one where it is absent."""
        found = self.data.get(key, {})
        if not isinstance(found, Mapping):
            raise self.wrong(key, "a table")
        return Entries(found, self.at(key))

    def tables(self, key: str) -> list[Entries]:
        """A list of tables; an empty one where it is absent."""
        found = self.data.get(key, [])
        if not isinstance(found, list) or not all(isinstance(table, Mapping) for table in found):
            raise self.wrong(key, "a list of tables")
        return [Entries(table, f"{self.at(key)}[{place}]") for place, table in enumerate(found)]

    def by_voltage(self, voltages: Sequence[float]) -> dict[float, str]:
        """Keys by the voltage that they are, such as "0.6" or "3"; every key has to be one of `voltages`."""
        found = {}
        for key in self.data:
            voltage = next((v for v in voltages if _as_float(key) == v), None)
            if voltage is None:
                raise self.error(key, f"not one of the voltages {', '.join(f'{v:g}' for v in voltages)}")
            found[voltage] = key
        return {v: found[v] for v in voltages if v in found}

    def _number(self, key: str, value: Any, least: float) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
            raise self.error(key, f"{value!r:.{_SHOWN}} is not a number")
        if value < least:
            raise self.error(key, f"{value:g} is negative" if least == 0 else f"{value:g} is below {least:g}")
        return float(value)


def _as_float(key: str) -> float | None:
    try:
        return float(key)
    except ValueError:
        return None
