"""What the report tells of prints: the merit that was an axis of the front, and what `flows.defects` found."""

import json
import shutil

import numpy as np
import pytest

from flows import defects
from flows.cli import run_command
from flows.config import make_config
from flows.defect_figures import Settings, defects_of
from flows.defects_options import RECORD
from flows.design import design
from flows.report_defects import defect_records, working_prints
from flows.run import Run, json_text
from printedmlp.choice import ROBUST_GAIN
from printedmlp.errors import PrintedMLPWarning
from printedmlp.vectors import Vectors
from tests.flows.conftest import SMALL
from tests.flows.pages import DEFECTS, faults, printed_page
from tests.flows.test_report import front, page, point, words
from tests.netlists import EGFET, inverter_chain

STURDY = point("tree-1", "tree", 0.04, 0.9, printed_merit=0.871)


def test_the_merit_of_prints_is_told_with_its_device_yield_and_protocol():
    text = words(page(front(STURDY), fault_tolerance=0.95))
    assert "validation prints at 0.95 test" in text
    assert "90.0% 87.1% 90.0% 89.9% 2/2" in text
    assert "94.0% – 94.0%" in text
    assert "merit of prints 87.1% at device yield 0.95" in text
    assert "At device yield 0.95 prints are expected to have a merit of 87.1% on average, by what" in text
    assert "no circuit beats it in merit (90.0%), cell area, power and merit of prints." in text
    assert "its prints at device yield 0.95 are expected to have half a point more merit" in text
    assert "balanced accuracy, by what" not in text
    scored = {**STURDY, "metric": "macro_f1"}
    assert "on average, told in balanced accuracy, by" in words(
        page(front(scored, metric="macro_f1"), metric="macro_f1", fault_tolerance=0.95)
    )


def test_without_fault_tolerance_nothing_is_said_of_prints():
    bare = {key: value for key, value in STURDY.items() if key != "printed_merit"}
    html = page(front(bare))
    assert "prints" not in words(html)
    assert "about-prints" not in html
    assert 'data-axis="prints"' not in html
    assert page(front(STURDY)) == html


def test_a_circuit_is_beaten_by_another_only_if_its_prints_are_no_better_by_half_a_point():
    def told(printed):
        beside = point("tree-2", "tree", 0.05, 0.8, printed_merit=printed)
        return words(page(front(STURDY, others=[beside]), fault_tolerance=0.95))

    beaten = "tree-1 beats it with merit 90.0% on 0.04 cm²"
    assert beaten in told(0.871 + ROBUST_GAIN / 2)
    assert beaten not in told(0.871 + 2 * ROBUST_GAIN)


def test_what_defects_leave_is_linked_and_told():
    html = printed_page()
    assert html.count(f'href="designs/refine-03/{RECORD}"') == 1
    assert html.count(f"/{RECORD}") == 2
    text = words(html)
    assert "these shares lose at most 5.0% of accuracy on the 50 test rows" in text
    assert "0.95 11.2–15.4% 13 % 0.99 72.7–78.1% 76 %" in text
    assert "Working prints Share of prints" in text
    assert "Working prints" not in words(page(front(STURDY), fault_tolerance=0.95))
    alone = words(page(front(), defects={"exact": DEFECTS}))
    assert "What prints are worth Of 1000 prints drawn" in alone
    assert "Merit of prints" not in alone


@pytest.fixture(scope="module")
def record():
    """Of an inverter on two rows."""
    vectors = Vectors(np.array([[0], [1]], dtype=np.uint8), np.array([1, 0]), 2, 0)
    settings = Settings(device_yields=(0.9,), draws=50)
    return json.loads(json_text(defects_of(inverter_chain(1), EGFET, vectors, 1, settings)))


def run_with(folder, text):
    place = folder / "designs" / "tree-1"
    place.mkdir(parents=True)
    (place / RECORD).write_text(text)
    return Run(folder, {})


def test_a_record_of_defects_is_read(record, tmp_path):
    found = defect_records(run_with(tmp_path, json_text(record)))
    own = record["yields"][0]
    told = {"rows": 2, "draws": 50, "loss": 0.05, "yields": [(0.9, own["working"], tuple(own["interval"]))]}
    assert found == {"tree-1": told}
    assert [share.share for share in working_prints(told)] == [own["working"]]


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.pop("yields"),
        lambda record: record.update(settings=[]),
        lambda record: record.update(rows="many"),
        lambda record: record["settings"].update(loss=2),
        lambda record: record["yields"].append(None),
        lambda record: record["yields"][0].update(working=-0.1),
        lambda record: record["yields"][0].update(interval=[0.1]),
        lambda record: record["yields"][0].update(interval=["<b>", 1]),
        lambda record: record["yields"][0].update(device_yield=10**400),
    ],
)
def test_a_damaged_record_is_left_out_with_a_warning(record, change, tmp_path):
    changed = json.loads(json_text(record))
    change(changed)
    with pytest.warns(PrintedMLPWarning, match=r"tree-1/defects\.json: is damaged .*; the report does without it"):
        assert defect_records(run_with(tmp_path, json_text(changed))) == {}


@pytest.mark.parametrize("text", ["", "[]", "null", '"a"', "{", '{"rows": NaN}'])
def test_what_is_no_record_is_left_out_with_a_warning(text, tmp_path):
    with pytest.warns(PrintedMLPWarning, match=r"defects\.json: is damaged"):
        assert defect_records(run_with(tmp_path, text)) == {}


@pytest.mark.tools
def test_a_finished_run_takes_up_the_defects_that_are_found_later(run_folder, tmp_path):
    folder = tmp_path / "iris"
    shutil.copytree(run_folder, folder)
    (folder / ".lock").unlink()
    before = (folder / "report.html").read_bytes()
    config = make_config(None, SMALL)
    assert run_command(defects.main, [str(folder), "--draws", "50", "--device-yield", "0.9", "--quiet"]) == 0
    design(config, folder, quiet=True)
    assert faults(folder / "report.html") == []
    assert f'href="designs/exact/{RECORD}"' in (folder / "report.html").read_text()
    for path in folder.glob(f"designs/*/{RECORD}"):
        path.unlink()
    design(config, folder, quiet=True)
    assert (folder / "report.html").read_bytes() == before
