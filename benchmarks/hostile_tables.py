"""Tables that a classifier cannot be made from, or only with a warning, and the words that have to say so.

Each is made in a folder of its own and given to the command line as a user would. `benchmarks.robustness` counts
them and the tests run them one by one.
"""

from __future__ import annotations

import gzip
import os
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

NAME = "w.csv"
GOOD = "ash,hue,class\n" + "".join(f"{i * i},{i * i % 7},{'AB'[i % 2]}\n" for i in range(10))
Make = Callable[[Path], None]


@dataclass(frozen=True)
class BadTable:
    """A table that must end in one line or be read with a warning.

    Attributes
    ----------
    kind : the group it is counted in.
    make : writes it to a path, or puts there what is no file at all.
    words : that the line has to hold; the file's place comes before them.
    refused : whether it ends the command; else it is read, with the words in a warning.
    options : of the command line.
    file : its name.
    """

    kind: str
    make: Make
    words: str
    refused: bool = True
    options: Sequence[str] = ()
    file: str = NAME


def line(number: int, new: str, text: str = GOOD) -> bytes:
    """A table with one of its lines replaced, lines counted from 1."""
    lines = text.splitlines()
    lines[number - 1] = new
    return ("\n".join(lines) + "\n").encode()


def holding(data: bytes | str) -> Make:
    """Write these bytes."""

    def make(path: Path) -> None:
        path.write_bytes(data if isinstance(data, bytes) else data.encode())

    return make


def labelled(labels: Sequence[object]) -> str:
    """A table with one input and these classes."""
    return "ash,class\n" + "".join(f"{i * i},{label}\n" for i, label in enumerate(labels))


def _zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("w.csv", b"0" * (1 << 24))


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def _loop(path: Path) -> None:
    path.symlink_to(path)


def _link_to(target: str) -> Make:
    return lambda path: path.symlink_to(target)


def _headed(names: Sequence[str]) -> bytes:
    rows = "".join(
        ",".join(str(i * i % (7 + j)) for j in range(len(names) - 1)) + f",{'AB'[i % 2]}\n" for i in range(10)
    )
    return (",".join(names) + "\n" + rows).encode()


def _with_classes(first: str, second: str) -> bytes:
    return GOOD.replace(",A\n", f",{first}\n").replace(",B\n", f",{second}\n").encode()


def _text(kind: str, cases: dict[str, tuple[bytes | str, str]], *, refused: bool = True) -> dict[str, BadTable]:
    return {name: BadTable(kind, holding(data), words, refused) for name, (data, words) in cases.items()}


ENCODINGS = _text(
    "encoding",
    {
        "UTF-16 cut short": (GOOD.encode("utf-16")[:-1], "starts as utf-16 but byte"),
        "UTF-16 without a mark": (GOOD.encode("utf-16-le"), "line 1: a zero byte"),
        "UTF-32 mark on UTF-8": (b"\xff\xfe\0\0" + GOOD.encode(), "starts as utf-32 but byte"),
        "NUL in a cell": (line(5, "1,\0,A"), "line 5: a zero byte; this is a binary file"),
        "random bytes": (bytes(range(256)) * 8, "line 1: a zero byte"),
        "PNG": (b"\x89PNG\r\n\x1a\n\0\0", "a zero byte"),
        "Excel workbook": (b"PK\x03\x04rest", "an Excel workbook or zip archive"),
        "gzip bomb": (gzip.compress(b"0" * (1 << 24)), "gzip-compressed"),
        "gzip header alone": (b"\x1f\x8b", "gzip-compressed"),
        "ARFF": ("@relation iris\n", "an ARFF file"),
    },
) | {"zip bomb": BadTable("encoding", _zip_bomb, "an Excel workbook or zip archive")}

RECORDS = _text(
    "separators, quotes, widths",
    {
        "empty": ("", "is empty"),
        "a mark and nothing": (b"\xef\xbb\xbf", "is empty"),
        "blank lines": ("\n \n\n", "is empty"),
        "comments": ("# nothing\n", "no rows, only comments"),
        "separators alone": (",,,\n,,,\n", "no rows"),
        "no separator": ("class\nA\nB\n", "has one column"),
        "unknown separator": (GOOD.replace(",", "~"), "has one column"),
        "quote never closed": (line(5, '1,"2,A'), "line 5: a quotation mark is opened and never closed"),
        "quote never closed, long": (line(5, '1,"2,A') + GOOD.encode() * 2000, "line 5: a cell of more than 4096"),
        "stray quote": (line(5, '1,"2"x,A'), "line 5: stray quotation mark"),
        "short row": (line(5, "1,A"), "line 5: 2 cells, expected 3"),
        "long row": (line(5, "1,2,3,4,A"), "line 5: 5 cells, expected 3"),
        "cell of a million characters": (line(5, f"1,{'9' * 10**6},A"), "line 5: a cell of more than 4096"),
        "cell of a million quotes": (line(5, f'1,"{chr(34) * 10**6}",A'), "line 5: a cell of more than 4096"),
        "digits, then a letter": (line(5, f"1,{'9' * 4000}x,A"), "line 5, column 'hue': '9999"),
        "100,000 columns": (
            ",".join(f"f{i}" for i in range(10**5)) + ",class\n",
            "line 1: 100001 cells, more than",
        ),
        "100,000 cells in a row": (line(5, "," * 10**5), "line 5: 100001 cells, more than the 4096"),
        "a million combining marks": (line(1, f"a{chr(0x300) * 10**6},hue,class"), "line 1: a cell of more than"),
    },
)

HEADERS = _text(
    "header",
    {
        "header alone": ("ash,hue,class\n", "has a header row but no data rows"),
        "one row": ("ash,hue,class\n1,2,A\n", "holds one class only ('A')"),
        "row numbers beside the class": (
            "id,class\n" + "".join(f"{i},{i % 2}\n" for i in range(8)),
            "no input column",
        ),
    },
) | _text(
    "header",
    {
        "none": (GOOD.split("\n", 1)[1], "has no header row; the columns are called x0 to x2"),
        "repeated names": (_headed(["a", "a", "class"]), "are now 'a_2'"),
        "empty name": (_headed(["a", "", "class"]), "are now 'column_2'"),
        "name of 4,000 characters": (_headed(["a" * 4000, "b", "class"]), "are now 'aaaa"),
        "terminal escape in a name": (_headed(["\x1b]0;owned\x07\x1b[2J", "b", "class"]), "are now ']0;owned[2J'"),
        "direction marks in a name": (_headed(["a\u202egpj", "b", "class"]), "are now 'agpj'"),
        "name without a visible character": (_headed(["\u200b", "b", "class"]), "are now 'column_1'"),
    },
    refused=False,
)

CELLS = _text(
    "cells",
    {
        "text": (line(5, "1,abc,A"), "line 5, column 'hue': 'abc' is not a number"),
        "inf": (line(5, "1,inf,A"), "line 5, column 'hue': 'inf' is not a finite number"),
        "-Infinity": (line(5, "1,-Infinity,A"), "line 5, column 'hue': '-Infinity' is not a finite number"),
        "1e400": (line(5, "1,1e400,A"), "line 5, column 'hue': '1e400' is not a finite number"),
        "huge exponent": (line(5, f"1,1e{'9' * 4000},A"), "is not a finite number"),
        "hexadecimal": (line(5, "1,0x1F,A"), "line 5, column 'hue': '0x1F' is not a number"),
        "hexadecimal float": (line(5, "1,0x1p3,A"), "line 5, column 'hue': '0x1p3' is not a number"),
        "thousands separator": (line(5, '1,"1,234",A'), "line 5, column 'hue': '1,234' is not a number"),
        "apostrophe groups": (line(5, "1,1'234,A"), "line 5, column 'hue': '1'234' is not a number"),
        "underscore": (line(5, "1,1_000,A"), "line 5, column 'hue': '1_000' is not a number"),
        "decimal comma in a comma table": (line(5, "1,2,5,A"), "line 5: 4 cells, expected 3"),
        "decimal comma in quotes": (line(5, '"1,5",3,A'), "line 5, column 'ash': '1,5' is not a number"),
        "both decimal marks": (
            line(5, "1,5;3;A", GOOD.replace(",", ";")) + b"1.5;3;A\n",
            "'1.5' is not a number (the table writes decimals with a comma)",
        ),
        "date": (line(5, "1,2024-03-01,A"), "line 5, column 'hue': '2024-03-01' is not a number"),
        "clock time": (line(5, "1,12:30,A"), "line 5, column 'hue': '12:30' is not a number"),
        "unit": (line(5, "1,3 cm,A"), "line 5, column 'hue': '3 cm' is not a number"),
        "percent": (line(5, "1,3%,A"), "line 5, column 'hue': '3%' is not a number"),
        "boolean": (line(5, "1,true,A"), "line 5, column 'hue': 'true' is not a number"),
        "foreign digits": (line(5, "1,\u0663,A"), "line 5, column 'hue': '\u0663' is not a number"),
        "formula": (line(5, "1,=1+1,A"), "line 5, column 'hue': '=1+1' is not a number"),
        "terminal escape": (line(5, "1,\x1b[2J9x,A"), "line 5, column 'hue': '[2J9x' is not a number"),
        "text column": (GOOD.replace(",A", ",red,A").replace(",B", ",red,B").replace("hue", "hue,c"), "holds text"),
        "all missing in every row": ("a,b,class\n" + "1,?,A\n?,2,B\n" * 4, "no row is complete; missing cells"),
        "nothing but missing": ("a,b,class\n" + "?,?,A\n?,?,B\n" * 4, "no input column is left"),
        "all constant": ("ash,class\n" + "5,A\n5,B\n" * 4, "every one holds a single value"),
        "zeros of both signs": ("ash,class\n" + "0,A\n-0,B\n" * 4, "every one holds a single value"),
    },
) | _text(
    "cells",
    {
        "a constant column": (
            GOOD.replace(",A", ",1,A").replace(",B", ",1,B").replace("hue", "hue,c"),
            "single value",
        ),
        "a column without values": (GOOD.replace(",A", ",,A").replace(",B", ",,B").replace("hue", "hue,c"), "'c'"),
        "rows with gaps": (line(5, "1,NaN,A"), "1 of 10 rows with missing cells left out"),
        "latin-1": (
            GOOD.replace("hue", "Größe").encode("latin-1"),
            "line 1 is not UTF-8; the file is read as latin-1",
        ),
        "comments between": (line(5, "# 1,2,A"), "1 comment line starting with # left out"),
    },
    refused=False,
)

LABELS = _text(
    "classes",
    {
        "one class": (labelled("AAAAAA"), "column 'class' holds one class only ('A')"),
        "class of one row": (labelled("AAAABBBBC"), "class 'C' has 1 complete row; at least 3 are needed"),
        "class lost to gaps": (labelled("AAAABBBB") + "?,C\n?,C\n?,C\n", "class 'C' has 0 complete rows"),
        "missing class": (line(5, "1,2,"), "line 5, column 'class': the class is missing ('')"),
        "class NaN": (line(5, "1,2,NaN"), "line 5, column 'class': the class is missing ('NaN')"),
        "every class missing": ("a,class\n1,\n2,\n", "line 2, column 'class': the class is missing"),
        "measurements": (labelled([f"{i / 7:.3f}" for i in range(40)]), "it looks like a regression target"),
        "thousands of classes": (
            labelled([f"n{i % 3000}" for i in range(9000)]),
            "3000 different texts in 9000 rows",
        ),
        "class of 81 characters": (
            line(5, f"1,2,{'A' * 81}"),
            "line 5, column 'class': a class name of more than 80",
        ),
        "class of 4,000 invisible ones": (
            line(5, f"1,2,A{chr(0x200B) * 3000}"),
            "line 5, column 'class': a class name of more than 80",
        ),
    },
) | _text(
    "classes",
    {"classes by case": (_with_classes("yes", "Yes"), "differ in upper and lower case only; kept apart")},
    refused=False,
)

COLUMNS = {
    "no such column": BadTable(
        "label", holding(GOOD), "has no column 'clas'; did you mean", options=("--label", "clas")
    ),
    "column out of range": BadTable("label", holding(GOOD), "has no column 9; it has 3", options=("--label", "9")),
    "huge column number": BadTable("label", holding(GOOD), "has no column '", options=("--label", "9" * 400)),
    "terminal escape as column": BadTable("label", holding(GOOD), "'[2J'", options=("--label", "\x1b[2J")),
    "gaps refused": BadTable(
        "label",
        holding(line(5, "1,?,A")),
        "line 5, column 'hue': the value is missing",
        options=("--missing", "error"),
    ),
}

FILES = {
    "absent": BadTable("files", lambda path: None, "no such file"),
    "link to nothing": BadTable("files", _link_to("absent.csv"), "no such file"),
    "link to itself": BadTable("files", _loop, "cannot be read"),
    "folder": BadTable("files", lambda path: path.mkdir(), "is a folder, not a table"),
    "link to a folder": BadTable("files", _link_to("/"), "is a folder, not a table"),
    "pipe": BadTable("files", lambda path: os.mkfifo(path), "is not a regular file"),
    "device without end": BadTable("files", _link_to("/dev/zero"), "is not a regular file"),
    "terminal": BadTable("files", _link_to("/dev/tty"), ""),
    "a tebibyte of nothing": BadTable("files", _sparse, "is larger than 512 MiB"),
    "name too long": BadTable("files", lambda path: None, "File name too long", file="n" * 300 + ".csv"),
    "terminal escape in the name": BadTable("files", holding(""), "is empty", file="\x1b[2Jw.csv"),
    "line break in the name": BadTable("files", holding(""), "is empty", file="w\nerror: x.csv"),
    "name that is no UTF-8": BadTable("files", holding(""), "is not UTF-8 text", file=os.fsdecode(b"caf\xe9.csv")),
}

TABLES: dict[str, BadTable] = {
    f"{table.kind}: {name}": table
    for group in (ENCODINGS, RECORDS, HEADERS, CELLS, LABELS, COLUMNS, FILES)
    for name, table in group.items()
}
