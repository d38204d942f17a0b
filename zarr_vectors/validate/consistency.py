"""Level 3: arrays agree with one another, and what is recorded is what is stored."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from zarr_vectors.constants import (
    FACE_ATTRIBUTES,
    FRAGMENT_ATTRIBUTES,
    PARAMETRIC,
    VERTEX_ATTRIBUTES,
    VERTEX_FRAGMENTS,
    VERTICES,
)
from zarr_vectors.core.group import group_at
from zarr_vectors.core.paths import format_chunk
from zarr_vectors.core.store import read_parametric_types
from zarr_vectors.encoding import draco
from zarr_vectors.encoding.fragments import FragmentIndex, decode_fragments
from zarr_vectors.exceptions import ArrayError, DracoError
from zarr_vectors.typing import ChunkCoords, IntArray
from zarr_vectors.validate.chunks import Blobs, walk
from zarr_vectors.validate.links import check_links
from zarr_vectors.validate.objects import check_objects
from zarr_vectors.validate.result import Report
from zarr_vectors.validate.survey import LevelSurvey, Survey

OnChunk = Callable[[LevelSurvey, ChunkCoords, Blobs, FragmentIndex | None], None]


def check_consistency(survey: Survey, report: Report, on_chunk: OnChunk | None = None) -> None:
    """Read every array and compare counts.

    Args:
        survey: The store.
        report: Where findings go.
        on_chunk: Called with every chunk's blobs as well, so that they are read once.
    """
    for level in survey.levels.values():
        with report.check(f"the chunks of level {level.number} agree with one another"):
            damaged = _check_chunks(survey, level, report, on_chunk)
        with report.check(f"the counts recorded of level {level.number}"):
            _check_recorded(survey, level, damaged, report)
    for level in survey.levels.values():
        with report.check(f"objects and groups of level {level.number}"):
            check_objects(survey, level, report)
        with report.check(f"links of level {level.number}"):
            check_links(survey, level, report)
    with report.check("parametric objects"), report.catching(PARAMETRIC):
        _check_parametric(survey, report)


def _check_chunks(
    survey: Survey, level: LevelSurvey, report: Report, on_chunk: OnChunk | None
) -> bool:
    rank, any_damage = survey.rank(level), False
    for key, blobs, damaged in walk(survey.layout, level, report):
        any_damage |= bool(damaged)
        if len(key) != rank and survey.ndim:
            name = next(name for name, there in level.cells.items() if key in there)
            report.error(
                f"chunk {format_chunk(key)} of {level.at(name)} has {len(key)} components, "
                f"expected {rank}",
                level.at(name),
                key,
            )
            continue
        check = _Chunk(survey, level, report, key, blobs, damaged)
        index = check.run()
        any_damage |= check.failed
        if on_chunk is not None:
            on_chunk(level, key, blobs, index)
    return any_damage


class _Chunk:
    """One chunk's arrays compared with one another."""

    def __init__(
        self,
        survey: Survey,
        level: LevelSurvey,
        report: Report,
        key: ChunkCoords,
        blobs: Blobs,
        damaged: frozenset[str],
    ) -> None:
        self.survey, self.level, self.report = survey, level, report
        self.key, self.blobs, self.damaged = key, blobs, damaged
        self.failed = False

    def run(self) -> FragmentIndex | None:
        """Compare; the chunk's fragment table where it can be read."""
        index = self._fragments()
        rows = self._vertices()
        if rows is not None:
            self.level.counts[self.key] = rows
            self._check_fragments(index, rows)
            self._attributes(rows)
        if index is not None:
            self.level.fragments[self.key] = len(index)
            self._fragment_attributes(len(index))
        self._face_attributes()
        return index

    def _fragments(self) -> FragmentIndex | None:
        blob = self.blobs.get(VERTEX_FRAGMENTS)
        if blob is None:
            return None
        try:
            return decode_fragments(blob)
        except ArrayError as error:
            self._wrong(VERTEX_FRAGMENTS, str(error))
            return None

    def _declared(self, blob: bytes) -> int | None:
        try:
            return draco.declared(blob)[0]
        except DracoError as error:
            self._wrong(VERTICES, str(error))
            return None

    def _vertices(self) -> int | None:
        """Rows of the chunk, None where they cannot be told."""
        spec, blob = self.level.vertices, self.blobs.get(VERTICES)
        if spec is None or VERTICES in self.damaged or VERTICES not in self.level.cells:
            return None
        if blob is None:
            if self.key not in self.level.cells[VERTICES]:
                other = next(name for name, there in self.level.cells.items() if self.key in there)
                self._wrong(other, "there are no vertices in this chunk")
                return None
            return 0
        if spec.encoding != "raw":
            return self._declared(blob)
        width = spec.dtype.itemsize * self.survey.ndim
        if not width or len(blob) % width:
            self._wrong(VERTICES, f"{len(blob)} bytes are not whole rows of {width}")
            return None
        spatial = self.key[-self.survey.ndim :]
        if blob and any(spatial) and not any(blob[:width]) and not any(blob):
            self._wrong(VERTICES, "all vertices are at the origin, which is outside the chunk")
            return None
        return len(blob) // width

    def _check_fragments(self, index: FragmentIndex | None, rows: int) -> None:
        level, name = self.level, VERTEX_FRAGMENTS
        if index is None:
            there = self.key in level.cells.get(name, ())
            if rows and not there and name in level.cells:
                self._wrong(name, "there is no fragment table")
            return
        try:
            index.check(rows)
        except ArrayError as error:
            self._wrong(name, str(error))
            return
        if index.tiles(rows):
            return
        claimed = level.document is not None and level.document.meta.fragments_tile
        missing = int(np.count_nonzero(index.fragment_of_rows(rows) < 0))
        if claimed:
            self._wrong(name, f"fragments do not cover {rows} rows once each, as the level says")
        elif missing:
            self._wrong(name, f"{missing} of {rows} rows are in no fragment")

    def _attributes(self, rows: int) -> None:
        for name, spec in self.level.specs.items():
            if not name.startswith(f"{VERTEX_ATTRIBUTES}/") or name in self.damaged:
                continue
            if name not in self.level.cells:
                continue
            size = len(self.blobs.get(name, b""))
            if size % spec.row_bytes:
                self._wrong(name, f"{size} bytes are not whole rows of {spec.row_bytes}")
            elif size // spec.row_bytes != rows:
                self._wrong(name, f"{size // spec.row_bytes} rows, expected {rows}")

    def _fragment_attributes(self, count: int) -> None:
        for name, spec in self.level.specs.items():
            if not name.startswith(f"{FRAGMENT_ATTRIBUTES}/") or name in self.damaged:
                continue
            size = len(self.blobs.get(name, b""))
            if name in self.level.cells and size != count * spec.row_bytes:
                self._wrong(name, f"{size} bytes for {count} fragments of {spec.row_bytes} bytes")

    def _face_attributes(self) -> None:
        for name, spec in self.level.specs.items():
            if not name.startswith(f"{FACE_ATTRIBUTES}/") or name in self.damaged:
                continue
            size = len(self.blobs.get(name, b""))
            if size % spec.row_bytes:
                self._wrong(name, f"{size} bytes are not whole rows of {spec.row_bytes}")
            else:
                self.level.faces.setdefault(name, {})[self.key] = size // spec.row_bytes

    def _wrong(self, name: str, what: str) -> None:
        self.failed = True
        path, url = self.level.at(name), self.survey.layout.backend.url
        self.report.error(
            f"chunk {format_chunk(self.key)} of {path} in {url} is damaged: {what}", path, self.key
        )


def _check_recorded(survey: Survey, level: LevelSurvey, damaged: bool, report: Report) -> None:
    """The level's vertex count and table of chunks against what is there."""
    document = level.document
    if document is None or VERTICES not in level.cells or level.vertices is None:
        return
    path, said = level.at(VERTICES), document.meta.vertex_count
    total = sum(level.counts.values())
    if total != said and not damaged:
        report.error(f"{path} holds {total} vertices, level {level.path} records {said}", path)
    if document.table is None:
        return
    if int(document.table.counts.sum()) != said:
        report.warn(
            f"the table of chunks of level {level.path} is older than the level: it is not used",
            path,
        )
        return
    recorded = dict(zip(document.table.keys(), document.table.counts.tolist(), strict=True))
    for key in sorted(recorded.keys() | level.cells[VERTICES]):
        have = level.counts.get(key, 0 if key not in level.cells[VERTICES] else None)
        want = recorded.get(key, 0)
        if have is not None and have != want:
            report.error(
                f"chunk {format_chunk(key)} of {path} in {survey.layout.backend.url} holds {have} "
                f"vertices, {want} are recorded",
                path,
                key,
            )


def _check_parametric(survey: Survey, report: Report) -> None:
    layout = survey.layout
    found = layout.get_parametric()
    if found is None:
        return
    table, _ = found
    kinds = {
        kind.type_id: len(kind.coefficients) for kind in read_parametric_types(group_at(layout))
    }
    kinds = {0: 4, 1: 6, 2: 4} | kinds
    for number, row in enumerate(table.tolist()):
        if not row or row[0] not in kinds or len(row) <= kinds[int(row[0])]:
            where = f"{PARAMETRIC}/objects"
            report.error(f"object {number} of {where} is of no known type", where)
    groups: list[IntArray] = layout.get_groups(PARAMETRIC) or []
    for number, members in enumerate(groups):
        if len(members) and not 0 <= members.min() <= members.max() < len(table):
            where = f"{PARAMETRIC}/groups"
            report.error(f"group {number} of {where} names an object that is not there", where)
    for family, count in (("object_attributes", len(table)), ("group_attributes", len(groups))):
        path = f"{PARAMETRIC}/{family}"
        if path not in layout.get_attrs([path]):
            continue
        for name in layout.array_names(path):
            values = layout.get_dense(f"{path}/{name}")
            if values is not None and len(values[0]) != count:
                report.warn(
                    f"{path}/{name} has {len(values[0])} rows, expected {count}",
                    f"{path}/{name}",
                    defect="parametric-tables-of-earlier-objects",
                )
