"""Colours that tell what is drawn, and their legends."""

import numpy as np

from zv_viewer.drawing.slots import SlotTable
from zv_viewer.drawing.tints import (
    EXACT,
    OCTAVES,
    byte_colours,
    byte_legend,
    bytes_text,
    error_colours,
    error_legend,
    level_colours,
    level_legend,
)
from zv_viewer.layers.tints import WIDTH, Part, page_texels


def test_levels_are_told_apart() -> None:
    colours = level_colours(np.arange(8))
    assert len(np.unique(colours, axis=0)) == 8
    entries = level_legend({2: "two", 0: "nought"})
    assert [entry.text for entry in entries] == ["nought", "two"]
    assert entries[1].colour == tuple(colours[2].tolist())


def test_errors_are_measured_by_the_one_asked_for() -> None:
    px = np.array([0.0, 1.0, 2.0, 4.0, 1e9])
    assert np.array_equal(error_colours(px, 2.0), error_colours(px * 5, 10.0))
    colours = error_colours(px, 2.0)
    assert tuple(colours[0].tolist()) == EXACT
    assert len(np.unique(colours, axis=0)) == 5
    most = error_colours(np.array([2.0 * 2**OCTAVES]), 2.0)
    assert np.array_equal(most[0], colours[-1])
    assert [entry.text for entry in error_legend(2.0)][3] == "2 px, as asked for"


def test_bytes_are_told_apart_between_the_least_and_the_most() -> None:
    colours = byte_colours(np.array([10, 100, 1000]), (10, 1000))
    assert np.array_equal(byte_colours(np.array([1, 10_000]), (10, 1000)), colours[[0, 2]])
    assert len(np.unique(colours, axis=0)) == 3
    assert [entry.text for entry in byte_legend((10, 10_000))] == [
        "10 bytes",
        "100 bytes",
        "1 kB",
        "10 kB",
    ]
    assert len(byte_legend((7, 7))) == 1
    assert bytes_text(2_500_000) == "2.5 MB"


def test_every_page_of_a_cell_has_its_colour() -> None:
    slots = SlotTable(128 * 3000)
    for cell, rows in ((4, 1), (9, 300), (2, 128 * 2500)):
        slots.put(cell, np.array([0, rows]))
    slots.drop(4)
    colours = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    texels = page_texels(slots, np.array([2, 9]), colours)
    assert texels.shape == (3, WIDTH, 4)
    flat = texels.reshape(-1, 4)[:, :3]
    for cell, colour in zip((2, 9), colours, strict=True):
        rows = np.concatenate([np.arange(a, a + n) for a, n in slots.rows(cell)])
        assert (flat[rows // 128] == colour).all()
    assert (flat.any(axis=1)).sum() == 2500 + 3


def test_a_part_of_the_canvas_in_pixels() -> None:
    assert Part().pixels(801) == (0, 801)
    assert Part(-1, 0).pixels(800) == (0, 400)
    assert Part(0, 1).pixels(800) == (400, 800)
