"""Figures in words: by hand, then that no number gets lost or an exponent."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from printedmlp.units import PREFIXES, RANGES, three, with_unit


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (19.3039, "19.3"),
        (1.23456e-7, "0.000000123"),
        (1234.5, "1230"),
        (0.01, "0.01"),
        (1e7, "10000000"),
    ],
)
def test_three_digits(value, text):
    assert three(value) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0, "mW", "0 mW"),
        (13.3, "mW", "13.3 mW"),
        (0.000131, "mW", "131 nW"),
        (0.12, "mW", "0.12 mW"),
        (0.0123, "mW", "12.3 uW"),
        (0.00099996, "mW", "1 uW"),
        (3.97e-8, "mW", "39.7 pW"),
        (2890.0, "uJ", "2890 uJ"),
        (123_456.0, "uJ", "123 mJ"),
        (7.93e-6, "uJ", "7.93 pJ"),
        (0.002, "mJ", "2 uJ"),
        (7.77e-5, "ms", "77.7 ns"),
        (0.00606, "ms", "6.06 us"),
        (99_999.0, "ms", "100 s"),
        (1e9, "ms", "1000000 s"),
        (646_000.0, "Hz", "646 kHz"),
        (0.001, "Hz", "0.001 Hz"),
        (1e-9, "pJ", "0.000000001 pJ"),
    ],
)
def test_units_by_size(value, unit, text):
    assert with_unit(value, unit) == text


def test_the_sign_for_micro_is_ones_own():
    assert with_unit(0.002, "mW", micro="µ") == "2 µW"
    assert with_unit(7.0, "uJ", micro="µ") == "7 µJ"


@given(st.floats(1e-12, 1e9), st.sampled_from(["mW", "uJ", "ms", "Hz", "nJ"]))
def test_the_figure_is_the_same_in_every_unit(value, unit):
    number, told = with_unit(value, unit).split()
    base = next(name for name in RANGES if unit.endswith(name))
    factors = [PREFIXES[name.removesuffix(base)] for name in (told, unit)]
    assert float(number) * 10.0 ** (factors[0] - factors[1]) == pytest.approx(value, rel=5.1e-3)
    assert "e" not in number
