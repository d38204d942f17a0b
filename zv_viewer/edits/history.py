"""Writes that can be undone: old and new bytes of every key, kept outside the store.

An edit is a folder with its description, the old values and the new ones. Whether it is in force is
told by the store itself, so that nothing can be out of step after a kill.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from platformdirs import user_cache_path

from zarr_vectors.constants import NODE
from zarr_vectors.core.backends import StorageBackend
from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.exceptions import Cancelled, StoreError, ZVError
from zv_viewer.edits.dry_run import Change, DryRun, Progress, Stored
from zv_viewer.edits.rehearsal import Pack, batches, digest
from zv_viewer.errors import InputError

GIVEN_UP = "writing was given up: the store is as before"
KEPT = 8
"""Edits of a store that can be undone, the latest."""
_DESCRIPTION = "edit.json"
_LARGEST = 256 * 2**20

State = Literal["done", "undone", "changed"]


@dataclass(frozen=True, slots=True)
class Edit:
    """A write that was done, or undone.

    Attributes:
        folder: Where its bytes are.
        url: The store.
        words: What was done.
        time: When, in UTC.
        changes: The keys; values begin in the packs ``old`` and ``new`` where they say.
    """

    folder: Path
    url: str
    words: str
    time: str
    changes: tuple[Change, ...]

    @property
    def old(self) -> Pack:
        """Values from before."""
        return Pack(self.folder / "old")

    @property
    def new(self) -> Pack:
        """Values from afterwards."""
        return Pack(self.folder / "new")


class History:
    """Edits of stores, by the address of each.

    Args:
        folder: Where they are kept; the user's cache by default. Only this user can read it.
    """

    def __init__(self, folder: Path | None = None) -> None:
        base = Path(os.environ.get("ZV_VIEWER_CACHE") or user_cache_path("zv-viewer"))
        self.folder = base / "edits" if folder is None else folder

    @classmethod
    def for_now(cls) -> History:
        """One that ends with the program: for stores that do, too."""
        return cls(Path(tempfile.mkdtemp(prefix="zv-edits-")))

    def edits(self, url: str) -> list[Edit]:
        """Edits of a store, the latest last; those that cannot be read are passed over."""
        folder = self._of(url)
        names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        found = (_read(folder / name) for name in names)
        return [edit for edit in found if edit is not None and edit.url == url]

    def state(self, edit: Edit, backend: StorageBackend) -> State:
        """Whether an edit is in force, told by the document every write ends with."""
        change = next((c for c in edit.changes if c.key == NODE), edit.changes[0])
        now = digest(backend.get_many([change.key]).get(change.key))
        if now == _digest(change.new):
            return "done"
        return "undone" if now == _digest(change.old) else "changed"

    def can_undo(self, handle: StoreHandle) -> Edit | None:
        """The edit in force, if the store is as it left it."""
        found = reversed(self.edits(handle.backend.url))
        return next((edit for edit in found if self.state(edit, handle.backend) == "done"), None)

    def can_redo(self, handle: StoreHandle) -> Edit | None:
        """The edit undone last, if the store is as that left it."""
        found = self.edits(handle.backend.url)
        return next((edit for edit in found if self.state(edit, handle.backend) == "undone"), None)

    def write(
        self,
        handle: StoreHandle,
        dry: DryRun,
        *,
        progress: Progress = lambda share, text: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Edit:
        """Write what was rehearsed: all of it, or after a failure, cancel or kill none.

        Args:
            handle: The store that was rehearsed on.
            dry: What to write.
            progress: Told how far it is.
            cancelled: Asked between steps; True stops with Cancelled.

        Raises:
            InputError: The dry run found conflicts.
            StoreError: The store was changed since, or cannot be written to.
            Cancelled: It was given up.
        """
        if dry.conflicts:
            raise InputError(f"{'; '.join(dry.conflicts)}: choose to replace, or another name")
        edit = self._begun(dry)
        try:
            with handle.for_writing().transaction(dry.operation, dry.fresh) as writing:
                place = writing.backend
                _check_guards(place, dry.guards)
                saved = _save(place, dry, edit.old)
                edit = Edit(edit.folder, edit.url, edit.words, edit.time, saved)
                _describe(edit)
                _put(place, saved, edit.new, progress, cancelled)
        except (ZVError, InputError):
            if not self._may_be_done(edit, handle.backend):
                shutil.rmtree(edit.folder, ignore_errors=True)
            raise
        handle.layout.forget()
        self._prune(dry.url)
        return edit

    def undo(
        self,
        handle: StoreHandle,
        edit: Edit,
        *,
        progress: Progress = lambda share, text: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Put the bytes from before an edit back.

        Raises:
            StoreError: The store was changed since, the saved bytes are damaged, or it cannot be
                written to.
            Cancelled: It was given up.
        """
        back = tuple(Change(c.key, c.new, c.old) for c in edit.changes)
        _exchange(handle, f"undo: {edit.words}", back, edit.old, progress, cancelled)

    def redo(
        self,
        handle: StoreHandle,
        edit: Edit,
        *,
        progress: Progress = lambda share, text: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Put the bytes of an edit that was undone back; errors as of :meth:`undo`."""
        _exchange(handle, f"redo: {edit.words}", edit.changes, edit.new, progress, cancelled)

    def _of(self, url: str) -> Path:
        return self.folder / hashlib.sha256(url.encode()).hexdigest()[:24]

    def _begun(self, dry: DryRun) -> Edit:
        now = datetime.now(UTC)
        folder = self._of(dry.url) / f"{now:%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:8]}"
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, parents=True)
        shutil.copyfile(dry.pack.path, folder / "new")
        time = now.isoformat(timespec="seconds")
        return Edit(folder, dry.url, dry.operation, time, dry.changes)

    def _may_be_done(self, edit: Edit, backend: StorageBackend) -> bool:
        """Whether a write that failed may have been committed all the same."""
        try:
            return self.state(edit, backend) == "done"
        except StoreError:
            return True

    def _prune(self, url: str) -> None:
        for edit in self.edits(url)[:-KEPT]:
            shutil.rmtree(edit.folder, ignore_errors=True)


def _check_guards(place: StorageBackend, guards: Mapping[str, str]) -> None:
    now = place.get_many(guards)
    for key, known in guards.items():
        if digest(now.get(key)) != known:
            raise StoreError(
                f"{place.url} was changed since the dry run ({key} is another): run it again"
            )


def _save(place: StorageBackend, dry: DryRun, pack: Pack) -> tuple[Change, ...]:
    """Keep what is there now, which must be what the dry run saw."""
    saved = []
    known = {change.key: change for change in dry.changes}
    for keys in batches(known):
        now = place.get_many(keys)
        for key in keys:
            change = known[key]
            if digest(now.get(key)) != _digest(change.old):
                raise StoreError(
                    f"{place.url} was changed since the dry run ({key} is another): run it again"
                )
            old = change.old
            if old is not None:
                ((start, _),) = pack.add([now[key]])
                old = Stored(old.length, old.digest, start)
            saved.append(Change(key, old, change.new))
    return tuple(saved)


def _exchange(
    handle: StoreHandle,
    operation: str,
    changes: tuple[Change, ...],
    pack: Pack,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> None:
    with handle.for_writing().transaction(operation) as writing:
        place = writing.backend
        known = {change.key: change for change in changes}
        for keys in batches(known):
            now = place.get_many(keys)
            other = next((k for k in keys if digest(now.get(k)) != _digest(known[k].old)), None)
            if other is not None:
                raise StoreError(
                    f"{place.url} was changed since ({other} is another), so that nothing is put "
                    f"back: {operation}"
                )
        _put(place, changes, pack, progress, cancelled)
    handle.layout.forget()


def _put(
    place: StorageBackend,
    changes: tuple[Change, ...],
    pack: Pack,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> None:
    """Put the new value of every key, or remove it."""
    known = {change.key: change for change in changes}
    whole = sum(c.new.length for c in changes if c.new is not None)
    done = 0
    for group in _in_order(change.key for change in changes if change.new is not None):
        for keys in batches(group):
            if cancelled():
                raise Cancelled(GIVEN_UP)
            items = dict(_values(pack, ((key, known[key].new) for key in keys)))
            place.put_many(items)
            done += sum(map(len, items.values()))
            progress(done / max(whole, 1), f"{done:,} of {whole:,} bytes")
    gone = [change.key for change in changes if change.new is None]
    for group in reversed(_in_order(gone)):
        if cancelled():
            raise Cancelled(GIVEN_UP)
        place.delete_many(group)
        place.sweep(group)
    if cancelled():
        raise Cancelled(GIVEN_UP)


def _in_order(keys: Iterable[str]) -> list[list[str]]:
    """Keys in groups: documents of arrays, the outer ones first; data; levels and the root.

    Some places know no data of an array that they have no document of.
    """
    groups: dict[tuple[int, int], list[str]] = {}
    for key in keys:
        depth = key.count("/")
        outer = (0, depth) if depth > 1 else (2, -depth)
        rank = outer if key.endswith(NODE) else (1, 0)
        groups.setdefault(rank, []).append(key)
    return [groups[rank] for rank in sorted(groups)]


def _values(pack: Pack, wanted: Iterable[tuple[str, Stored | None]]) -> Iterable[tuple[str, bytes]]:
    places = {key: one for key, one in wanted if one is not None}
    found = pack.read([(one.start, one.length) for one in places.values()])
    for (key, one), data in zip(places.items(), found, strict=True):
        if digest(data) != one.digest:
            raise StoreError(f"the bytes saved of {key} are damaged: nothing is written")
        yield key, data


def _digest(one: Stored | None) -> str:
    return "" if one is None else one.digest


def _describe(edit: Edit) -> None:
    found = {
        "version": 1,
        "url": edit.url,
        "words": edit.words,
        "time": edit.time,
        "changes": [asdict(change) for change in edit.changes],
    }
    text = json.dumps(found)
    if len(text) > _LARGEST:
        raise InputError(
            f"{edit.words}: {len(edit.changes):,} keys are more than can be kept for undo"
        )
    (edit.folder / _DESCRIPTION).write_text(text, encoding="utf-8")


def _read(folder: Path) -> Edit | None:
    """An edit as described; None where it is not described, or not as it should be."""
    try:
        file = folder / _DESCRIPTION
        if file.stat().st_size > _LARGEST:
            return None
        found = json.loads(file.read_text(encoding="utf-8"))
        changes = tuple(
            Change(str(one["key"]), _stored(one["old"]), _stored(one["new"]))
            for one in found["changes"]
        )
        url, words, time = (str(found[key]) for key in ("url", "words", "time"))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Edit(folder, url, words, time, changes) if changes else None


def _stored(found: Any) -> Stored | None:  # noqa: ANN401  JSON
    if found is None:
        return None
    return Stored(int(found["length"]), str(found["digest"]), int(found["start"]))
