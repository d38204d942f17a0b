"""A store looked at from end to end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from zarr_vectors.constants import OUTLINE_KEY
from zarr_vectors.exceptions import StoreError
from zarr_vectors.lazy import ZVStore
from zv_viewer.qa import fixes
from zv_viewer.qa.density import biased
from zv_viewer.qa.evidence import Evidence
from zv_viewer.qa.judge import findings
from zv_viewer.qa.judge_objects import survival
from zv_viewer.qa.report import SEVERITY, CellMeasures, Finding, LevelMeasures, Report, Where
from zv_viewer.qa.stream import Pace, Pass, Progress
from zv_viewer.qa.viewing import LevelFacts, viewing_findings
from zv_viewer.sources.drawable import drawn_as, link_width

_ORDER = ("error", "warning", "info")


def inspect_store(
    store: ZVStore,
    *,
    progress: Progress = lambda done, total, text: None,
    cancelled: Callable[[], bool] = lambda: False,
    pace: Pace | None = None,
) -> Report:
    """Measure the pyramid of a store, and judge it.

    Level 0 is read once, tile after tile, and every other level with it. Holes, duplicates, counts,
    survival and damage are exact; distances are sampled.

    Args:
        store: The store.
        progress: Called with (steps done, steps in all, text).
        cancelled: Asked between steps; True stops, and the report says that it is not complete.
        pace: How many vertices are held and sampled.

    Raises:
        StoreError: The store has no level, or its finest cannot be read at all.
        StoreUnreachable: The place does not answer.
    """
    begun = time.monotonic()
    if not store.levels:
        raise StoreError(f"{store.url} has no levels")
    geometry = drawn_as(store.geometry_types)
    work = Pass(
        store,
        linked=link_width(geometry) > 0,
        pace=pace or Pace(),
        progress=progress,
        cancelled=cancelled,
    )
    levels = work.run()
    address = _address(store)
    found = findings(levels, address, geometry)
    found += _unread(work, address)
    indexed = OUTLINE_KEY in store.level_group(store.levels[0]).layout.get_attrs([""]).get("", {})
    found += viewing_findings([_facts(store, level) for level in levels], address, indexed=indexed)
    found = list({(f.kind, f.level, f.where, f.message): f for f in found}.values())
    found.sort(key=lambda finding: (_ORDER.index(SEVERITY[finding.kind]), finding.level))
    return Report(
        store=store.url,
        format_version=store.zv_version,
        geometry=geometry,
        levels=tuple(
            replace(_measures(level), picture=_picture(work, level.level)) for level in levels
        ),
        findings=tuple(found),
        complete=work.complete,
        seconds=round(time.monotonic() - begun, 3),
    )


def _picture(work: Pass, level: int) -> bytes | None:
    drawn = work.pictures.get(level)
    return None if drawn is None else drawn.png()


def _address(store: ZVStore) -> str:
    path = store.backend.local_path
    return store.url if path is None else str(path)


def _unread(work: Pass, address: str) -> list[Finding]:
    return [
        Finding("damaged_chunk", number, Where(), message, fixes.rebuild(address, number))
        for number, message in sorted(work.unreadable.items())
    ]


def _facts(store: ZVStore, level: Evidence) -> LevelFacts:
    own = store[level.level]
    return LevelFacts(
        level.level,
        level.vertices,
        own.chunk_count,
        level.chunk_shape,
        own.chunk_table.exact,
        own.error is not None,
        own.stale,
    )


def _measures(level: Evidence) -> LevelMeasures:
    cells, objects = level.cells, level.objects
    density = biased(cells, strict=level.strict)
    sums = {name: int(counts.sum()) for name, counts in cells.counts.items()}
    union = sums["common"] + sums["lost"] + sums["stray"]
    finest = level.to_level is None and level.objects is None and not union
    kept = None
    if objects is not None:
        kept = len(np.intersect1d(objects.here, objects.finest)) / max(len(objects.finest), 1)
    return LevelMeasures(
        level=level.level,
        vertices=level.vertices,
        bytes=level.bytes,
        to_level=level.to_level,
        to_finest=level.to_finest,
        shape_to_level=level.shape_to_level,
        shape_to_finest=level.shape_to_finest,
        occupancy_iou=None if finest or not union else sums["common"] / union,
        hole_rate=None if finest or not sums["expected"] else sums["lost"] / sums["expected"],
        density_bias=density.bias,
        objects_kept=kept,
        duplicates=sums["duplicates"],
        links_lost=None if level.lost_links is None else len(level.lost_links),
        degenerate_faces=None if level.degenerate is None else len(level.degenerate.positions),
        attributes=level.drift,
        survival=() if objects is None else survival(objects),
        cells=_cells(level, density.density),
    )


def _cells(level: Evidence, density: np.typing.NDArray[np.floating]) -> tuple[CellMeasures, ...]:
    cells = level.cells
    shape = np.asarray(level.chunk_shape)
    found = []
    for row, coords in enumerate(cells.coords):
        counts = {name: int(column[row]) for name, column in cells.counts.items()}
        union = counts["common"] + counts["lost"] + counts["stray"]
        found.append(
            CellMeasures(
                chunk=tuple(int(part) for part in coords),
                low=tuple((coords * shape).tolist()),
                high=tuple(((coords + 1) * shape).tolist()),
                vertices=counts["rows"],
                error_p50=_known(cells.error[row, 0]),
                error_p95=_known(cells.error[row, 1]),
                error_max=_known(cells.error[row, 2]),
                back_p95=_known(cells.back[row]),
                occupancy_iou=counts["common"] / union if union else None,
                holes=counts["lost"],
                duplicates=counts["duplicates"],
                density=_known(density[row]),
            )
        )
    return tuple(found)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
