"""What writing an attribute would do, worked out whole before anything is written."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zarr_vectors.constants import NODE
from zarr_vectors.core.handle import StoreHandle, open_handle
from zarr_vectors.core.paths import check_name
from zarr_vectors.exceptions import Cancelled, CoarseningError
from zarr_vectors.multiresolution.propagating import propagate_attribute
from zarr_vectors.multiresolution.scratch import Scratch
from zv_viewer.edits.changes import Change, changes_of, is_new
from zv_viewer.edits.columns import Kind
from zv_viewer.edits.refusals import check_writable, conflicts, levels_to_carry
from zv_viewer.edits.rehearsal import Pack, Rehearsal, digest
from zv_viewer.edits.request import PROVENANCE, Progress, Request, provenance
from zv_viewer.edits.scopes import Rows, Scope
from zv_viewer.edits.staging import Summary, as_stored, put_column, spec_of
from zv_viewer.errors import InputError


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
        above = levels_to_carry(handle, request)
        if request.name == rows.reader.arrays.lead_name and rows.scope != "object":
            raise InputError(f"level {request.level} is chunked by {request.name!r}: it stays")
        progress(0.0, "reading values")
        column = request.source.open(rows, scratch, check)
        kind = as_stored(column.kind, request.dtype)
        rows.make_room(math.prod(kind.row_shape))
        told_of_it = provenance(request, kind, carried=bool(above))
        spec = spec_of(request.name, kind, request.unit, request.description)
        against, notes = conflicts(handle, request, rows, kind, above)
        rehearsal = Rehearsal(handle.backend, Pack(place / "new"))
        writing = open_handle(rehearsal, "r+")
        count = max(rows.count, 1)

        def told(done: int) -> None:
            check()
            progress(0.7 * done / count, f"{done:,} of {rows.count:,} values")

        summary = put_column(writing, rows, spec, column, {PROVENANCE: told_of_it}, told)
        chunks = {request.level: len(rows.chunks)} if rows.scope != "object" else {}
        carried: tuple[str, ...] = ()
        if above:
            carried = _carry(rehearsal, request, progress, cancelled)
            if rows.scope != "object":
                chunks |= {number: _chunks(handle, number, rows.scope) for number in above}
        check()
        progress(0.95, "comparing")
        changes = changes_of(rehearsal)
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
            conflicts=against,
            notes=(*column.notes, *notes, *carried),
            guards={key: digest(stored.get(key)) for key in guards},
            fresh=tuple(path for path in families if is_new(path, changes)),
            pack=rehearsal.pack,
            provenance=told_of_it,
            _folder=place,
        )


@contextmanager
def _removed_on_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:  # raised again
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _carry(
    rehearsal: Rehearsal,
    request: Request,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> tuple[str, ...]:
    """Give it to the levels above; what is worth knowing of their rows."""

    def told(done: int, steps: int, text: str) -> None:
        progress(0.7 + 0.25 * done / max(steps, 1), text)

    scope = "vertex" if request.scope == "node" else request.scope
    try:
        found = propagate_attribute(
            rehearsal,
            request.name,
            scope=scope,
            level=request.level,
            aggregation=None if scope == "object" else request.aggregation,
            progress=told,
            cancelled=cancelled,
        )
    except CoarseningError as error:
        if cancelled():
            raise Cancelled("the dry run was given up") from None
        raise InputError(f"{error}; or write to level {request.level} alone") from None
    words = (
        "faces of level {} have no face" if scope == "face" else "vertices of level {} have none"
    )
    lost = [
        f"{count:,} {words.format(level)} of the level below behind them: they get no value"
        for level, count in found["without_value"].items()
        if count
    ]
    around = [
        f"{count:,} faces of level {level} are made of faces without a value: they get that of the "
        "faces around"
        for level, count in found["from_around"].items()
        if count
    ]
    return (*lost, *around)


def _chunks(handle: StoreHandle, level: int, scope: Scope) -> int:
    """Chunks of a level that hold rows of a scope."""
    try:
        return len(Rows(handle, level, scope).chunks)
    except InputError:  # there are none
        return 0
