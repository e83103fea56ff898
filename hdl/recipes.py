"""ABC scripts that map an and-inverter graph to cells, and which of them an effort runs.

Every recipe starts after ``read_library`` and ``read_aiger`` and ends with a mapped network. No recipe has a time
limit inside, so a netlist never depends on the machine; large graphs leave out what would take minutes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from printedmlp.errors import ConfigError

EFFORTS = ("quick", "standard", "thorough")

_COMPRESS = (
    "balance -l; resub -K 6 -l; rewrite -l; resub -K 6 -N 2 -l; refactor -l; resub -K 8 -l; balance -l; "
    "resub -K 8 -N 2 -l; rewrite -l; resub -K 10 -l; rewrite -z -l; resub -K 10 -N 2 -l; balance -l; "
    "resub -K 12 -l; refactor -z -l; resub -K 12 -N 2 -l; rewrite -z -l; balance -l"
)
_MAP = "dch; amap -m"
_RECOVER = "mfs3 -a"
_DONT_CARES = "&dch -f; &if -a -K 4; &mfs -e -W 20 -L 20; &st"


@dataclass(frozen=True)
class Recipe:
    """A named ABC script, the lowest effort that runs it and the largest graph it is run on."""

    name: str
    script: str
    effort: str = "quick"
    max_ands: int = 1_000_000


def _script(*parts: str) -> str:
    return "; ".join(("strash", *parts))


RECIPES = (
    Recipe("direct", _script(_MAP)),
    Recipe("compress", _script(_COMPRESS, _COMPRESS, _COMPRESS, _MAP, _RECOVER)),
    Recipe(
        "dont_cares",
        _script("&get -n", _DONT_CARES, _DONT_CARES, _DONT_CARES, "&put", _COMPRESS, _MAP, _RECOVER),
        "standard",
        20_000,
    ),
    Recipe("deep", _script("&get -n", "&deepsyn -I 4 -J 20 -S 0", "&put", _MAP, _RECOVER), "thorough", 4_000),
)


def recipes_for(effort: str, n_ands: int) -> Sequence[Recipe]:
    """The recipes an effort runs on a graph of ``n_ands`` gates, in the order that breaks ties."""
    if effort not in EFFORTS:
        raise ConfigError(f"effort '{effort}' is not one of {', '.join(EFFORTS)}")
    level = EFFORTS.index(effort)
    return [r for r in RECIPES if EFFORTS.index(r.effort) <= level and n_ands <= r.max_ands]
