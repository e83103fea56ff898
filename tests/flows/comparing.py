"""What tests of comparisons share."""

import json

from flows.progress import Reporter
from flows.run import MANIFEST, json_text, sha256_text

QUIET = Reporter(quiet=True)
STAGES = ("exact", "paper", "tree", "search", "refine")
PORTS = "module top(input [15:0] inp, output [1:0] out); assign out = inp[15:14]; endmodule\n"


def verdict(row):
    return row.proof["verdict"]


def rows_of(found, series):
    return [row for row in found.rows if row.series == series]


def edited(folder, stage, name, change):
    """Change a run's JSON file, and the checksum with it."""
    path, manifest = folder / name, json.loads((folder / MANIFEST).read_text())
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json_text(data))
    manifest["stages"][stage]["files"][name] = sha256_text(json_text(data))
    (folder / MANIFEST).write_text(json_text(manifest))
