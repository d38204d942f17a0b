"""Reading a store in which a writer is at work, or was when it was killed: as it was before."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zarr_vectors.core.backends import IOStats, StorageBackend
from zarr_vectors.core.journal.records import FOLDER, HEAD, Record, Segment, is_below, read_segments
from zarr_vectors.exceptions import StoreError

if TYPE_CHECKING:
    from zarr.abc.store import Store

Buffer = bytes | bytearray | memoryview


class ReadThrough:
    """A store as it was before the transaction under way; never writes.

    Every answer is checked against what the writer has saved by then, so that a writer at work is
    not seen either.

    Args:
        place: The backend underneath.
        record: The transaction, as its head says.

    Raises:
        StoreError: The journal is damaged, or the transaction ended meanwhile.
    """

    def __init__(self, place: StorageBackend, record: Record) -> None:
        self.place = place
        self.record = record
        self.name = place.name
        self.url = place.url
        self.read_only = True
        self.any_key = True
        self.local_path: Path | None = place.local_path
        self.stats: IOStats = place.stats
        self._old: dict[str, bytes | None] = {}
        self._fresh: list[str] = list(record.removed if record.committed else record.fresh)
        self._segments = 0
        self._lock = threading.Lock()
        self._catch_up()

    def __repr__(self) -> str:
        return f"ReadThrough({self.place!r}, {self.record.operation!r})"

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Whole values of the keys that existed."""
        wanted = list(dict.fromkeys(keys))
        ask = [key for key in wanted if key not in self._old and not is_below(key, self._fresh)]
        found = self.place.get_many(ask) if ask else {}
        self._catch_up()
        answers = {}
        for key in wanted:
            data = self._then(key, found.get(key))
            if data is not None:
                answers[key] = data
        return answers

    def get_ranges(self, ranges: Sequence[tuple[str, int, int]]) -> list[bytes | None]:
        """One answer per ``(key, start, length)``; None where there was no such key."""
        found = self.place.get_ranges(ranges) if ranges else []
        self._catch_up()
        answers: list[bytes | None] = []
        for (key, start, length), now in zip(ranges, found, strict=True):
            if key in self._old or is_below(key, self._fresh):
                old = self._old.get(key)
                first = start if start >= 0 else max(len(old or b"") + start, 0)
                answers.append(None if old is None else old[first : first + length])
            else:
                answers.append(now)
        return answers

    def list_dir(self, prefix: str) -> list[str]:
        """Sorted child names there were directly below ``prefix/``."""
        names = [name for name in self.place.list_dir(prefix) if prefix or name != FOLDER]
        self._catch_up()
        below = f"{prefix}/" if prefix else ""
        kept = {name for name in names if self._was_there(f"{below}{name}")}
        saved = (key for key, data in self._old.items() if data is not None)
        old = {key[len(below) :].partition("/")[0] for key in saved if key.startswith(below)}
        return sorted(kept | old)

    def keys_below(self, prefix: str) -> list[str]:
        """Sorted keys there were below ``prefix/``."""
        found = self.place.keys_below(prefix)
        self._catch_up()
        below = f"{prefix}/" if prefix else ""
        kept = {k for k in found if k not in self._old and not is_below(k, self._fresh)}
        kept = {key for key in kept if not key.startswith(f"{FOLDER}/")}
        old = {k for k, data in self._old.items() if data is not None and k.startswith(below)}
        return sorted(kept | old)

    def put_many(self, items: Mapping[str, Buffer]) -> None:
        """Refused."""
        raise self._refusal()

    def put_new(self, key: str, data: bytes) -> bool:
        """Refused."""
        raise self._refusal()

    def delete_many(self, keys: Iterable[str]) -> None:
        """Refused."""
        raise self._refusal()

    def delete_prefix(self, prefix: str) -> None:
        """Refused."""
        raise self._refusal()

    def sync(self) -> None:
        """Nothing: nothing is written."""

    def sweep(self, keys: Iterable[str]) -> None:
        """Refused."""
        raise self._refusal()

    def zarr_store(self) -> Store:
        """The place underneath as a zarr Store, with what the writer has written so far."""
        return self.place.zarr_store()

    def _then(self, key: str, now: bytes | None) -> bytes | None:
        if key in self._old:
            return self._old[key]
        return None if is_below(key, self._fresh) else now

    def _was_there(self, path: str) -> bool:
        """Whether a listed child held anything before."""
        below = f"{path}/"
        if is_below(below, self._fresh) or is_below(path, self._fresh):
            return False
        if path in self._old:
            return self._old[path] is not None
        touched = any(key.startswith(below) for key, data in self._old.items() if data is None)
        touched = touched or any(prefix.startswith(below) for prefix in self._fresh)
        if not touched:
            return True
        known = self.place.keys_below(path)
        return any(k not in self._old and not is_below(k, self._fresh) for k in known)

    def _catch_up(self) -> None:
        """Take over what the writer has saved since; see that its transaction goes on."""
        if self.record.committed:  # what it removes is hidden, all else is as it stays
            return
        with self._lock:
            while True:
                parts = read_segments(self.place, self.record, self._segments)
                for part in parts:
                    self._take(part)
                if not parts:
                    break
            data = self.place.get_many([HEAD]).get(HEAD)
            now = None if data is None else Record.parse(data)
            if now is None or now.id not in ("", self.record.id) or now.committed:
                raise StoreError(
                    f"{self.url} was changed while it was read ({self.record.operation} ended): "
                    "open it again"
                )

    def _take(self, part: Segment) -> None:
        for key, data in part.old.items():
            self._old.setdefault(key, data)
        self._fresh += [prefix for prefix in part.fresh if prefix not in self._fresh]
        self._segments += 1

    def _refusal(self) -> StoreError:
        return StoreError(f"{self.url} was opened for reading while {self.record.operation}")
