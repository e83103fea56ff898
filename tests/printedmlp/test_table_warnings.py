"""Every repair of a table: the note that tells of it, and what the repaired table is."""

import pytest

from printedmlp.table import read_table

GOOD = "ash,hue,class\n" + "".join(f"{i * i},{i * i % 7},{'AB'[i % 2]}\n" for i in range(10))


def read(text, **options):
    """Return the table and its notes, joined."""
    notes: list[str] = []
    data = text if isinstance(text, bytes) else text.encode()
    table = read_table(data, "w.csv", notes, **options)
    return table, " / ".join(notes)


def with_column(name, values, position=0):
    lines = []
    for row, value in zip(GOOD.splitlines(), [name, *values], strict=True):
        cells = row.split(",")
        cells.insert(position, str(value))
        lines.append(",".join(cells))
    return "\n".join(lines)


def test_latin_1():
    table, notes = read(GOOD.replace("hue", "Größe").encode("latin-1"))
    assert notes == "w.csv line 1 is not UTF-8; the file is read as latin-1"
    assert table.feature_names == ("ash", "Größe")


def test_comment_lines():
    table, notes = read("# measured on Monday\n" + GOOD + "#end\n")
    assert notes == "w.csv: 2 comment lines starting with # left out"
    assert table.X.shape == (10, 2)


def test_rows_without_any_value():
    table, notes = read(GOOD + ",,\n,,\n")
    assert notes == "w.csv: 2 rows without any value left out, the first in line 12"
    assert table.X.shape == (10, 2)


@pytest.mark.parametrize("labels", ["AB", "01"])
def test_no_header(labels):
    table, notes = read("".join(f"{i * i},{i * i % 7},{labels[i % 2]}\n" for i in range(10)))
    assert notes == "w.csv has no header row; the columns are called x0 to x2"
    assert table.feature_names == ("x0", "x1")
    assert table.X.shape == (10, 2)


def test_no_header_and_a_missing_cell_in_the_first_row():
    table, notes = read("1,?,A\n" + "".join(f"{i * i},{i * i % 7},{'AB'[i % 2]}\n" for i in range(10)))
    assert "no header row" in notes
    assert table.X.shape == (10, 2)


@pytest.mark.parametrize("header", ["0,1,2,3,class", "1,2,3,4,5"])
def test_a_header_of_numbers(header):
    table, notes = read(header + "\n" + "".join(f"{i * i},{i * i % 7},{i},{-i},{i % 2}\n" for i in range(10)))
    assert notes == "w.csv line 1: a row that counts its columns is taken as the header"
    assert table.feature_names == tuple(header.split(",")[:4])


def test_numeric_names_beside_a_text_name_above_numbers():
    table, notes = read("year,2019,class\n" + "".join(f"{i * i},{i * i % 7},{'AB'[i % 2]}\n" for i in range(10)))
    assert (table.feature_names, notes) == (("year", "2019"), "")


def test_repeated_empty_and_hostile_names():
    header = ["a", "a", "", "x\x1b[31m\u202e", "n" * 99, "a_2", "class"]
    rows = "".join(",".join(str(i * i % (5 + j)) for j in range(6)) + f",{i % 2}\n" for i in range(12))
    table, notes = read(",".join(header) + "\n" + rows)
    expected = ("a", "a_3", "column_3", "x[31m", "n" * 79 + "…", "a_2")
    assert table.feature_names == expected
    assert "w.csv line 1: column names that were empty, repeated" in notes
    assert "'a_3', 'column_3', 'x[31m'" in notes


def test_names_that_would_be_dangerous_elsewhere_are_kept_for_display():
    name = "../../etc; */ `define x"
    table, notes = read(GOOD.replace("hue", name))
    assert table.feature_names == ("ash", name)
    assert notes == ""


def test_missing_cells_are_counted_by_column():
    text = GOOD + "?,1,A\n2,,B\n,NA,A\n"
    table, notes = read(text)
    assert notes == "w.csv: 3 of 13 rows with missing cells left out; missing cells: 'ash' 2, 'hue' 2"
    assert table.X.shape == (10, 2)


def test_constant_columns():
    table, notes = read(with_column("fixed", [3.5] * 10, position=1))
    assert notes == "w.csv: columns with a single value in all rows left out: 'fixed'"
    assert table.feature_names == ("ash", "hue")


def test_a_column_constant_in_the_complete_rows_only():
    table, notes = read(with_column("fixed", [3] * 10, position=1) + "\n?,4,5,A\n")
    assert "columns with a single value in all rows left out: 'fixed'" in notes
    assert table.X.shape == (10, 2)


def test_columns_without_any_value():
    table, notes = read(with_column("spare", ["?"] * 10, position=1))
    assert notes == "w.csv: columns without any value left out: 'spare'"
    assert table.X.shape == (10, 2)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("anything", range(10)),
        ("anything", range(1, 11)),
        ("ID", [7, 3, 99, 12, 1, 5, 4, 8, 1000, 2]),
        ("patient_id", [f"P{i}" for i in range(10)]),
        ("Unnamed: 0", [3, 2, 1, 0, 9, 8, 7, 6, 5, 4]),
    ],
)
def test_index_columns(name, values):
    table, notes = read(with_column(name, values))
    assert notes == f"w.csv: columns that only number the rows left out: '{name}'"
    assert table.feature_names == ("ash", "hue")


def test_unnamed_index_column():
    table, notes = read(with_column("", range(5, 15)))
    assert "columns that only number the rows left out: 'column_1'" in notes
    assert table.feature_names == ("ash", "hue")


def test_row_names_without_a_header_cell():
    lines = GOOD.splitlines()
    text = "\n".join([lines[0], *(f"r{i},{line}" for i, line in enumerate(lines[1:]))])
    table, notes = read(text)
    assert "one name less than columns" in notes
    assert "columns that only number the rows left out: 'column_1'" in notes
    assert table.feature_names == ("ash", "hue")


@pytest.mark.parametrize(
    ("name", "values", "position"),
    [
        ("anything", range(2, 12), 0),
        ("anything", range(10), 1),
        ("id", [1, 1, 2, 3, 4, 5, 6, 7, 8, 9], 0),
        ("id", [i + 0.5 for i in range(10)], 0),
        ("refractive index", [7, 3, 99, 12, 1, 5, 4, 8, 1000, 2], 0),
    ],
)
def test_columns_that_only_look_like_an_index_stay(name, values, position):
    table, notes = read(with_column(name, values, position))
    assert name in table.feature_names
    assert notes == ""


def test_an_index_column_stays_on_request():
    table, notes = read(with_column("id", range(10)), drop_index=False)
    assert (table.feature_names, notes) == (("id", "ash", "hue"), "")


def test_classes_that_differ_in_case_only():
    table, notes = read(GOOD.replace(",B", ",a").replace(",A", ",A"))
    assert notes == "w.csv: classes 'A', 'a' differ in upper and lower case only; kept apart"
    assert table.class_names == ("A", "a")
