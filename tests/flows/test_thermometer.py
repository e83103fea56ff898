"""Second forms beside first ones: equal, different, and left open."""

import pytest

from flows.levels import proved_equal
from hdl.tools import run_abc
from printedmlp.circuit import Instance, Netlist
from printedmlp.errors import VerificationError
from tests.netlists import EGFET

AND = Netlist(2, (Instance("AND2X1", (2, 3)),), (4,))
CONJUNCTION = "module top(input [1:0] inp, output out); assign out = &inp; endmodule"
OR = Netlist(2, (Instance("OR2X1", (2, 3)),), (4,))


def test_equal_forms_are_proved_and_others_refused(tmp_path):
    assert proved_equal("tree-1", CONJUNCTION, AND, EGFET, tmp_path)
    with pytest.raises(VerificationError, match="design 'tree-1': its thermometer netlist answers otherwise"):
        proved_equal("tree-1", CONJUNCTION, OR, EGFET, tmp_path)


def test_what_abc_leaves_open_is_not_said_to_be_proved(tmp_path, monkeypatch):
    def silent(commands, work_dir, *, name="abc", **options):
        return "Networks are UNDECIDED." if name == "cec" else run_abc(commands, work_dir, name=name, **options)

    monkeypatch.setattr("hdl.equivalence.run_abc", silent)
    assert not proved_equal("tree-1", CONJUNCTION, AND, EGFET, tmp_path)
