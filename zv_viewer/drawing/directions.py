"""Colours of curves by which way they run."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.drawing.colours import pack_values
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.scene import AttributeInfo, SceneInfo

Float32 = npt.NDArray[np.float32]


def direction_values(info: AttributeInfo, scene: SceneInfo, arrays: CellArrays) -> Float32:
    """Red, green and blue by how far a curve runs along x, y and z, up or down alike.

    The axes are the last three of ``scene.display_order``, x the last of them. Where links meet,
    a row has the mean of theirs.

    Args:
        info: What says that the values are colours.
        scene: The store.
        arrays: A cell with links.

    Returns:
        (N,) as of ``pack_values``; NaN for rows at which no link inside the cell runs anywhere.
    """
    shares = np.zeros((len(arrays), 3))
    if arrays.links is not None and arrays.links.inner.shape[1] == 2:
        axes = list(scene.display_order[:-4:-1])
        places = arrays.positions[:, axes].astype(np.float64)
        start, end = arrays.links.inner.T
        along = np.abs(places[end] - places[start])
        along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), np.finfo(float).tiny)
        for column, steps in enumerate(along.T):
            for ends in (start, end):
                shares[:, column] += np.bincount(ends, steps, minlength=len(arrays))
    length = np.linalg.norm(shares, axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return pack_values(info, 255 * shares / length)
