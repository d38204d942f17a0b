"""Which boxes meet the slab of the axes that are not displayed."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.model.camera import Camera

Float = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


def hidden_axes(camera: Camera) -> npt.NDArray[np.int64]:
    """Axes of the store that are not displayed, ascending."""
    return np.setdiff1d(np.arange(camera.ndim, dtype=np.int64), np.array(camera.displayed))


def slab_test(camera: Camera, lo: Float, hi: Float) -> tuple[Bool, Bool]:
    """Boxes against the slab, its faces included.

    Args:
        camera: The view.
        lo: (N, D) lower corners.
        hi: (N, D) upper corners.

    Returns:
        (N,) the box meets the slab, and (N,) the box lies wholly in it.
    """
    axes = hidden_axes(camera)
    low, high = camera.slab_lo[axes], camera.slab_hi[axes]
    meets = ((hi[:, axes] >= low) & (lo[:, axes] <= high)).all(axis=1)
    inside = ((lo[:, axes] >= low) & (hi[:, axes] <= high)).all(axis=1)
    return np.asarray(meets), np.asarray(inside)


def slab_share(camera: Camera, lo: Float, hi: Float) -> Float:
    """(N,) part of each box's hidden extent that the slab keeps, 0..1; flat axes count whole."""
    share = np.ones(len(lo))
    for axis in hidden_axes(camera):
        size = hi[:, axis] - lo[:, axis]
        kept = np.minimum(hi[:, axis], camera.slab_hi[axis]) - np.maximum(
            lo[:, axis], camera.slab_lo[axis]
        )
        flat = size <= 0
        share *= np.where(flat, 1.0, np.clip(kept, 0, None) / np.where(flat, 1.0, size))
    return share
