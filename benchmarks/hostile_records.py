"""Settings and records changed at random: what is wrong with them has to be said in one line."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

ODD: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**31, 2**63, 10**400, 1.5, 1e308, "", "x", "\x1b[2J", "../../x", "=1", [], {}, [[]]),
    *([1, 2, 3, 4], ["a"], {"a": 1}),
)
TOML: dict[str, tuple[str, str]] = {
    "nothing": ("", "dataset: none given"),
    "no TOML": ("dataset = ", "cannot be read as TOML"),
    "a key twice": ('dataset = "iris"\ndataset = "wine"', "cannot be read as TOML"),
    "unknown key": ('dataset = "iris"\nsped = 1', "unknown setting 'sped'"),
    "terminal escape as key": ('dataset = "iris"\n"\\u001b[2J" = 1', "unknown setting '[2J'"),
    "brackets without end": ("x = " + "[" * 100_000, "nested too deeply"),
    "key of 100,000 parts": ("a." * 100_000 + "b = 1", "has too many parts"),
    "quoted key of many parts": ('"a" . ' * 5000 + "b = 1", "has too many parts"),
    "table of many parts": (f"[{'a.' * 5000}b]", "has too many parts"),
    "integer of 5,000 digits": (f"seed = {'1' * 5000}", "cannot be read as TOML"),
    "integer of 400 digits": (f'dataset = "iris"\nseed = {"1" * 400}', "seed: 1111"),
    "nan": ('dataset = "iris"\nmax_power = nan', "max_power: nan is not in"),
    "inf": ('dataset = "iris"\nsample_rate = inf', "sample_rate: inf is not in"),
    "date": ('dataset = "iris"\nseed = 2024-01-01', "seed must be int"),
    "table for a value": ('dataset = "iris"\n[seed]\na = 1', "has no table [design], only [seed]"),
    "list for a name": ('dataset = ["iris"]', "dataset must be str"),
    "a million layers": (
        f'dataset = "iris"\nhidden = [{"1," * 10**6}]',
        "hidden: 1000000 layers; there must be 1 to 16",
    ),
    "no layers": ('dataset = "iris"\nhidden = []', "hidden: 0 layers"),
    "layer too wide": ('dataset = "iris"\nhidden = [100000000]', "must be layer sizes in 1..256"),
    "zero in a name": ('dataset = "a\\u0000"', "is not UTF-8 text"),
    "zero byte": ('dataset = "a\0"', "cannot be read as TOML"),
    "surrogate": ('dataset = "\\ud800"', "cannot be read as TOML"),
    "class weight beyond doubles": ('dataset = "iris"\nclass_weights = [1e400, 1, 1]', "class_weights: inf"),
    "technology elsewhere": ('dataset = "iris"\ntechnology = "/dev/zero"', "neither built in"),
    "device as Liberty file": ('dataset = "iris"\nliberty = "/dev/zero"', "is not a regular file"),
}
"""Settings files by name, and words of the line that refuses them."""


def changed(data: Any, rng: np.random.Generator) -> Any:
    """A copy of JSON-ready data with one or two values removed, repeated or replaced by an odd one."""
    copy = json.loads(json.dumps(data))
    for _ in range(int(rng.integers(1, 3))):
        places = [place for place in _places(copy) if place]
        if not places:
            break
        _change(copy, places[int(rng.integers(len(places)))], rng)
    return copy


def _places(data: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = data if isinstance(data, dict) else range(len(data)) if isinstance(data, list) else ()
    return [place, *(inner for key in keys for inner in _places(data[key], (*place, key)))]


def _change(data: Any, place: tuple[Any, ...], rng: np.random.Generator) -> None:
    for key in place[:-1]:
        data = data[key]
    way = rng.random()
    if way < 0.2:
        del data[place[-1]]
    elif way < 0.3 and isinstance(data, list):
        data.extend(data[:1000])
    else:
        data[place[-1]] = json.loads(json.dumps(ODD[int(rng.integers(len(ODD)))]))
