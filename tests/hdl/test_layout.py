"""The pictures of a layout: GDSII, SVG and PNG tell the same cells, to scale."""

import io
import struct
import xml.etree.ElementTree as ET
import zlib

import gdstk
import numpy as np
import pytest

from hdl.blocks import LEAVES, Blocks, blocks_of
from hdl.drawing import Drawing, Group, Line, Rect, Text, number, svg_text
from hdl.gds import CELL_LAYER, FIRST_PART_LAYER, PORT_LAYER, SHEET_LAYER, TOP, gds_bytes, part_layers
from hdl.layout import COLOURS, GREY, Names, area_words, layout_drawing, length_words, looks
from hdl.placement import place
from hdl.raster import png_bytes
from printedmlp.circuit import Netlist
from printedmlp.technology import load_technology
from tests.hdl.test_placement import mesh
from tests.netlists import EGFET, two_gates

SVG = "{http://www.w3.org/2000/svg}"
NAMES = Names("design", 2, ("width <b>", "length"))


def made(netlist, technology=EGFET):
    placement = place(netlist, technology, np.random.default_rng(0))
    return placement, blocks_of(netlist, technology)


def pixels(data):
    """An 8-bit RGB PNG whose rows are differences from the one above, by the format's description."""
    stream = io.BytesIO(data[8:])
    width, height, body = 0, 0, b""
    while header := stream.read(8):
        length, kind = struct.unpack(">I4s", header)
        content = stream.read(length)
        assert struct.unpack(">I", stream.read(4))[0] == zlib.crc32(kind + content)
        if kind == b"IHDR":
            width, height, *rest = struct.unpack(">IIBBBBB", content)
            assert rest == [8, 2, 0, 0, 0]
        body += content if kind == b"IDAT" else b""
    rows = np.frombuffer(zlib.decompress(body), dtype=np.uint8).reshape(height, 1 + 3 * width)
    assert set(rows[:, 0]) == {2}
    return np.cumsum(rows[:, 1:], axis=0, dtype=np.uint8).reshape(height, width, 3)


def read_gds(data, tmp_path):
    path = tmp_path / "layout.gds"
    path.write_bytes(data)
    library = gdstk.read_gds(path)
    return library, next(cell for cell in library.cells if cell.name == TOP)


@pytest.mark.parametrize("name", ["egfet", "cnt_tft"])
def test_the_gds_file_holds_every_cell_to_scale_and_apart(name, tmp_path):
    technology, netlist = load_technology(name), mesh(30)
    placement, blocks = made(netlist, technology)
    library, top = read_gds(gds_bytes(netlist, technology, placement, blocks, NAMES), tmp_path)
    assert (library.unit, library.precision) == (1e-6, 1e-9)
    assert len(top.references) == len(netlist.instances)
    outlines = [cell for cell in library.cells if cell.name != TOP]
    assert {cell.name for cell in outlines} == set(netlist.cell_counts())
    for cell in outlines:
        assert cell.area() / 1e6 == pytest.approx(technology.cell(cell.name).area_mm2, rel=1e-4)
    drawn = top.get_polygons(layer=CELL_LAYER, datatype=0)
    assert len(drawn) == len(netlist.instances)
    total = sum(polygon.area() for polygon in drawn)
    assert total / 1e6 == pytest.approx(100 * netlist.area_cm2(technology), rel=1e-4)
    assert sum(p.area() for p in gdstk.boolean(drawn, [], "or")) == pytest.approx(total, rel=1e-6)
    (sheet,) = top.get_polygons(layer=SHEET_LAYER, datatype=0)
    assert gdstk.boolean(drawn, sheet, "not") == []


def test_parts_have_layers_of_their_own(tmp_path):
    netlist = mesh(30)
    placement, blocks = made(netlist)
    _, top = read_gds(gds_bytes(netlist, EGFET, placement, blocks, NAMES), tmp_path)
    layers = part_layers(blocks)
    assert sorted(layers.values()) == list(range(FIRST_PART_LAYER, FIRST_PART_LAYER + len(layers)))
    for part, layer in layers.items():
        own = [polygon for polygon in top.polygons if polygon.layer == layer]
        assert len(own) == blocks.labels.count(part)
        labels = {label.text for label in top.labels if label.layer == layer}
        assert labels == {f"g{k}" for k, label in enumerate(blocks.labels) if label == part}
    ports = {label.text for label in top.labels if label.layer == PORT_LAYER}
    assert ports == {"width <b> [0]", "width <b> [1]", "length [0]", "length [1]", "out[0]", "out[1]"}
    assert any("not a sign-off" in label.text for label in top.labels)


def test_the_files_are_the_same_bytes_again():
    netlist = two_gates()
    placement, blocks = made(netlist)
    drawing = layout_drawing(netlist, placement, blocks, NAMES)
    first, again = (gds_bytes(netlist, EGFET, placement, blocks, NAMES) for _ in range(2))
    assert first == again
    assert png_bytes(drawing) == png_bytes(layout_drawing(netlist, placement, blocks, NAMES))


@pytest.mark.parametrize("n", [1, 30, 100])
def test_the_svg_has_a_rectangle_to_scale_for_every_cell(n):
    netlist = mesh(n)
    placement, blocks = made(netlist)
    root = ET.fromstring(svg_text(layout_drawing(netlist, placement, blocks, NAMES)))
    (sheet,) = root.findall(f"{SVG}g[@data-unit='mm']")
    cells = sheet.findall(f"{SVG}g[@class='cell']/{SVG}rect") + sheet.findall(f"{SVG}rect[@class='cell']")
    areas = sorted(float(cell.attrib["width"]) * float(cell.attrib["height"]) for cell in cells)
    wanted = sorted(EGFET.cell(instance.cell).area_mm2 for instance in netlist.instances)
    assert areas == pytest.approx(wanted, rel=1e-4)
    words = " ".join(text.text or "" for text in root.iter(f"{SVG}text"))
    assert "not a sign-off" in words
    assert " mm" in words
    assert "out[0]" in words


def test_the_ruler_is_true():
    netlist = mesh(30)
    placement, blocks = made(netlist)
    drawing = layout_drawing(netlist, placement, blocks, NAMES)
    body = next(item for item in drawing.items if isinstance(item, Group))
    ticks = [item.points[0][0] for item in drawing.items if isinstance(item, Line) and item.kind == "ruler"][1:]
    labels = [item.text.removesuffix(" mm") for item in drawing.items if isinstance(item, Text)]
    values = [float(text) for text in labels if text.replace(".", "").isdigit()]
    assert len(values) == len(ticks)
    for value, x in zip(values, ticks, strict=True):
        assert x == pytest.approx(body.x + value * body.scale)
    assert values[-1] <= placement.sheet.width_mm


def test_a_circuit_without_cells_has_a_picture():
    netlist = Netlist(4, (), (2, 1))
    placement, blocks = made(netlist)
    root = ET.fromstring(svg_text(layout_drawing(netlist, placement, blocks, NAMES)))
    assert any("0 cells" in (text.text or "") for text in root.iter(f"{SVG}text"))


def test_many_parts_are_told_apart_and_common_cells_are_grey():
    names = [f"feature {k}" for k in range(20)]
    found = looks(Blocks((*names, LEAVES), {**dict.fromkeys(names, 0), LEAVES: 1, "unused": 1}, None, None))
    assert len(set(found.values())) == 21
    assert found[LEAVES].colour == GREY
    assert (found["feature 9"].colour, found["feature 9"].bars) == (COLOURS[0], 1)
    assert "unused" not in found


def test_the_png_has_the_colours_where_the_drawing_has_them():
    marks = (Rect(0, 0, 1, 1, "#ff0000"), Rect(1, 1, 1, 1, "#0000ff", "#00ff00", 0.5))
    image = pixels(png_bytes(Drawing(20, 20, "test", (Group(0, 0, 10.0, marks),))))
    assert image.shape == (20, 20, 3)
    assert image[5, 5].tolist() == [255, 0, 0]
    assert image[5, 15].tolist() == [255, 255, 255]
    assert image[15, 15].tolist() == [0, 0, 255]
    assert image[15, 11].tolist() == [0, 255, 0]


def test_half_covered_pixels_are_mixed_and_words_leave_ink():
    items = (Rect(0, 0, 2.5, 4, "#000000"), Text(5, 12, "Ab7", 10))
    image = pixels(png_bytes(Drawing(40, 16, "test", items)))
    assert image[1, 1].tolist() == [0, 0, 0]
    assert 100 < image[1, 2, 0] < 160
    assert image[1, 3].tolist() == [255, 255, 255]
    assert (image[4:13, 5:30] < 100).any()


def test_numbers_are_short():
    assert [number(v) for v in (1.0, -0.001, 2.5, 10.0, 0.126)] == ["1", "0", "2.5", "10", "0.13"]


def test_large_figures_have_large_units():
    assert [length_words(v) for v in (12.345, 999.0, 52551.0)] == ["12.3 mm", "999 mm", "52.6 m"]
    assert [area_words(v) for v in (2.378, 1895.0)] == ["2.38 mm2", "18.9 cm2"]
