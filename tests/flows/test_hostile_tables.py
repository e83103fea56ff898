"""Every bad table ends in one clear line and exit code 2, or is read with a warning that says what was done."""

import os
import subprocess
import sys
import time
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.hostile_tables import GOOD, TABLES
from flows import design
from flows.cli import run_command
from printedmlp.dataset import load_dataset
from printedmlp.errors import DataError, PrintedMLPWarning
from printedmlp.table import read_table

SECONDS = 20.0
REFUSED = [name for name, table in TABLES.items() if table.refused]
WARNED = [name for name, table in TABLES.items() if not table.refused]


def test_the_corpus_is_large_and_of_all_kinds():
    assert len(TABLES) >= 80
    assert len({table.kind for table in TABLES.values()}) == 7


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_table_is_one_line_and_leaves_nothing(name, tmp_path, capsys):
    table = TABLES[name]
    (tmp_path / "in").mkdir()
    place = tmp_path / "in" / table.file
    table.make(place)
    start = time.monotonic()
    code = run_command(design.main, [str(place), "--out", str(tmp_path / "run"), "--quiet", *table.options])
    error = capsys.readouterr().err
    assert code == 2
    assert error.startswith("error: ")
    assert error.endswith("\n")
    assert error[:-1].isprintable()
    assert table.words in error
    assert time.monotonic() - start < SECONDS
    assert [entry.name for entry in tmp_path.iterdir()] == ["in"]


@pytest.mark.parametrize("name", WARNED)
def test_a_doubtful_table_is_read_with_a_warning(name, tmp_path):
    table = TABLES[name]
    place = tmp_path / table.file
    table.make(place)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        dataset = load_dataset(place)
    words = [str(entry.message) for entry in told if issubclass(entry.category, PrintedMLPWarning)]
    assert any(table.words in line for line in words), words
    assert all(line.isprintable() for line in words)
    assert all(name.isprintable() for name in (*dataset.feature_names, *dataset.class_names))


def test_the_command_itself_ends_with_code_2_and_no_traceback(tmp_path):
    (tmp_path / "w.csv").write_bytes(b"\x1b[2J,\x1b]0;x\x07\n1,\x1b[31mA\n")
    command = [sys.executable, "-m", "flows.design", str(tmp_path / "w.csv"), "--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.count(b"error: ") == 1
    assert b"Traceback" not in done.stderr
    assert b"\x1b" not in done.stderr + done.stdout
    assert not (tmp_path / "run").exists()


def test_a_message_that_is_not_cleaned_would_be_noticed(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("printedmlp.errors.clean_text", lambda text, limit: text)
    (tmp_path / "c.toml").write_text('dataset = "iris"\n"\\u001b[2J" = 1\n')
    run_command(design.main, ["--config", str(tmp_path / "c.toml")])
    assert "\x1b" in capsys.readouterr().err
    monkeypatch.undo()
    run_command(design.main, ["--config", str(tmp_path / "c.toml")])
    assert capsys.readouterr().err.endswith("unknown setting '[2J'\n")


def test_reading_takes_time_that_grows_with_the_table_alone():
    """Cells as long as they may be, of the kinds that once took quadratic time."""
    digits, marks = "9" * 4000 + "x", "A" + "\u0315\u0300" * 1900
    start = time.monotonic()
    for cell, label, words in ((digits, "A", "holds text"), ("1", marks, "a class name of more than 80")):
        rows = "".join(f"{i},{cell},{label}{i % 2}\n" for i in range(300))
        with pytest.raises(DataError, match=words):
            read_table(("ash,hue,class\n" + rows).encode(), "w.csv", [])
    assert time.monotonic() - start < 5


CELL = st.sampled_from(
    ["", "1", "-0", "1e400", "nan", "A", "=1", '"', '""', "\x1b[2J", "<b>", "../x", "1,5", "#", "\ufeff"]
)
ROWS = st.lists(st.lists(CELL | st.text(max_size=4), min_size=1, max_size=4), min_size=1, max_size=12)


@settings(max_examples=80, deadline=None)
@given(
    rows=ROWS,
    separator=st.sampled_from(",;\t| "),
    newline=st.sampled_from(["\n", "\r\n", "\r"]),
    seed=st.integers(0, 3),
)
def test_tables_put_together_at_random_are_read_or_refused(rows, separator, newline, seed):
    text = newline.join(separator.join(row) for row in rows) + (newline + GOOD if seed == 0 else "")
    encoding = ("utf-8", "utf-16", "latin-1", "utf-8-sig")[seed]
    notes: list[str] = []
    said = notes
    try:
        table = read_table(text.encode(encoding, "replace"), "w.csv", notes)
    except DataError as error:
        table, said = None, [str(error)]
    assert all(words.isprintable() for words in said)
    if table is None:
        return
    assert all(name.isprintable() for name in (*table.feature_names, *table.class_names))
    assert len(set(table.feature_names)) == len(table.feature_names)


def test_a_file_that_may_not_be_read(tmp_path):
    place = tmp_path / "w.csv"
    place.write_text(GOOD)
    place.chmod(0)
    if os.access(place, os.R_OK):
        pytest.skip("this user may read every file")
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        load_dataset(place)
