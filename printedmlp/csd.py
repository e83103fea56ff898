"""Canonical signed digits: a constant weight as the fewest additions and subtractions of shifted inputs."""

from __future__ import annotations

from printedmlp.model import Term


def signed_digits(value: int) -> tuple[tuple[int, int], ...]:
    """Canonical signed digits (Reitwiesner 1960) of an integer of any sign.

    Returns
    -------
    (sign, shift) pairs with `value == sum(sign << shift)`, shifts rising, no two of them adjacent; no other signed
    binary form has fewer digits.
    """
    digits = []
    shift = 0
    while value:
        if value & 1:
            sign = 2 - (value & 3)
            digits.append((sign, shift))
            value -= sign
        value >>= 1
        shift += 1
    return tuple(digits)


def constant_product(index: int, weight: int, width: int) -> tuple[Term, ...]:
    """Terms of `weight * x[index]` for an input of `width` bits: one per signed digit, nothing masked."""
    mask = (1 << width) - 1
    return tuple(Term(index, sign, mask, shift) for sign, shift in signed_digits(weight))
