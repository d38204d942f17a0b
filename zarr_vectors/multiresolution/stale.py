"""Levels that no longer describe the one they were made from make way for new ones."""

from __future__ import annotations

from dataclasses import replace

from zarr_vectors.constants import STALE_KEY
from zarr_vectors.core.handle import StoreHandle, finish
from zarr_vectors.core.metadata.multiscales import with_transform
from zarr_vectors.core.root_meta import RootDocument


def without_stale(writing: StoreHandle) -> StoreHandle:
    """The store without its stale levels.

    Args:
        writing: The store, inside a transaction: a pyramid that then fails leaves them there.
    """
    gone = [n for n, level in writing.levels.items() if STALE_KEY in level.attributes]
    if not gone:
        return writing
    attributes = dict(writing.root.attributes)
    for number in gone:
        attributes = with_transform(attributes, number, None)
        writing.layout.delete(str(number))
    kept = {number: level for number, level in writing.levels.items() if number not in gone}
    root = RootDocument(attributes, writing.meta)
    changed = replace(writing, root=root, levels=kept)
    finish(changed)
    return changed
