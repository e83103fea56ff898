"""Every defect of a table, with the words that must be in its one-line message."""

import pytest

from printedmlp.errors import ConfigError, DataError
from printedmlp.table import read_table

GOOD = "ash,hue,class\n" + "".join(f"{i * i},{i * i % 7},{'AB'[i % 2]}\n" for i in range(10))


def line(text, number, new):
    """Replace one line of a text, lines counted from 1."""
    lines = text.splitlines()
    lines[number - 1] = new
    return "\n".join(lines) + "\n"


def labelled(labels):
    return "ash,class\n" + "".join(f"{i * i},{label}\n" for i, label in enumerate(labels))


DEFECTS = {
    "empty file": ("", "w.csv is empty"),
    "blank lines only": ("\n  \n\n", "w.csv is empty"),
    "comments only": ("# nothing\n", "no rows, only comments"),
    "rows of separators only": (",,,\n,,,\n", "no rows"),
    "header only": ("ash,hue,class\n", "w.csv has a header row but no data rows"),
    "one column": ("class\nA\nB\n", "w.csv has one column"),
    "zero byte": ("a,b\n1,A\n2,\0B\n", "w.csv line 3: a zero byte"),
    "ragged, short": (line(GOOD, 5, "1,A"), "w.csv line 5: 2 cells, expected 3"),
    "ragged, long": (line(GOOD, 5, "1,2,3,4,A"), "w.csv line 5: 5 cells, expected 3"),
    "ragged, one cell": (line(GOOD, 5, "A"), "w.csv line 5: 1 cell, expected 3"),
    "quote never closed": (line(GOOD, 5, '1,"2,A'), "w.csv line 5: a quotation mark is opened and never closed"),
    "stray quote": (line(GOOD, 5, '1,"2"x,A'), "w.csv line 5: stray quotation mark"),
    "huge cell": (line(GOOD, 5, f"1,{'9' * 200_000},A"), "w.csv line 5: a cell of more than 4096 characters"),
    "no number": (line(GOOD, 5, "1,abc,A"), "w.csv line 5, column 'hue': 'abc' is not a number"),
    "number with a unit": (line(GOOD, 5, "1,3 cm,A"), "w.csv line 5, column 'hue': '3 cm' is not a number"),
    "digit groups": (line(GOOD, 5, '"1,234",3,A'), "w.csv line 5, column 'ash': '1,234' is not a number"),
    "underscore": (line(GOOD, 5, "1_000,3,A"), "w.csv line 5, column 'ash': '1_000' is not a number"),
    "hexadecimal": (line(GOOD, 5, "0x10,3,A"), "column 'ash': '0x10' is not a number"),
    "long cell is cut": (line(GOOD, 5, f"{'x' * 90},3,A"), f"'{'x' * 39}…' is not a number"),
    "escape codes are not shown": (line(GOOD, 5, "\x1b[2J9x,3,A"), "'[2J9x' is not a number"),
    "mixed decimal marks": (
        line(GOOD, 5, "1,5;3;A").replace(",", ";").replace("1;5;3", "1,5;3") + "1.5;3;A\n",
        "'1.5' is not a number (the table writes decimals with a comma)",
    ),
    "infinity": (line(GOOD, 5, "1,-inf,A"), "w.csv line 5, column 'hue': '-inf' is not a finite number"),
    "overflow": (line(GOOD, 5, "1,1e999,A"), "w.csv line 5, column 'hue': '1e999' is not a finite number"),
    "text column": (
        "colour,ash,class\n" + "".join(f"red,{i * i},{i % 2}\n" for i in range(8)),
        "w.csv line 2, column 'colour' holds text ('red'); inputs must be numbers",
    ),
    "missing label": (line(GOOD, 5, "1,2,"), "w.csv line 5, column 'class': the class is missing ('')"),
    "label ?": (line(GOOD, 5, "1,2,?"), "w.csv line 5, column 'class': the class is missing ('?')"),
    "label NaN": (line(GOOD, 5, "1,2,NaN"), "w.csv line 5, column 'class': the class is missing ('NaN')"),
    "named label column empty": ("a,class\n1,\n2,\n", "w.csv line 2, column 'class': the class is missing"),
    "long label": (line(GOOD, 5, f"1,2,{'A' * 81}"), "w.csv line 5, column 'class': a class name of more than 80"),
    "one class": (labelled("AAAAAA"), "w.csv: column 'class' holds one class only ('A')"),
    "class of one row": (labelled("AAAABBBBC"), "w.csv: class 'C' has 1 complete row; at least 3 are needed"),
    "class of two rows": (labelled("AAAABBBBCC"), "w.csv: class 'C' has 2 complete rows; at least 3 are needed"),
    "class lost to missing cells": (
        labelled("AAAABBBB") + "?,C\n?,C\n?,C\n",
        "w.csv: class 'C' has 0 complete rows; at least 3 are needed",
    ),
    "measurements as label": (
        labelled([f"{i / 7:.3f}" for i in range(40)]),
        "column 'class' holds 40 different numbers in 40 rows, such as '2.857': it looks like a regression target",
    ),
    "fractions as label": (labelled([f"{i % 12}.5" for i in range(60)]), "12 different numbers in 60 rows"),
    "whole numbers as label": (labelled([i % 60 for i in range(300)]), "60 different numbers in 300 rows"),
    "names as label": (labelled([f"n{i}" for i in range(10)]), "10 different texts in 10 rows"),
    "all inputs constant": (
        "ash,class\n" + "5,A\n5,B\n" * 4,
        "w.csv: no input column is left; every one holds a single value",
    ),
    "only an index": ("id,class\n" + "".join(f"{i},{i % 2}\n" for i in range(8)), "no input column is left beside"),
    "no complete row": ("a,b,class\n" + "1,?,A\n?,2,B\n" * 4, "no row is complete; missing cells: 'a' 4, 'b' 4"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_defect_is_one_line_that_says_where_and_what(defect):
    text, words = DEFECTS[defect]
    with pytest.raises(DataError) as caught:
        read_table(text.encode(), "w.csv", [])
    message = str(caught.value)
    assert words in message
    assert message.startswith("w.csv")
    assert message.isprintable()
    assert len(message) < 320


def test_the_good_table_of_this_file_is_good():
    notes: list[str] = []
    assert read_table(GOOD.encode(), "w.csv", notes).X.shape == (10, 2)
    assert notes == []


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("clas", "w.csv has no column 'clas'; did you mean 'class'?"),
        ("zzz", "w.csv has no column 'zzz'; columns are 'ash', 'hue', 'class'"),
        (3, "w.csv has no column 3; it has 3 columns, counted from 0"),
        ("-4", "w.csv has no column -4"),
        ("hue", "w.csv line 2, column 'class' holds text ('A'); inputs must be numbers"),
    ],
)
def test_wrong_label(label, words):
    with pytest.raises(DataError) as caught:
        read_table(GOOD.replace("9", "1").replace("4", "1").encode(), "w.csv", [], label=label)
    assert words in str(caught.value)


@pytest.mark.parametrize("gap", ["", "?", "NA", "n/a", "NaN", "null", "None", "-", "#N/A"])
def test_missing_cell_is_refused_on_request(gap):
    text = line(GOOD, 5, f"1,{gap},A")
    with pytest.raises(DataError, match=r"w\.csv line 5, column 'hue': the value is missing"):
        read_table(text.encode(), "w.csv", [], missing="error")
    assert len(read_table(text.encode(), "w.csv", []).y) == 9


def test_unknown_way_with_missing_cells():
    with pytest.raises(ConfigError, match="missing='guess': expected 'drop' or 'error'"):
        read_table(GOOD.encode(), "w.csv", [], missing="guess")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"PK\x03\x04rest", "w.csv is an Excel workbook or zip archive: save it as CSV text first"),
        (b"\xd0\xcf\x11\xe0rest", "w.csv is an old Excel workbook"),
        (b"\x1f\x8brest", "w.csv is gzip-compressed"),
        (b"@RELATION x\n", "w.csv is an ARFF file"),
        (b"\xff\xfea", "w.csv starts as utf-16 but byte"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a zero byte"),
    ],
)
def test_files_that_are_no_text_tables(data, words):
    with pytest.raises(DataError) as caught:
        read_table(data, "w.csv", [])
    assert words in str(caught.value)
