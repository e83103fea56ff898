"""The pictures of the circuits: every mark inside, lines and names where they belong."""

import re

import pytest

from flows.explorer import PLOT_STYLE, text_of
from flows.plot import OUTLINES, SHAPES, score_svg
from flows.plot_axes import Mark, area_axis, delay_axis, power_axis, prints_axis
from flows.wording import STAGE_WORDS
from printedmlp.front import STAGE_ORDER

AREA = area_axis()


def mark(area=0.1, test=0.9, **changes):
    values = {"label": "m", "stage": "search", "area_cm2": area, "power_mw": area, "test": test, "validation": 0.9}
    return Mark(**{**values, **changes})


@pytest.mark.parametrize(("majority", "drawn"), [(0.8, True), (0.1, False)])
def test_a_majority_far_below_is_named_not_drawn(majority, drawn):
    svg = score_svg([mark()], AREA, metric="accuracy", majority=majority)
    assert ('<line class="majority"' in svg) == drawn
    assert ("below the axis: majority class, 10.0%" in svg) != drawn


def test_every_stage_has_its_shape_its_colour_and_its_words():
    assert set(SHAPES) == set(STAGE_ORDER)
    assert len(set(SHAPES.values())) == len(SHAPES) - 1
    colours = dict(re.findall(r"\.stage-(\w+) \{ color: ([^;]+);", text_of(PLOT_STYLE)))
    assert set(colours) == set(OUTLINES)
    assert len({colours[stage] for stage in SHAPES}) == len(SHAPES)
    assert set(STAGE_WORDS) == set(SHAPES) - {"exact", "textbook"}


@pytest.mark.parametrize("axis", [AREA, power_axis("1"), prints_axis(0.9)])
def test_every_mark_is_inside_the_picture(axis):
    marks = [
        mark(area, 0.5, stage=stage, interval=(0.0, 1.0), printed_merit=min(area, 1.0))
        for area in (0.0, 1e-7, 1.0, 99.9, 1e5)
        for stage in SHAPES
    ]
    svg = score_svg(marks, axis, metric="accuracy", majority=0.0)
    places = re.findall(r'[xy][12]?="(-?[\d.]+)"', svg) + re.findall(r"translate\(([-\d.]+) [-\d.]+\)", svg)
    rows = re.findall(r"translate\([-\d.]+ ([-\d.]+)\)", svg)
    assert min(map(float, places + rows)) >= 0
    assert max(map(float, places)) <= 560
    assert max(map(float, rows)) <= 430
    assert svg.count('class="mark') == len(marks)


def test_shares_stand_on_an_even_scale():
    marks = [mark(printed_merit=merit, target=f"m{merit}") for merit in (0.7, 0.8, 0.9)]
    svg = score_svg([*marks, mark(label="unknown")], prints_axis(0.95), metric="accuracy", majority=0.5)
    low, middle, high = map(float, re.findall(r'data-of="[^"]+" data-x="([\d.]+)"', svg)[::-1])
    assert middle - low == pytest.approx(high - middle, abs=0.2)
    assert re.findall(r'class="tick below"[^>]*>([^<]+)<', svg) == ["65%", "70%", "75%", "80%", "85%", "90%", "95%"]
    assert "m: 70.0% expected of prints, test 90.0%, validation 90.0%" in svg
    assert "expected merit of prints at device yield 0.95" in svg
    assert "unknown" not in svg
    assert "log scale" not in svg


def test_names_of_the_baselines_are_whole_at_a_full_score():
    marks = [mark(1.0, 1.0, stage=stage) for stage in ("textbook", "exact")]
    svg = score_svg(marks, AREA, metric="accuracy", majority=0.5)
    rows = re.findall(r'class="name stage-\w+" x="[\d.]+" y="([-\d.]+)"', svg)
    # A line of 13 pixels stands on its row.
    assert len(rows) == 2
    assert min(map(float, rows)) >= 13


def test_lines_join_a_stages_own_front_only():
    marks = [mark(0.1), mark(1.0), mark(0.5, on_stage_front=False), mark(2.0, stage="tree")]
    svg = score_svg(marks, AREA, metric="accuracy", majority=0.5)
    lines = re.findall(r'class="stage-line stage-(\w+)" data-series="\w+" d="M([^"]+)"', svg)
    assert [(stage, path.count("L")) for stage, path in lines] == [("search", 1)]
    assert "stage-line" not in score_svg(marks, power_axis("1"), metric="accuracy", majority=0.5)


def test_what_is_not_on_the_front_is_hollow_and_without_interval():
    def classes(**changes):
        svg = score_svg([mark(interval=(0.8, 0.95), **changes)], AREA, metric="accuracy", majority=0.5)
        return "hollow" in svg, "whisker" in svg

    assert classes() == (False, True)
    assert classes(on_front=False) == (True, False)


def test_a_mark_without_a_figure_is_left_out_of_its_picture():
    marks = [mark(0.1, delay_ms=2.0, label="timed"), mark(0.2, label="untimed")]
    svg = score_svg(marks, delay_axis("1"), metric="accuracy", majority=0.5)
    assert "timed: 2 ms, test" in svg
    assert "untimed" not in svg
    assert svg.count('class="mark') == 1


def test_a_mark_with_a_target_is_a_link_and_its_name_stays_text():
    svg = score_svg([mark(target="a-1", label='"><b>')], AREA, metric="accuracy", majority=0.5)
    assert '<a class="mark stage-search" href="#a-1" data-of="a-1"' in svg
    assert "<b>" not in svg
