"""The masked bits of a neuron's terms, gathered by column, with every constant in one word.

A neuron's sum is linear in the bits of its inputs. A weight's negative digit enters as an inverted bit,
-b * 2^j = ~b * 2^j - 2^j, and the corrections join the bias in one constant modulo 2^width, so that the adder tree
only ever adds.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from printedmlp.csd import signed_digits
from printedmlp.model import Interval, Neuron, input_coefficients


@dataclass(frozen=True)
class SummandBit:
    """Bit `bit` of input `input`, inverted when `negative`, in the column of weight 2^`column`."""

    column: int
    input: int
    bit: int
    negative: bool


@dataclass(frozen=True)
class Summands:
    """A neuron's sum modulo 2^`width`: the summand bits at their columns plus `constant` (0 .. 2^width - 1)."""

    bits: tuple[SummandBit, ...]
    constant: int
    width: int

    @property
    def inputs(self) -> tuple[int, ...]:
        """The inputs that are read, in rising order."""
        return tuple(sorted({bit.input for bit in self.bits}))


def summands_of(neuron: Neuron, bias_shift: int, inputs: Sequence[Interval], width: int) -> Summands:
    """Split a neuron's sum into the fewest summand bits below 2^width.

    Parameters
    ----------
    inputs : bounds of each input's value; bits that never vary are folded into the constant.
    width : bits of the sum, from its own bounds (`word_width`).
    """
    n_bits = max((high.bit_length() for _, high in inputs), default=0)
    constant = neuron.bias << bias_shift
    bits = []
    for i, weights in enumerate(input_coefficients(neuron, len(inputs), n_bits)):
        low, high = inputs[i]
        varying = (low ^ high).bit_length()
        constant += sum(weight for j, weight in enumerate(weights) if j >= varying and low >> j & 1)
        for j, weight in enumerate(weights[:varying]):
            for column, negative in digits_modulo(weight, width):
                bits.append(SummandBit(column, i, j, negative))
                constant -= negative << column
    return Summands(tuple(bits), constant % (1 << width), width)


def word_width(bounds: Interval) -> int:
    """Bits of a word that holds every value of the interval, two's complement only when the low bound is negative.

    >>> word_width((0, 8)), word_width((-8, 7)), word_width((0, 0))
    (4, 4, 0)
    """
    low, high = bounds
    return high.bit_length() if low >= 0 else max((-low - 1).bit_length(), max(high, 0).bit_length()) + 1


def digits_modulo(weight: int, width: int) -> Iterator[tuple[int, bool]]:
    """Columns and signs of a weight's canonical signed digits modulo 2^width; the sign of the top column is free.

    >>> list(digits_modulo(7, 8)), list(digits_modulo(-1, 1))
    ([(0, True), (3, False)], [(0, False)])
    """
    return ((shift, sign < 0 and shift < width - 1) for sign, shift in signed_digits(weight) if shift < width)
