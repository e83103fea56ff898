"""The files of a comparison: the same bytes twice, and everything that was measured in each of them."""

import csv
import functools
import json
import os
from pathlib import Path
from urllib.parse import quote

import pytest

from flows import compare
from flows.cli import run_command
from flows.compare import Options
from flows.compare_page import SERIES_WORDS, page_files
from flows.comparison import PAGE, PICTURE, SHEET, TABLE
from flows.explorer import PLOT_STYLE, text_of
from flows.plot import OUTLINES
from hdl.adder_graph import library_version
from tests.flows.chromium import opened
from tests.flows.comparing import QUIET, edited, rows_of
from tests.flows.pages import Parts, faults


def test_two_splits_have_means(run_folder, copied):
    other = copied("other", seed=1)

    def swap(data):
        data["split"]["train"].append(data["split"]["test"].pop())

    edited(other, "data", "dataset.json", swap)
    found = compare.compare([run_folder, other], Options(("exact", "tree"), proved=False), QUIET)
    assert found.n_splits("iris") == 2
    assert {level.n for level in found.levels} == {2}
    assert {level.accuracy.deviation for level in found.levels} == {0.0}
    page = page_files(found, other)[PAGE]
    assert "mean ± standard deviation" in page
    assert "2 different splits" in page


def test_the_same_bytes_twice(found, run_folder, tmp_path):
    again = compare.compare([run_folder], Options(("tree",)), QUIET)
    twice = compare.compare([run_folder], Options(("tree",)), QUIET)
    assert page_files(again, tmp_path) == page_files(twice, tmp_path)


def test_the_files_agree(found, tmp_path):
    files = page_files(found, tmp_path)
    sheet = list(csv.DictReader(files[SHEET].splitlines()))
    table = json.loads(files[TABLE])
    assert len(sheet) == len(table["rows"]) == len(found.rows)
    for line, row in zip(sheet, table["rows"], strict=True):
        assert float(line["area_cm2"]) == row["figures"]["area_cm2"]
        assert float(line["accuracy"]) == row["figures"]["accuracy"]
        assert line["id"] in files[PAGE]
    assert files[PICTURE].count("<title>") >= len(found.rows)
    assert "test rows choose nothing" not in files[PICTURE]
    harmless = ("http://www.w3.org/2000/svg", "http-equiv", found.technology.source)
    assert "http" not in functools.reduce(lambda text, known: text.replace(known, ""), harmless, files[PAGE])


def test_the_command_writes_a_folder_and_says_where(run_folder, tmp_path, capsys):
    out = tmp_path / "side by side"
    arguments = [str(run_folder), "--stages", "tree", "exact", "--out", str(out), "--no-proof"]
    assert run_command(compare.main, arguments) == 0
    printed = capsys.readouterr().out
    assert sorted(path.name for path in out.iterdir()) == sorted([PAGE, PICTURE, TABLE, SHEET])
    assert f"page: {out / PAGE}" in printed
    assert "always the majority class: 33.3%" in printed
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    assert run_command(compare.main, arguments) == 0
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first
    root = Path(os.path.commonpath([out, run_folder]))
    assert faults(out / PAGE, root) == []
    links = set(Parts((out / PAGE).read_text()).links)
    report = Path(os.path.relpath(run_folder, out), "report.html").as_posix()
    assert {f"{quote(report)}#exact", "compare.csv"} <= links


def test_published_figures_stand_beside_the_rest(run_folder, tmp_path):
    label = "a <tree></script><b>"
    (tmp_path / "others.csv").write_text(f"label,accuracy,area_cm2,power_mw\n{label},0.9,0.5,\n")
    options = Options(("tree",), published=tmp_path / "others.csv", proved=False)
    found = compare.compare([run_folder], options, QUIET)
    (row,) = rows_of(found, "published")
    assert (row.id, row.accuracy, row.area_cm2, row.run) == (label, 0.9, 0.5, None)
    files = page_files(found, tmp_path)
    assert "a &lt;tree&gt;" in files[PICTURE]
    assert "<tree>" not in files[PAGE] + files[PICTURE]
    assert files[PAGE].count("</script>") == 2


@pytest.mark.skipif(library_version() is None, reason="da4ml is not installed")
def test_adder_graphs_stand_beside_our_own_adders(run_folder, tmp_path):
    found = compare.compare([run_folder], Options(("exact",), adder_graphs=1, proved=False), QUIET)
    (own,), (row,) = rows_of(found, "exact"), rows_of(found, "adders")
    assert row.accuracy == own.accuracy
    assert row.beside["area_cm2"] == own.area_cm2
    assert (row.proof["verdict"], row.sha256 == own.sha256) == ("simulated", False)
    assert "shared adder graphs" in page_files(found, tmp_path)[PAGE]


def test_every_series_has_a_colour_and_words():
    style = text_of(PLOT_STYLE)
    assert [series for series in OUTLINES if f".stage-{series} {{ color: var(--" not in style] == []
    assert set(SERIES_WORDS) == set(OUTLINES)


def test_the_page_is_explored_as_a_report_is(run_folder, copied, tmp_path):
    """Two runs on one page: a point opens its panel, and one run's circuits can be shown alone."""
    found = compare.compare(
        [run_folder, copied("other", restarts=3)], Options(("exact", "tree"), proved=False), QUIET
    )
    (tmp_path / PAGE).write_text(page_files(found, tmp_path)[PAGE])
    keys = [key for key, row in found.keyed("iris") if row.series == "tree"]
    with opened() as browser:
        for width in (1280, 360):
            browser.open((tmp_path / PAGE).as_uri(), width)
            browser.click(f"tr[data-of={keys[-1]}] td")
            assert browser.run("[...document.querySelectorAll('.panel.on')].map(p => p.id).join()") == keys[-1]
            assert browser.run("document.documentElement.scrollWidth") <= width
            browser.run(
                "{ const s = document.querySelector('select[name=run]'); s.value = '1';"
                "s.dispatchEvent(new Event('change')); }"
            )
            shown = browser.run(
                "[...document.querySelectorAll('tr[data-of]:not(.out)')].map(r => r.dataset.of).join()"
            )
            assert shown.split(",") == [key for key in found.keys.values() if key.startswith("r1-")]
        assert browser.errors == []
