"""What to do about a finding, with the command that does it. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence


def rebuild(store: str, level: int) -> str:
    """Remove a level and those above it, and build them again."""
    return f"build the levels again, level {level} among them: {_build(store)}"


def _build(store: str) -> str:
    return _python(
        "from zarr_vectors.core.store import list_resolution_levels, open_store, "
        "remove_resolution_level as remove; "
        "from zarr_vectors.multiresolution.coarsen import build_pyramid; "
        f'store = {json.dumps(store)}; root = open_store(store, mode="r+"); '
        "[remove(root, n) for n in reversed(list_resolution_levels(root)) if n]; "
        "build_pyramid(store)"
    )


def remove(store: str, level: int) -> str:
    """Remove a level."""
    code = (
        "from zarr_vectors.core.store import open_store, remove_resolution_level; "
        f'remove_resolution_level(open_store({json.dumps(store)}, mode="r+"), {level})'
    )
    return f"remove the level, or build the levels again: {_python(code)}"


def restore(store: str) -> str:
    """Level 0 itself is damaged."""
    code = (
        "from zarr_vectors.validate import validate; "
        f"print(validate({json.dumps(store)}, level=5).summary())"
    )
    return f"write the store again from its source; all damage is told by {_python(code)}"


def index(store: str) -> str:
    """Add what lets a store be read without listing."""
    return f"record it: zv-view index {shlex.quote(store)}"


def write_errors(store: str) -> str:
    """Store measured errors."""
    return f"measure and store it: zv-view qa {shlex.quote(store)} --write-errors"


def rechunk(store: str, edges: Sequence[float]) -> str:
    """Cut a store into other chunks."""
    shape = ", ".join(f"{edge:g}" for edge in edges)
    code = (
        "from zarr_vectors.rechunk import RechunkSpec, rechunk; "
        f'rechunk({json.dumps(store)}, RechunkSpec("spatial", spatial_chunk_shape=({shape})), '
        f"{json.dumps(store.rstrip('/') + '.new')})"
    )
    return f"cut it into other chunks: {_python(code)}"


def _python(code: str) -> str:
    return f"python -c {shlex.quote(code)}"
