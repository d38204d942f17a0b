"""Every chunk of a level, read once, a few at a time; a blob that cannot be read is a finding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from zarr_vectors.core.layouts.base import ReadsCells
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import ChunkCoords
from zarr_vectors.validate.result import Report
from zarr_vectors.validate.survey import LevelSurvey

BATCH_BYTES = 16 * 2**20
"""About what is held at once."""
_MOST_CHUNKS = 256

Blobs = Mapping[str, bytes]
"""Array of the level -> the chunk's blob; arrays whose blob is absent or damaged are left out."""


def walk(
    cells: ReadsCells, level: LevelSurvey, report: Report
) -> Iterator[tuple[ChunkCoords, Blobs, frozenset[str]]]:
    """Blobs of every chunk, ascending, and the arrays whose blob cannot be read."""
    keys = sorted(set().union(*level.cells.values())) if level.cells else []
    for start, stop in _batches(level, len(keys)):
        batch = keys[start:stop]
        request = {
            level.at(name): [key for key in batch if key in there]
            for name, there in level.cells.items()
        }
        found, damaged = _fetch(cells, request, report)
        for key in batch:
            blobs = {
                name: found[level.at(name)][key]
                for name in level.cells
                if key in found[level.at(name)]
            }
            bad = {name for name in level.cells if (level.at(name), key) in damaged}
            yield key, blobs, frozenset(bad)


def _fetch(
    cells: ReadsCells, request: Mapping[str, list[ChunkCoords]], report: Report
) -> tuple[dict[str, dict[ChunkCoords, bytes]], set[tuple[str, ChunkCoords]]]:
    damaged: set[tuple[str, ChunkCoords]] = set()
    try:
        return dict(cells.get_cells(request)), damaged
    except ArrayError:
        pass  # one of them is damaged: each by itself tells which
    found: dict[str, dict[ChunkCoords, bytes]] = {path: {} for path in request}
    for path, keys in request.items():
        for key in keys:
            try:
                found[path].update(cells.get_cells({path: [key]})[path])
            except ArrayError as error:
                damaged.add((path, key))
                report.error(str(error), error.array or path, error.chunk or key)
    return found, damaged


def _batches(level: LevelSurvey, count: int) -> Iterator[tuple[int, int]]:
    width = sum(spec.row_bytes for spec in level.specs.values()) + 64
    total = 0 if level.document is None else level.document.meta.vertex_count
    each = width * total // max(count, 1) + 1
    step = max(1, min(_MOST_CHUNKS, BATCH_BYTES // each))
    return ((start, min(start + step, count)) for start in range(0, count, step))
