"""Small pictures of levels, read back from their bytes."""

import struct
import zlib

import numpy as np
import pytest

from zarr_vectors.lazy import open_zv
from zv_viewer.qa.inspect import inspect_store
from zv_viewer.qa.pictures import HIGH, WIDE, Picture, png_of
from zv_viewer.qa.stream import Pace
from zv_viewer.testing.pyramid_scenes import a_scene, make_pyramid

pytestmark = pytest.mark.once


def pixels(picture):
    """(H, W, 3) of a PNG file as this project writes it."""
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    at, parts = 8, {}
    while at < len(picture):
        (size,) = struct.unpack(">I", picture[at : at + 4])
        name, data = picture[at + 4 : at + 8], picture[at + 8 : at + 8 + size]
        assert struct.unpack(">I", picture[at + 8 + size : at + 12 + size])[0] == zlib.crc32(
            name + data
        )
        parts[name] = data
        at += 12 + size
    wide, high = struct.unpack(">II", parts[b"IHDR"][:8])
    lines = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(high, 1 + 3 * wide)
    assert not lines[:, 0].any()
    return lines[:, 1:].reshape(high, wide, 3)


def drawn(picture):
    """(H, W) bool, pixels that something lies behind."""
    found = pixels(picture.png())
    return (found != pixels(Picture((0, 0), (1, 1)).png())[0, 0]).any(axis=2)


def test_bytes_come_back():
    some = np.random.default_rng(0).integers(0, 256, (7, 5, 3)).astype(np.uint8)
    np.testing.assert_array_equal(pixels(png_of(some)), some)


def test_vertices_are_where_they_are():
    picture = Picture((0.0, 0.0, 0.0), (100.0, 50.0, 9.0))
    assert (picture.wide, picture.high) == (WIDE, WIDE // 2)
    picture.add_points(np.array([[0.1, 0.1, 3.0], [99.9, 49.9, 3.0], [50.0, 0.1, 0.0]]))
    rows, columns = np.nonzero(drawn(picture))
    assert sorted(zip(rows.tolist(), columns.tolist(), strict=True)) == [
        (0, 0),
        (0, WIDE // 2),
        (WIDE // 2 - 1, WIDE - 1),
    ]


@pytest.mark.parametrize("width", [2, 3])
def test_lines_have_no_gaps(width):
    picture = Picture((0.0, 0.0), (10.0, 10.0))
    corners = np.array([[0.0, 0.0], [10.0, 10.0], [10.0, 0.0]])
    picture.add_links(corners, np.arange(width)[None])
    found = drawn(picture)
    assert found[np.arange(HIGH), np.arange(WIDE)].all()
    assert found.sum() == (HIGH if width == 2 else 3 * HIGH - 3)
    assert found[0].all() == (width == 3)


def test_dots_are_as_large_as_asked_for():
    picture = Picture((0.0, 0.0), (WIDE, HIGH), dot=5.0)
    picture.add_points(np.array([[50.5, 60.5], [0.5, 0.5]]))
    rows, columns = np.nonzero(drawn(picture))
    assert set(rows[rows > 10].tolist()) == {58, 59, 60, 61, 62}
    assert set(columns[rows > 10].tolist()) == {48, 49, 50, 51, 52}
    assert (rows <= 10).sum() == 9  # cut off at the corner


def test_what_has_no_extent_is_drawn_too():
    picture = Picture((5.0, 5.0), (5.0, 5.0))
    picture.add_points(np.full((3, 2), 5.0))
    assert drawn(picture).sum() == 1
    assert not drawn(Picture((0.0, 0.0), (1.0, 1.0))).any()


@pytest.mark.parametrize("kind", ["points", "streamline", "mesh"])
def test_levels_look_alike_in_any_tiles(kind, tmp_path):
    make_pyramid(a_scene(kind, size=0.3), tmp_path / "s", "0.9.2")
    with open_zv(str(tmp_path / "s")) as store:
        whole, parts = (inspect_store(store, pace=Pace(tile_rows=n)) for n in (10**6, 500))
    for level, cut in zip(whole.levels, parts.levels, strict=True):
        seen = pixels(level.picture).sum(axis=2) > 100
        assert seen.mean() > 0.01
        if level.level or kind == "points":  # at level 0 what joins tiles is left out
            assert level.picture == cut.picture
