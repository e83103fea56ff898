"""Schematics: a symbol for every cell, wires that lead where the netlist says and never lie on one another."""

import re
import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from hypothesis import given, settings

from hdl.blocks import blocks_of
from hdl.layered import GATE, INPUT, OUTPUT, PASS, columns_of, crossings, layers_of, tracks
from hdl.layout import Names
from hdl.schematic import MOST_CELLS, schematic_svg
from hdl.symbols import symbol
from printedmlp.circuit import Instance, Netlist
from printedmlp.technology import Cell, load_technology
from tests.netlists import EGFET, inverter_chain, random_netlists, two_gates

SVG = "{http://www.w3.org/2000/svg}"


def drawn(netlist, technology=EGFET, names=None):
    return ET.fromstring(
        schematic_svg(netlist, technology, blocks_of(netlist, technology), names or Names("c")) or ""
    )


def horizontals(left, right):
    """Level pieces of all wires between two columns: net, height, and ends in tracks, 0 and 99 at the edges."""
    found = []
    way = tracks(left, right)
    for node in left:
        if node.net in way:
            found.append((node.net, node.y, 0, way[node.net][0] + 1))
    for node in right:
        for net, y in node.targets():
            found.append((net, y, way[net][0] + 1 if net in way else 0, 99))
    return found


def overlaps(columns):
    """Pieces of different nets that lie on one line."""
    wrong = []
    for left, right in pairwise(columns):
        level, way = horizontals(left, right), tracks(left, right)
        pairs = [(a, b) for a in level for b in level if a[0] < b[0] and a[1] == b[1]]
        wrong += [(a, b) for a, b in pairs if a[2] < b[3] and b[2] < a[3]]
        for a, (track, top, bottom) in way.items():
            for b, (other, top_b, bottom_b) in way.items():
                if a < b and track == other and top <= bottom_b and top_b <= bottom:
                    wrong.append((a, b))
    return wrong


@pytest.mark.parametrize("name", ["egfet", "cnt_tft"])
def test_every_cell_has_its_symbol(name):
    technology = load_technology(name)
    for cell in technology.cells.values():
        shape = symbol(cell)
        assert shape.inverted == cell.name.startswith(("INV", "NAND", "NOR", "XNOR"))
        assert len(shape.pins) == len(cell.inputs)
        assert shape.text == ""
        assert len(shape.paths) == (2 if "XOR" in cell.name or "XNOR" in cell.name else 1)
        pins = tuple(2 + k for k in range(len(cell.inputs)))
        netlist = Netlist(len(pins), (Instance(cell.name, pins),), (2 + len(pins),))
        root = drawn(netlist, technology)
        gates = [group for group in root.iter(f"{SVG}g") if group.get("class") == "gate"]
        assert len(gates) == 1
        assert len(gates[0].findall(f"{SVG}circle")) == shape.inverted
    bodies = {(*symbol(cell).paths, symbol(cell).inverted) for cell in technology.cells.values()}
    assert len(bodies) == len(technology.cells)


def test_other_functions_are_boxes_with_their_names():
    cell = Cell("AOI21X1", 0.5, ("A", "B", "C"), "Y", "!((A * B) + C)")
    assert symbol(cell).text == "AOI21"
    assert not symbol(cell).symmetric
    assert symbol(Cell("AND3X1", 0.5, ("A", "B", "C"), "Y", "A * B * C")).half == 24


def test_gates_stand_right_before_their_readers():
    # g0 and g1 feed g2, g3 reads g2 and g0: g0 has to be left of g2 all the same.
    gates = (("INVX1", (2,)), ("INVX1", (3,)), ("NAND2X1", (4, 5)), ("NAND2X1", (6, 4)))
    netlist = Netlist(2, tuple(Instance(*gate) for gate in gates), (7,))
    assert layers_of(netlist) == [1, 1, 2, 3]
    kinds = [sorted(node.kind for node in column) for column in columns_of(netlist, EGFET)]
    assert kinds == [[INPUT, INPUT], [GATE, GATE], [GATE, PASS], [GATE], [OUTPUT]]


def test_inputs_have_their_features_names_and_bits():
    root = drawn(two_gates(), names=Names("design <1>", 1, ("a & b", "long " * 20)))
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert "a & b [0]" in words
    assert any(word.startswith("long long") and word.endswith("... [0]") for word in words)
    assert "design <1>: 2 cells" in words
    assert {"g0", "g1", "out[0]"} <= set(words)


def test_constants_are_written_where_they_are_read():
    netlist = Netlist(1, (Instance("NAND2X1", (1, 2)),), (3, 0))
    words = [text.text for text in drawn(netlist).iter(f"{SVG}text")]
    assert {"1", "0"} <= set(words)


@given(random_netlists())
@settings(max_examples=60, deadline=None)
def test_no_two_wires_lie_on_one_line(netlist):
    columns = columns_of(netlist, EGFET)
    assert overlaps(columns) == []
    for column in columns:
        for above, below in pairwise(column):
            assert above.y + above.half < below.y - below.half


@given(random_netlists())
@settings(max_examples=30, deadline=None)
def test_every_pin_is_driven_from_the_column_before(netlist):
    columns = columns_of(netlist, EGFET)
    for left, right in pairwise(columns):
        drivers = {node.net for node in left}
        assert all(net in drivers for node in right for net, _ in node.targets())
    gates = [node for column in columns for node in column if node.kind == GATE]
    assert len(gates) == len(netlist.instances)
    for node in gates:
        assert sorted(node.reads) == sorted(netlist.instances[node.number].inputs)
    assert len(list(drawn(netlist).iter(f"{SVG}polyline"))) >= sum(len(node.targets()) for node in columns[-1])


def test_a_wire_on_another_one_would_be_found():
    columns = columns_of(two_gates(), EGFET)
    assert overlaps(columns) == []
    for node in columns[0]:
        node.y = 100.0
    assert overlaps(columns) != []


def test_ordering_takes_out_crossings():
    # Two pairs of inverters, the outputs exchanged: in the order of the numbers, wires cross.
    netlist = Netlist(2, (Instance("INVX1", (2,)), Instance("INVX1", (3,))), (5, 4))
    assert crossings(columns_of(netlist, EGFET)) == 0


def test_large_netlists_have_none_and_the_same_netlist_the_same():
    large = inverter_chain(MOST_CELLS + 1)
    assert schematic_svg(large, EGFET, blocks_of(large, EGFET), Names("c")) is None
    netlist = inverter_chain(MOST_CELLS)
    texts = {schematic_svg(netlist, EGFET, blocks_of(netlist, EGFET), Names("c")) or "" for _ in range(2)}
    assert len(texts) == 1
    assert len(re.findall('class="gate"', texts.pop())) == MOST_CELLS
