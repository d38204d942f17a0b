"""Measured errors kept in a store, where viewers look for them."""

from __future__ import annotations

from dataclasses import replace

from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import finish, open_handle
from zarr_vectors.core.metadata import LevelError
from zarr_vectors.core.metadata.tables import ERROR_METRIC, SHAPE_METRIC
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
    measured = {}
    for level in report.levels[1:]:
        known = opened.level(level.level).error
        of_shape = known is not None and known.metric == SHAPE_METRIC
        found = level.shape_to_level if of_shape else level.to_level
        if found is not None:
            measured[level.level] = LevelError(
                found.p50,
                found.p95,
                found.max,
                report.levels[0].level,
                max(total - found.of, 0),
                SHAPE_METRIC if of_shape else ERROR_METRIC,
            )
    if not measured:
        return []
    with opened.transaction("store measured errors") as writing:
        changed = writing
        for number, error in measured.items():
            document = replace(changed.level(number), error=error)
            changed = changed.with_level(document)
        finish(changed, *measured)
    return sorted(measured)
