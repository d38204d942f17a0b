"""Point clouds larger than memory: written from blocks that come one after the other."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import (
    DEFAULT_VERSION,
    OBJECT_ATTRIBUTES,
    OBJECT_INDEX,
    VERTEX_ATTRIBUTES,
    VERTICES,
)
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import creating, finish
from zarr_vectors.core.metadata import (
    AttributeSpec,
    ChunkTable,
    LevelMetadata,
    RootMetadata,
    default_axes,
)
from zarr_vectors.core.metadata.root import Bounds
from zarr_vectors.core.root_meta import LevelDocument, check_version
from zarr_vectors.encoding.categorical import code_dtype
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.spatial.chunking import (
    bins_per_chunk,
    check_chunk_shape,
    chunk_coords_of,
    compute_bounds,
)
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.columns import (
    apply_bounds,
    checked_bounds,
    checked_ids,
    checked_positions,
    vertex_columns,
)
from zarr_vectors.writing.commit import (
    Column,
    ObjectTables,
    create_rows,
    fill_rows,
    grid_of,
    write_objects,
)
from zarr_vectors.writing.objects import object_tables
from zarr_vectors.writing.route import Manifests, Route, manifests_of, route_bins, route_objects
from zarr_vectors.writing.spill import Kind, Spill

DEFAULT_MEMORY = 256 * 2**20
"""Bytes of rows worked on at once unless asked otherwise."""

_OVERHEAD = 48
"""Bytes that sorting takes for a row, beside the row itself twice."""


@dataclass(frozen=True, eq=False, slots=True)
class PointBlock:
    """Some rows of a point cloud.

    Attributes:
        positions: (n, D) numbers, world units.
        vertex_attributes: name -> (n,) or (n, C) numbers, or (n,) strings; the same names and
            kinds in every block.
        object_ids: (n,) integers >= 0, in every block or in none.
    """

    positions: npt.ArrayLike
    vertex_attributes: Mapping[str, npt.ArrayLike] = field(default_factory=dict)
    object_ids: npt.ArrayLike | None = None


def write_point_blocks(
    store_path: StoreLike,
    blocks: Iterable[PointBlock | npt.ArrayLike],
    *,
    chunk_shape: Sequence[float],
    bin_shape: Sequence[float] | None = None,
    bounds: tuple[Sequence[float], Sequence[float]] | None = None,
    object_attributes: Mapping[str, npt.ArrayLike] | None = None,
    dtype: npt.DTypeLike = "float32",
    backend: str | None = None,
    out_of_bounds: str = "raise",
    format_version: str = DEFAULT_VERSION,
    axis_names: Sequence[str] | None = None,
    axis_units: Sequence[str | None] | None = None,
    attribute_units: Mapping[str, str] | None = None,
    crs: Mapping[str, Any] | None = None,
    max_bytes: int = DEFAULT_MEMORY,
    scratch: str | os.PathLike[str] | None = None,
    progress: Callable[[int, int | None, str], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> dict[str, Any]:
    """Write a point cloud block by block; the store equals that of one ``write_points`` call.

    Rows are set aside on disk until the last block has come, then written chunk by chunk. Memory is
    bounded by a block, by ``max_bytes``, and by the largest chunk; the disk holds every row once.

    Args:
        store_path: Where; nothing may be there yet.
        blocks: Blocks of rows, or arrays of positions alone.
        chunk_shape: D edges of a chunk, world units.
        bin_shape: D edges of a bin, which must divide the chunk; the chunk by default.
        bounds: (min corner, max corner), both ends inclusive; the extent of all blocks by default.
        object_attributes: name -> (O,) or (O, C) numbers or (O,) strings: a row per object in
            ascending id, or one per id from 0 to the largest.
        dtype: Stored dtype of positions, ``float32`` or ``float64``.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        out_of_bounds: ``raise``, ``ignore`` (leave those points out) or ``expand`` the bounds.
        format_version: ``0.7.0`` or ``0.9.2``.
        axis_names: D names; x, y, z, w by default.
        axis_units: D units, or None where unknown.
        attribute_units: name -> unit of a vertex attribute.
        crs: Coordinate reference system, kept as it is.
        max_bytes: Memory to work in.
        scratch: Folder for the rows set aside; the system's by default.
        progress: Called with (rows done, rows in all or None while blocks come, text).
        cancelled: Asked between blocks and batches; True stops with an ArrayError.

    Returns:
        ``vertex_count``, ``chunk_count``, ``object_count``, ``group_count``, ``bins_per_chunk``.

    Raises:
        ArrayError: Blocks that differ in kind, arrays that cannot be stored, or cancelled.
        ChunkingError: Shapes that cannot cut these positions.
        MetadataError: Wrong bounds or axes, or points out of bounds.
        StoreError: The place is not empty or cannot be written to.
    """
    check_version(format_version, "format_version")
    report = progress or _quiet
    incoming = _Incoming(chunk_shape, bounds, dtype, out_of_bounds, attribute_units or {})
    folder = None if scratch is None else Path(scratch)
    with incoming.deal(blocks, folder, report, _checker(cancelled)) as spill:
        ndim = incoming.ndim
        chunk = check_chunk_shape(chunk_shape, ndim)
        bins = chunk if bin_shape is None else check_chunk_shape(bin_shape, ndim)
        per_chunk = bins_per_chunk(chunk, bins)
        if object_attributes and not incoming.has_ids:
            raise ArrayError("object_attributes are given, and blocks without object_ids")
        meta = RootMetadata(
            axes=default_axes(ndim, axis_names, axis_units),
            chunk_shape=chunk,
            bounds=incoming.bounds,
            geometry_types=("point_cloud",),
            zv_version=format_version,
            base_bin_shape=bins,
            crs=crs,
        )
        meta.validate()
        specs = incoming.specs()
        with creating(store_path, meta, backend=backend) as handle:
            grid = grid_of(incoming.bounds, chunk, np.zeros((0, ndim), np.int64))
            create_rows(handle.layout, "0", incoming.dtype, specs, grid)
            max_rows = max(1, max_bytes // (2 * spill.row_bytes + _OVERHEAD))
            tables: list[ChunkTable] = []
            manifests: list[Manifests] = []
            done = 0
            for batch in spill.batches(max_rows):
                points, values, ids = incoming.split(batch)
                route = _route(points, chunk, bins, ids)
                check = _checker(cancelled)
                tables.append(fill_rows(handle.layout, "0", route, points, specs, values, check))
                if ids is not None:
                    manifests.append(manifests_of(route))
                done += len(points)
                report(done, incoming.count, "writing chunks")
            table = _joined(tables, ndim)
            names = [VERTICES]
            if specs:
                names += [
                    VERTEX_ATTRIBUTES,
                    *(f"{VERTEX_ATTRIBUTES}/{spec.name}" for spec in specs),
                ]
            slots = 0
            if incoming.has_ids:
                objects = _objects(manifests, ndim, object_attributes or {})
                slots = write_objects(handle.layout, "0", objects)
                names += [OBJECT_INDEX, *([OBJECT_ATTRIBUTES] if object_attributes else [])]
            level = LevelMetadata(
                level=0,
                vertex_count=incoming.count,
                arrays_present=tuple(names),
                fragments_tile=True,
            )
            finish(handle.with_level(LevelDocument(level, {}, table)), 0)
    return {
        "vertex_count": incoming.count,
        "chunk_count": len(table.coords),
        "object_count": slots,
        "group_count": 0,
        "bins_per_chunk": per_chunk,
    }


class _Incoming:
    """Blocks as they come: checked, dealt, and what all of them together are."""

    def __init__(
        self,
        chunk_shape: Sequence[float],
        bounds: tuple[Sequence[float], Sequence[float]] | None,
        dtype: npt.DTypeLike,
        policy: str,
        units: Mapping[str, str],
    ) -> None:
        self._chunk_shape = chunk_shape
        self._given = bounds
        self._wanted = dtype
        self._policy = policy
        self._units = units
        self._specs: dict[str, AttributeSpec] = {}
        self._texts: dict[str, dict[str, int]] = {}
        self._missing: set[str] = set()
        self._box: Bounds | None = None
        self._known = False
        self.has_ids = False
        self.count = 0
        self.ndim = 0
        self.dtype: np.dtype[Any] = np.dtype("float32")

    @property
    def bounds(self) -> Bounds:
        """Bounds to store."""
        if self._box is None:
            raise ArrayError("there are no blocks")
        return self._box

    def deal(
        self,
        blocks: Iterable[PointBlock | npt.ArrayLike],
        folder: Path | None,
        report: Callable[[int, int | None, str], None],
        check: Callable[[], None],
    ) -> Spill:
        """Set the rows of all blocks aside."""
        spill: Spill | None = None
        try:
            for block in _as_blocks(blocks):
                check()
                arrays = self._accept(block)
                if spill is None:
                    spill = Spill(self._kinds(), self._chunks_of, folder)
                spill.add(arrays)
                self.count += len(arrays[0])
                report(self.count, None, "sorting rows into chunks")
        except BaseException:
            if spill is not None:
                spill.close()
            raise
        if spill is None:
            raise ArrayError("there are no blocks: give at least one, which may be empty")
        return spill

    def specs(self) -> list[AttributeSpec]:
        """The attributes as they are to be stored."""
        found = []
        for name, spec in self._specs.items():
            if name in self._texts:
                missing = name in self._missing
                known = tuple(sorted(self._texts[name]))
                code = code_dtype(len(known), missing=missing)
                mark = -1 if missing else None
                spec = replace(spec, dtype=code, categories=known, missing_code=mark)
            found.append(spec)
        return found

    def split(
        self, batch: Sequence[AnyArray]
    ) -> tuple[FloatArray, list[AnyArray], IntArray | None]:
        """Positions, attribute values as stored, and object ids of a batch of rows."""
        points, *rest = batch
        ids = rest.pop() if self.has_ids else None
        specs = self.specs()
        values = [
            self._final_codes(spec, v) if spec.name in self._texts else v
            for spec, v in zip(specs, rest, strict=True)
        ]
        return points, values, ids  # type: ignore[return-value]  # kinds are those of _kinds()

    def _accept(self, block: PointBlock) -> list[AnyArray]:
        points = checked_positions(block.positions, self._wanted)
        units = self._units if not self._known else None
        columns = vertex_columns(block.vertex_attributes, len(points), units)
        ids = None if block.object_ids is None else checked_ids(block.object_ids, len(points))
        self._compare(points, columns, has_ids=ids is not None)
        kept = self._apply_bounds(points)
        arrays: list[AnyArray] = [points]
        for name, column in columns.items():
            if column.spec.categories is None:
                self._widen(name, column)
                arrays.append(column.values)
            else:
                arrays.append(self._first_codes(name, column))
        if ids is not None:
            arrays.append(ids)
        return arrays if kept is None else [values[kept] for values in arrays]

    def _compare(self, points: FloatArray, columns: Mapping[str, Column], *, has_ids: bool) -> None:
        """The first block says what all blocks are."""
        if not self._known:
            self._known = True
            self.ndim, self.dtype, self.has_ids = points.shape[1], points.dtype, has_ids
            self._specs = {name: replace(c.spec, limits=None) for name, c in columns.items()}
            self._texts = {n: {} for n, c in columns.items() if c.spec.categories is not None}
            return
        if points.shape[1] != self.ndim or has_ids != self.has_ids:
            raise ArrayError("blocks differ: all must have the same axes, and object_ids or none")
        if list(columns) != list(self._specs):
            raise ArrayError(f"blocks differ: attributes {list(columns)} after {list(self._specs)}")
        for name, column in columns.items():
            first, spec = self._specs[name], column.spec
            if (spec.categories is None) == (name in self._texts) or (
                name not in self._texts
                and (spec.dtype, spec.row_shape) != (first.dtype, first.row_shape)
            ):
                raise ArrayError(f"blocks differ: attribute {name!r} changes its dtype or columns")

    def _apply_bounds(self, points: FloatArray) -> npt.NDArray[np.bool_] | None:
        if self._given is None:
            if len(points):
                low, high = compute_bounds(points)
                before = self._box if self.count else None
                low = low if before is None else np.minimum(before[0], low).tolist()
                high = high if before is None else np.maximum(before[1], high).tolist()
                self._box = tuple(low), tuple(high)
            elif self._box is None:
                self._box = checked_bounds(None, points)
            return None
        box = self._box or checked_bounds(self._given, points)
        self._box, kept = apply_bounds(box, points, self._policy)
        return kept

    def _widen(self, name: str, column: Column) -> None:
        """Keep the limits of all blocks."""
        new, old = column.spec.limits, self._specs[name].limits
        if new is not None:
            both = new if old is None else (min(old[0], new[0]), max(old[1], new[1]))
            self._specs[name] = replace(self._specs[name], limits=both)

    def _first_codes(self, name: str, column: Column) -> AnyArray:
        """Codes in the order categories were first met; -1 where a value is missing."""
        known = self._texts[name]
        table = np.array(
            [known.setdefault(text, len(known)) for text in column.spec.categories or ()], np.int32
        )
        codes = column.values.astype(np.int64)
        out = np.full(len(codes), -1, np.int32)
        there = codes >= 0
        out[there] = table[codes[there]]
        if not there.all():
            self._missing.add(name)
        return out

    def _final_codes(self, spec: AttributeSpec, codes: AnyArray) -> AnyArray:
        known = self._texts[spec.name]
        rank = {text: i for i, text in enumerate(spec.categories or ())}
        table = np.array([*(rank[text] for text in known), -1], np.int64)
        return table[codes.astype(np.int64)].astype(spec.dtype)

    def _kinds(self) -> list[Kind]:
        kinds = [Kind(self.dtype, (self.ndim,))]
        for name, spec in self._specs.items():
            text = name in self._texts
            kinds.append(Kind(np.dtype(np.int32) if text else spec.dtype, spec.row_shape))
        return [*kinds, Kind(np.dtype(np.int64))] if self.has_ids else kinds

    def _chunks_of(self, values: Sequence[AnyArray]) -> IntArray:
        positions: Any = values[0]
        return chunk_coords_of(positions, check_chunk_shape(self._chunk_shape, self.ndim))


def _as_blocks(blocks: Iterable[PointBlock | npt.ArrayLike]) -> Iterator[PointBlock]:
    for block in blocks:
        yield block if isinstance(block, PointBlock) else PointBlock(block)


def _route(
    points: FloatArray, chunk: Sequence[float], bins: Sequence[float], ids: IntArray | None
) -> Route:
    return route_bins(points, chunk, bins) if ids is None else route_objects(points, chunk, ids)


def _joined(tables: Sequence[ChunkTable], ndim: int) -> ChunkTable:
    """The chunks of all batches, ascending."""
    coords = np.concatenate([np.zeros((0, ndim), np.int64), *(t.coords for t in tables)])
    counts = np.concatenate([np.zeros(0, np.int64), *(t.counts for t in tables)])
    order = np.lexsort(coords.T[::-1])
    return ChunkTable(coords[order], counts[order], exact=True)


def _objects(
    parts: Sequence[Manifests], ndim: int, attributes: Mapping[str, npt.ArrayLike]
) -> ObjectTables:
    """Manifests of all batches as one: each object's chunks ascending."""
    none = np.zeros(0, np.int64)
    owners = np.concatenate([none, *(np.repeat(p.ids, np.diff(p.starts)) for p in parts)])
    chunks = np.concatenate([np.zeros((0, ndim), np.int64), *(p.chunks for p in parts)])
    fragments = np.concatenate([none, *(p.fragments for p in parts)])
    order = np.lexsort((*chunks.T[::-1], owners))
    ids, firsts = np.unique(owners[order], return_index=True)
    manifests = Manifests(
        ids, np.append(firsts, len(owners)).astype(np.int64), chunks[order], fragments[order]
    )
    return object_tables(manifests, attributes)


def _checker(cancelled: Callable[[], bool] | None) -> Callable[[], None]:
    def check() -> None:
        if cancelled is not None and cancelled():
            raise ArrayError("writing the points was cancelled")

    return check


def _quiet(done: int, total: int | None, text: str) -> None:
    """Nobody is told."""
