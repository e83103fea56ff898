"""The page: right figures, no outside asset, no name that could do harm, readable extremes."""

import re

import pytest

from flows.config import make_config
from flows.plot import Mark, area_accuracy_svg
from flows.report import factor, report_html, significant
from flows.summary import summary_text
from printedmlp.technology import load_technology


def point(name, stage, area_cm2, accuracy, **changes):
    return {
        "id": name,
        "stage": stage,
        "topology": [2, 3, 2],
        "n": 50,
        "accuracy": accuracy,
        "interval": [accuracy - 0.05, min(1.0, accuracy + 0.05)],
        "balanced_accuracy": accuracy,
        "majority_accuracy": 0.5,
        "classes_predicted": 2,
        "validation_accuracy": accuracy,
        "area_cm2": area_cm2,
        "power_mw": {"0.6": area_cm2, "0.8": 2 * area_cm2, "1": 3 * area_cm2},
        "delay_ms": {"0.6": 3.0, "0.8": 2.0, "1": 1.0},
        "max_rate_hz": 1000.0,
        "cells": 7,
        "cell_counts": {"INVX1": 3, "NAND2X1": 4},
        "delay_extrapolated": True,
        "verification": {"vectors": {"total": 10061}, "mismatches": {"rtl": 0, "netlist": 0}},
        **changes,
    }


def front(*points):
    rows = [{"loss": loss, "id": points[0]["id"] if points and loss else None} for loss in (0, 1, 2, 5)]
    baselines = {"exact": point("exact", "exact", 4.0, 0.95), "textbook": point("textbook", "textbook", 8.0, 0.95)}
    return {**baselines, "front": list(points), "reductions": rows}


def page(data, names=("a", "b"), classes=("no", "yes")):
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
    config = make_config(None, {"dataset": "table.csv"})
    return report_html(data, dataset, {"features": features}, config, load_technology("egfet"))


def test_the_figures_by_hand():
    html = page(front(point("paper-1", "paper", 0.04, 0.9)))
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    assert "÷ 100" in text
    assert "no circuit on the front" in text
    assert "paper-1 90.0% 85.0% to 95.0%" in text
    assert "10061 vectors" in text
    assert "0 mismatches" in text
    assert "3 INVX1, 4 NAND2X1" in text
    assert "2.0 times larger" in text


def test_it_needs_nothing_from_outside_and_links_its_files():
    html = page(front(point("paper-1", "paper", 0.04, 0.9)))
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", html)
    assert "<script" not in html
    assert 'href="designs/paper-1/netlist.v"' in html


def test_names_from_a_file_stay_text():
    html = page(front(), names=("<script>alert(1)</script>", '"><img src=x>'), classes=("</style>", "&amp;"))
    assert "<script>alert" not in html
    assert "<img" not in html
    assert html.count("</style>") == 1


def test_without_a_front_it_still_tells_the_baseline():
    assert "0 circuits on the front" in page(front())
    assert "exact" in summary_text(front(), load_technology("egfet"))


def test_a_circuit_without_cells():
    constant = point("paper-1", "paper", 0.0, 0.6, max_rate_hz=None, cells=0, cell_counts={})
    assert "∞" in page(front(constant))


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (19.3039, "19.3"), (0.000123456, "0.000123"), (1234.5, "1230"), (0.01, "0.01")]
)
def test_three_significant_digits(value, text):
    assert significant(value) == text


@pytest.mark.parametrize(
    ("reference", "value", "text"), [(4, 2, "2.0"), (4, 0.1, "40"), (4, 0.001, "4 000"), (4, 0, "∞"), (0, 0, "1")]
)
def test_factors(reference, value, text):
    assert factor(reference, value) == text


@pytest.mark.parametrize(("majority", "note"), [(0.8, "always the majority class"), (0.1, "below the axis")])
def test_a_majority_far_below_is_named_not_drawn(majority, note):
    svg = area_accuracy_svg([Mark("paper-1", 0.1, 0.9, 0.85, 0.95, 0.9)], majority)
    assert note in svg
    assert ('<line class="majority"' in svg) == (majority > 0.5)


def test_every_mark_is_inside_the_picture():
    marks = [Mark("a", area, 0.5, 0.0, 1.0, 1.0) for area in (0.0, 1e-7, 1.0, 99.9, 1e5)]
    numbers = [float(x) for x in re.findall(r'c?[xy][12]?="(-?[\d.]+)"', area_accuracy_svg(marks, 0.0))]
    assert min(numbers) >= 0
    assert max(numbers) <= 900
