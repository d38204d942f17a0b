"""Coarse levels that no longer describe the finest, in words."""

from __future__ import annotations

from zarr_vectors.lazy import ZVStore


def stale_levels(store: ZVStore) -> dict[int, str]:
    """Why a level no longer describes the one it was made from: level number -> reason."""
    found = ((number, store[number].stale) for number in store.levels)
    return {number: reason for number, reason in found if reason is not None}


def stale_warnings(stale: dict[int, str]) -> list[str]:
    """A sentence for each reason, naming the levels it holds for."""
    by_reason: dict[str, list[int]] = {}
    for number, reason in stale.items():
        by_reason.setdefault(reason, []).append(number)
    return [
        f"{levels_named(numbers)} out of date: {reason}; build the pyramid again"
        for reason, numbers in by_reason.items()
    ]


def levels_named(numbers: list[int]) -> str:
    """As in ``level 3 is`` and ``levels 1 and 2 are``."""
    if len(numbers) == 1:
        return f"level {numbers[0]} is"
    return f"levels {', '.join(map(str, numbers[:-1]))} and {numbers[-1]} are"
