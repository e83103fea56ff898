"""Good tables in all the dialects they come in: every one must give the same numbers and classes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.builtin import table_bytes
from printedmlp.errors import DataError
from printedmlp.table import Table, read_table

PLAIN = """length,width,class
1.5,2,B
1.25,3,A
-4,0.5,B
1e-3,7,A
.5,8.,B
6,+1,A
"""
X = [[1.5, 2], [1.25, 3], [-4, 0.5], [1e-3, 7], [0.5, 8], [6, 1]]
Y = [1, 0, 1, 0, 1, 0]


def read(text, *, notes=None, encoding="utf-8", **options) -> Table:
    return read_table(text.encode(encoding), "t.csv", [] if notes is None else notes, **options)


def assert_plain(table, names=("length", "width")):
    assert table.X.tolist() == X
    assert table.X.dtype == np.float64
    assert table.y.tolist() == Y
    assert table.y.dtype == np.int64
    assert table.feature_names == names
    assert table.class_names == ("A", "B")


def spaced(text):
    return text.replace(",", "   ")


def decimal_comma(text):
    return text.replace(",", ";").replace(".", ",")


DIALECTS = {
    "comma": PLAIN,
    "semicolon": PLAIN.replace(",", ";"),
    "tab": PLAIN.replace(",", "\t"),
    "bar": PLAIN.replace(",", "|"),
    "white space": spaced(PLAIN),
    "indented white space": "\n".join("  " + line + "  " for line in spaced(PLAIN).splitlines()),
    "runs of tabs": PLAIN.replace(",", "\t").replace("\t3", "\t\t3").replace("\t7\t", "\t\t7\t"),
    "decimal comma, semicolon": decimal_comma(PLAIN),
    "decimal comma, tab": decimal_comma(PLAIN).replace(";", "\t"),
    "space after comma": PLAIN.replace(",", ", "),
    "quoted": "\n".join(",".join(f'"{c}"' for c in line.split(",")) for line in PLAIN.splitlines()),
    "quoted after a space": PLAIN.replace(",A", ', "A"'),
    "CRLF": PLAIN.replace("\n", "\r\n"),
    "CR": PLAIN.replace("\n", "\r"),
    "no last newline": PLAIN.rstrip("\n"),
    "blank lines": "\n\n" + PLAIN.replace("\n", "\n  \n") + "\n\n",
    "separator after every cell": PLAIN.replace("\n", ",\n"),
    "separator after every row but the header": PLAIN.replace("B\n", "B,\n").replace("A\n", "A,\n"),
    "Excel's separator line": "sep=;\n" + PLAIN.replace(",", ";"),
    "labels with spaces around": PLAIN.replace(",A", ",  A  "),
    "invisible marks in labels": PLAIN.replace(",A", ",\u200bA\ufeff"),
}


@pytest.mark.parametrize("dialect", DIALECTS)
def test_every_dialect_gives_the_same_table_without_a_warning(dialect):
    notes: list[str] = []
    assert_plain(read(DIALECTS[dialect], notes=notes))
    assert notes == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_files_with_a_byte_order_mark(encoding, newline):
    text = PLAIN.replace("width", "Größe µm").replace("\n", newline)
    assert_plain(read(text, encoding=encoding), names=("length", "Größe µm"))


def test_big_endian_utf16():
    assert_plain(read_table(b"\xfe\xff" + PLAIN.encode("utf-16-be"), "t.csv", []))


@pytest.mark.parametrize("label", ["class", "CLASS", " class ", 0, "0", -3, "-3"])
def test_label_by_name_or_number(label):
    text = "\n".join(",".join([c, a, b]) for a, b, c in (line.split(",") for line in PLAIN.splitlines()))
    assert_plain(read(text, label=label))


def test_label_named_like_a_number_is_looked_up_as_a_name_first():
    text = "7,b,0,x\n" + "\n".join(f"{i % 2},{i * i},{i * i % 5},{i * i % 7}" for i in range(12))
    assert read(text, label="0").feature_names == ("7", "b", "x")


def test_numeric_labels_merge_and_sort_by_value():
    labels = ["10", "9", "9.0", "010", "1e1", "-1", "-1.0", "9", "-1"]
    table = read("a,class\n" + "\n".join(f"{i * i},{label}" for i, label in enumerate(labels)))
    assert table.class_names == ("-1", "9", "10")
    assert table.y.tolist() == [2, 1, 1, 2, 2, 0, 0, 1, 0]


def test_fractional_labels_with_a_decimal_comma():
    table = read("a;class\n" + "\n".join(f"{i * i};{label}" for i, label in enumerate(["0,5", "1", "1,0"] * 3)))
    assert table.class_names == ("0.5", "1")


def test_mixed_labels_stay_text_and_keep_plus_and_minus():
    table = read("a,class\n" + "\n".join(f"{i * i},{label}" for i, label in enumerate(["+", "-", "none"] * 3)))
    assert table.class_names == ("+", "-", "none")


def test_whole_number_labels_beyond_a_double_stay_apart():
    big = 2**60
    table = read("a,class\n" + "\n".join(f"{i * i},{big + i % 2}" for i in range(8)))
    assert table.class_names == (str(big), str(big + 1))


def test_quoted_cells_may_hold_separators_and_line_breaks():
    table = read('"a, or\nb",class\n' + "\n".join(f'{i * i},"x, ""{i % 2}"""' for i in range(6)))
    assert table.feature_names == ("a, or b",)
    assert table.class_names == ('x, "0"', 'x, "1"')


def test_line_numbers_count_the_lines_of_quoted_cells_and_blank_lines():
    text = '"a\nb",class\n\n' + "1,A\n2,B\n" * 3 + "oops,A\n"
    with pytest.raises(DataError, match=r"t\.csv line 10, column 'a b': 'oops' is not a number"):
        read(text)


def test_a_row_of_several_lines_is_named_by_its_first():
    text = "a,class\n" + "1,A\n2,B\n" * 3 + 'oops,"A\n"\n'
    with pytest.raises(DataError, match=r"t\.csv line 8, column 'a': 'oops' is not a number"):
        read(text)


def test_columns_keep_their_order_around_the_label():
    table = read("b,class,a\n" + "\n".join(f"{i * i},{i % 2},{-i * i}" for i in range(8)), label="class")
    assert table.feature_names == ("b", "a")
    assert table.X[2].tolist() == [4, -4]


def test_a_comment_above_numbers_is_the_header():
    table = read("# made by a logger\n# a b class\n" + "\n".join(f"{i * i} {-i * i} {i % 2}" for i in range(8)))
    assert table.feature_names == ("a", "b")


@settings(max_examples=30, deadline=None)
@given(
    values=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=6, max_size=6, unique=True),
    separator=st.sampled_from(",;\t|"),
)
def test_every_double_survives_writing_and_reading(values, separator):
    rows = [(value, "AB"[i % 2]) for i, value in enumerate(values)]
    data = table_bytes(("value", "class"), rows).replace(b",", separator.encode())
    assert read_table(data, "t.csv", [], drop_index=False).X[:, 0].tolist() == values


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=200) | st.text(alphabet='01.,;\t\n"A#', max_size=200).map(str.encode))
def test_no_bytes_at_all_cause_anything_but_a_data_error(data):
    try:
        table = read_table(data, "t.csv", [])
    except DataError:
        return
    assert np.isfinite(table.X).all()
    assert np.bincount(table.y).min() >= 3
