"""Tables of the float suite: digits, columns, claims, and the README between its markers."""

import pytest

from flows.reference_table import (
    END,
    START,
    claims_text,
    figure,
    markdown_table,
    measure_rows,
    readme_section,
    text_table,
    with_section,
)
from printedmlp.errors import ConfigError
from printedmlp.reference.outcome import Check, Measure, Outcome

OUTCOMES = {
    "gmlp": Outcome(
        (
            Measure("digits", "8 x 8", "accuracy", (0.98, 0.982, 0.984), "79.6 %", 27_626, 12.345),
            Measure("digits", "8 x 8", "accuracy without gate", (0.74,)),
        ),
        (Check("gating helps", "0.98 | 0.74", "15 points", True), Check("depth helps", "no", "1 point", False)),
        ("as measured",),
    )
}


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (0.97654, 0.0032, "0.977 ± 0.003"),
        (0.97654, 0.0, "0.977"),
        (0.00012345, 0.00003, "1.2e-04 ± 3e-05"),
        (123.4, 20.0, "123 ± 20"),
        (-0.5, 0.25, "-0.5 ± 0.2"),
        (0.0, 0.00002, "0e+00 ± 2e-05"),
    ],
)
def test_a_figure_ends_where_its_spread_begins(value, spread, text):
    assert figure(value, spread) == text


def test_columns_are_aligned():
    assert text_table(("name", "n"), [("a", "1"), ("bcdef", "23")], {"n"}) == "name    n\na       1\nbcdef  23"


def test_bars_do_not_break_a_markdown_table():
    assert markdown_table(("a", "n"), [("x|y", "1")], {"n"}) == "| a | n |\n| --- | ---: |\n| x\\|y | 1 |"


def test_a_paper_is_named_on_its_first_row_only():
    first, second = measure_rows(OUTCOMES)
    assert first == (
        "Pay Attention to MLPs",
        "digits",
        "8 x 8",
        "accuracy",
        "0.982 ± 0.002",
        "79.6 %",
        "1 of 2",
        "27 626",
        "12.3",
    )
    assert (second[0], second[4:]) == ("", ("0.74", "-", "", "-", "-"))


def test_claims_say_whether_they_were_shown():
    assert claims_text(OUTCOMES["gmlp"]).splitlines() == [
        "shown      gating helps: 0.98 | 0.74 (15 points)",
        "not shown  depth helps: no (1 point)",
        "note: as measured",
    ]


def test_the_readme_is_changed_between_its_markers_only():
    section = readme_section(OUTCOMES, 3)
    text = with_section(f"head\n{START}old{END}\ntail\n", section)
    assert text.startswith(f"head\n{START}\n\nMean ± standard deviation over 3 seeds;")
    assert text.endswith(f"* as measured\n\n{END}\ntail\n")
    assert "old" not in text
    assert "| depth helps | no | 1 point | **not shown** |" in text
    assert with_section(text, section) == text


@pytest.mark.parametrize("readme", ["", START, END])
def test_a_readme_without_markers_is_refused(readme):
    with pytest.raises(ConfigError, match="no place for the results"):
        with_section(readme, "text")
