"""Colours of curves by which way they run."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.colours import pack_values
from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.links import LinkArrays
from zv_viewer.model.scene import AttributeInfo, SceneInfo

Float = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]


def direction_values(
    info: AttributeInfo, scene: SceneInfo, tree: CellTree, arrays: CellArrays
) -> Float32:
    """Red, green and blue by how far a curve runs along x, y and z, up or down alike.

    The axes are the last three of ``scene.display_order``, x the last of them. Where links meet,
    a row has the mean of theirs. Where all links of a row leave the cell, it is taken to run
    towards the middles of the cells they go to.

    Args:
        info: What says that the values are colours.
        scene: The store.
        tree: Its cells.
        arrays: A cell with edges.

    Returns:
        (N,) as of ``pack_values``; NaN for rows that no link leads to or from.
    """
    axes = list(scene.display_order[:-4:-1])
    shares = np.zeros((len(arrays), 3))
    if arrays.links is not None:
        places = arrays.positions[:, axes].astype(np.float64)
        middles = ((tree.lo + tree.hi) * 0.5 - scene.origin)[:, axes]
        _add_inner(shares, places, arrays.links)
        _add_open(shares, places, arrays.links, middles)
    length = np.linalg.norm(shares, axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return pack_values(info, 255 * shares / length)


def _add_inner(shares: Float, places: Float, links: LinkArrays) -> None:
    start, end = links.inner.T.astype(np.int64)
    steps = _units(places[end] - places[start])
    _add(shares, start, steps)
    _add(shares, end, steps)


def _add_open(shares: Float, places: Float, links: LinkArrays, middles: Float) -> None:
    """Where nothing is known yet."""
    unknown = shares.max(axis=1) == 0
    for here, there in ((0, 1), (1, 0)):
        rows = links.open.rows[:, here]
        links_of = np.flatnonzero((rows >= 0) & unknown[rows])
        rows = rows[links_of]
        steps = _units(middles[links.open.owner[links_of, there]] - places[rows])
        _add(shares, rows, steps)


def _units(along: Float) -> Float:
    """Shares of each axis, without sign; none where nothing is moved."""
    length = np.linalg.norm(along, axis=1, keepdims=True)
    return np.asarray(np.abs(along) / np.maximum(length, np.finfo(float).tiny))


def _add(shares: Float, rows: npt.NDArray[np.int64], steps: Float) -> None:
    for column, share in enumerate(steps.T):
        shares[:, column] += np.bincount(rows, share, minlength=len(shares))
