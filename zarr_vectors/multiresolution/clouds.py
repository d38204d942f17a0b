"""A point cloud made coarser: one vertex per bin, its attributes, objects and measured error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from zarr_vectors.constants import OBJECT_ATTRIBUTES, OBJECT_INDEX, VERTEX_ATTRIBUTES, VERTICES
from zarr_vectors.core.handle import StoreHandle, finish
from zarr_vectors.core.metadata import AttributeSpec, LevelError, LevelMetadata
from zarr_vectors.core.metadata.multiscales import LevelTransform, with_transform
from zarr_vectors.core.root_meta import LevelDocument, RootDocument
from zarr_vectors.exceptions import CoarseningError, StoreError
from zarr_vectors.multiresolution.object_selection import keep_objects
from zarr_vectors.multiresolution.steps import (
    Members,
    Rows,
    Step,
    Target,
    carried_members,
    kept_members,
    manifests_of_members,
    moved_members,
    target_of,
)
from zarr_vectors.multiresolution.strategies import points as reduce
from zarr_vectors.reading.assemble import piece_rows
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import describe_level
from zarr_vectors.reading.objects import fragments_of
from zarr_vectors.reading.plan import plan_read
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.commit import (
    Column,
    ObjectTables,
    grid_of,
    put_object_attribute,
    write_column,
    write_objects,
    write_rows,
)
from zarr_vectors.writing.route import Route, cell_ranks, route_bins, route_rows

Progress = Callable[[int, int, str], None]
"""Called with (steps done, steps in all, what is being done)."""

METHOD = "per_object"


class CloudBuilder:
    """A pyramid being built: the store, the level last made, and the way down to the reference."""

    COARSE = 4096
    """Vertices at which a pyramid of its own accord is high enough."""

    def __init__(
        self,
        handle: StoreHandle,
        aggregation: Mapping[str, str],
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
    ) -> None:
        if handle.meta.geometry_types != ("point_cloud",):
            kinds = ", ".join(handle.meta.geometry_types) or "nothing"
            raise CoarseningError(f"{handle.backend.url} holds {kinds}; only points are coarsened")
        self.handle = handle
        self._aggregation = aggregation
        self._progress = progress
        self._cancelled = cancelled
        self._done = 0

    def load(self, level: int) -> None:
        """Read the level everything is built from; attributes follow one at a time."""
        handle = self.handle
        document = handle.level(level)
        if document.meta.chunked_by_attribute:
            raise CoarseningError(
                f"level {level} of {handle.backend.url} is chunked by an attribute: "
                "pyramids need levels chunked by space alone"
            )
        arrays = describe_level(handle.layout, handle.meta, document)
        self._specs = dict(arrays.attributes)
        self._how = {name: self._aggregate(spec) for name, spec in self._specs.items()}
        unknown = set(self._aggregation) - set(self._specs)
        if unknown:
            raise CoarseningError(f"there are no attributes {sorted(unknown)} to aggregate")
        self._reader = LevelReader(handle.layout, arrays)
        plan = plan_read(arrays.table.coords, arrays.chunk_shape)
        self._reference: FloatArray = self._reader.read(plan).positions
        self._reference_level = level
        self._slots, members = self._read_members(arrays.path)
        self._rows = Rows(self._reference, None, members)
        self._values: dict[str, AnyArray] = {}
        self._standing: IntArray | None = None
        self._sparsity = 1.0

    def is_coarse(self, level: int) -> bool:
        """Whether the level last made is small enough, or no smaller than the one it came from."""
        count = len(self._rows.positions)
        if count <= self.COARSE:
            return True
        before = self.handle.levels.get(level - 1)
        if level > 1 and before is not None and count > 0.9 * before.meta.vertex_count:
            extent = np.ptp(self._rows.positions, axis=0)
            bins = self.handle.levels[level].meta.bin_shape or self.handle.meta.bin_shape
            return bool((extent <= np.asarray(bins)).all())
        return False

    def build(
        self, source: int, level: int, step: Step, choice: tuple[str, int | None], rest: int
    ) -> dict[str, Any]:
        """Make one level from the one last made, write it, and keep it for the next."""
        handle, layout, path = self.handle, self.handle.layout, str(level)
        if level in handle.levels:
            raise StoreError(f"{handle.backend.url} has a level {level} already: remove it first")
        self._steps = self._done + rest * (2 + len(self._specs))
        self._report(f"level {level}: bins")
        source_meta = handle.level(source).meta
        target = target_of(handle.meta, source_meta, level, step)
        rows, members, kept = self._rows, self._rows.members, self._slots
        parents = np.zeros(0, np.int64)
        if members is not None:
            kept = keep_objects(self._slots, step.sparsity, strategy=choice[0], seed=choice[1])
            members = kept_members(members, kept)
        elif step.sparsity > 1:
            raise CoarseningError(
                "there are no objects to leave out: the sparsity factor must be 1"
            )
        count, parents = self._parents(rows, members, target)
        live = parents >= 0
        every = bool(live.all())
        inner = parents if every else parents[live]
        weights = rows.weights if every or rows.weights is None else rows.weights[live]
        totals = reduce.total_weights(inner, count, weights)
        means = reduce.mean_positions(
            rows.positions if every else rows.positions[live], inner, totals, weights
        )
        self._check()
        if members is None:
            route = route_bins(means, target.chunk_shape, target.fragment_bins)
        else:
            route = route_rows(means, target.chunk_shape, target.bin_shape)
        self._report(f"level {level}: {count:,} vertices")
        grid = grid_of(handle.meta.bounds, target.chunk_shape, route.chunks)
        try:
            table = write_rows(layout, path, route, means, [], grid, self._check)
            for name, spec in self._specs.items():
                self._report(f"level {level}: attribute {name}")
                values = self._source_values(name)
                reduced = reduce.reduce_values(
                    values if every else values[live], inner, count, self._how[name], weights
                )
                column = Column(replace(spec, limits=None, guessed=False), reduced)
                write_column(layout, path, route, column, grid, self._check)
                self._values[name] = reduced[route.order]
            stored = np.empty(count, np.int64)
            stored[route.order] = np.arange(count)
            carried = None
            if members is not None:
                moved = moved_members(carried_members(members, parents, count), stored)
                carried = moved
                self._write_objects(source, path, route, carried)
            error = self._measure(parents, stored, means[route.order])
        except BaseException:
            layout.delete(path)
            raise
        self._rows = Rows(means[route.order], totals[route.order], carried)
        self._sparsity = 1.0 / step.sparsity
        meta = self._level_meta(source, target, count)
        transform = LevelTransform(target.bin_ratio, tuple(x / 2 for x in target.bin_shape))
        root = RootDocument(with_transform(handle.root.attributes, level, transform), handle.meta)
        self.handle = handle.with_level(LevelDocument(meta, {}, table, error), root)
        finish(self.handle, level)
        present = 0 if carried is None else len(np.unique(carried.objects))
        return {
            "vertex_count": count,
            "object_count": present,
            "objects_kept": len(kept),
            "source_objects": len(self._slots),
            "method": METHOD,
            "preserves_object_ids": members is not None,
            "shared_fragments": members is not None,
            "error": error.to_dict(),
        }

    def stamp(self, depth: int, storage: str) -> None:
        """Record in the root what the pyramid holds."""
        meta = self.handle.meta
        capabilities = dict.fromkeys(meta.format_capabilities)
        if self._rows.members is not None:
            capabilities |= dict.fromkeys(("preserved_object_ids", "shared_fragments"))
        changed = replace(
            meta,
            format_capabilities=tuple(capabilities),
            cross_level_depth=depth,
            cross_level_storage=storage,
        )
        root = RootDocument(self.handle.root.attributes, changed)
        self.handle = replace(self.handle, root=root)
        finish(self.handle)

    def _parents(self, rows: Rows, members: Members | None, target: Target) -> tuple[int, IntArray]:
        """Target row of every source row, -1 for rows of objects left out."""
        if members is None:
            return cell_ranks(rows.positions, target.bin_shape)
        live = np.zeros(len(rows.positions), np.bool_)
        live[members.rows] = True
        if live.all():
            return cell_ranks(rows.positions, target.bin_shape)
        parents = np.full(len(rows.positions), -1, np.int64)
        count, parents[live] = cell_ranks(rows.positions[live], target.bin_shape)
        return count, parents

    def _measure(self, parents: IntArray, stored: IntArray, positions: FloatArray) -> LevelError:
        """Distance of every reference vertex to the one that now stands for it; remembers which."""
        to_stored = np.where(parents >= 0, stored[parents], -1) if len(stored) else parents
        standing = (
            to_stored
            if self._standing is None
            else np.where(self._standing >= 0, to_stored[self._standing], -1)
        )
        self._standing = standing.astype(np.int32) if len(positions) < 2**31 else standing
        there = standing >= 0
        lost = int(len(there) - np.count_nonzero(there))
        if lost:
            moved = reduce.displacements(self._reference[there], positions, standing[there])
        else:
            moved = reduce.displacements(self._reference, positions, standing)
        if not len(moved):
            return LevelError(0.0, 0.0, 0.0, self._reference_level, lost)
        p50, p95 = (float(x) for x in np.percentile(moved, (50, 95)))
        return LevelError(p50, p95, float(moved.max()), self._reference_level, lost)

    def _source_values(self, name: str) -> AnyArray:
        """Values at the level last made; read once from the level everything is built from."""
        found = self._values.get(name)
        return self._reader.read_values(name) if found is None else found

    def _read_members(self, path: str) -> tuple[IntArray, Members | None]:
        """Ids of the object slots, and which rows each object has."""
        arrays, layout = self._reader.arrays, self.handle.layout
        index = layout.get_objects(path)
        if index is None or not len(index.ids):
            return np.zeros(0, np.int64), None
        pieces = fragments_of(layout, arrays, None)
        keys = arrays.table.keys()
        first = np.zeros(len(keys) + 1, np.int64)
        np.cumsum(self._row_counts(), out=first[1:])
        rows, objects = piece_rows(
            pieces,
            self._reader.fragment_indexes(keys),
            keys,
            first,
            arrays.fragments_path,
            arrays.url,
        )
        return index.ids, Members(objects, rows)

    def _row_counts(self) -> IntArray:
        arrays = self._reader.arrays
        if arrays.table.exact:
            return arrays.table.counts
        found = self._reader.read_chunks(arrays.table.keys())
        return np.array([len(part.positions) for part in found.values()], np.int64)

    def _write_objects(self, source: int, path: str, route: Route, members: Members) -> None:
        """Manifests over shared vertices, and the object attributes of the objects that remain."""
        layout, slots = self.handle.layout, self._slots
        manifests = manifests_of_members(members, route, slots)
        write_objects(layout, path, ObjectTables(manifests))
        there = np.unique(members.objects)
        stored = layout.get_objects(path)
        row_ids = slots if stored is None else stored.ids
        for name in layout.array_names(f"{source}/{OBJECT_ATTRIBUTES}"):
            found = layout.get_dense(f"{source}/{OBJECT_ATTRIBUTES}/{name}")
            if found is None:
                continue
            values, present = found
            kept = np.intersect1d(there, slots[present[present < len(slots)]])
            rows = values[np.searchsorted(slots, kept)]
            put_object_attribute(layout, path, name, rows, kept, row_ids)

    def _level_meta(self, source: int, target: Target, count: int) -> LevelMetadata:
        names = [VERTICES]
        if self._specs:
            names += [VERTEX_ATTRIBUTES, *(f"{VERTEX_ATTRIBUTES}/{n}" for n in self._specs)]
        has_objects = self._rows.members is not None
        names += [OBJECT_INDEX] if has_objects else []
        chunk = target.chunk_shape
        return LevelMetadata(
            level=target.level,
            vertex_count=count,
            arrays_present=tuple(names),
            bin_shape=target.bin_shape,
            bin_ratio=target.bin_ratio,
            chunk_shape=None if chunk == self.handle.meta.chunk_shape else chunk,
            object_sparsity=self._sparsity,
            coarsening_method=METHOD,
            parent_level=source,
            preserves_object_ids=has_objects,
            inherited_num_objects=len(self._slots) if has_objects else 0,
            shared_fragments=has_objects,
            fragments_tile=True,
        )

    def _aggregate(self, spec: AttributeSpec) -> reduce.Aggregation:
        categorical = spec.categories is not None
        usual = "mode" if categorical or spec.dtype.kind == "b" else "mean"
        how = self._aggregation.get(spec.name, usual)
        return reduce.check_aggregation(how, spec.name, categorical=categorical)

    def _report(self, text: str) -> None:
        self._check()
        if self._progress is not None:
            self._progress(self._done, self._steps, text)
        self._done += 1

    def _check(self) -> None:
        if self._cancelled is not None and self._cancelled():
            raise CoarseningError("building the pyramid was cancelled")
