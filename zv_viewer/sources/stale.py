"""Coarse levels that no longer describe the finest, in words."""

from __future__ import annotations

from zarr_vectors.lazy import ZVStore


def stale_levels(store: ZVStore) -> dict[int, str]:
    """Why a level no longer describes the one it was made from: level number -> reason."""
    found = ((number, store[number].stale) for number in store.levels)
    return {number: reason for number, reason in found if reason is not None}


def stale_warnings(stale: dict[int, str]) -> list[str]:
    """A sentence for each reason, naming the levels it holds for."""
    return by_reason(stale, "out of date")


def by_reason(reasons: dict[int, str], verdict: str) -> list[str]:
    """As in ``level 1 is out of date: why; build the pyramid again``, a sentence each reason."""
    levels: dict[str, list[int]] = {}
    for number, reason in reasons.items():
        levels.setdefault(reason, []).append(number)
    return [
        f"{_named(numbers)} {verdict}: {reason}; build the pyramid again"
        for reason, numbers in levels.items()
    ]


def _named(numbers: list[int]) -> str:
    if len(numbers) == 1:
        return f"level {numbers[0]} is"
    return f"levels {', '.join(map(str, numbers[:-1]))} and {numbers[-1]} are"
