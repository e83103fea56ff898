"""ABC scripts that map an and-inverter graph to cells, and which of them an effort runs.

The recipes run in the order listed. Each starts from the source, from the netlist the recipe before it left, or
from the smallest netlist so far. Continuing from the previous netlist even when it was not the smallest leaves
local minima, which a chain that only ever starts from the smallest does not.

No recipe has a time limit, so a netlist never depends on the machine; large graphs leave out what takes minutes.
What pays most, the don't-cares of deep windows, takes longest: a quick effort keeps it for small graphs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from printedmlp.errors import ConfigError

EFFORTS = ("quick", "standard", "thorough")
ANY_SIZE = (1 << 40,) * 3

_COMPRESS = (
    "balance -l; resub -K 6 -l; rewrite -l; resub -K 6 -N 2 -l; refactor -l; resub -K 8 -l; balance -l; "
    "resub -K 8 -N 2 -l; rewrite -l; resub -K 10 -l; rewrite -z -l; resub -K 10 -N 2 -l; balance -l; "
    "resub -K 12 -l; refactor -z -l; resub -K 12 -N 2 -l; rewrite -z -l; balance -l"
)
_MAP = "dch; amap -m"
# Resubstitution among the mapped cells, counting their areas; -r visits them in reverse order.
_RECOVER = "mfs3 -a -I 8 -O 4; mfs3 -a -r -I 8 -O 4"
_RECOVER_WIDE = "mfs3 -a; mfs3 -a -r"


@dataclass(frozen=True)
class Recipe:
    """A named ABC script: where it starts, and the largest graph that each of EFFORTS runs it on, 0 for never.

    ``composites`` offers the mapper the forms of ``hdl.composites`` beside the cells.
    """

    name: str
    script: str
    start: Literal["source", "previous", "smallest"]
    max_ands: tuple[int, int, int]
    composites: bool = False


def _script(*parts: str) -> str:
    return "; ".join(("strash", *parts))


def _dont_cares(inputs: int, options: str = "") -> str:
    """Cover the graph with nodes of so many inputs and minimise each with the don't-cares of a deep window."""
    return f"&dch -f; &if -a -K {inputs}; &mfs -e {options}-W 20 -L 20; &st"


_SAME = _script(_COMPRESS, "&get -n", *[_dont_cares(4)] * 3, "&put", _COMPRESS, _MAP, _RECOVER)
_FALLING = _script(_COMPRESS, "&get -n", *map(_dont_cares, (4, 3, 2)), "&put", _COMPRESS, _MAP, _RECOVER)
_REDUNDANT = _script(
    "&get -n", _dont_cares(4, "-d "), _dont_cares(4), _dont_cares(4, "-d "), "&put", _MAP, _RECOVER
)
_AGAIN = _script(_COMPRESS, _COMPRESS, _COMPRESS, _MAP, _RECOVER)
_DEEP = _script("&get -n", "&deepsyn -I 4 -J 20 -S 0", "&put", _MAP, _RECOVER)


def _round(number: int) -> tuple[Recipe, ...]:
    return (
        Recipe(f"falling_{number}", _FALLING, "previous", (0, 0, 4_000)),
        Recipe(f"redundant_{number}", _REDUNDANT, "previous", (0, 0, 4_000)),
        Recipe(f"again_{number}", _AGAIN, "previous", (0, 0, 4_000)),
    )


RECIPES = (
    Recipe("direct", _script(_MAP), "source", (4_000, 4_000, 4_000)),
    Recipe("xor", _script("dch", "map -a"), "source", ANY_SIZE, composites=True),
    Recipe("xor_recover", _RECOVER, "previous", ANY_SIZE),
    Recipe("compress", _AGAIN, "source", ANY_SIZE),
    Recipe("falling", _FALLING, "previous", (700, 1_500, 1_500)),
    Recipe("redundant", _REDUNDANT, "previous", (700, 1_500, 1_500)),
    Recipe("again", _AGAIN, "previous", (700, 1_500, 1_500)),
    Recipe("same", _SAME, "source", (0, 1_500, 1_500)),
    Recipe("same_falling", _FALLING, "previous", (0, 1_500, 1_500)),
    Recipe("same_redundant", _REDUNDANT, "previous", (0, 1_500, 1_500)),
    Recipe("same_again", _AGAIN, "previous", (0, 1_500, 1_500)),
    Recipe("smallest_same", _SAME, "smallest", (0, 2_500, 4_000)),
    *(recipe for number in range(1, 5) for recipe in _round(number)),
    Recipe("recover", _RECOVER_WIDE, "smallest", (0, 1_500, 1_500)),
    Recipe("deep", _DEEP, "smallest", (0, 0, 1_500)),
    Recipe("deep_recover", _RECOVER_WIDE, "smallest", (0, 0, 1_500)),
)


def recipes_for(effort: str, n_ands: int) -> Sequence[Recipe]:
    """The recipes an effort runs on a graph of ``n_ands`` gates, in the order that breaks ties.

    Raises ConfigError when there is no such effort.
    """
    if effort not in EFFORTS:
        raise ConfigError(f"effort '{effort}' is not one of {', '.join(EFFORTS)}")
    level = EFFORTS.index(effort)
    return [recipe for recipe in RECIPES if n_ands <= recipe.max_ands[level]]
