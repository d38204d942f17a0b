"""Measured errors kept in a store, where viewers look for them."""

from __future__ import annotations

from dataclasses import replace

from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import finish, open_handle
from zarr_vectors.core.metadata import LevelError
from zv_viewer.qa.report import Report


def write_errors(place: StoreLike, report: Report) -> list[int]:
    """Record the errors of all levels that were measured, in one transaction.

    Args:
        place: The store.
        report: What was measured of it.

    Returns:
        The levels written to.

    Raises:
        StoreError: The store cannot be written to.
    """
    opened = open_handle(place, "r+")
    total = report.levels[0].vertices
    measured = {
        level.level: LevelError(
            level.to_level.p50,
            level.to_level.p95,
            level.to_level.max,
            report.levels[0].level,
            max(total - level.to_level.of, 0),
        )
        for level in report.levels[1:]
        if level.to_level is not None
    }
    if not measured:
        return []
    with opened.transaction("store measured errors") as writing:
        changed = writing
        for number, error in measured.items():
            document = replace(changed.level(number), error=error)
            changed = changed.with_level(document)
        finish(changed, *measured)
    return sorted(measured)
