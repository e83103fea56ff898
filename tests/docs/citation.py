"""A reader of CITATION.cff: the part of the Citation File Format 1.2.0 that this repository uses, nothing else."""

import datetime
import re
from collections.abc import Callable
from typing import Any

SPDX = ("MIT",)
REQUIRED = ("cff-version", "message", "title", "authors")
PERSON = {"family-names", "given-names", "orcid", "affiliation"}
ENTITY = {"name", "website"}


def _is_date(value: Any) -> bool:
    try:
        return datetime.date.fromisoformat(value).isoformat() == str(value)
    except (TypeError, ValueError):
        return False


def _are_authors(value: Any) -> bool:
    """Entities have a name, persons none; nothing else is in them."""
    return bool(value) and all(("name" in one and set(one) <= ENTITY) or set(one) <= PERSON for one in value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


KEYS: dict[str, Callable[[Any], bool]] = {
    "cff-version": lambda value: value == "1.2.0",
    "message": _is_text,
    "title": _is_text,
    "abstract": _is_text,
    "type": lambda value: value in ("software", "dataset"),
    "authors": _are_authors,
    "version": lambda value: isinstance(value, str) and bool(re.fullmatch(r"\d+\.\d+\.\d+", value)),
    "date-released": _is_date,
    "license": lambda value: value in SPDX,
    "keywords": lambda value: bool(value) and all(map(_is_text, value)),
}


def read_citation(text: str) -> dict[str, Any]:
    """The entries of the file; ValueError naming the first that the format does not allow or that is missing."""
    data: dict[str, Any] = {}
    for line in text.splitlines():
        if line.startswith("  - "):
            _add_item(data, line[4:])
        elif line and not line.startswith("#"):
            key, _, value = line.partition(":")
            data[key] = value.strip() or []
    for key in [*REQUIRED, *data]:
        if key not in data:
            raise ValueError(f"CITATION.cff: '{key}' is missing")
        if key not in KEYS or not KEYS[key](data[key]):
            raise ValueError(f"CITATION.cff: '{key}: {data[key]}' is not what version 1.2.0 of the format allows")
    return data


def _add_item(data: dict[str, Any], item: str) -> None:
    """Append to the list that the last key began: a text, or a mapping of one entry."""
    key, colon, value = item.partition(": ")
    data[list(data)[-1]].append({key: value} if colon else item)
