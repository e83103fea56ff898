import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hdl.recipes
import hdl.synthesis
from hdl.blif import mapped_blif, parse_mapped_blif
from hdl.cells import verilog_text
from hdl.recipes import EFFORTS, RECIPES, recipes_for
from hdl.synthesis import equivalent, map_verilog, netlist_verilog
from printedmlp.circuit import Instance, Netlist, drop_unread
from printedmlp.errors import ConfigError, ToolBrokenOffError, ToolError, VerificationError
from printedmlp.technology import Cell, Technology
from tests.netlists import EGFET, evaluate, function, random_netlists, two_gates

ADDER = "module top(input [3:0] inp, output [2:0] out); assign out = inp[1:0] + inp[3:2]; endmodule"
AND = "module top(input [1:0] inp, output out); assign out = &inp; endmodule"


def test_an_and_gate_costs_one_cell(tmp_path):
    mapped = map_verilog(AND, EGFET, work_dir=tmp_path)
    assert mapped.netlist.cell_counts() == {"AND2X1": 1}
    assert mapped.netlist.area_cm2(EGFET) == pytest.approx(0.4335 / 100)
    assert mapped.area_by_recipe[mapped.recipe] == min(mapped.area_by_recipe.values())
    assert mapped.log[-1] == f"{mapped.recipe}: proved equal to the Verilog"


def test_an_adder_adds(tmp_path):
    mapped = map_verilog(ADDER, EGFET, effort="standard", work_dir=tmp_path)
    assert function(mapped.netlist) == [(w & 3) + (w >> 2) for w in range(16)]
    assert mapped.netlist.area_cm2(EGFET) < 0.06


@pytest.mark.parametrize(
    ("value", "expected"), [("1'b0", [0, 0]), ("1'b1", [1, 1]), ("inp", [0, 1]), ("!inp", [1, 0])]
)
def test_trivial_circuits(value, expected, tmp_path):
    netlist = map_verilog(
        f"module top(input inp, output out); assign out = {value}; endmodule",
        EGFET,
        effort="quick",
        work_dir=tmp_path,
    ).netlist
    assert function(netlist) == expected
    assert len(netlist.instances) == (value == "!inp")


@settings(max_examples=8, deadline=None)
@given(table=st.integers(0, 2**32 - 1), effort=st.sampled_from(["quick", "standard"]))
def test_mapping_keeps_any_function(tmp_path_factory, table, effort):
    rows = [table >> s & 1 | (table >> (31 - s) & 1) << 1 for s in range(32)]
    cases = "".join(f"{s}: out = {row};" for s, row in enumerate(rows))
    verilog = f"module top(input [4:0] inp, output reg [1:0] out); always @* case (inp) {cases} endcase endmodule"
    mapped = map_verilog(verilog, EGFET, effort=effort, work_dir=tmp_path_factory.mktemp("map"))
    assert function(mapped.netlist) == rows


def test_same_text_gives_the_same_netlist(tmp_path):
    first = map_verilog(ADDER, EGFET, work_dir=tmp_path / "a")
    assert map_verilog(ADDER, EGFET, work_dir=tmp_path / "b") == first


def test_another_technology_without_nand(tmp_path):
    cells = {"NOR": Cell("NOR", 1.0, ("P", "Q"), "Z", "!(P+Q)"), "NOT": Cell("NOT", 0.5, ("P",), "Z", "!P")}
    technology = Technology("nor", cells, (1.0,), 1.0)
    netlist = map_verilog(AND, technology, effort="quick", work_dir=tmp_path).netlist
    assert netlist.cell_counts() == {"NOR": 1, "NOT": 2}


def test_a_technology_that_cannot_build_everything(tmp_path):
    technology = Technology("weak", {"AND": Cell("AND", 1.0, ("P", "Q"), "Z", "P Q")}, (1.0,), 1.0)
    with pytest.raises(ToolError):
        map_verilog(ADDER, technology, effort="quick", work_dir=tmp_path)


def test_a_recipe_that_breaks_the_circuit_is_caught(tmp_path, monkeypatch):
    real = hdl.synthesis._run_recipe

    def damaged(*arguments):
        netlist = real(*arguments)
        return Netlist(netlist.n_inputs, netlist.instances, (1 - netlist.outputs[0] % 2, *netlist.outputs[1:]))

    monkeypatch.setattr(hdl.synthesis, "_run_recipe", damaged)
    with pytest.raises(VerificationError, match=r"changed the function: inp = 4'h"):
        map_verilog(ADDER, EGFET, effort="quick", work_dir=tmp_path)
    assert map_verilog(ADDER, EGFET, effort="quick", work_dir=tmp_path, prove=False)


@settings(max_examples=8, deadline=None)
@given(random_netlists(), st.data())
def test_a_changed_gate_is_found_unless_the_function_stays(tmp_path_factory, netlist, data):
    netlist = drop_unread(netlist)
    twins = {"NAND2X1": "AND2X1", "AND2X1": "OR2X1", "NOR2X1": "XOR2X1", "OR2X1": "XNOR2X1"}
    places = [k for k, instance in enumerate(netlist.instances) if instance.cell in twins]
    instances = list(netlist.instances)
    if places:
        k = data.draw(st.sampled_from(places))
        instances[k] = Instance(twins[instances[k].cell], instances[k].inputs)
    changed = Netlist(netlist.n_inputs, tuple(instances), netlist.outputs)
    verilog = netlist_verilog(netlist, EGFET) + verilog_text(EGFET)
    difference = equivalent(verilog, changed, EGFET, work_dir=tmp_path_factory.mktemp("cec"))
    if function(changed) == function(netlist):
        assert difference is None
    else:
        assert difference is not None
        word = sum(bit << i for i, bit in enumerate(difference))
        assert evaluate(changed, word) != evaluate(netlist, word)


def test_other_ports_cannot_be_compared(tmp_path):
    with pytest.raises(ToolError, match="cannot compare 4 inputs and 3 outputs with 2 inputs and 1 outputs"):
        equivalent(ADDER, two_gates(), EGFET, work_dir=tmp_path)


def test_anything_left_unmapped_is_refused():
    head = ".model m\n.inputs a b\n.outputs y\n"
    with pytest.raises(ToolError, match="gate 'AND7' is left unmapped"):
        parse_mapped_blif(head + ".gate AND7 A=a B=b Y=y\n.end\n", EGFET)
    with pytest.raises(ToolError, match="signal 'y' is left unmapped: a function of 2 signals"):
        parse_mapped_blif(head + ".names a b y\n11 1\n.end\n", EGFET)
    with pytest.raises(ToolError, match="signal 'c' has no driver"):
        parse_mapped_blif(head + ".gate NAND2X1 A1=a A2=c Y=y\n.end\n", EGFET)


def test_a_recipe_that_is_broken_off_is_not_left_out(tmp_path, monkeypatch):
    """What the others give without it would depend on the machine's load."""

    def slow(*arguments, **options):
        raise ToolBrokenOffError("ABC: no result after 3600 s")

    monkeypatch.setattr(hdl.synthesis, "run_abc", slow)
    with pytest.raises(ToolBrokenOffError, match="no result after 3600 s"):
        map_verilog(AND, EGFET, effort="quick", work_dir=tmp_path)


def test_a_recipe_that_fails_is_left_out_and_noted(tmp_path, monkeypatch):
    broken = dataclasses.replace(RECIPES[0], script="strash; nonsense")
    monkeypatch.setattr(hdl.recipes, "RECIPES", (broken, *RECIPES[1:]))
    mapped = map_verilog(AND, EGFET, effort="quick", work_dir=tmp_path)
    assert "direct" not in mapped.area_by_recipe
    assert mapped.log[1].startswith("direct: failed (ABC: ")
    monkeypatch.setattr(hdl.recipes, "RECIPES", (broken,))
    with pytest.raises(ToolError, match="no recipe gave a netlist; direct: failed"):
        map_verilog(AND, EGFET, effort="quick", work_dir=tmp_path)


@settings(max_examples=8, deadline=None)
@given(random_netlists())
def test_mapped_text_is_read_back(netlist):
    back = parse_mapped_blif(mapped_blif(netlist, EGFET), EGFET)
    assert function(back) == function(netlist)
    assert back.cell_counts() == drop_unread(netlist).cell_counts()


def test_buffers_and_aliases_vanish():
    text = ".model m\n.inputs a \\\n b\n.outputs y z w\n.gate _BUFFER_ A=n Y=y\n.gate NAND2X1 A1=a A2=b Y=n\n"
    text += ".names b z\n1 1\n.gate _CONST1_ Y=w\n.end\n"
    assert parse_mapped_blif(text, EGFET) == Netlist(2, (Instance("NAND2X1", (2, 3)),), (4, 3, 1))


def test_efforts_include_the_lower_ones_and_leave_out_what_is_too_large():
    names = {effort: [r.name for r in recipes_for(effort, 500)] for effort in EFFORTS}
    assert set(names["quick"]) < set(names["standard"]) < set(names["thorough"])
    assert [r.name for r in recipes_for("thorough", 1_000_000)] == ["xor", "xor_recover", "compress"]
    with pytest.raises(ConfigError, match="'hard' is not one of quick, standard, thorough"):
        recipes_for("hard", 10)


def test_every_recipe_has_its_own_name_and_some_start():
    assert len({r.name for r in RECIPES}) == len(RECIPES)
    for effort in EFFORTS:
        for n_ands in (10, 1_200, 3_000, 100_000):
            assert recipes_for(effort, n_ands)[0].start == "source"


@pytest.mark.slow
def test_thorough_effort(tmp_path):
    mapped = map_verilog(ADDER, EGFET, effort="thorough", work_dir=tmp_path)
    assert function(mapped.netlist) == [(w & 3) + (w >> 2) for w in range(16)]
    assert {"deep", "falling_4"} <= set(mapped.area_by_recipe)
