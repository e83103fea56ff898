import re

import pytest

from hdl.cells import liberty_text
from hdl.liberty import read_liberty
from hdl.liberty_syntax import parse_liberty
from printedmlp.errors import ConfigError
from printedmlp.technology import EdgeEnergies, load_technology
from tests.netlists import EGFET

FOREIGN = r"""
/* A library in other units, written carelessly */
library ("cnt") {
  technology (cmos);
  date : "today"
  time_unit : "10ps";
  leakage_power_unit : "1uW";
  capacitive_load_unit (100, ff);
  nom_voltage : 3.0;
  default_cell_leakage_power : 7;
  lu_table_template (by_load) { variable_1 : total_output_net_capacitance; index_1 ("1, 2"); }
  lu_table_template (swapped) {
    variable_1 : total_output_net_capacitance; variable_2 : input_net_transition;
    index_1 ("1, 2, 3"); index_2 ("10, 20");
  }
  cell (AOI) {
    area : 200;
    leakage_power () { when : "A B"; value : 5; }
    leakage_power () { when : "!ZN"; value : 4; }
    leakage_power () { value : 1; }
    pin (A, dummy) { direction : input; capacitance : 3; }
    pin (B) { direction : input; rise_capacitance : 4; fall_capacitance : 5 }
    pin (C) { direction : input; capacitance : 1; }
    pin (ZN) {
      direction : output; function : "((A B) | C)'";
      timing () {
        related_pin : "A B"; timing_sense : negative_unate;
        cell_rise (swapped) { values ( \
          "1, 2", "3, 4", \
          "5, 6"); }
        rise_transition (by_load) { index_1 ("5, 6"); values ("1, 2"); }
        cell_fall (scalar) { values ("8"); }
      }
      timing () { related_pin : "C"; timing_type : three_state_enable; cell_rise (scalar) { values ("8"); } }
    }
  }
  cell (INV) { area : 100; pin (A) { direction : input; } pin (Z) { direction : output; function : "A'"; } }
  cell (DFF) { area : 900; ff (IQ, IQN) { clocked_on : "CK"; } pin (D) { direction : input; }
    pin (Q) { direction : output; function : "IQ"; } }
  cell (HA) { area : 9; pin (A) { direction : input; } pin (S) { direction : output; function : "A"; }
    pin (CO) { direction : output; function : "A"; } }
  cell (TRI) { area : 9; pin (A) { direction : input; }
    pin (Y) { direction : output; function : "A"; three_state : "A"; } }
  cell (FILL) { area : 9; }
  cell (TIE) { area : 9; pin (Y) { direction : output; function : "1"; } }
  cell (BAD) { area : 9; dont_use : true; pin (Y) { direction : output; function : "1"; } }
}
"""


@pytest.fixture
def read(tmp_path):
    def read(text, **options):
        path = tmp_path / "other.lib"
        path.write_text(text)
        return read_liberty(path, **options)

    return read


@pytest.mark.parametrize("voltage", EGFET.voltages)
def test_what_is_written_is_read_back(voltage, read):
    technology = read(liberty_text(EGFET, voltage))
    assert technology.name == "egfet"
    assert technology.voltages == (voltage,)
    assert set(technology.cells) == set(EGFET.cells)
    for name, cell in EGFET.cells.items():
        other = technology.cells[name]
        assert (other.area_mm2, other.inputs, other.output) == (cell.area_mm2, cell.inputs, cell.output)
        assert (other.function, other.max_load_pf) == (cell.function, cell.max_load_pf)
        assert other.leakage_nw[voltage] == cell.leakage_nw[voltage]
        assert other.capacitance_pf[voltage] == cell.capacitance_pf[voltage]
        for arc, other_arc in zip(cell.arcs, other.arcs, strict=True):
            assert (other_arc.input, other_arc.sense) == (arc.input, arc.sense)
            assert other_arc.timing[voltage] == arc.timing[voltage]


def test_the_buffer_is_written_flagged_and_not_read():
    text = liberty_text(EGFET, 1.0)
    assert "Not a cell that can be printed" in text
    buffer = next(group for group in parse_liberty(text, "t").all("cell") if group.name == "_BUFFER_")
    assert buffer.get("mapping_only") == "true"


def test_no_text_at_a_voltage_without_figures():
    with pytest.raises(ConfigError, match=r"no figures at 0\.7 V"):
        liberty_text(EGFET, 0.7)


def test_a_foreign_library_by_hand(read):
    technology = read(FOREIGN)
    assert (technology.name, technology.voltages) == ("cnt", (3.0,))
    aoi = technology.cells["AOI"]
    assert aoi.area_mm2 == pytest.approx(200e-6)
    assert aoi.truth_table == 0b00000111
    # States ABC, A lowest: "A B" first, then low outputs, then the rest.
    assert aoi.leakage_nw[3.0] == pytest.approx((1000, 1000, 1000, 5000, 4000, 4000, 4000, 5000))
    assert [tuple(c) for c in aoi.capacitance_pf[3.0]] == [
        pytest.approx((0.3, 0.3, 0.3)),
        pytest.approx((0.4, 0.4, 0.5)),
        pytest.approx((0.1, 0.1, 0.1)),
    ]
    assert [(arc.input, arc.sense) for arc in aoi.arcs] == [("A", "negative_unate"), ("B", "negative_unate")]
    timing = aoi.arcs[0].timing[3.0]
    assert timing.cell_rise.load_pf == pytest.approx((0.1, 0.2, 0.3))
    assert timing.cell_rise.slew_ns == pytest.approx((0.1, 0.2))
    assert timing.cell_rise.values_ns == (pytest.approx((0.01, 0.03, 0.05)), pytest.approx((0.02, 0.04, 0.06)))
    assert timing.rise_transition.load_pf == pytest.approx((0.5, 0.6))
    assert timing.cell_fall.values_ns == (pytest.approx((0.08,)),)
    assert timing.fall_transition is None


def test_what_is_missing_stays_missing(read):
    inverter = read(FOREIGN).cells["INV"]
    assert inverter.leakage_nw[3.0] == (7000, 7000)
    assert inverter.capacitance_pf == {}
    assert inverter.arcs == ()
    assert read(FOREIGN.replace("default_cell_leakage_power : 7;", "")).cells["INV"].leakage_nw == {}


def test_cells_that_cannot_be_mapped_are_listed_with_the_reason(read):
    assert read(FOREIGN).other_cells == {
        "DFF": "not combinational",
        "HA": "2 outputs",
        "TRI": "no plain function",
        "FILL": "0 outputs",
        "TIE": "0 inputs",
        "BAD": "not to be used",
    }


def test_areas_in_other_units(read):
    assert read(FOREIGN, mm2_per_area_unit=1.0).cells["INV"].area_mm2 == 100


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("area : 200;", "area : wide;", r"other\.lib line 16, cell 'AOI': area 'wide' is not a number"),
        ("area : 200;", "", r"cell 'AOI': area is missing"),
        ("((A B) | C)'", "(A B", r"line 16, cell 'AOI': function '\(A B': a parenthesis"),
        ('when : "A B"', 'when : "A Q"', "'Q' is not an input"),
        ('"5, 6"); }', '"5"); }', r"cell_rise 'swapped': 5 values for 2 by 3 entries"),
        ('index_1 ("5, 6")', 'index_1 ("5, x")', "rise_transition 'by_load': index_1"),
        ("negative_unate", "sideways", "timing_sense 'sideways' is not known"),
        ("input_net_transition", "output_noise", "axis 'output_noise' is not supported"),
        ('"10ps"', '"10 parsec"', "unit '10 parsec' is not understood"),
        ("(100, ff)", "(100)", "capacitive_load_unit needs two values"),
        ("nom_voltage : 3.0", "nom_voltage : high", "nom_voltage 'high' is not a number"),
        ('library ("cnt")', "liberty (cnt)", "0 library groups"),
        ("technology (cmos);", "technology cmos;", "line 4: 'technology' is neither attribute nor group"),
        ("technology (cmos);", "technology (cmos;", "line 4: unexpected ';'"),
        ("technology (cmos);", ")", r"line 4: unexpected '\)'"),
        ("technology (cmos);", "technology : ;", "line 4: an attribute has no value"),
        ("technology (cmos);", '"open', "line 4"),
    ],
)
def test_defects_are_named_with_their_place(old, new, message, read):
    assert old in FOREIGN
    with pytest.raises(ConfigError, match=message) as error:
        read(FOREIGN.replace(old, new, 1))
    assert "other.lib" in str(error.value)


def test_files_that_are_no_library(read, tmp_path):
    with pytest.raises(ConfigError, match=r"missing\.lib: no such file"):
        read_liberty(tmp_path / "missing.lib")
    with pytest.raises(ConfigError, match="ends inside a group"):
        read("library (a) { cell (b) {")
    with pytest.raises(ConfigError, match="nested too deeply"):
        read("a () {" * 5000)
    with pytest.raises(ConfigError, match="no combinational cell"):
        read("library (a) { cell (b) { area : 1; } }")


def test_a_figure_for_the_whole_cell_is_known_to_be_a_mean(read):
    technology = read(FOREIGN)
    assert technology.with_mean_power == ("INV",)
    assert technology.cells["INV"].leakage_nw == {3.0: (7000.0, 7000.0)}


ENERGIES = r"""
library ("power") {
  capacitive_load_unit (10, pf);
  nom_voltage : 1.0;
  power_lut_template (both) {
    variable_1 : input_transition_time; variable_2 : total_output_net_capacitance;
    index_1 ("1, 2"); index_2 ("100, 200");
  }
  power_lut_template (by_slew) { variable_1 : input_transition_time; index_1 ("1, 2"); }
  cell (XOR) {
    area : 1;
    pg_pin (VDD) { pg_type : primary_power; }
    pg_pin (VSS) { pg_type : primary_ground; }
    pin (A) { direction : input; capacitance : 1; }
    pin (B) { direction : input; capacitance : 1; }
    pin (Y) {
      direction : output; function : "A ^ B";
      internal_power () {
        related_pin : "A"; when : "!B"; related_pg_pin : VDD;
        rise_power (both) { values ("1, 2", "3, 4"); }
        fall_power (both) { values ("5, 6", "7, 8"); }
      }
      internal_power () {
        related_pin : "A"; when : "!B"; related_pg_pin : VSS;
        rise_power (both) { values ("90, 90", "90, 90"); }
        fall_power (both) { values ("90, 90", "90, 90"); }
      }
      internal_power () { related_pin : "A B"; when : "B"; power (by_slew) { values ("9, 11"); } }
      internal_power () { related_pin : "B"; rise_power (by_slew) { values ("9, 9"); } }
    }
  }
}
"""


def test_energies_of_the_supply_are_read(read):
    cell = read(ENERGIES).cells["XOR"]
    given, first, second = cell.energies
    # Loads and energies in units of 10 pF and 10 pJ, at the slower of the two transitions.
    assert (given.pin, given.states) == ("A", 0b0011)
    assert given.by_voltage[1.0] == EdgeEnergies((1000.0, 2000.0), (30.0, 40.0), (70.0, 80.0))
    assert [(e.pin, e.states) for e in (first, second)] == [("A", 0b1100), ("B", 0b1100)]
    assert first.by_voltage[1.0] == EdgeEnergies((0.0,), (110.0,), (110.0,))


def test_energies_in_another_form_do_not_stand_in_the_way(read):
    odd = ENERGIES.replace("variable_2 : total_output", "variable_2 : equal_or_opposite_output")
    assert read(odd).cells["XOR"].energies == ()
    assert read(ENERGIES.replace('when : "B"', 'when : "Y"')).cells["XOR"].energies == ()


@pytest.mark.parametrize("name", ["egfet", "cnt_tft"])
def test_outputs_are_loaded_with_a_pin_of_the_library(tmp_path, name):
    own = load_technology(name)
    path = tmp_path / "own.lib"
    path.write_text(liberty_text(own, own.nominal_voltage))
    assert read_liberty(path).output_load_pf == pytest.approx(own.output_load_pf, rel=0.1)
    path.write_text(re.sub(r"\b(rise_|fall_)?capacitance : [^;]*;", "", path.read_text()))
    assert read_liberty(path).output_load_pf == 100
