"""Canonical signed digits."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from printedmlp.csd import constant_product, signed_digits
from printedmlp.model import Term


@pytest.mark.parametrize(
    ("value", "digits"),
    [
        (0, ()),
        (1, ((1, 0),)),
        (7, ((-1, 0), (1, 3))),
        (-3, ((1, 0), (-1, 2))),
        (45, ((1, 0), (-1, 2), (-1, 4), (1, 6))),
        (127, ((-1, 0), (1, 7))),
    ],
)
def test_digits_worked_out_by_hand(value, digits):
    assert signed_digits(value) == digits


@given(st.integers(-(1 << 20), 1 << 20))
def test_digits_add_up_and_are_never_adjacent(value):
    digits = signed_digits(value)
    shifts = [shift for _, shift in digits]
    assert sum(sign << shift for sign, shift in digits) == value
    assert all(b - a >= 2 for a, b in pairwise(shifts))
    assert len(digits) <= abs(value).bit_count()


def test_a_product_is_one_unmasked_term_per_digit():
    assert constant_product(2, -6, 4) == (Term(2, 1, 15, 1), Term(2, -1, 15, 3))
