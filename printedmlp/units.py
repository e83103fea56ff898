"""Figures for a person: three digits, in a unit that leaves few zeros."""

from decimal import Decimal

PREFIXES = {"p": -12, "n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6}
RANGES = {"W": (-12, 0), "J": (-12, 0), "s": (-12, 0), "Hz": (0, 6)}
"""Exponents of the smallest and the largest unit that each quantity is told in."""
KEPT = (0.1, 10_000.0)
"""Numbers for which the unit they come in is kept, so that most of a table has one."""


def digits(value: float, n: int) -> str:
    """A number in n significant digits and never with an exponent: 1000 and not 1e+03."""
    text = format(Decimal(f"{value:.{n}g}"), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def three(value: float) -> str:
    """A number in three significant digits."""
    return digits(value, 3)


def with_unit(value: float, unit: str, *, micro: str = "u", n: int = 3) -> str:
    """A figure in n digits with its unit, or where that gives many zeros with a smaller or larger one.

    Parameters
    ----------
    value : in `unit`, not negative.
    unit : W, J, s or Hz, with a prefix such as "m" or "u".
    micro : how the prefix for millionths is written.
    n : significant digits.

    >>> with_unit(2890, "uJ"), with_unit(7.93e-6, "uJ"), with_unit(646_000, "Hz"), with_unit(0.002, "mJ", micro="µ")
    ('2890 uJ', '7.93 pJ', '646 kHz', '2 µJ')
    """
    base = next(name for name in RANGES if unit.endswith(name))
    prefix = unit.removesuffix(base)
    if not (value == 0 or KEPT[0] <= value < KEPT[1]):
        rounded = float(f"{value:.{n}g}") * 10.0 ** PREFIXES[prefix]
        value, prefix = _scaled(rounded, RANGES[base])
    return f"{digits(value, n)} {micro if prefix == 'u' else prefix}{base}"


def _scaled(value: float, ends: tuple[int, int]) -> tuple[float, str]:
    """A value without prefix in the largest unit of which it is one or more, and that unit's prefix."""
    allowed = [prefix for prefix, exponent in PREFIXES.items() if ends[0] <= exponent <= ends[1]]
    able = [prefix for prefix in allowed if 10.0 ** PREFIXES[prefix] <= value * (1 + 1e-9)]
    prefix = able[-1] if able else allowed[0]
    return value / 10.0 ** PREFIXES[prefix], prefix
