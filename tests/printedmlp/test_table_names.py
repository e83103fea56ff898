"""Outside text on its way into messages, paths and comments."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from printedmlp.names import clean_text, listed, quoted, safe_comment, shown_path, slug, unique_names
from printedmlp.values import has_decimal_comma, number_text, parse_number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wine (red), 2024.v2", "wine_red_2024_v2"),
        ("2024", "data_2024"),
        ("../../etc/passwd", "etc_passwd"),
        ("; rm -rf $HOME", "rm_rf_home"),
        ("Größe", "groe"),
        ("\u202e", "data"),
        ("", "data"),
        ("a" * 39 + " b", "a" * 39),
    ],
)
def test_slugs(text, expected):
    assert slug(text) == expected


@given(st.text())
def test_a_slug_is_a_safe_name(text):
    assert re.fullmatch(r"[a-z][a-z0-9_]{0,39}", slug(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, text (mm)", "plain, text (mm)"),
        ("µm", r"\xb5m"),
        ("a\n// b", "a // b"),
        ("end */ module", r"end *\x2f module"),
        ("/*/", r"/\x2a\x2f"),
        ("`define X \\", r"\x60define X \x5c"),
        ("\x1b[2J\u202e\0x", "[2Jx"),
        ("https://doi.org/10", "https://doi.org/10"),
    ],
)
def test_comments(text, expected):
    assert safe_comment(text) == expected


@settings(max_examples=200)
@given(text=st.text(st.characters() | st.sampled_from("*/\\`\n\r\u2028")), limit=st.integers(10, 60))
@example(text="*/" * 40, limit=10)
def test_a_comment_is_one_short_line_that_ends_nothing(text, limit):
    comment = safe_comment(text, limit)
    assert len(comment) <= limit
    assert comment.isascii()
    assert comment.isprintable()
    assert not re.search(r"\*/|/\*|`|\\$", comment)


@given(st.text())
def test_clean_text_is_stable_and_printable(text):
    clean = clean_text(text)
    assert clean == clean_text(clean)
    assert len(clean) <= 80
    assert "\n" not in clean
    assert "\x1b" not in clean


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "b", ""]), max_size=12))
def test_unique_names_are_unique_and_keep_every_first(names):
    unique = unique_names(names)
    assert len(set(unique)) == len(names)
    for name in set(names):
        assert name in unique


def test_unique_names_by_hand():
    assert unique_names(["a", "a", "b", "a_2", "a"]) == ("a", "a_3", "b", "a_2", "a_4")


def test_lists_in_messages_are_bounded():
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed([str(i) for i in range(9)], limit=2) == "'0', '1' and 7 more"
    assert quoted("x" * 50) == f"'{'x' * 39}…'"


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (-0.5, "-0.5"), (0.1 + 0.2, "0.30000000000000004"), (1e22, "1e+22"), (1e-7, "1e-07"), (7, "7")],
)
def test_numbers_are_written_shortest(value, text):
    assert number_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back(value):
    assert parse_number(number_text(value)) == value


@pytest.mark.parametrize("text", ["", " ", "1 2", "1_0", "0x1", "1,5", "nan", "٣", "1e", ".", "+", "--1", "1f"])
def test_what_is_no_number(text):
    assert parse_number(text) is None


def test_decimal_comma():
    assert parse_number("-1,5e3", decimal_comma=True) == -1500
    assert parse_number("1.5", decimal_comma=True) is None
    assert has_decimal_comma(",5")
    assert not has_decimal_comma("5")
    assert not has_decimal_comma("1,2,3")


def test_a_long_path_keeps_its_end():
    path = "/data/" + "folder/" * 40 + "wine.csv"
    assert shown_path(path) == path
    assert shown_path("a\n\x1bb.csv") == "a b.csv"
