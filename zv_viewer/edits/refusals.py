"""What stands against a write: a read-only store, levels out of date, names that are taken."""

from __future__ import annotations

import os
from contextlib import suppress

from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.exceptions import CoarseningError, StoreError
from zarr_vectors.multiresolution.propagating import levels_above
from zv_viewer.edits.columns import Kind
from zv_viewer.edits.request import Request
from zv_viewer.edits.scopes import Rows, Scope
from zv_viewer.errors import InputError


def check_writable(handle: StoreHandle) -> None:
    """See that a store can be written to, before any work.

    Raises:
        StoreError: It cannot; the sentence says so.
    """
    backend = handle.backend
    if handle.reopen is None and backend.read_only:
        raise StoreError(f"{backend.url} cannot be written to: it was opened for reading")
    root = handle.for_writing().backend.local_path
    if root is not None and not os.access(root, os.W_OK | os.X_OK):
        raise StoreError(f"{backend.url} cannot be written to: its folder is read-only for you")


def levels_to_carry(handle: StoreHandle, request: Request) -> list[int]:
    """Levels that get the attribute too.

    Raises:
        InputError: One of them is out of date.
    """
    if not request.carry:
        return []
    try:
        return levels_above(handle, request.level)
    except CoarseningError as error:
        raise InputError(f"{error}; or write to level {request.level} alone") from None


def conflicts(
    handle: StoreHandle, request: Request, rows: Rows, kind: Kind, above: list[int]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Sentences that say why it is refused as asked, and those worth knowing."""
    taken, notes = [], []
    scope: Scope = "vertex" if request.scope == "node" else request.scope
    levels = [request.level, *above]
    known = {request.level: rows.spec(request.name)}
    for number in handle.levels:
        if number != request.level:
            with suppress(InputError):  # no objects, or no such faces, there
                known[number] = Rows(handle, number, scope).spec(request.name)
    for number, spec in sorted(known.items()):
        if spec is None:
            continue
        old = Kind(spec.dtype, spec.row_shape, spec.categories).words
        if number not in levels:
            notes.append(f"level {number} keeps the {request.name!r} it has ({old})")
        elif old != kind.words:
            taken.append(
                f"level {number} has a {scope} attribute {request.name!r} of another type: {old}, "
                f"not {kind.words}"
            )
        else:
            taken.append(f"level {number} has a {scope} attribute {request.name!r} already")
    if rows.lacking:
        notes.append(rows.lacking)
    if request.replace:
        return (), (*(f"{one}: it is replaced" for one in taken), *notes)
    return tuple(taken), tuple(notes)
