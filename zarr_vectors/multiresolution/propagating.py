"""An attribute of a level carried to the levels made from it, without writing any geometry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from zarr_vectors.constants import FACE_ATTRIBUTES, OBJECT_ATTRIBUTES, VERTEX_ATTRIBUTES
from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import StoreHandle, finish, open_handle
from zarr_vectors.core.layouts.meta import absent_value
from zarr_vectors.core.levels import stale
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.encoding.manifests import EMPTY_MANIFEST
from zarr_vectors.encoding.ragged import encode_rows
from zarr_vectors.exceptions import ArrayError, CoarseningError
from zarr_vectors.multiresolution.face_values import Behind, Step, carry_faces, face_path, face_spec
from zarr_vectors.multiresolution.parentage import Family, Pair, families, reader_of
from zarr_vectors.multiresolution.steps import Progress
from zarr_vectors.multiresolution.strategies import points as reduce
from zarr_vectors.multiresolution.tiles import rows_of
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.commit import grid_of, put_object_attribute, told_in
from zarr_vectors.writing.order import dense_ranks
from zarr_vectors.writing.route import starts_of

KNOWN = frozenset(
    {"zv_array", "name", "dtype", "row_shape", "channel_names", "encoding", "categories", "ordered"}
    | {"_FillValue", "unit", "description", "statistics", "shape", "has_present_mask"}
    | {"fill_sentinel_meaning", "num_channels"}
)
"""Metadata of an array that is said by its dtype and shape; the rest is carried as it is."""


def propagate_attribute(
    store_path: StoreLike,
    name: str,
    *,
    scope: str = "vertex",
    level: int = 0,
    aggregation: str | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    backend: str | None = None,
) -> dict[str, Any]:
    """Give the levels made from one an attribute that it has; all of them, or none after a failure.

    Which vertices a coarse vertex stands for is told by the links between levels where they are
    stored, else by its bin, else by making the level once more in memory and comparing positions.
    Each counts by the vertices of ``level`` behind it, as in
    :func:`~zarr_vectors.multiresolution.coarsen.build_pyramid`. Of objects, each keeps its value.
    A face, of those inside one chunk, has the values of the faces that became it; where none inside
    a chunk did, of those around its corners.

    Args:
        store_path: The store.
        name: The attribute.
        scope: ``vertex``, ``object`` or ``face``.
        level: The level that has it.
        aggregation: ``mean`` (numbers, by default), ``mode`` (categories and bool, by default),
            ``min``, ``max`` or ``first``; of objects there is nothing to aggregate.
        progress: Called with (steps done, steps in all, text).
        cancelled: Asked between steps; True stops with a CoarseningError and changes nothing.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.

    Returns:
        ``levels``: those that were given it, ascending; ``aggregation``, None of objects; ``how``:
        level -> ``links``, ``bins`` or ``again``; ``without_value``: level -> rows whose vertices
        are not known, which get what stands for no value; ``from_around``: level -> faces that have
        the value of those around them.

    Raises:
        CoarseningError: A level is out of date or cannot be told from the one below, the
            aggregation does not go with the values, or the work was cancelled.
        ArrayError: There is no such attribute.
        StoreError: Not writable, or another writer is at work.
        ValueError: An unknown scope.
    """
    families = {
        "vertex": VERTEX_ATTRIBUTES,
        "object": OBJECT_ATTRIBUTES,
        "face": FACE_ATTRIBUTES,
    }
    if scope not in families:
        raise ValueError(f"scope must be vertex, object or face, not {scope!r}")
    opened = open_handle(store_path, "r+", backend=backend)
    above = levels_above(opened, level)
    fresh = [f"{number}/{families[scope]}/{name}" for number in above]
    with opened.transaction(f"carry attribute {name!r} to coarser levels", fresh) as handle:
        work = _Carrying(handle, name, progress, cancelled, len(above))
        if scope == "object":
            return work.objects(level, above)
        if scope == "face":
            return work.faces(level, above, aggregation)
        return work.vertices(level, above, aggregation)


def levels_above(handle: StoreHandle, level: int) -> list[int]:
    """Levels made from one, directly or not, ascending.

    Raises:
        CoarseningError: One of them is out of date.
    """
    handle.level(level)
    found = {level}
    for number, document in sorted(handle.levels.items()):
        parent = document.meta.parent_level
        if number > level and (number - 1 if parent is None else parent) in found:
            found.add(number)
            reason = stale(document)
            if reason is not None:
                raise CoarseningError(
                    f"level {number} of {handle.backend.url} is out of date ({reason}): build the "
                    "pyramid again before its levels are given an attribute"
                )
    return sorted(found - {level})


class _Carrying:
    """One attribute on its way up."""

    def __init__(
        self,
        handle: StoreHandle,
        name: str,
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
        steps: int,
    ) -> None:
        self._handle = handle
        self._name = name
        self._progress = progress
        self._cancelled = cancelled
        self._steps = steps

    def vertices(self, level: int, above: list[int], aggregation: str | None) -> dict[str, Any]:
        """An attribute of vertices."""
        spec = reader_of(self._handle, level).arrays.attribute(self._name)
        path = f"{level}/{VERTEX_ATTRIBUTES}/{self._name}"
        extra = self._extra(path)
        how = self._aggregation(spec, aggregation)
        meta = replace(spec, limits=None, guessed=False).to_meta() | extra
        told: dict[int, str] = {}
        without: dict[int, int] = {}
        weights: dict[int, FloatArray | None] = {level: None}
        for done, number in enumerate(above):
            self._check(done, f"level {number}")
            below = self._below(number)
            pair = Pair.of(self._handle, below, number)
            told[number], parts = families(pair, weights[below], self._check_stop)
            made = self._reduce(pair, parts, weights[below], spec, how, meta)
            weights[number], without[number] = made
        self._record(above, VERTEX_ATTRIBUTES)
        return _told(above, how, told, without)

    def faces(self, level: int, above: list[int], aggregation: str | None) -> dict[str, Any]:
        """An attribute of the faces inside chunks."""
        layout = self._handle.layout
        spec = face_spec(layout, str(level), self._name)
        how = self._aggregation(spec, aggregation)
        extra = self._extra(face_path(str(level), self._name))
        meta = replace(spec, limits=None, guessed=False).to_meta() | extra
        steps: dict[int, Step] = {}
        for done, number in enumerate(above):
            self._check(done, f"level {number}")
            below = self._below(number)
            pair = Pair.of(self._handle, below, number)
            behind = steps[below].behind if below in steps else Behind()
            steps[number] = carry_faces(
                pair, spec, meta, how, behind, _absent(spec, 1), self._check_stop
            )
        self._record(above, FACE_ATTRIBUTES)
        ways = {number: step.how for number, step in steps.items()}
        lost = {number: step.without_value for number, step in steps.items()}
        around = {number: step.from_around for number, step in steps.items()}
        return _told(above, how, ways, lost, around)

    def objects(self, level: int, above: list[int]) -> dict[str, Any]:
        """An attribute of objects, where a level has them by the same ids."""
        layout = self._handle.layout
        path = f"{level}/{OBJECT_ATTRIBUTES}/{self._name}"
        found, index = layout.get_dense(path), layout.get_objects(str(level))
        if found is None or index is None:
            raise self._missing(level, OBJECT_ATTRIBUTES)
        values, present = found
        meta = layout.array_metas([path]).get(path, {})
        extra = self._extra(path) | told_in(meta)
        given = []
        for done, number in enumerate(above):
            self._check(done, f"level {number}")
            rows = layout.get_objects(str(number))
            if rows is None:
                continue
            there = rows.ids[[blob != EMPTY_MANIFEST for blob in rows.manifests]]
            ids = index.ids[present]
            keep = np.isin(ids, there)
            put_object_attribute(
                layout, str(number), self._name, values[present][keep], ids[keep], rows.ids, extra
            )
            given.append(number)
        self._record(given, OBJECT_ATTRIBUTES)
        return _told(given, None)

    def _aggregation(self, spec: AttributeSpec, asked: str | None) -> reduce.Aggregation:
        categorical = spec.categories is not None
        usual = "mode" if categorical or spec.dtype.kind == "b" else "mean"
        return reduce.check_aggregation(asked or usual, self._name, categorical=categorical)

    def _below(self, number: int) -> int:
        """The level that a level was made from."""
        parent = self._handle.level(number).meta.parent_level
        return number - 1 if parent is None else parent

    def _reduce(
        self,
        pair: Pair,
        parts: Iterable[Family],
        weights: FloatArray | None,
        spec: AttributeSpec,
        how: reduce.Aggregation,
        meta: dict[str, Any],
    ) -> tuple[FloatArray, int]:
        """Write the values of a level; what stands behind its rows, and how many have no value."""
        layout, arrays, table = self._handle.layout, pair.above.arrays, pair.coarse
        path, keys = arrays.attribute_path(self._name), table.keys()
        grid = grid_of(self._handle.meta.bounds, arrays.chunk_shape, table.coords)
        layout.create_cells(path, meta, grid)
        below, starts = starts_of(pair.fine.counts), starts_of(table.counts)
        behind = np.zeros(int(starts[-1]))
        lost = 0
        for part in parts:
            self._check_stop()
            values = self._values(pair, part.source_chunks, spec)[part.source_rows]
            inner = None
            if weights is not None:
                inner = weights[rows_of(part.source_chunks, below)][part.source_rows]
            rows = rows_of(part.target_chunks, starts)
            present, ranks = dense_ranks(part.target_rows, max(len(rows), 1))
            made = _absent(spec, len(rows))
            made[present] = reduce.reduce_values(values, ranks, len(present), how, inner)
            behind[rows[present]] = reduce.total_weights(ranks, len(present), inner)
            lost += len(rows) - len(present)
            ends = np.cumsum(table.counts[part.target_chunks])[:-1]
            cells = zip(part.target_chunks.tolist(), np.split(made, ends), strict=False)
            layout.put_cells(path, {keys[chunk]: bytes(encode_rows(own)) for chunk, own in cells})
        return behind, lost

    def _values(self, pair: Pair, chunks: IntArray, spec: AttributeSpec) -> AnyArray:
        """The values of some chunks of the level below, one chunk after the other."""
        reader, keys = pair.below, pair.fine.keys()
        wanted = [keys[chunk] for chunk in chunks.tolist()]
        found = reader.read_chunk_values(wanted, self._name)
        none = np.zeros((0, *spec.row_shape), spec.dtype)
        return np.concatenate([none, *(found[key] for key in wanted)])

    def _extra(self, path: str) -> dict[str, Any]:
        meta = self._handle.layout.array_metas([path]).get(path, {})
        return {key: value for key, value in meta.items() if key not in KNOWN}

    def _record(self, levels: list[int], family: str) -> None:
        """Add the attribute to the names of arrays the levels say they have."""
        handle = self._handle
        for number in levels:
            document = handle.level(number)
            names = dict.fromkeys((*document.meta.arrays_present, family, f"{family}/{self._name}"))
            meta = replace(document.meta, arrays_present=tuple(names))
            handle = handle.with_level(replace(document, meta=meta))
        if levels:
            finish(handle, *levels)

    def _missing(self, level: int, family: str) -> ArrayError:
        url = self._handle.backend.url
        return ArrayError(f"{url} has no {level}/{family}/{self._name}")

    def _check(self, done: int, text: str) -> None:
        self._check_stop()
        if self._progress is not None:
            self._progress(done, self._steps, text)

    def _check_stop(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise CoarseningError(f"carrying attribute {self._name!r} was cancelled")


def _absent(spec: AttributeSpec, count: int) -> AnyArray:
    """Rows without a value."""
    code = absent_value(spec.dtype) if spec.missing_code is None else spec.missing_code
    if spec.categories is not None and spec.missing_code is None:
        code = 0
    return np.full((count, *spec.row_shape), code, spec.dtype)


def _told(
    levels: list[int],
    aggregation: str | None,
    how: dict[int, str] | None = None,
    without_value: dict[int, int] | None = None,
    from_around: dict[int, int] | None = None,
) -> dict[str, Any]:
    return {
        "levels": levels,
        "aggregation": aggregation,
        "how": how or {},
        "without_value": without_value or {},
        "from_around": from_around or {},
    }
