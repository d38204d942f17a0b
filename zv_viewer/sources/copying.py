"""Objects of a store as a store of their own, whole, with all that is known of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.backends import StoreLike
from zarr_vectors.extract import extract_objects
from zarr_vectors.lazy import ZVStore
from zv_viewer.sources.base import Copied

Int = npt.NDArray[np.int64]


def copy_objects(
    store: ZVStore, ids: Int, out: StoreLike, progress: Callable[[float], None]
) -> Copied:
    """Write some objects of the finest level to a new store of the same kind, batch by batch.

    Args:
        store: The store.
        ids: (n,) those that the level has.
        out: Where; nothing may be there yet.
        progress: Told the share that is done; what it raises ends the work.

    Raises:
        StoreError: Nothing can be written there, or the store cannot be read.
        ArrayError: It is damaged, or none of the objects has vertices.
    """
    done = extract_objects(
        store.backend,
        ids.tolist(),
        out,
        progress=lambda step, of, text: progress(step / of),
    )
    names = ", ".join(map(repr, done.left_out))
    lost = f"attributes of faces inside chunks are not in it: {names}" if names else ""
    return Copied(done.vertices, lost)
