"""Attributes as one float a row, and colours that no level changes."""

import numpy as np
import pytest

from zv_viewer.drawing import colormap_names, colours_for, mode_of, pack_values, range_of
from zv_viewer.errors import InputError
from zv_viewer.model.scene import AttributeInfo


def test_numbers_go_along_a_colormap_between_recorded_limits():
    info = AttributeInfo("z", "int32", limits=(-3.0, 9.0))
    spec = colours_for(info)
    assert (spec.mode, spec.limits, spec.colormap) == ("scalar", (-3.0, 9.0), "viridis")
    assert spec.lut.shape == (256, 4)
    assert spec.lut.dtype == np.float32
    assert np.allclose(spec.lut[0, :3], [0x44 / 255, 0x01 / 255, 0x54 / 255])
    assert colours_for(info, limits=(0.0, 1.0)).limits == (0.0, 1.0)
    assert pack_values(info, np.array([1, 2], np.int32)).dtype == np.float32


def test_limits_nobody_recorded_stay_open_until_told():
    spec = colours_for(AttributeInfo("z", "float64"))
    assert spec.limits is None
    assert spec.with_limits((1.0, 2.0)).limits == (1.0, 2.0)
    parts = [np.array([np.nan, 3, np.inf], np.float32), np.array([-1], np.float32)]
    assert range_of(parts) == (-1.0, 3.0)
    assert range_of([np.array([np.nan], np.float32)]) is None


@pytest.mark.parametrize("name", colormap_names())
def test_every_colormap_is_a_table(name):
    spec = colours_for(AttributeInfo("z", "float32"), colormap=name)
    assert spec.lut.shape == (256, 4)
    assert 0 <= spec.lut.min() <= spec.lut.max() <= 1
    assert np.abs(np.diff(spec.lut, axis=0)).max() < 0.1
    assert len(np.unique(spec.lut, axis=0)) > 100


def test_an_unknown_colormap_names_the_known_ones():
    with pytest.raises(InputError, match=r"no colormap 'rainbow'; there are viridis"):
        colours_for(AttributeInfo("z", "float32"), colormap="rainbow")


def test_limits_are_finite():
    with pytest.raises(InputError, match="finite"):
        colours_for(AttributeInfo("z", "float32"), limits=(0.0, float("nan")))


def test_strings_are_categories():
    info = AttributeInfo("kind", "int16", categories=("a", "b", "c"))
    spec = colours_for(info)
    assert spec.mode == "category"
    assert spec.lut.shape == (3, 4)
    assert len(np.unique(spec.lut, axis=0)) == 3
    assert pack_values(info, np.array([2, -1], np.int16)).tolist() == [2, -1]
    many = AttributeInfo("kind", "int16", categories=tuple(map(str, range(900))))
    assert 1 < len(colours_for(many).lut) <= 900


@pytest.mark.parametrize(
    ("dtype", "limits", "stored", "expected"),
    [
        ("uint8", None, [1, 2, 255], (1, 2, 255)),
        ("uint16", None, [0, 257, 65535], (0, 1, 255)),
        ("uint16", (0.0, 255.0), [0, 200, 255], (0, 200, 255)),
        ("float32", (0.0, 1.0), [0, 0.2, 1], (0, 51, 255)),
    ],
)
def test_three_columns_are_a_colour(dtype, limits, stored, expected):
    info = AttributeInfo("rgb", dtype, columns=3, limits=limits)
    assert mode_of(info) == "rgb"
    code = int(pack_values(info, np.array([stored], dtype))[0])
    assert (code >> 16, code >> 8 & 255, code & 255) == expected


def test_every_colour_survives_a_float32():
    info = AttributeInfo("rgb", "uint8", columns=3)
    rgb = np.random.default_rng(0).integers(0, 256, (5000, 3)).astype(np.uint8)
    codes = pack_values(info, rgb).astype(np.int64)
    assert np.array_equal(np.stack([codes >> 16, codes >> 8 & 255, codes & 255], 1), rgb)


def test_a_vector_is_coloured_by_its_length():
    info = AttributeInfo("normal", "float32", columns=3, limits=(-1.0, 1.0))
    spec = colours_for(info)
    assert (spec.mode, spec.limits) == ("scalar", None)
    assert pack_values(info, np.array([[3, 4, 0]], np.float32)).tolist() == [5]


def test_plain_is_one_colour():
    spec = colours_for(None)
    assert (spec.mode, spec.attribute, spec.lut.shape) == ("plain", None, (1, 4))


def test_rows_without_a_colour_are_not_black():
    info = AttributeInfo("rgb", "uint8", columns=3)
    packed = pack_values(info, np.array([[1.0, 2.0, 3.0], [np.nan] * 3, [0.0, 0.0, 0.0]]))
    np.testing.assert_array_equal(packed, [0x010203, np.nan, 0])
