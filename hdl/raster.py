"""Drawings as PNG: filled polygons on a grid finer than the picture, averaged; letters are gdstk's."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import gdstk
import numpy as np
from numpy.typing import NDArray

from hdl.drawing import Drawing, Group, Line, Mark, Rect, Text
from printedmlp.names import clean_text

FINER = 2
"""Samples of a pixel along each edge."""
LETTER = 0.92
"""gdstk's letters are this much of a font's size."""
BOLD = 0.06
Image = NDArray[np.uint8]
Points = NDArray[np.float64]


def png_bytes(drawing: Drawing, *, scale: float = 1.0) -> bytes:
    """The drawing on white as an 8-bit RGB PNG; the same bytes for the same drawing.

    Parameters
    ----------
    scale : pixels of the picture for each of the drawing's.
    """
    fine = scale * FINER
    shape = (round(drawing.height * scale) * FINER, round(drawing.width * scale) * FINER, 3)
    canvas = np.full(shape, 255, dtype=np.uint8)
    for item in drawing.items:
        if isinstance(item, Group):
            for mark in item.marks:
                _paint(canvas, mark, item.scale * fine, item.x * fine, item.y * fine)
        else:
            _paint(canvas, item, fine, 0.0, 0.0)
    rows, columns = shape[0] // FINER, shape[1] // FINER
    blocks = canvas.reshape(rows, FINER, columns, FINER, 3).astype(np.uint16)
    return encode(((blocks.sum(axis=(1, 3)) + FINER * FINER // 2) // (FINER * FINER)).astype(np.uint8))


def encode(image: Image) -> bytes:
    """PNG of an image (height, width, 3) uint8, each row as its difference from the one above."""
    height, width, _ = image.shape
    rows = image.reshape(height, width * 3)
    above = np.vstack([np.zeros((1, width * 3), dtype=np.uint8), rows[:-1]])
    data = np.column_stack([np.full(height, 2, dtype=np.uint8), rows - above]).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(data, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _paint(canvas: Image, mark: Mark, scale: float, x: float, y: float) -> None:
    offset = np.array([x, y])
    if isinstance(mark, Rect):
        _paint_rect(canvas, mark, scale, offset)
    elif isinstance(mark, Line):
        for a, b in zip(mark.points[:-1], mark.points[1:], strict=True):
            bar = _bar(np.array(a) * scale + offset, np.array(b) * scale + offset, max(1.0, mark.width * scale))
            _fill(canvas, bar, mark.colour)
    else:
        for polygon in _letters(mark):
            _fill(canvas, polygon * scale + offset, mark.colour)


def _paint_rect(canvas: Image, mark: Rect, scale: float, offset: Points) -> None:
    low = np.array([mark.x, mark.y]) * scale + offset
    high = low + np.array([mark.width, mark.height]) * scale
    if mark.stroke is None:
        return _block(canvas, low, high, mark.fill)
    half = mark.stroke_width * scale / 2
    _block(canvas, low - half, high + half, mark.stroke)
    return _block(canvas, low + half, high - half, mark.fill)


def _block(canvas: Image, low: Points, high: Points, colour: str) -> None:
    """Fill the samples whose centres are between two corners."""
    (left, top), (right, bottom) = np.maximum(np.ceil(np.array([low, high]) - 0.5), 0).astype(int)
    canvas[top:bottom, left:right] = _rgb(colour)


def _rgb(colour: str) -> tuple[int, int, int]:
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    return red, green, blue


def _bar(a: Points, b: Points, width: float) -> Points:
    along = b - a
    length = float(np.hypot(*along))
    across = np.array([-along[1], along[0]]) / length * width / 2 if length else np.zeros(2)
    return np.array([a + across, b + across, b - across, a - across])


def _letters(mark: Text) -> Iterator[Points]:
    """Outlines of a text's letters in its own unit, y downwards."""
    size = mark.size * LETTER
    words = clean_text(mark.text, 300).encode("ascii", "replace").decode("ascii")
    outlines = [np.array(polygon.points) for polygon in gdstk.text(words, size, (0.0, 0.0))]
    if not outlines:
        return
    ends = [edge for points in outlines for edge in (points[:, 0].min(), points[:, 0].max())]
    shift = {"start": 0.0, "middle": 0.5, "end": 1.0}[mark.anchor] * (max(ends) - min(ends)) + min(ends)
    for points in outlines:
        placed = np.column_stack([mark.x + points[:, 0] - shift, mark.y - points[:, 1]])
        yield placed
        if mark.bold:
            yield placed + np.array([BOLD * size, 0.0])


def _fill(canvas: Image, points: Points, colour: str) -> None:
    """Fill a polygon (n, 2) by the even-odd rule at the samples' centres."""
    left, top = np.maximum(np.floor(points.min(axis=0)), 0).astype(int)
    right, bottom = np.ceil(points.max(axis=0)).astype(int) + 1
    window = canvas[top:bottom, left:right]
    if not window.size:
        return
    x = np.arange(left, left + window.shape[1]) + 0.5
    y = (np.arange(top, top + window.shape[0]) + 0.5)[:, None]
    inside = np.zeros(window.shape[:2], dtype=bool)
    for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
        if y0 != y1:
            crossed = (y < y0) != (y < y1)
            inside ^= crossed & (x < x0 + (y - y0) * (x1 - x0) / (y1 - y0))
    window[inside] = _rgb(colour)
