"""Activations of a sum, reduced to what its bounds leave of them."""

from amaranth.hdl import Const, Mux, Value

from printedmlp.model import Interval, QReLU


def relu(total: Value, bounds: Interval) -> Value:
    """max(S, 0) of a word with the given bounds, as wide as the high bound asks for; S >= 0 needs no logic."""
    low, high = bounds
    kept = total[: high.bit_length()]
    return Mux(total[-1], Const(0, len(kept)), kept) if low < 0 else kept


def qrelu(total: Value, bounds: Interval, activation: QReLU) -> Value:
    """The quantised ReLU of S, given as the word S >> lsb with the bounds of S.

    No sign handling when S is never negative and no clamp when it never exceeds 2^(msb+1) - 1.
    """
    low, high = bounds
    magnitude = total[:-1] if low < 0 else total
    kept, above = magnitude[: activation.width], magnitude[activation.width :]
    if high >> activation.msb + 1:
        kept = Mux(above.any(), Const(-1, activation.width), kept)
    return Mux(total[-1], Const(0, len(kept)), kept) if low < 0 else kept
