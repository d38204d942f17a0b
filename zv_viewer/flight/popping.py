"""How much of a picture pops: changes that the motion of the camera does not explain.

Two pictures are taken from each place of a path: one with the cells that were selected at the place
before, as the camera arrives, and one when the picture has settled there. Both are seen from the
same place, so nothing but levels differs between them. What comes into view meanwhile counts too,
where no coarser cell stood for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]

THRESHOLD = 24
"""Of 255: colours closer than this look the same."""


@dataclass(frozen=True, slots=True)
class Pop:
    """What changed between two pictures from one place.

    Args:
        share: Part of the canvas whose pixels changed by more than the threshold.
        of_drawn: Part, of the pixels that show something in either picture.
        mean: Mean change of all pixels, 0 to 1.
    """

    share: float
    of_drawn: float
    mean: float


def popped(before: Picture, after: Picture, *, threshold: int = THRESHOLD, blur: int = 1) -> Pop:
    """Compare two pictures taken from the same place.

    Args:
        before: (H, W, 3) or (H, W, 4) uint8; what is beyond the third is ignored.
        after: Likewise.
        threshold: The least change of a colour, 0 to 255, that counts.
        blur: Pixels on either side that pictures are averaged over first, so that a point that
            moves by a pixel is no pop.

    Raises:
        ValueError: The pictures differ in size.
    """
    if before.shape[:2] != after.shape[:2]:
        raise ValueError(f"pictures of one size are compared, not {before.shape}, {after.shape}")
    old, new = (_blurred(picture[..., :3], blur) for picture in (before, after))
    change = np.abs(old - new).max(axis=-1)
    changed = change > threshold
    drawn = np.maximum(old, new).max(axis=-1) > threshold
    return Pop(
        share=float(changed.mean()),
        of_drawn=float(changed.sum() / max(int((drawn | changed).sum()), 1)),
        mean=float(change.mean() / 255),
    )


def worst(pops: Iterable[Pop]) -> int | None:
    """Number of the place where most changed; None where nothing did."""
    shares = [pop.share for pop in pops]
    if not shares or max(shares) == 0:
        return None
    return shares.index(max(shares))


def _blurred(picture: Picture, reach: int) -> npt.NDArray[np.float32]:
    """Means over squares of ``2 * reach + 1`` pixels; the border repeats."""
    values = picture.astype(np.float32)
    if not reach:
        return values
    width = 2 * reach + 1
    for axis in (0, 1):
        pad = [(0, 0)] * 3
        pad[axis] = (reach + 1, reach)
        total = np.cumsum(np.pad(values, pad, mode="edge"), axis=axis, dtype=np.float64)
        high = np.take(total, range(width, total.shape[axis]), axis=axis)
        low = np.take(total, range(total.shape[axis] - width), axis=axis)
        values = ((high - low) / width).astype(np.float32)
    return values
