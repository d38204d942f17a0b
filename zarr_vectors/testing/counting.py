"""A place that counts what it is asked, and how often somebody waits for an answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from zarr_vectors.core.backends.requests import jobs_of
from zarr_vectors.core.backends.requests.ranges import GAP
from zarr_vectors.testing.places import DictPlace


class CountingPlace(DictPlace):
    """A copy of a place, read-only, that counts as a bucket would be asked.

    A batch is one round trip, whatever is in it; near ranges of one key are one request.

    Args:
        place: What is there.

    Attributes:
        asked: Keys of values and ranges in the order they were asked for.
        listed: Prefixes that were listed.
        round_trips: Batches and listings.
    """

    read_only = True

    def __init__(self, place: DictPlace) -> None:
        super().__init__(place.items)
        self.asked: list[str] = []
        self.listed: list[str] = []
        self.round_trips = 0

    @property
    def requests(self) -> int:
        """Requests of every kind."""
        return len(self.asked) + len(self.listed)

    def reset(self) -> None:
        """Count anew."""
        self.asked.clear()
        self.listed.clear()
        self.round_trips = 0

    def get_many(self, keys: Iterable[str]) -> dict[str, bytes]:
        """Whole values of the keys that exist."""
        wanted = list(dict.fromkeys(keys))
        self._count(wanted)
        return super().get_many(wanted)

    def get_ranges(self, ranges: Sequence[tuple[str, int, int]]) -> list[bytes | None]:
        """One answer per ``(key, start, length)``."""
        self._count([key for key, _, _ in jobs_of(ranges, GAP)[0]])
        return super().get_ranges(ranges)

    def list_dir(self, prefix: str) -> list[str]:
        """Sorted child names directly below ``prefix/``."""
        self.listed.append(prefix)
        self.round_trips += 1
        return super().list_dir(prefix)

    def _count(self, keys: list[str]) -> None:
        self.asked += keys
        self.round_trips += bool(keys)
