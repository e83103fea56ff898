"""Pictures of designs: files, figures, and what the page shows of them; nothing wrong is ever written."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from flows import measure, pictures
from flows.cli import run_command
from flows.job import STREAMS
from flows.pictures import GDS, PNG, SCHEMATIC, SVG, layout_words, write_pictures
from hdl.blocks import blocks_of
from hdl.layout import Names
from printedmlp.errors import VerificationError
from tests.flows.test_measure import GREATER
from tests.flows.test_report import front, page, point
from tests.hdl.test_placement import mesh
from tests.netlists import EGFET

ALL = sorted([GDS, SVG, PNG, SCHEMATIC])


def written(folder, netlist, seed=3):
    blocks, rng = blocks_of(netlist, EGFET), np.random.default_rng(seed)
    return write_pictures(folder, netlist, EGFET, Names("c", 4), rng, seed=seed, blocks=blocks)


def test_a_small_circuit_has_all_pictures_and_its_figures(tmp_path):
    record = written(tmp_path, mesh(20))
    assert record["files"] == ALL == sorted(path.name for path in tmp_path.iterdir())
    assert record["seed"] == 3
    assert record["moves"] == 40 * 300
    assert record["row_height_mm"] == 0.5
    assert "not a sign-off" in record["meaning"]
    width, height = record["sheet_mm"]
    cells = 40 * EGFET.cell("NAND2X1").area_mm2
    assert record["utilisation"] == pytest.approx(cells / (width * height), abs=1e-3)
    assert 0 < record["wire_length_mm"] <= record["start_wire_length_mm"]
    assert (tmp_path / PNG).read_bytes().startswith(b"\x89PNG")
    json.dumps(record, allow_nan=False)


def test_a_large_one_has_no_schematic(tmp_path):
    assert SCHEMATIC not in written(tmp_path, mesh(60))["files"]


def test_the_same_circuit_gives_the_same_bytes(tmp_path):
    records = [written(tmp_path / name, mesh(20)) for name in "ab"]
    assert records[0] == records[1]
    for file in ALL:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_wrong_layout_is_not_written(tmp_path, monkeypatch):
    def on_one_heap(*arguments):
        placement = place(*arguments)
        return replace(placement, left_mm=0 * placement.left_mm + 1)

    place = pictures.place
    monkeypatch.setattr(pictures, "place", on_one_heap)
    with pytest.raises(VerificationError, match=r"layout of 'c': cells \d+ and \d+ overlap"):
        written(tmp_path, mesh(20))
    assert list(tmp_path.iterdir()) == []


def test_streams_of_random_numbers_keep_their_places():
    assert STREAMS[-1] == "layout"


def test_a_strangers_circuit_gets_its_pictures_on_request(tmp_path, capsys):
    (tmp_path / "top.v").write_text(GREATER)
    (tmp_path / "v.csv").write_text("x0,x1,class\n0,1,0\n3,1,1\n")
    arguments = [str(tmp_path / "top.v"), str(tmp_path / "v.csv"), "--effort", "quick", "--no-simulation"]
    assert run_command(measure.main, [*arguments, "--layout", str(tmp_path / "pictures")]) == 0
    assert "an estimate of a sheet, not a sign-off" in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ALL
    assert "x1 [0]" in (tmp_path / "pictures" / SCHEMATIC).read_text()
    assert run_command(measure.main, [*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["layout"] is None


def test_a_folder_that_cannot_be_is_one_line(tmp_path, capsys):
    (tmp_path / "top.v").write_text(GREATER)
    (tmp_path / "v.csv").write_text("x0,x1,class\n0,1,0\n")
    arguments = [str(tmp_path / "top.v"), str(tmp_path / "v.csv"), "--effort", "quick", "--no-simulation"]
    assert run_command(measure.main, [*arguments, "--layout", str(tmp_path / "v.csv")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_page_shows_pictures_and_links_the_rest(tmp_path):
    record = written(tmp_path, mesh(20))
    view = {
        "words": layout_words(record),
        "files": [SVG, GDS],
        "layout": None,
        "schematic": None,
        "too_large": "why",
    }
    data = front(point("paper-1", "paper", 0.04, 0.9))
    assert "Layout" not in page(data)
    html = page(data, pictures={"paper-1": view})
    assert 'href="designs/paper-1/layout.gds"' in html
    assert "no sign-off" in html
    assert "No schematic: why." in html


@pytest.mark.tools
def test_every_design_of_a_run_has_pictures(run_folder):
    html = (run_folder / "report.html").read_text()
    assert 'src="http' not in html
    manifest = json.loads((run_folder / "manifest.json").read_text())
    for folder in (run_folder / "designs").iterdir():
        record = json.loads((folder / "measure.json").read_text())["layout"]
        for file in record["files"]:
            assert f"designs/{folder.name}/{file}" in manifest["stages"]["designs"]["files"]
            assert f'href="designs/{folder.name}/{file}"' in html
        ET.fromstring((folder / SVG).read_text())
    assert html.count("<svg") > 2
