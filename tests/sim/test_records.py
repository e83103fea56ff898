import json

import numpy as np
import pytest

from printedmlp.errors import VerificationError
from sim.harness import Field, field_values, harness_verilog
from sim.records import N_SHOWN, Observed, refuse_failed, verdict
from sim.session import read_record
from sim.vectors import stimulus

FIELDS = (Field("d0_rtl", "out", 2), Field("d0_rtl", "score_0", 3, signed=True))


def observed(kind, values, expected, defined=None):
    values = np.asarray(values)
    known = np.ones(len(values), dtype=bool) if defined is None else np.asarray(defined)
    return Observed(kind, f"{kind} class", values, known, np.asarray(expected))


def few_vectors():
    return stimulus(np.zeros((0, 1), dtype=int), 1)


def test_fields_by_hand():
    bits = read_record("11101\n00x10\nanswers 2\n", 2, 5)
    values, defined = field_values(bits, FIELDS)
    assert values.tolist() == [[1, -1], [2, 0]]
    assert defined.tolist() == [[True, True], [True, False]]


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("", "0 answers to 2 vectors"),
        ("answers 0\n", "0 answers to 2"),
        ("11101\nanswers 1\n", "1 answers to 2"),
        ("11101\n00010\n", "1 answers to 2"),
        ("11101\n00010\nanswers 2", "incomplete"),
        ("11101\n00010\n01010\nanswers 2\n", "3 answers to 2"),
        ("11101\n0001\nanswers 2\n", "not 5 bits long"),
    ],
)
def test_a_damaged_record_is_refused(record, message):
    with pytest.raises(VerificationError, match=message):
        read_record(record, 2, 5)


def test_no_vector_is_no_proof():
    with pytest.raises(VerificationError, match="0 answers to 0"):
        read_record("answers 0\n", 0, 5)


def test_harness_puts_the_first_field_lowest():
    text = harness_verilog(["d0_rtl"], FIELDS, 8)
    assert "d0_rtl_top d0_rtl (.inp(inp), .out(d0_rtl__out));" in text
    assert "assign d0_rtl__score_0 = d0_rtl.score_0;" in text
    assert "assign result = {d0_rtl__score_0, d0_rtl__out};" in text
    assert "output [4:0] result" in text


def test_verdict_counts_and_shows_mismatches():
    vectors = few_vectors()
    right = np.zeros(len(vectors), dtype=int)
    wrong = right.copy()
    wrong[[2, 4]] = 1
    unknown = right == 0
    unknown[3] = False
    seen = [observed("rtl", right, right), observed("netlist", wrong, right, unknown)]
    record = verdict("a", ["rtl", "netlist"], seen, vectors)
    assert not record["passed"]
    assert record["mismatches"] == {"rtl": 0, "netlist": 3}
    assert [m["vector"] for m in record["first_mismatches"]] == [2, 3, 4]
    assert [m["got"] for m in record["first_mismatches"]] == [1, None, 1]
    assert json.loads(json.dumps(record)) == record
    with pytest.raises(
        VerificationError, match=r"'a' is refused .*: netlist 3; first at vector 2, codes \[1\]: netlist"
    ):
        refuse_failed(record)


def test_verdict_passes_what_agrees_and_shows_few():
    vectors = few_vectors()
    zeros = np.zeros(len(vectors), dtype=int)
    record = verdict("a", ["rtl"], [observed("rtl", zeros, zeros)], vectors)
    assert record["passed"]
    refuse_failed(record)
    failed = verdict("a", ["rtl"], [observed("rtl", zeros, zeros + 1)], vectors)
    assert len(failed["first_mismatches"]) == N_SHOWN < failed["mismatches"]["rtl"]
