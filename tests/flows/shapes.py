"""What a JSON document consists of, said as a value of types, and what differs from it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

NONE = type(None)
NUMBER = (int, float)


@dataclass(frozen=True)
class Each:
    """A mapping with any keys, whose values are all of one shape."""

    shape: Any


def differences(value: Any, shape: Any, place: str = "document") -> list[str]:
    """Where a JSON value is not of a shape; empty where it is.

    A shape is a type or several, a dictionary with exactly these keys, a list of one shape, `Each`, or None before
    another shape in a tuple of two: null or that shape.
    """
    if isinstance(shape, tuple) and shape and shape[0] is None:
        return [] if value is None else differences(value, shape[1], place)
    if isinstance(shape, Each):
        return _all_of(value, Mapping, lambda v: v.items(), shape.shape, place)
    if isinstance(shape, list):
        return _all_of(value, list, enumerate, shape[0], place)
    if isinstance(shape, dict):
        if not isinstance(value, dict) or value.keys() != shape.keys():
            return [f"{place}: {sorted(value) if isinstance(value, dict) else value!r}"]
        return [line for key in shape for line in differences(value[key], shape[key], f"{place}.{key}")]
    # To Python a truth value is an integer, to JSON it is not.
    wanted = shape if isinstance(shape, tuple) else (shape,)
    good = isinstance(value, wanted) and (bool in wanted or object in wanted or not isinstance(value, bool))
    return [] if good else [f"{place}: {value!r}"]


def _all_of(
    value: Any, kind: type, items: Callable[[Any], Iterable[tuple[Any, Any]]], shape: Any, place: str
) -> list[str]:
    if not isinstance(value, kind):
        return [f"{place}: {value!r}"]
    return [line for key, item in items(value) for line in differences(item, shape, f"{place}[{key}]")]
