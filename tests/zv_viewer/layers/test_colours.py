"""Colour rules, on the processor."""

from __future__ import annotations

import numpy as np
import pytest

from zv_viewer.errors import InputError
from zv_viewer.layers.colours import MISSING, colouring

RAMP = np.array([[0, 0, 0], [0, 0, 1], [1, 1, 1]], np.float32)


def test_a_scalar_runs_along_the_table_and_stops_at_both_limits():
    rule = colouring("scalar", RAMP, (10, 20))
    values = np.array([-5, 10, 12.5, 15, 17.5, 20, 99, np.inf, np.nan], np.float32)
    expected = [
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0.5],
        [0, 0, 1],
        [0.5, 0.5, 1],
        [1, 1, 1],
        [1, 1, 1],
        [1, 1, 1],
        MISSING,
    ]
    np.testing.assert_allclose(rule.colours(values), expected, atol=1e-6)


def test_descending_limits_turn_the_table_around():
    values = np.array([0, 0.25, 1], np.float32)
    forth = colouring("scalar", RAMP, (0, 1)).colours(values)
    back = colouring("scalar", RAMP[::-1], (1, 0)).colours(values)
    np.testing.assert_allclose(forth, back, atol=1e-6)


def test_equal_limits_are_a_step():
    colours = colouring("scalar", RAMP, (5, 5)).colours(np.array([4, 6], np.float32))
    np.testing.assert_allclose(colours, [[0, 0, 0], [1, 1, 1]])


def test_categories_go_round_the_table_and_negative_codes_are_missing():
    colours = colouring("category", RAMP).colours(np.array([0, 2, 4, -1, np.nan], np.float32))
    np.testing.assert_allclose(colours, [RAMP[0], RAMP[2], RAMP[1], MISSING, MISSING])


def test_packed_colours_come_out_byte_for_byte():
    rgb = np.array([[255, 254, 253], [0, 1, 2], [128, 0, 255]])
    packed = (rgb @ [65536, 256, 1]).astype(np.float32)
    np.testing.assert_array_equal(np.rint(colouring("rgb").colours(packed) * 255), rgb)


@pytest.mark.parametrize(
    ("mode", "lut", "limits"),
    [
        ("rainbow", RAMP, (0, 1)),
        ("scalar", np.zeros((3, 2)), (0, 1)),
        ("scalar", np.zeros((0, 3)), (0, 1)),
        ("scalar", RAMP, (0, np.nan)),
    ],
)
def test_what_cannot_be_drawn_is_refused(mode, lut, limits):
    with pytest.raises(InputError):
        colouring(mode, lut, limits)
