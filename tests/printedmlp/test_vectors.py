from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.errors import DataError, PrintedMLPWarning
from printedmlp.vectors import Vectors, _row, is_vector_file, read_vectors, vectors_csv


def make(tmp_path, text):
    path = tmp_path / "v.csv"
    path.write_text(text)
    return path


def test_a_small_file_by_hand(tmp_path):
    path = make(tmp_path, "x0,x1,class\n3,17,1\n0,15,1\n2,2,0\n")
    vectors = read_vectors(path, 10)
    assert vectors.codes.tolist() == [[3, 17], [0, 15], [2, 2]]
    assert vectors.y.tolist() == [1, 1, 0]
    assert (vectors.n_classes, vectors.majority_class) == (2, 1)


def test_saturation_is_told(tmp_path):
    path = make(tmp_path, "x0,x1,class\n16,3,1\n15,99,0\n")
    with pytest.warns(PrintedMLPWarning, match="2 values above 15 saturated"):
        assert read_vectors(path, 8).codes.tolist() == [[15, 3], [15, 15]]


@pytest.mark.parametrize("bus_bits", [1, 7, 18, 0])
def test_a_bus_that_the_features_do_not_fill(tmp_path, bus_bits):
    with pytest.raises(DataError, match=f"inp has {bus_bits} bits, which 2 features"):
        read_vectors(make(tmp_path, "x0,x1,class\n0,0,0\n"), bus_bits)


def test_round_trip(tmp_path):
    rng = np.random.default_rng(3)
    vectors = Vectors(rng.integers(0, 16, (20, 3), dtype=np.uint8), rng.integers(0, 4, 20), 4, 0)
    again = read_vectors(make(tmp_path, vectors_csv(vectors)), 12)
    assert np.array_equal(again.codes, vectors.codes)
    assert np.array_equal(again.y, vectors.y)


def test_only_the_exact_header_makes_a_vector_file(tmp_path):
    assert is_vector_file(make(tmp_path, "x0,x1,class\n1,2,0\n"))
    assert not is_vector_file(make(tmp_path, "x0,x2,class\n1,2,0\n"))
    assert not is_vector_file(make(tmp_path, "class\n0\n"))
    assert not is_vector_file(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1,2\n", "line 2: 2 cells, expected 3"),
        ("1,2,0\n1,-2,0\n", "line 3, column 'x1': '-2' is not an integer"),
        ("1,2.5,0\n", "column 'x1': '2.5'"),
        ("1,2,9999\n", "column 'class': '9999'"),
        ("1,99999999999999999999,0\n", "column 'x1'"),
        ("1,000000000000123456,0\n", "column 'x1'"),
        (f"1,{'0' * 20}{'9' * 5000},0\n", "column 'x1'"),
        ("1,,0\n", "column 'x1': ''"),
        (f'1,"{"1" * 200_000}",0\n', "cannot be read: field larger"),
        ("", "holds no vectors"),
    ],
)
def test_defects_name_their_place(tmp_path, body, message):
    with pytest.raises(DataError, match=message):
        read_vectors(make(tmp_path, "x0,x1,class\n" + body), 8)


def test_leading_zeros_and_spaces_are_harmless(tmp_path):
    assert read_vectors(make(tmp_path, "x0,x1,class\n 007,000,0 \n"), 8).codes.tolist() == [[7, 0]]


@settings(max_examples=60, deadline=None)
@given(row=st.lists(st.sampled_from(["0", "7", "007", "255", "256", "1000", "65535", "65536", "", "-1", "x", "²"])))
def test_a_row_of_short_numbers_is_read_as_cell_by_cell(row):
    """A space sends a row the slow way."""
    names = [*(f"x{i}" for i in range(len(row))), "class"]
    told: list[object] = []
    for last in ("1", " 1"):
        try:
            told.append(list(_row(Path("v.csv"), 2, names, [*row, last])))
        except DataError as error:
            told.append(str(error))
    assert told[0] == told[1]


def test_bytes_that_are_no_text_are_one_line(tmp_path):
    path = tmp_path / "v.csv"
    path.write_bytes(b"x0,x1,class\n" + b"0,0,0\n" * 3000 + b"0,\xff,0\n")
    with pytest.raises(DataError, match=r"v\.csv cannot be read: byte 18014 is not UTF-8"):
        read_vectors(path, 8)
    with pytest.raises(DataError, match=r"absent\.csv: no such file"):
        read_vectors(tmp_path / "absent.csv", 8)
