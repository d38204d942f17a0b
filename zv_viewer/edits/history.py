"""Writes that can be undone: old and new bytes of every key, kept outside the store.

An edit is a folder with its description, the old values and the new ones. Whether it is in force is
told by the store itself, so that nothing can be out of step after a kill.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from platformdirs import user_cache_path

from zarr_vectors.constants import NODE
from zarr_vectors.core.backends import StorageBackend
from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.exceptions import StoreError, ZVError
from zv_viewer.edits.changes import Change, digest_of
from zv_viewer.edits.dry_run import DryRun
from zv_viewer.edits.exchanging import check_guards, exchange, put, save
from zv_viewer.edits.rehearsal import digest
from zv_viewer.edits.request import Progress
from zv_viewer.edits.saved import DESCRIPTION, Edit, describe, read_edit
from zv_viewer.errors import InputError

KEPT = 8
"""Edits of a store that can be undone, the latest."""
LEFT_FOR = timedelta(days=1)
"""After which a folder that no edit was described in is of a program that is gone."""

STAMP = "%Y%m%dT%H%M%S%f"
"""Begins the name of an edit's folder."""

State = Literal["done", "undone", "changed"]


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
        """Edits of a store, the latest last; of those that cannot be read, :meth:`unreadable`."""
        return self._kept(url)[0]

    def unreadable(self, url: str) -> list[str]:
        """Why edits kept of a store cannot be read, a sentence for each."""
        return self._kept(url)[1]

    def notices(self, handle: StoreHandle) -> list[str]:
        """What somebody who may want to undo an edit should know: sentences, mostly none."""
        url = handle.backend.url
        edits, lost = self._kept(url)
        notices = []
        if lost:
            what = "an edit" if len(lost) == 1 else f"{len(lost)} edits"
            notices.append(f"{what} kept of {url} can neither be undone nor redone: {lost[0]}")
        states = {self.state(edit, handle.backend) for edit in edits}
        if states == {"changed"}:
            notices.append(
                f"{url} was changed otherwise since the last edit kept of it ({edits[-1].words}, "
                f"{edits[-1].time}): that can neither be undone nor redone"
            )
        return notices

    def state(self, edit: Edit, backend: StorageBackend) -> State:
        """Whether an edit is in force, told by the document every write ends with."""
        change = next((c for c in edit.changes if c.key == NODE), edit.changes[0])
        now = digest(backend.get_many([change.key]).get(change.key))
        if now == digest_of(change.new):
            return "done"
        return "undone" if now == digest_of(change.old) else "changed"

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
                check_guards(place, dry.guards)
                saved = save(place, dry.changes, edit.old)
                edit = Edit(edit.folder, edit.url, edit.words, edit.time, saved)
                describe(edit)
                put(place, saved, edit.new, progress, cancelled)
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
            InputError: A later edit is in force: the latest is undone first.
            StoreError: The store was changed since, the saved bytes are damaged, or it cannot be
                written to.
            Cancelled: It was given up.
        """
        last = self.can_undo(handle)
        if last is not None and last.folder.name > edit.folder.name:
            raise InputError(
                f"edits are undone the latest first: {last.words}, of {last.time}, was done since"
            )
        back = tuple(Change(c.key, c.new, c.old) for c in edit.changes)
        exchange(handle, f"undo: {edit.words}", back, edit.old, progress, cancelled)

    def redo(
        self,
        handle: StoreHandle,
        edit: Edit,
        *,
        progress: Progress = lambda share, text: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Put the bytes of an edit that was undone back; errors as of :meth:`undo`."""
        exchange(handle, f"redo: {edit.words}", edit.changes, edit.new, progress, cancelled)

    def _kept(self, url: str) -> tuple[list[Edit], list[str]]:
        edits, lost = [], []
        for folder in self._folders(url):
            try:
                edit = read_edit(folder)
            except InputError as error:
                lost.append(str(error))
                continue
            if edit is not None and edit.url == url:
                edits.append(edit)
        return edits, lost

    def _folders(self, url: str) -> list[Path]:
        folder = self._of(url)
        return sorted(folder.iterdir()) if folder.is_dir() else []

    def _of(self, url: str) -> Path:
        return self.folder / hashlib.sha256(url.encode()).hexdigest()[:24]

    def _begun(self, dry: DryRun) -> Edit:
        now = datetime.now(UTC)
        folder = self._of(dry.url) / f"{now:{STAMP}}-{uuid.uuid4().hex[:8]}"
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
        """Remove edits beyond the latest, and what programs that were killed had begun."""
        for edit in self.edits(url)[:-KEPT]:
            shutil.rmtree(edit.folder, ignore_errors=True)
        latest = f"{datetime.now(UTC) - LEFT_FOR:{STAMP}}"
        for folder in self._folders(url):
            if folder.name < latest and not (folder / DESCRIPTION).exists():
                shutil.rmtree(folder, ignore_errors=True)
