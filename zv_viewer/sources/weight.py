"""How many bytes a level takes where it is stored."""

from __future__ import annotations

import os

from zarr_vectors.lazy import ZVStore


def stored_bytes(store: ZVStore, level: int) -> int | None:
    """Bytes of all keys of a level; None where the place does not tell without reading them."""
    root = store.backend.local_path
    if root is None or not root.is_dir():
        return None
    total, todo = 0, [root / str(level)]
    while todo:
        with os.scandir(todo.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    todo.append(root / entry.path)
                else:
                    total += entry.stat(follow_symlinks=False).st_size
    return total
