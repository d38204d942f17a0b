"""What writing an attribute would do, worked out whole before anything is written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from zarr_vectors.constants import NODE
from zarr_vectors.core.handle import StoreHandle, open_handle
from zarr_vectors.core.paths import check_name
from zarr_vectors.exceptions import Cancelled, CoarseningError, StoreError
from zarr_vectors.multiresolution.propagating import levels_above, propagate_attribute
from zarr_vectors.multiresolution.scratch import Scratch
from zv_viewer.edits.columns import Kind
from zv_viewer.edits.rehearsal import Pack, Rehearsal, batches, digest
from zv_viewer.edits.scopes import Rows, Scope
from zv_viewer.edits.sources import Source
from zv_viewer.edits.staging import Summary, as_stored, put_column, spec_of
from zv_viewer.errors import InputError

PROVENANCE = "zarr_vectors_provenance"
"""Key of an attribute's metadata that says where its values come from."""

Progress = Callable[[float, str], None]
"""Called with the share done, 0 to 1, and what is being done."""


@dataclass(frozen=True, eq=False, slots=True)
class Request:
    """An attribute to be written.

    Attributes:
        name: Its name.
        scope: Whose values.
        source: Where they come from.
        level: The level they are of.
        dtype: Stored dtype of numbers; that of the values when None.
        aggregation: How coarser levels get theirs; the usual way when None.
        carry: Whether the levels made from this one get it too.
        replace: Whether one of that name may be replaced.
        unit: Unit of the values.
        description: What they are.
    """

    name: str
    scope: Scope
    source: Source
    level: int = 0
    dtype: str | None = None
    aggregation: str | None = None
    carry: bool = True
    replace: bool = False
    unit: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A value by its length and digest, and where it begins in a pack."""

    length: int
    digest: str
    start: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A key that changes: None where it is not there before, or not afterwards."""

    key: str
    old: Stored | None
    new: Stored | None


@dataclass(eq=False, slots=True)
class DryRun:
    """What a write will do; a context manager whose files go at the end.

    Attributes:
        request: What was asked for.
        url: The store.
        kind: What the values are.
        summary: Of the values of the level itself.
        changes: Every key that is created, replaced or removed, and nothing else.
        chunks: Level -> chunks that get values.
        conflicts: Sentences that say why it is refused as asked; none where it can be written.
        notes: Sentences worth knowing.
        guards: Digests of documents that must be as they were.
        fresh: Folders of arrays that are new.
        pack: The new values.
    """

    request: Request
    url: str
    kind: Kind
    summary: Summary
    changes: tuple[Change, ...]
    chunks: dict[int, int]
    conflicts: tuple[str, ...]
    notes: tuple[str, ...]
    guards: dict[str, str]
    fresh: tuple[str, ...]
    pack: Pack
    provenance: dict[str, Any]
    _folder: Path = field(repr=False)

    def __enter__(self) -> DryRun:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove what was worked out."""
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def bytes_written(self) -> int:
        """Bytes of all values written."""
        return sum(change.new.length for change in self.changes if change.new is not None)

    @property
    def bytes_replaced(self) -> int:
        """Bytes of the values that are replaced or removed."""
        return sum(change.old.length for change in self.changes if change.old is not None)

    @property
    def operation(self) -> str:
        """What is done, in words."""
        return f"write {self.request.scope} attribute {self.request.name!r}"


def rehearse(
    handle: StoreHandle,
    request: Request,
    *,
    folder: Path | None = None,
    progress: Progress = lambda share, text: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> DryRun:
    """Work out what a write will do, down to its bytes; the store is only read.

    Args:
        handle: The store.
        request: What to write.
        folder: Where the new values are kept meanwhile; the system's place by default.
        progress: Told how far it is.
        cancelled: Asked between steps; True stops with Cancelled.

    Raises:
        StoreError: The store cannot be written to, which is found out first.
        InputError: The values do not fit; the sentence says what does not.
        Cancelled: It was given up.
    """
    check_writable(handle)
    check_name(request.name, "attribute name")

    def check() -> None:
        if cancelled():
            raise Cancelled("the dry run was given up")

    place = Path(tempfile.mkdtemp(prefix="zv-edit-", dir=folder))
    with _removed_on_error(place), Scratch(folder) as scratch:
        rows = Rows(handle, request.level, request.scope)
        above = _levels_above(handle, request)
        if request.name == rows.reader.arrays.lead_name and rows.scope != "object":
            raise InputError(f"level {request.level} is chunked by {request.name!r}: it stays")
        progress(0.0, "reading values")
        column = request.source.open(rows, scratch, check)
        kind = as_stored(column.kind, request.dtype)
        provenance = _provenance(request, kind, carried=bool(above))
        spec = spec_of(request.name, kind, request.unit, request.description)
        conflicts, notes = _conflicts(handle, request, rows, kind, above)
        rehearsal = Rehearsal(handle.backend, Pack(place / "new"))
        writing = open_handle(rehearsal, "r+")
        count = max(rows.count, 1)

        def told(done: int) -> None:
            check()
            progress(0.7 * done / count, f"{done:,} of {rows.count:,} values")

        summary = put_column(writing, rows, spec, column, {PROVENANCE: provenance}, told)
        chunks = {request.level: len(rows.chunks)} if rows.scope != "object" else {}
        without: dict[int, int] = {}
        if above:
            without = _carry(rehearsal, request, progress, cancelled)
            if rows.scope != "object":
                tables = {n: Rows(handle, n, "vertex") for n in above}
                chunks |= {n: len(of.chunks) for n, of in tables.items()}
        check()
        progress(0.95, "comparing")
        changes = _changes(rehearsal)
        families = [f"{n}/{rows.family}/{request.name}" for n in (request.level, *above)]
        guards = [NODE, *(f"{number}/{NODE}" for number in handle.levels)]
        stored = handle.backend.get_many(guards)
        progress(1.0, "")
        return DryRun(
            request=request,
            url=handle.backend.url,
            kind=kind,
            summary=summary,
            changes=changes,
            chunks=chunks,
            conflicts=conflicts,
            notes=(*column.notes, *notes, *_lost(without)),
            guards={key: digest(stored.get(key)) for key in guards},
            fresh=tuple(path for path in families if _is_new(path, changes)),
            pack=rehearsal.pack,
            provenance=provenance,
            _folder=place,
        )


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


def usual_aggregation(kind: Kind) -> str:
    """How coarser levels get values where nobody says."""
    return "mode" if kind.categories is not None or kind.dtype.kind == "b" else "mean"


@contextmanager
def _removed_on_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:  # raised again
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _levels_above(handle: StoreHandle, request: Request) -> list[int]:
    if not request.carry or request.scope == "face":
        return []
    try:
        return levels_above(handle, request.level)
    except CoarseningError as error:
        raise InputError(f"{error}; or write to level {request.level} alone") from None


def _provenance(request: Request, kind: Kind, *, carried: bool) -> dict[str, Any]:
    found = dict(request.source.provenance())
    if carried and request.scope != "object":
        found["aggregation"] = request.aggregation or usual_aggregation(kind)
    found["time"] = datetime.now(UTC).isoformat(timespec="seconds")
    found["program"] = f"zv-viewer {version('zv-viewer')}"
    return found


def _conflicts(
    handle: StoreHandle, request: Request, rows: Rows, kind: Kind, above: list[int]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Why it is refused as asked, and what is worth knowing."""
    taken, notes = [], []
    scope: Scope = "vertex" if request.scope == "node" else request.scope
    levels = [request.level, *above]
    known = {request.level: rows.spec(request.name)}
    for number in handle.levels:
        if number != request.level and scope != "face":
            with suppress(InputError):  # no objects there
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
    if request.scope == "face" and request.carry and len(handle.levels) > 1:
        notes.append("attributes of faces are not carried to coarser levels")
    if request.replace:
        return (), (*(f"{one}: it is replaced" for one in taken), *notes)
    return tuple(taken), tuple(notes)


def _carry(
    rehearsal: Rehearsal,
    request: Request,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> dict[int, int]:
    """Give it to the levels above; how many of their rows have no value."""

    def told(done: int, steps: int, text: str) -> None:
        progress(0.7 + 0.25 * done / max(steps, 1), text)

    try:
        found = propagate_attribute(
            rehearsal,
            request.name,
            scope="object" if request.scope == "object" else "vertex",
            level=request.level,
            aggregation=None if request.scope == "object" else request.aggregation,
            progress=told,
            cancelled=cancelled,
        )
    except CoarseningError as error:
        if cancelled():
            raise Cancelled("the dry run was given up") from None
        raise InputError(f"{error}; or write to level {request.level} alone") from None
    without: dict[int, int] = found["without_value"]
    return without


def _lost(without: dict[int, int]) -> tuple[str, ...]:
    return tuple(
        f"{count:,} vertices of level {level} stand for none of the level below: they get no value"
        for level, count in without.items()
        if count
    )


def _changes(rehearsal: Rehearsal) -> tuple[Change, ...]:
    found = []
    for keys in batches(sorted(rehearsal.written)):
        before = rehearsal.place.get_many(keys)
        after = rehearsal.get_many(keys)
        for key in keys:
            old, new = before.get(key), after.get(key)
            if old == new:
                continue
            at = rehearsal.written[key]
            is_new = None if new is None or at is None else Stored(len(new), digest(new), at[0])
            was = None if old is None else Stored(len(old), digest(old))
            found.append(Change(key, was, is_new))
    return tuple(found)


def _is_new(path: str, changes: tuple[Change, ...]) -> bool:
    return not any(change.old for change in changes if change.key.startswith(f"{path}/"))
