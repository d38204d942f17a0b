"""Level 4: values are what the format allows, and lie where their chunk and the bounds say."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import CHUNKS_KEY, VERTEX_ATTRIBUTES, VERTEX_FRAGMENTS, VERTICES
from zarr_vectors.core.layouts.base import LinkRecords
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.core.paths import format_chunk
from zarr_vectors.encoding import draco
from zarr_vectors.encoding.fragments import FragmentIndex
from zarr_vectors.exceptions import DracoError
from zarr_vectors.typing import ChunkCoords, FloatArray
from zarr_vectors.validate.chunks import Blobs
from zarr_vectors.validate.habits import check_habits
from zarr_vectors.validate.links import families_of, read_links
from zarr_vectors.validate.result import Report, ValidationResult
from zarr_vectors.validate.survey import LevelSurvey, Survey

_QUANTUM = 2.0**-8
"""How far an encoding with loss may move a vertex, in chunk edges."""


class Conformance:
    """Checks values chunk by chunk as they are read.

    Args:
        survey: The store.
        report: Where findings go.
    """

    def __init__(self, survey: Survey, report: Report) -> None:
        self.survey = survey
        self.report = report
        self._told = False

    def on_chunk(
        self, level: LevelSurvey, key: ChunkCoords, blobs: Blobs, index: FragmentIndex | None
    ) -> None:
        """Check one chunk."""
        rows = level.counts.get(key)
        if rows is None:
            return
        blob = blobs.get(VERTICES)
        if blob and level.vertices is not None:
            if level.vertices.encoding == "raw":
                self._positions(level, key, np.frombuffer(blob, level.vertices.dtype), 0.0)
            else:
                self._bitstream(level, key, blob, rows)
        if index is not None and not index.tiles(rows):
            self.report.warn(
                f"fragments of chunk {format_chunk(key)} of {level.at(VERTEX_FRAGMENTS)} are not "
                "in ascending order without gaps: readers of 0.2.0 do not read them",
                level.at(VERTEX_FRAGMENTS),
                key,
            )
        for name, spec in level.specs.items():
            values = blobs.get(name)
            if values and len(values) % spec.row_bytes == 0 and name.startswith(VERTEX_ATTRIBUTES):
                self._values(level, key, name, spec, values)

    def finish(self) -> None:
        """Check what is not chunk by chunk: links."""
        for level in self.survey.levels.values():
            quiet = Report(ValidationResult(4), 4)  # damage was told by the level before
            family = families_of(self.survey, level, quiet).get(0)
            if family is None:
                continue
            records = read_links(self.survey, level, 0, family, quiet)
            if records is not None and len(records.rows):
                self._links(level, records)
                check_habits(self.survey, level, records, self.report)

    def _bitstream(self, level: LevelSurvey, key: ChunkCoords, blob: bytes, rows: int) -> None:
        path = level.at(VERTICES)
        if find_spec("DracoPy") is None:
            if not self._told:
                self.report.warn(f"{path} is not looked into: DracoPy is not installed", path)
            self._told = True
            return
        try:
            points, faces = draco.decode(blob, rows)
        except DracoError as error:
            self.report.error(
                f"chunk {format_chunk(key)} of {path} in {self.survey.layout.backend.url} is "
                f"damaged: {error}",
                path,
                key,
            )
            return
        edge = max(self.survey.chunk_shape(level), default=0.0)
        self._positions(level, key, points.reshape(-1), edge * _QUANTUM)
        beyond = np.asarray(faces >= rows).any(axis=-1) if len(faces) else np.zeros(1, np.bool_)
        self._tell(level, VERTICES, key, beyond, "are faces of vertices that are not there")

    def _positions(
        self, level: LevelSurvey, key: ChunkCoords, flat: FloatArray, more: float
    ) -> None:
        ndim, path = self.survey.ndim, level.at(VERTICES)
        positions = flat.reshape(-1, ndim)
        finite = np.isfinite(positions).all(axis=1)
        self._tell(level, VERTICES, key, ~finite, "are not finite")
        points = positions[finite].astype(np.float64)
        edges = np.asarray(self.survey.chunk_shape(level), np.float64)
        slack = _slack(positions.dtype, points, edges) + more
        low = np.asarray(key[-ndim:], np.float64) * edges
        outside = ((points < low - slack) | (points > low + edges + slack)).any(axis=1)
        self._tell(level, VERTICES, key, outside, "lie outside the chunk")
        if self.survey.root is None:
            return
        least, most = (np.asarray(c, np.float64) for c in self.survey.root.meta.bounds)
        beyond = ((points < least - slack) | (points > most + slack)).any(axis=1)
        if not beyond.any():
            return
        if CHUNKS_KEY in level.attributes:
            self._tell(level, VERTICES, key, beyond, "lie outside the bounds of the store")
        else:
            self.report.warn(
                f"{int(beyond.sum())} vertices of chunk {format_chunk(key)} of {path} lie outside "
                "the bounds of the store",
                path,
                key,
                defect="bounds-not-grown",
            )

    def _values(
        self, level: LevelSurvey, key: ChunkCoords, name: str, spec: AttributeSpec, blob: bytes
    ) -> None:
        values = np.frombuffer(blob, spec.dtype)
        if spec.categories is not None:
            wrong = (values < 0) | (values >= len(spec.categories))
            if spec.missing_code is not None:
                wrong &= values != spec.missing_code
            self._tell(level, name, key, wrong, "have a code without a category")
        elif spec.dtype.kind == "b":
            wrong = np.frombuffer(blob, np.uint8) > 1
            self._tell(level, name, key, wrong, "are neither true nor false")
        if spec.limits is not None and spec.categories is None:
            known = values[np.isfinite(values)].astype(np.float64)
            beyond = (known < spec.limits[0]) | (known > spec.limits[1])
            self._tell(level, name, key, beyond, f"are outside the recorded {list(spec.limits)}")

    def _links(self, level: LevelSurvey, records: LinkRecords) -> None:
        path, url = level.at("links/0"), self.survey.layout.backend.url
        kinds = set() if self.survey.root is None else set(self.survey.root.meta.geometry_types)
        same = np.zeros(len(records.rows), np.bool_)
        for a in range(records.rows.shape[1]):
            for b in range(a):
                equal = (records.chunks[:, a] == records.chunks[:, b]).all(axis=1)
                same |= equal & (records.rows[:, a] == records.rows[:, b])
        if same.any():
            self.report.warn(
                f"{int(same.sum())} links of {path} in {url} join a row to itself", path
            )
        if "skeleton" in kinds and records.rows.shape[1] == 2:
            child = np.column_stack([records.chunks[:, 0], records.rows[:, 0]])
            found, times = np.unique(child, axis=0, return_counts=True)
            if (times > 1).any():
                row = found[np.flatnonzero(times > 1)[0]].tolist()
                self.report.error(
                    f"row {row[-1]} of chunk {format_chunk(row[:-1])} has {int(times.max())} "
                    f"parents in {path} of {url}",
                    path,
                    tuple(row[:-1]),
                )

    def _tell(
        self,
        level: LevelSurvey,
        name: str,
        key: ChunkCoords,
        wrong: npt.NDArray[np.bool_] | np.bool_,
        what: str,
    ) -> None:
        if np.any(wrong):
            path, url = level.at(name), self.survey.layout.backend.url
            many = f"{np.count_nonzero(wrong)} of {np.size(wrong)} values"
            self.report.error(
                f"chunk {format_chunk(key)} of {path} in {url}: {many} {what}",
                path,
                key,
            )


def _slack(dtype: np.dtype[Any], points: FloatArray, edges: FloatArray) -> float:
    """How far rounding to the stored type can move a position."""
    largest = float(max(np.abs(points).max(initial=0.0), edges.max(initial=0.0)))
    return 4 * float(np.finfo(dtype).eps) * largest
