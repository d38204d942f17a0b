"""Edits as they are kept in folders: what was done, and the bytes of before and afterwards."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zv_viewer.edits.changes import Change, Stored
from zv_viewer.edits.rehearsal import Pack
from zv_viewer.errors import InputError

DESCRIPTION = "edit.json"
LARGEST = 256 * 2**20
"""Bytes of a description."""


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


def describe(edit: Edit) -> None:
    """Write down what an edit is.

    Raises:
        InputError: It changes more keys than can be kept.
    """
    found = {
        "version": 1,
        "url": edit.url,
        "words": edit.words,
        "time": edit.time,
        "changes": [asdict(change) for change in edit.changes],
    }
    text = json.dumps(found)
    if len(text) > LARGEST:
        raise InputError(
            f"{edit.words}: {len(edit.changes):,} keys are more than can be kept for undo"
        )
    begun = edit.folder / f"{DESCRIPTION}.begun"
    begun.write_text(text, encoding="utf-8")
    begun.replace(edit.folder / DESCRIPTION)


def read_edit(folder: Path) -> Edit | None:
    """An edit as described; None where nothing is: writing it was never begun, or begins.

    Raises:
        InputError: The description cannot be read, or the bytes it tells of are not there.
    """
    file = folder / DESCRIPTION
    if not file.exists():
        return None
    try:
        if file.stat().st_size > LARGEST:
            raise InputError(f"{file} is larger than any that was written")
        found = json.loads(file.read_text(encoding="utf-8"))
        changes = tuple(
            Change(str(one["key"]), _stored(one["old"]), _stored(one["new"]))
            for one in found["changes"]
        )
        url, words, time = (str(found[key]) for key in ("url", "words", "time"))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise InputError(f"{file} cannot be read") from None
    lost = next((name for name in ("old", "new") if not (folder / name).is_file()), None)
    if lost is not None or not changes:
        raise InputError(f"{folder / lost if lost else file} is missing what was saved")
    return Edit(folder, url, words, time, changes)


def _stored(found: Any) -> Stored | None:  # noqa: ANN401  JSON
    if found is None:
        return None
    return Stored(int(found["length"]), str(found["digest"]), int(found["start"]))
