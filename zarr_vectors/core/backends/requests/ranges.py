"""Ranges of one value that are fetched together: near ones cost less in one request than in two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

LEAST_GAP = 8 * 1024
MOST_GAP = 4 * 2**20
GAP = 256 * 1024
"""Gap while nothing has been measured."""
MOST_BYTES = 8 * 2**20
"""A joined range ends here, so that parts of a large one come at the same time."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One request: bytes from ``start`` to ``stop``, and the numbers of the ranges within."""

    start: int
    stop: int
    members: tuple[int, ...]


def gap_for(latency_s: float | None, bytes_per_s: float | None) -> int:
    """Bytes between two ranges that cost no more than another request does.

    Args:
        latency_s: Seconds a request takes; None where not measured.
        bytes_per_s: What the line carries.
    """
    if latency_s is None or bytes_per_s is None:
        return GAP
    return int(min(max(latency_s * bytes_per_s, LEAST_GAP), MOST_GAP))


def join(ranges: Sequence[tuple[int, int]], gap: int, most: int = MOST_BYTES) -> list[Piece]:
    """Requests that bring all ranges of one value.

    Args:
        ranges: ``(start, length)``; start not negative, any order, overlaps allowed.
        gap: Ranges with no more bytes than this between them are joined.
        most: A joined range is no longer than this, unless one range alone is.
    """
    pieces: list[Piece] = []
    members: list[int] = []
    start = stop = 0
    for number in sorted(range(len(ranges)), key=ranges.__getitem__):
        begin, length = ranges[number]
        end = begin + length
        inside = end <= stop
        if members and (inside or (begin - stop <= gap and end - start <= most)):
            stop = max(stop, end)
            members.append(number)
            continue
        if members:
            pieces.append(Piece(start, stop, tuple(members)))
        start, stop, members = begin, end, [number]
    if members:
        pieces.append(Piece(start, stop, tuple(members)))
    return pieces


def jobs_of(
    ranges: Sequence[tuple[str, int, int]], gap: int
) -> tuple[dict[tuple[str, int, int], tuple[int, ...]], int]:
    """Requests that bring all ranges, with the numbers of those in each, and bytes of no use.

    A request is ``(key, start, stop)``; one from the end is ``(key, -size, 0)``.
    """
    by_key: dict[str, list[int]] = {}
    jobs: dict[tuple[str, int, int], tuple[int, ...]] = {}
    for number, (key, start, _) in enumerate(ranges):
        if start < 0:
            job = (key, start, 0)
            jobs[job] = (*jobs.get(job, ()), number)
        else:
            by_key.setdefault(key, []).append(number)
    wasted = 0
    for key, numbers in by_key.items():
        spans = [(ranges[number][1], ranges[number][2]) for number in numbers]
        pieces = join(spans, gap)
        for piece in pieces:
            jobs[key, piece.start, piece.stop] = tuple(numbers[n] for n in piece.members)
        wanted = sum(piece.stop - piece.start for piece in join(spans, 0))
        wasted += sum(piece.stop - piece.start for piece in pieces) - wanted
    return jobs, wasted
