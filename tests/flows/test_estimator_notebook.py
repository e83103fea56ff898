"""The estimator's notebook: it is one, and its cells print what it shows."""

import json
from pathlib import Path

import pytest

from benchmarks import notebook

PLACE = Path(__file__).resolve().parents[2] / "docs" / "estimator.ipynb"


@pytest.fixture
def pages():
    return json.loads(PLACE.read_text(encoding="utf-8"))


def test_it_is_a_notebook_with_outputs(pages):
    assert (pages["nbformat"], pages["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in pages["cells"]}) == len(pages["cells"])
    cells = notebook.code_cells(pages)
    assert [cell["execution_count"] for cell in cells] == list(range(1, len(cells) + 1))
    assert all(notebook.shown(cell) or "print(" not in notebook.source(cell) for cell in cells)


@pytest.mark.slow
def test_its_cells_print_what_it_shows(pages):
    assert notebook.printed_by(pages) == [notebook.shown(cell) for cell in notebook.code_cells(pages)]


def test_cells_share_their_names_and_are_run_into_the_file(tmp_path, capsys):
    cells = [
        {"cell_type": "code", "source": text, "outputs": [], "execution_count": None}
        for text in ("a = 2", ["b = a\n", "print(b + 1)"])
    ]
    path = tmp_path / "small.ipynb"
    path.write_text(json.dumps({"cells": [*cells, {"cell_type": "markdown", "source": "print(4)"}]}))
    notebook.main([str(path)])
    ran = notebook.code_cells(json.loads(path.read_text()))
    assert [notebook.shown(cell) for cell in ran] == ["", "3\n"]
    assert capsys.readouterr().out == "3\n"
    with pytest.raises(ZeroDivisionError):
        notebook.printed_by({"cells": [{**cells[0], "source": "1 / 0"}]})
