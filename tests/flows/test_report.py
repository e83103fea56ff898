"""The page: right figures, no outside asset, no name that could do harm, readable extremes."""

import re

import pytest

from flows.config import make_config
from flows.report import report_html
from flows.summary import summary_text
from flows.wording import factor, significant
from printedmlp.metrics import evaluate
from printedmlp.technology import load_technology


def point(name, stage, area_cm2, accuracy, **changes):
    """A circuit right on so many of 50 rows, half of each class; its mistakes are all answers of class 1."""
    right = round(50 * accuracy)
    answers = [0] * (right - 25) + [1] * (50 - right) + [1] * 25
    test = evaluate([0] * 25 + [1] * 25, answers, n_classes=2, majority_class=0)
    return {
        "id": name,
        "stage": stage,
        "topology": [2, 3, 2],
        **test.to_json(),
        "train_accuracy": accuracy,
        "validation_accuracy": accuracy,
        "metric": "accuracy",
        "score": accuracy,
        "choice_power_mw": 3 * area_cm2,
        "description": "",
        "area_cm2": area_cm2,
        "power_mw": {"0.6": area_cm2, "0.8": 2 * area_cm2, "1": 3 * area_cm2},
        "delay_ms": {"0.6": 3.0, "0.8": 2.0, "1": 1.0},
        "max_rate_hz": 1000.0,
        "cells": 7,
        "cell_counts": {"INVX1": 3, "NAND2X1": 4},
        "delay_extrapolated": True,
        "model_sha256": "ab" * 32,
        "verification": {"vectors": {"total": 10061}, "mismatches": {"rtl": 0, "netlist": 0}},
        **changes,
    }


def front(*points, others=(), **changes):
    rows = [{"loss": loss, "id": points[0]["id"] if points and loss else None} for loss in (0, 1, 2, 5)]
    baselines = {
        "exact": point("exact", "exact", 4.0, 0.94, **changes),
        "textbook": point("textbook", "textbook", 8.0, 0.94, **changes),
    }
    return {**baselines, "front": list(points), "reductions": rows, "others": list(others)}


ALL_STAGES = front(
    point("refine-1", "refine", 0.01, 0.9),
    point("search-1", "search", 0.1, 0.94),
    others=[
        point("paper-1", "paper", 0.9, 0.92),
        point("tree-1", "tree", 0.5, 0.9, topology=[], description="tree of 7 thresholds"),
    ],
)


def page(
    data,
    names=("a", "b"),
    classes=("no", "yes"),
    ceiling=None,
    technology=None,
    pictures=None,
    defects=None,
    **settings,
):
    dataset = {
        "name": "table",
        "source": "table.csv",
        "sha256": "0" * 64,
        "n_samples": 61,
        "feature_names": list(names),
        "classes": dict.fromkeys(classes, 30),
        "duplicate_rows": 3,
        "warnings": ["2 rows dropped."],
        "split": {"train": [1], "validation": [2], "test": [3]},
    }
    features = [{"name": name, "thresholds": [0.5, 1.0]} for name in names]
    config = make_config(None, {"dataset": "table.csv", **settings})
    cells = technology or load_technology("egfet")
    return report_html(data, dataset, {"features": features}, config, cells, ceiling, pictures, defects)


def words(html):
    """What a reader sees, pictures' text included."""
    shown = re.sub(r"<(style|script)\b.*?</\1>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown))


def test_the_figures_by_hand():
    text = words(page(front(point("paper-1", "paper", 0.04, 0.9))))
    assert "÷ 100" in text
    assert "no circuit on the front" in text
    # 45 of 50 rows; class 0 has recall 20 / 25 and F1 40 / 45, class 1 has recall 1 and F1 50 / 55.
    assert "paper-1 90.0% 78.6–95.7% 0.04 0.12 1 7 100 100 90.0% 90.0% 89.9% 2/2 0.04 0.08" in text
    assert "10061 vectors: 0 mismatches" in text
    assert "1 ms at most 1000 Hz" in text
    assert "INVX1 3 43 % NAND2X1 4 57 %" in text
    assert "2.0 times larger" in text


def test_it_needs_nothing_from_outside_and_links_its_files():
    html = page(front(point("paper-1", "paper", 0.04, 0.9)))
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", html)
    assert html.count("<script") == 2
    assert 'href="designs/paper-1/netlist.v"' in html


def test_names_from_a_file_stay_text():
    html = page(front(), names=("<script>alert(1)</script>", '"><img src=x>'), classes=("</style>", "&amp;"))
    assert "<script>alert" not in html
    assert "<img" not in html
    assert html.count("</style>") == 1
    assert html.count("</script>") == 2


def test_without_a_front_it_still_tells_the_baseline():
    assert "0 circuits on the front" in page(front())
    assert "exact" in summary_text(front(), load_technology("egfet"))


def test_a_circuit_without_cells():
    constant = point("paper-1", "paper", 0.0, 0.6, max_rate_hz=None, cells=0, cell_counts={})
    assert "∞" in page(front(constant))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (19.3039, "19.3"),
        (0.000123456, "0.000123"),
        (1.23456e-7, "0.000000123"),
        (1234.5, "1230"),
        (0.01, "0.01"),
    ],
)
def test_three_significant_digits(value, text):
    assert significant(value) == text


@pytest.mark.parametrize(
    ("reference", "value", "text"), [(4, 2, "2.0"), (4, 0.1, "40"), (4, 0.001, "4 000"), (4, 0, "∞"), (0, 0, "1")]
)
def test_factors(reference, value, text):
    assert factor(reference, value) == text


def test_the_stages_stand_side_by_side():
    text = words(page(ALL_STAGES))
    assert "best score paper paper-1 0.9 92.0%" in text
    assert (
        "no loss paper no circuit reaches it tree no circuit reaches it "
        "search search-1 0.1 94.0% 94.0% 83.8–97.9% 0.3 0.1 refine no circuit reaches it" in text
    )
    assert "−5 points paper paper-1" in text
    assert "tree tree-1 0.5 90.0%" in text
    assert "tree of 7 thresholds" in text
    assert "no longer literally a network" in text
    assert "kept to compare the stages" in text


def test_the_smallest_at_a_level_is_marked():
    table = page(ALL_STAGES).split('class="levels"')[1].split("</table>")[0]
    marked = [words(row.split("</tr>")[0]) for row in table.split('<tr class="best">')[1:]]
    found = [re.findall(r"\w+-1\b", row) for row in marked]
    # No loss, 1, 2 and 5 points below 94 %; best scores differ, so that none of them is marked.
    assert found == [["search-1"], ["search-1"], ["search-1"], ["refine-1"]]


def test_a_front_without_others_says_nothing_of_them():
    data = front(point("search-1", "search", 0.1, 0.94))
    del data["others"]
    html = page(data)
    assert "kept to compare" not in html
    assert "hollow: beaten" not in html
    assert "no longer literally" not in html


def test_the_float_ceiling_is_one_line_beside_the_exact_network():
    html = page(ALL_STAGES, ceiling="97.0% test accuracy by a KAN & others")
    assert (
        "<strong>Float ceiling:</strong> 97.0% test accuracy by a KAN &amp; others; the exact MLP here 94.0%."
        in html
    )
    assert "Float ceiling" not in page(ALL_STAGES)


def test_another_metric_is_told_everywhere():
    chosen = {"metric": "macro_f1", "score": 0.83}
    data = front(point("tree-1", "tree", 0.04, 0.9, **chosen), **chosen)
    html = page(data, metric="macro_f1", max_area=0.5, min_accuracy=0.8)
    text = words(html)
    assert "chosen by macro F1" in text
    assert "test macro F1" in text
    assert "a wrong row weighing by its class (balanced)" in text
    assert "area up to 0.5 cm², validation macro F1 from 0.8." in text
    # The test value is macro F1, 89.9 %, with the accuracy and its interval beside it.
    assert "tree-1 0.04 83.0% 89.9% 90.0% 78.6–95.7%" in text
    # Always answering class 0 is right on half of the rows: F1 of 2/3 in one class of two.
    assert "always the majority class: 33.3%" in text
    assert 'class="whisker"' not in html
    assert "validation and test are macro F1" in summary_text(data, load_technology("egfet"))


def test_class_weights_of_ones_own_are_told():
    assert "(1 : 2.5)" in words(page(front(), class_weights=(1, 2.5)))
    assert "weighing by its class" not in words(page(front()))


def test_the_terminal_shows_stages():
    text = summary_text(ALL_STAGES, load_technology("egfet"))
    assert re.search(r"^refine-1 +refine +90\.0% +90\.0% +78\.6%-95\.7% +0\.01", text, re.MULTILINE)
    assert re.search(r"^smallest circuit +paper +tree +search +refine$", text, re.MULTILINE)
    assert re.search(r"^0 % loss +- +- +0\.1 cm2, 94\.0% +-$", text, re.MULTILINE)
    assert "smallest circuit" not in summary_text(front(), load_technology("egfet"))
