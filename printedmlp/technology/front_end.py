"""What a technology's analog front end costs: comparators at the levels of a ladder, and full converters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from printedmlp.errors import ConfigError
from printedmlp.technology.entries import Entries

MOST_BITS = 8
UW_PER_MW, MM2_PER_CM2 = 1000.0, 100.0


@dataclass(frozen=True)
class FrontEndFigures:
    """Figures of one input's converter.

    Attributes
    ----------
    bits : of the ladder; it has 2^bits - 1 levels.
    comparator_uw : power of a comparator at each level, level 1 first, in uW.
    first_mm2, further_mm2 : area of an input's first comparator, ladder included, and of each further one.
    converter_cm2, converter_mw : smallest and largest published figure of a full converter of one input.
    source : where the figures come from.
    """

    bits: int
    comparator_uw: tuple[float, ...]
    first_mm2: float
    further_mm2: float
    converter_cm2: tuple[float, float]
    converter_mw: tuple[float, float]
    source: str = ""

    def __post_init__(self) -> None:
        if len(self.comparator_uw) != (1 << self.bits) - 1:
            raise ConfigError(f"front_end: {len(self.comparator_uw)} comparators are not those of {self.bits} bits")

    def covers(self, input_bits: int) -> bool:
        """Whether inputs of so many bits have all their thresholds among the ladder's levels."""
        return input_bits <= self.bits

    def comparators(self, levels: Sequence[int], input_bits: int) -> tuple[float, float]:
        """(cm2, mW) of one input's comparators at thresholds `levels` of codes of `input_bits`."""
        if not levels:
            return 0.0, 0.0
        area = self.first_mm2 + self.further_mm2 * (len(levels) - 1)
        power = sum(self.comparator_uw[(level << self.bits - input_bits) - 1] for level in levels)
        return area / MM2_PER_CM2, power / UW_PER_MW


def front_end_figures(entries: Entries) -> FrontEndFigures:
    """The `[front_end]` of a technology file; ConfigError naming the entry that is wrong."""
    bits = entries.number("bits", least=1)
    if bits != int(bits) or bits > MOST_BITS:
        raise entries.wrong("bits", f"a whole number from 1 to {MOST_BITS}")
    return FrontEndFigures(
        bits=int(bits),
        comparator_uw=entries.numbers("comparator_uw", count=(1 << int(bits)) - 1, least=0),
        first_mm2=entries.number("first_comparator_mm2", least=0),
        further_mm2=entries.number("further_comparator_mm2", least=0),
        converter_cm2=_ends(entries, "converter_cm2"),
        converter_mw=_ends(entries, "converter_mw"),
        source=entries.text("source", ""),
    )


def _ends(entries: Entries, key: str) -> tuple[float, float]:
    low, high = entries.numbers(key, count=2, least=0)
    if high < low:
        raise entries.wrong(key, "a least and a largest figure")
    return low, high
