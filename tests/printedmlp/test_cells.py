"""Cells kept many to a string are the cells that were written, whatever the size of the pieces."""

import io
import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp import cells, records
from printedmlp.cells import Record, Rows
from printedmlp.errors import DataError
from printedmlp.table import read_table
from printedmlp.values import BETWEEN, parse_number, parse_numbers

CELL = st.sampled_from(
    ["", "1", "-2.50", ".5", "5.", "1e4", "1e", "1,5", "inf", "nan", "A", "1_0", "9" * 400, "\u0663"]
)
NUMBER = st.floats(allow_nan=False, allow_infinity=False).map(repr) | st.integers().map(str)
PIECES = st.integers(1, 9)


def filled(rows):
    held = Rows()
    for line, row in enumerate(rows, start=1):
        held.add(Record(line, tuple(row)))
    return held


def test_rows_and_columns_by_hand(monkeypatch):
    monkeypatch.setattr(cells, "_CELLS", 3)
    held = filled([["a", "b"], ["1", ""], ["2", "x"], ["3", "y"]])
    assert [row.cells for row in held] == [("a", "b"), ("1", ""), ("2", "x"), ("3", "y")]
    first, second = held.columns(1, 2)
    assert (list(first), list(second)) == (["1", "2", "3"], ["", "x", "y"])
    assert (len(second), second[1]) == (3, "x")
    assert first.numbers().tolist() == [1.0, 2.0, 3.0]
    assert np.isnan(second.numbers()).all()
    assert [list(column) for column in held.columns(3, 2)] == [["3"], ["y"]]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(CELL, min_size=1, max_size=5), max_size=12), PIECES)
def test_rows_are_those_that_were_added(rows, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "_CELLS", size)
        held = filled(rows)
    assert list(held) == [Record(line, tuple(row)) for line, row in enumerate(rows, start=1)]
    assert list(held.widths) == [len(row) for row in rows]


@settings(max_examples=100, deadline=None)
@given(st.lists(CELL, min_size=1, max_size=8) | st.lists(NUMBER, min_size=1, max_size=8), st.booleans())
def test_numbers_of_many_cells_are_those_of_each(column, comma):
    if comma:
        column = [cell.replace(".", ",") for cell in column]
    together = parse_numbers(BETWEEN.join(column), comma)
    assert together == [parse_number(cell, comma) for cell in column]


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab\r\n\x0b\u2028"), max_size=30), PIECES)
def test_lines_end_where_the_standard_library_ends_them(text, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(records, "_PIECE", size)
        assert list(records._lines(text)) == list(io.StringIO(text, newline=""))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(CELL, CELL, st.sampled_from("AB")), min_size=1, max_size=12), PIECES)
def test_tables_do_not_depend_on_the_size_of_the_pieces(rows, size):
    text = "id,ash,class\n" + "".join(",".join(f'"{cell}"' for cell in row) + "\n" for row in rows)
    assert told(text, size) == told(text, 1 << 18)


def told(text, size):
    """What is said and read of a table."""
    notes: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cells, "_CELLS", size)
        patch.setattr(records, "_PIECE", size)
        try:
            table = read_table(text.encode(), "w.csv", notes)
        except DataError as error:
            return notes, str(error)
    return notes, table.X.tolist(), table.y.tolist(), table.feature_names, table.class_names


DIGITS = "1,2,3,4," * 10
SHAPES = {
    "wide": ([f"{DIGITS}1,A", f"{DIGITS}2,B"], 12),
    "narrow": (["1,A", "2,B"], 18),
    "numbered classes": (["1,0", "2,1"], 18),
    "one column": (["1", "2"], 24),
    "text": (["1,x,A", "2,y,B"], 24),
    "different classes": ([f"1,{number:x}" for number in range(8000)], 34),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_memory_is_a_small_multiple_of_the_file(shape, monkeypatch):
    monkeypatch.setattr(cells, "_CELLS", 1 << 9)
    monkeypatch.setattr(records, "_PIECE", 1 << 9)
    rows, most = SHAPES[shape]
    head = ",".join(f"f{column}" for column in range(rows[0].count(",") + 1))
    n_rows = 48_000 // (len(rows[-1]) + 1)
    data = "\n".join([head, *itertools.islice(itertools.cycle(rows), n_rows)]).encode()
    tracemalloc.start()
    try:
        read_table(data, "w.csv", [])
    except DataError:
        pass
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < most * len(data), peak / len(data)
