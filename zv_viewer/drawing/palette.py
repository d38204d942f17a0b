"""Colours that objects keep: each from its id alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]
UInt8 = npt.NDArray[np.uint8]
UInt64 = npt.NDArray[np.uint64]

NOBODYS = (128, 128, 128)
"""Colour of what belongs to no object: ids below zero."""


def colours_of_ids(ids: Int) -> UInt8:
    """(O, 3) bright colours of (O,) ids, the same in every store, order and session."""
    mixed = _mixed(np.asarray(ids, np.int64))
    hue = (mixed & np.uint64(0xFFFF)).astype(np.float64) / 0x10000
    pale = (mixed >> np.uint64(16) & np.uint64(0xFF)).astype(np.float64) / 0xFF
    dark = (mixed >> np.uint64(24) & np.uint64(0xFF)).astype(np.float64) / 0xFF
    wheel = (hue[:, None] * 6 + np.array([0.0, 4.0, 2.0])) % 6
    full = np.clip(np.abs(wheel - 3) - 1, 0, 1)
    saturation = (0.45 + 0.5 * pale)[:, None]
    value = (0.75 + 0.25 * dark)[:, None]
    colours: UInt8 = np.rint(255 * value * (1 - saturation * (1 - full))).astype(np.uint8)
    colours[ids < 0] = NOBODYS
    return colours


def _mixed(ids: Int) -> UInt64:
    """Neighbouring ids, far apart (splitmix64)."""
    at = ids.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    at = (at ^ (at >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    at = (at ^ (at >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(at ^ (at >> np.uint64(31)))
