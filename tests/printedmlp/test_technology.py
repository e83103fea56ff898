import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from printedmlp.errors import ConfigError
from printedmlp.technology import Cell, Technology, load_technology, truth_table, variable_table
from printedmlp.technology.figures import figures_known, missing_figures
from printedmlp.technology.technology import BUILT_IN

EGFET = load_technology("egfet")


def test_egfet_figures_as_published():
    nand = EGFET.cells["NAND2X1"]
    assert nand.area_mm2 == 0.24786
    assert nand.truth_table == 0b0111
    assert nand.leakage_nw[1.0] == (248.054, 391.073, 490.604, 18569.1)
    assert nand.capacitance_pf[1.0][1] == (94.2883, 94.2883, 94.4049)
    rise = nand.arcs[0].timing[1.0].cell_rise
    assert rise is not None
    assert rise.values_ns[0] == (1234370.0, 1394640.0, 1557790.0)
    assert EGFET.cells["INVX1"].area_mm2 == 0.22842
    assert EGFET.cells["INVX1"].leakage_nw[0.6] == (177.065, 6407.6)


def test_only_combinational_cells_can_be_mapped():
    assert set(EGFET.cells) == {"INVX1", "NAND2X1", "NOR2X1", "AND2X1", "OR2X1", "XNOR2X1", "XOR2X1"}
    assert EGFET.other_cells == {
        "TSBUF": "tristate",
        "LATCHX1": "latch",
        "DFFX1": "flip_flop",
        "DFFNRX1": "flip_flop",
    }
    with pytest.raises(ConfigError, match="cannot map to 'DFFX1': flip_flop"):
        EGFET.cell("DFFX1")
    with pytest.raises(ConfigError, match="cannot map to 'NAND9'"):
        EGFET.cell("NAND9")


@pytest.mark.parametrize(
    ("cell", "table"),
    [("NOR2X1", 0b0001), ("AND2X1", 0b1000), ("OR2X1", 0b1110), ("XNOR2X1", 0b1001), ("XOR2X1", 0b0110)],
)
def test_functions(cell, table):
    assert EGFET.cells[cell].truth_table == table


def test_a_gate_that_is_low_draws_the_current():
    for name in ("INVX1", "NAND2X1", "NOR2X1"):
        cell = EGFET.cells[name]
        for leakage in cell.leakage_nw.values():
            high = [leakage[s] for s in range(cell.n_states) if cell.evaluate(s)]
            low = [leakage[s] for s in range(cell.n_states) if not cell.evaluate(s)]
            assert max(high) * 10 < min(low)


def test_every_cell_has_all_figures_at_every_voltage():
    for cell in EGFET.cells.values():
        for voltage in EGFET.voltages:
            assert len(cell.leakage_nw[voltage]) == cell.n_states
            assert len(cell.capacitance_pf[voltage]) == len(cell.inputs)
            assert {arc.input for arc in cell.arcs if voltage in arc.timing} == set(cell.inputs)


def test_cells_with_a_function_come_smallest_first():
    big = dataclasses.replace(EGFET.cells["INVX1"], name="INVX2", area_mm2=0.5)
    technology = dataclasses.replace(EGFET, cells={"INVX2": big, **EGFET.cells})
    assert [c.name for c in technology.cells_with_function(1, 0b01)] == ["INVX1", "INVX2"]


def test_variable_tables():
    assert variable_table(0, 2) == 0b1010
    assert variable_table(1, 2) == 0b1100
    assert variable_table(1, 3) == 0b11001100


@pytest.mark.parametrize(
    ("function", "table"),
    [
        ("A", 0b10101010),
        ("!A", 0b01010101),
        ("A'", 0b01010101),
        ("A B", 0b10001000),
        ("A*B + C", 0b11111000),
        ("A & B | C", 0b11111000),
        ("A+B C", 0b11101010),
        ("A ^ B C", 0b01100000),
        ("!(A+B)'", 0b11101110),
        ("!A B'", 0b00010001),
        ("(A B)' (C)", 0b01110000),
        ("1", 0b11111111),
        ("A*0", 0),
    ],
)
def test_function_syntax_with_its_precedence(function, table):
    assert truth_table(function, ("A", "B", "C")) == table


@pytest.mark.parametrize("function", ["", "A+", "(A", "A)", "A B Q", "A ? B", "!"])
def test_bad_functions_are_quoted(function):
    with pytest.raises(ConfigError, match="function '"):
        truth_table(function, ("A", "B"))


_VARIABLES = [(name, sum((s >> i & 1) << s for s in range(16))) for i, name in enumerate("ABCD")]
_COMBINE = {"*": int.__and__, " ": int.__and__, "+": int.__or__, "^": int.__xor__}


def _combined(parts):
    (left, a), operator, (right, b) = parts
    return f"({left}){operator}({right})", _COMBINE[operator](a, b)


_EXPRESSIONS = st.recursive(
    st.sampled_from(_VARIABLES),
    lambda e: st.one_of(
        e.map(lambda part: (f"!({part[0]})", 0xFFFF ^ part[1])),
        e.map(lambda part: (f"({part[0]})'", 0xFFFF ^ part[1])),
        st.tuples(e, st.sampled_from(sorted(_COMBINE)), e).map(_combined),
    ),
    max_leaves=8,
)


@settings(max_examples=50, deadline=None)
@given(_EXPRESSIONS)
def test_truth_tables_of_bracketed_expressions(expression):
    function, table = expression
    assert truth_table(function, "ABCD") == table


_MINIMAL = """
name = "tiny"
voltages = [1.0]
nominal_voltage = 1.0
[delay_axes]
slew_ns = [1.0]
load_pf = [1.0]
[cells.INV]
kind = "combinational"
area_um2 = 1000000.0
inputs = ["A"]
output = "Y"
function = "!A"
max_load_pf = 5.0
leakage_nw = { "1.0" = [1.0, 2.0] }
capacitance_pf = { A = { "1.0" = [1.0, 1.0, 1.0] } }
arcs = []
"""


def _load(tmp_path, text):
    path = tmp_path / "tiny.toml"
    path.write_text(text)
    return load_technology(path)


def test_a_technology_of_ones_own(tmp_path):
    technology = _load(tmp_path, _MINIMAL)
    assert technology.name == "tiny"
    assert technology.cells["INV"].area_mm2 == 1.0
    assert technology.cells["INV"].evaluate(0) == 1


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('function = "!A"', 'function = "!B"', "'B' is not an input"),
        ("[1.0, 2.0]", "[1.0]", r"cells\.INV\.leakage_nw\.1\.0: 1 figures, not 2"),
        ("area_um2 = 1000000.0", "area_um2 = -1.0", "is negative"),
        ("area_um2 = 1000000.0", 'area_um2 = "wide"', r"cells\.INV\.area_um2: 'wide' is not a number"),
        ('output = "Y"', "", r"cells\.INV\.output: is missing"),
        ("nominal_voltage = 1.0", "nominal_voltage = 2.0", "no figures at 2.0 V"),
        ('kind = "combinational"', 'kind = "latch"', "no combinational cell"),
        ("[delay_axes]", "[delay_axes", "tiny.toml"),
    ],
)
def test_defects_of_a_technology_file_are_named(tmp_path, old, new, message):
    with pytest.raises(ConfigError, match=message):
        _load(tmp_path, _MINIMAL.replace(old, new))


def test_unknown_technology():
    with pytest.raises(ConfigError, match=r"'flexic': neither built in"):
        load_technology("flexic")
    with pytest.raises(ConfigError, match=r"missing\.toml"):
        load_technology("missing.toml")


def test_everything_built_in_loads():
    for name in BUILT_IN:
        assert isinstance(load_technology(name), Technology)


def test_a_function_of_too_many_inputs_is_refused():
    with pytest.raises(ConfigError, match="more than 16"):
        Cell("WIDE", 1.0, tuple(f"A{i}" for i in range(17)), "Y", "A0")


def test_a_function_nested_too_deeply_is_refused():
    with pytest.raises(ConfigError, match="nested too deeply"):
        truth_table("(" * 5000 + "A" + ")" * 5000, ("A",))


CNT = load_technology("cnt_tft")


@pytest.mark.parametrize(
    ("cell", "area_mm2", "mean_uw"),
    [
        ("INVX1", 0.002, 6.20),
        ("NAND2X1", 0.003, None),
        ("NOR2X1", 0.003, None),
        ("AND2X1", 0.005, 20.0),
        ("OR2X1", 0.005, 21.4),
        ("XOR2X1", 0.012, 40.9),
        ("XNOR2X1", 0.014, 30.7),
    ],
)
def test_cnt_tft_figures_as_published(cell, area_mm2, mean_uw):
    found = CNT.cells[cell]
    assert found.area_mm2 == area_mm2
    assert found.leakage_is_mean == (cell not in ("INVX1", "NAND2X1", "NOR2X1"))
    if mean_uw is not None:
        assert set(found.leakage_nw[3.0]) == {found.leakage_nw[3.0][0]}
        assert found.leakage_nw[3.0][0] == pytest.approx(1000 * mean_uw, rel=3e-3)


def test_means_of_the_source_count_the_states_it_lists():
    # An output that depends on more than the inputs is listed for both of its values.
    nand, nor = CNT.cells["NAND2X1"].leakage_nw[3.0], CNT.cells["NOR2X1"].leakage_nw[3.0]
    assert (sum(nand) + nand[3]) / 5 == pytest.approx(9738.86, rel=1e-5)
    assert (sum(nor) + sum(nor[1:])) / 7 == pytest.approx(4839.49, rel=1e-3)


def test_what_is_known_is_told():
    assert figures_known(EGFET) == "7 cells, 0.6/0.8/1 V, power by state, delays, sensor front end"
    assert "mean for AND2X1, OR2X1, XOR2X1, XNOR2X1" in figures_known(CNT)
    assert missing_figures(EGFET) == missing_figures(CNT) == []
    bare = {name: dataclasses.replace(cell, arcs=(), leakage_nw={}) for name, cell in EGFET.cells.items()}
    lines = missing_figures(dataclasses.replace(EGFET, cells=bare))
    assert lines[0].endswith(
        "no static power figures for INVX1, NAND2X1, NOR2X1 and 4 more; static power is left out"
    )
    assert "no delay figures" in lines[1]


def test_the_documented_example_loads(tmp_path):
    guide = Path(__file__).resolve().parents[2] / "docs" / "technology.md"
    example = re.search(r"```toml\n(.*?)```", guide.read_text(encoding="utf-8"), re.DOTALL)
    assert example
    technology = _load(tmp_path, example[1])
    assert technology.cells["NAND2"].leakage_nw == {2.0: (20.0, 25.0, 25.0, 1700.0)}
    assert technology.cells["INV"].leakage_nw == {2.0: (900.0, 900.0)}
    assert technology.with_mean_power == ("INV",)
    assert technology.without_delay == ("INV", "NAND2")
    assert [c.name for c in technology.cells_with_function(2, 0b0111)] == ["NAND2"]


ARC = """
[[cells.INV.arcs]]
from = "A"
sense = "negative_unate"
[cells.INV.arcs."1"]
cell_rise = [[1.0]]
rise_transition = [[1.0]]
cell_fall = [[1.0]]
fall_transition = [[1.0]]
"""


def test_voltages_may_be_written_either_way_and_defects_of_arcs_are_named(tmp_path):
    text = _MINIMAL.replace("arcs = []", "").replace('"1.0" = [1.0, 1.0', '"1" = [1.0, 1.0') + ARC
    assert _load(tmp_path, text).cells["INV"].has_delay(1.0)
    for old, new, message in [
        ('from = "A"', 'from = "B"', "begins at 'B'"),
        ('"negative_unate"', '"falling"', "sense 'falling'"),
        ("cell_rise = [[1.0]]", "cell_rise = [[1.0, 2.0]]", "not 1 rows of 1 figures"),
        ("[delay_axes]", "[other]", "delay_axes"),
    ]:
        with pytest.raises(ConfigError, match=message):
            _load(tmp_path, text.replace(old, new))


def test_an_arc_of_one_edge_is_no_delay(tmp_path):
    text = _MINIMAL.replace("arcs = []", "") + ARC
    falls = "cell_fall = [[1.0]]\nfall_transition = [[1.0]]\n"
    half = _load(tmp_path, text.replace(falls, ""))
    assert half.without_delay == ("INV",)
    assert half.cells["INV"].untimed(1.0) == ("A",)
    second = '[[cells.INV.arcs]]\nfrom = "A"\nsense = "negative_unate"\n[cells.INV.arcs."1"]\n' + falls
    assert _load(tmp_path, text.replace(falls, "") + second).without_delay == ()
    with pytest.raises(ConfigError, match=r"arcs\[0\]\.1: cell_fall and fall_transition go together"):
        _load(tmp_path, text.replace("fall_transition = [[1.0]]\n", ""))


FRONT_END = """
[front_end]
bits = 1
comparator_uw = [1.0]
first_comparator_mm2 = 0.1
further_comparator_mm2 = 0.1
converter_cm2 = [0.1, 0.2]
converter_mw = [0.1, 0.2]
"""
ENERGY = """
[[cells.INV.energies]]
pin = "A"
"1.0" = { rise_pj = [1.0], fall_pj = [2.0] }
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("voltages = [1.0]", "voltages = []", "voltages: [] is not a list of numbers"),
        ("voltages = [1.0]", "voltages = [1.0, 1.0]", "voltages: [1.0, 1.0] is not a list of different voltages"),
        ("voltages = [1.0]", "voltages = [-1.0]", "voltages: -1 is below 0.001"),
        ('name = "tiny"', "name = 5", "name: 5 is not a line of text"),
        ('name = "tiny"', 'name = "a\\nb"', r"name: 'a\nb' is not a line of text"),
        ("1000000.0", "nan", "cells.INV.area_um2: nan is not a number"),
        ("1000000.0", "inf", "cells.INV.area_um2: inf is not a number"),
        ("1000000.0", "1" + 400 * "0", "cells.INV.area_um2: 1000"),
        ("1000000.0", 5000 * "1", "integer string conversion"),
        ("1000000.0", 5000 * "[", "nested too deeply"),
        ("1000000.0", "true", "cells.INV.area_um2: True is not a number"),
        ("area_um2 = 1000000.0\n", "", "cells.INV.area_mm2: is missing"),
        ("cells.INV", 'cells."IN V"', "cells.IN V: 'IN V' cannot be the name of a cell in Verilog"),
        ('inputs = ["A"]', 'inputs = "A"', "cells.INV.inputs: 'A' is not a list of distinct names of pins"),
        ('inputs = ["A"]', "inputs = []", "cells.INV.inputs: [] is not a list of distinct names of pins"),
        ('inputs = ["A"]', 'inputs = ["A", "A"]', "cells.INV.inputs: ['A', 'A'] is not a list of distinct"),
        ('output = "Y"', 'output = "A"', "cells.INV.output: 'A' is not the name of a pin beside the inputs"),
        ('function = "!A"', "function = 1", "cells.INV.function: 1 is not a line of text"),
        ("[1.0, 2.0]", "[1.0, -2.0]", "cells.INV.leakage_nw.1.0: -2 is negative"),
        ("[1.0, 2.0]", '[1.0, "x"]', "cells.INV.leakage_nw.1.0: 'x' is not a number"),
        ('{ "1.0" = [1.0, 2.0] }', "[1.0, 2.0]", "cells.INV.leakage_nw: [1.0, 2.0] is not a table"),
        ('{ "1.0" = [1.0, 2.0] }', '{ "2" = [1.0, 2.0] }', "cells.INV.leakage_nw.2: not one of the voltages 1"),
        ("[1.0, 1.0, 1.0]", "[1.0, 1.0]", "cells.INV.capacitance_pf.A.1.0: 2 figures, not 3"),
        ("{ A =", "{ B =", "cells.INV.capacitance_pf.B: is not an input"),
        ("arcs = []", "arcs = 3", "cells.INV.arcs: 3 is not a list of tables"),
        ("slew_ns = [1.0]", "slew_ns = [2.0, 1.0]", "delay_axes.slew_ns: [2.0, 1.0] is not a list of rising"),
        ("bits = 1", "bits = 1.5", "front_end.bits: 1.5 is not a whole number from 1 to 8"),
        ("bits = 1", "bits = 2", "front_end.comparator_uw: 1 figures, not 3"),
        (
            "converter_mw = [0.1, 0.2]",
            "converter_mw = [0.2, 0.1]",
            "front_end.converter_mw: [0.2, 0.1] is not a least",
        ),
        ('pin = "A"', 'pin = "B"', "cells.INV.energies[0].pin: 'B' is not an input of the cell"),
        ('pin = "A"', 'pin = "A"\nwhen = "Q"', "cells.INV.energies[0]: function 'Q': 'Q' is not an input"),
        ("fall_pj = [2.0]", "fall_pj = [2.0, 3.0]", "cells.INV.energies[0].1.0.fall_pj: 2 figures, not 1"),
        ("name =", "output_load_pf = -1\nname =", "output_load_pf: -1 is negative"),
    ],
)
def test_wrong_entries_are_one_line_with_place_and_value(tmp_path, old, new, message):
    text = _MINIMAL + ENERGY + FRONT_END
    assert _load(tmp_path, text).front_end is not None
    assert old in text
    with pytest.raises(ConfigError) as caught:
        _load(tmp_path, text.replace(old, new))
    told = str(caught.value)
    assert message in told
    assert told.startswith(str(tmp_path))
    assert "\n" not in told
