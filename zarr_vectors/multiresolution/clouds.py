"""A point cloud made coarser: one vertex per bin, its attributes, objects and measured error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import VERTEX_ATTRIBUTES, VERTICES
from zarr_vectors.core.handle import StoreHandle, finish
from zarr_vectors.core.metadata import ChunkTable, LevelMetadata
from zarr_vectors.core.metadata.multiscales import LevelTransform, with_transform
from zarr_vectors.core.root_meta import LevelDocument, RootDocument
from zarr_vectors.exceptions import ChunkingError, CoarseningError, StoreError
from zarr_vectors.multiresolution.builder import LevelBuilder, exact_table
from zarr_vectors.multiresolution.carried import (
    KnownObjects,
    arrays_of_objects,
    write_carried,
)
from zarr_vectors.multiresolution.cross_level import CrossLevel, place_of
from zarr_vectors.multiresolution.density import DENSITY_KEY, density_of_bins
from zarr_vectors.multiresolution.measuring import Standing
from zarr_vectors.multiresolution.object_selection import keep_objects
from zarr_vectors.multiresolution.reducing import Runner, TileJob, serial
from zarr_vectors.multiresolution.scratch import Scratch, rest
from zarr_vectors.multiresolution.sizing import sized_target
from zarr_vectors.multiresolution.steps import (
    METHOD,
    Members,
    Progress,
    Step,
    Target,
    carried_members,
    kept_members,
    manifests_of_members,
    moved_members,
    target_of,
)
from zarr_vectors.multiresolution.tiles import Tile, chunk_scales, rows_of, target_chunks, tiles_of
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import describe_level
from zarr_vectors.reading.plan import plan_read
from zarr_vectors.typing import FloatArray, IntArray
from zarr_vectors.writing.commit import (
    ObjectTables,
    create_rows,
    fill_rows,
    grid_of,
    write_objects,
)
from zarr_vectors.writing.order import distinct
from zarr_vectors.writing.route import Route, cell_ranks


class CloudBuilder(LevelBuilder):
    """A pyramid being built: the store, the level last made, and the way down to the reference.

    A level is made tile by tile, so that memory does not grow with the cloud; a cloud with objects,
    or one whose grids do not nest, is one tile. Tiles may be made by other processes: the bytes
    are the same.

    Args:
        handle: The store, open for writing.
        aggregation: Attribute name -> how its values are reduced.
        progress: Told of every step.
        cancelled: Asked between steps; True stops.
        runner: Makes the tiles.
        cross: Links between levels; none by default.
    """

    def __init__(
        self,
        handle: StoreHandle,
        aggregation: Mapping[str, str],
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
        runner: Runner = serial,
        cross: CrossLevel | None = None,
    ) -> None:
        if handle.meta.geometry_types != ("point_cloud",):
            kinds = ", ".join(handle.meta.geometry_types) or "nothing"
            raise CoarseningError(f"{handle.backend.url} holds {kinds}; only points are coarsened")
        super().__init__(handle, aggregation, progress, cancelled, cross)
        self._runner = runner
        self._scratch = Scratch()

    def close(self) -> None:
        """Let go of what was set aside on disk."""
        self._scratch.close()

    def load(self, level: int) -> None:
        """Take the level everything is built from."""
        handle = self.handle
        document = handle.level(level)
        if document.meta.chunked_by_attribute:
            raise CoarseningError(
                f"level {level} of {handle.backend.url} is chunked by an attribute: "
                "pyramids need levels chunked by space alone"
            )
        arrays = describe_level(handle.layout, handle.meta, document)
        self._specs = dict(arrays.attributes)
        how = {name: self._aggregate(spec) for name, spec in self._specs.items()}
        unknown = set(self._aggregation) - set(self._specs)
        if unknown:
            raise CoarseningError(f"there are no attributes {sorted(unknown)} to aggregate")
        self._attributes = tuple(how.items())
        self._reader = LevelReader(handle.layout, arrays)
        self._table = exact_table(self._reader)
        self._standing = Standing(self._reader, self._table, self._scratch, self._check)
        self._members = self._members_of(self._reader, self._table)
        none = np.zeros(0, np.int64)
        self._slots = none if self._carried is None else self._carried.slots
        self._weights: FloatArray | None = None
        self._positions: FloatArray = np.zeros((0, handle.meta.ndim), arrays.vertices.dtype)
        self._sparsity = 1.0
        place = place_of(handle.meta, level, arrays.chunk_shape, self._table)
        if self._cross.takes(place):
            self._cross.start(place)

    def next_step(self) -> Step:
        """The step a pyramid takes of its own accord: bins double."""
        return Step(2.0)

    def is_coarse(self, level: int) -> bool:
        """Whether the level last made is small enough, or no smaller than the one it came from."""
        count = int(self._table.counts.sum())
        if count <= self.COARSE:
            return True
        before = self.handle.levels.get(level - 1)
        if level > 1 and before is not None and count > 0.9 * before.meta.vertex_count:
            extent = np.ptp(self._positions, axis=0)
            bins = self.handle.levels[level].meta.bin_shape or self.handle.meta.bin_shape
            return bool((extent <= np.asarray(bins)).all())
        return False

    def build(
        self, source: int, level: int, step: Step, choice: tuple[str, int | None], rest_of: int
    ) -> dict[str, Any]:
        """Make one level from the one last made, write it, and keep it for the next."""
        handle, layout, path = self.handle, self.handle.layout, str(level)
        if level in handle.levels:
            raise StoreError(f"{handle.backend.url} has a level {level} already: remove it first")
        target = self._target(source, level, step)
        members, kept = self._members, self._slots
        if members is not None:
            kept = self._kept(members, step, choice)
            members = kept_members(members, kept)
        elif step.sparsity > 1:
            raise CoarseningError(
                "there are no objects to leave out: the sparsity factor must be 1"
            )
        scales, settle = None, step.vertices is not None
        if members is None:
            scales = chunk_scales(self._reader.arrays.chunk_shape, target)
        try:
            try:
                table, route, parents = self._make(target, members, scales, rest_of, settle=settle)
            except ChunkingError:  # grids that nest on paper and not in float64
                layout.delete(path)
                table, route, parents = self._make(target, members, None, rest_of, settle=settle)
            carried = None
            if members is not None:
                count = int(table.counts.sum())
                stored = np.arange(count, dtype=np.int64)
                carried = moved_members(carried_members(members, parents, count), stored)
                self._write_objects(path, route, carried)
            self._report(f"level {level}: error")
            self._standing.climb(parents)
            error = self._standing.error(self._positions)
            place = place_of(handle.meta, level, target.chunk_shape, table)
            self._cross.climb(layout, place, parents)
            rest(parents)
        except BaseException:
            layout.delete(path)
            raise
        self._members = carried
        self._sparsity = 1.0 / step.sparsity
        meta = self._level_meta(source, target, int(table.counts.sum()))
        transform = LevelTransform(target.bin_ratio, tuple(x / 2 for x in target.bin_shape))
        root = RootDocument(with_transform(handle.root.attributes, level, transform), handle.meta)
        count = meta.vertex_count  # one in each bin
        density = density_of_bins(count, count, target.bin_shape)
        document = LevelDocument(meta, {DENSITY_KEY: density}, table, error)
        self.handle = handle.with_level(document, root)
        finish(self.handle, level)
        self._table = table
        arrays = describe_level(layout, handle.meta, document)
        self._reader = LevelReader(layout, arrays)
        present = 0 if carried is None else len(distinct(carried.objects))
        return {
            "vertex_count": meta.vertex_count,
            "object_count": present,
            "objects_kept": len(kept),
            "source_objects": len(self._slots),
            "method": METHOD,
            "preserves_object_ids": carried is not None,
            "shared_fragments": carried is not None,
            "error": error.to_dict(),
        }

    def _capabilities(self) -> Iterable[str]:
        return () if self._members is None else ("preserved_object_ids", "shared_fragments")

    def _make(
        self,
        target: Target,
        members: Members | None,
        scales: tuple[int, ...] | None,
        rest_of: int,
        *,
        settle: bool,
    ) -> tuple[ChunkTable, Route, IntArray]:
        """Write the rows of a level, tile after tile.

        Returns:
            The chunks made, the route of the last tile, and the target row of every source row.

        Raises:
            ChunkingError: A tile reaches out of its chunks.
        """
        layout, path = self.handle.layout, str(target.level)
        count = int(self._table.counts.sum())
        starts = np.zeros(len(self._table.coords) + 1, np.int64)
        np.cumsum(self._table.counts, out=starts[1:])
        tiles = tiles_of(self._table, scales)
        self._steps = self._done + rest_of * (len(tiles) + 1)
        dtype = np.int32 if count < 2**31 else np.int64
        parents = self._scratch.array((count,), dtype)
        positions = self._scratch.array((count, self.handle.meta.ndim), self._positions.dtype)
        weights = self._scratch.array((count,), np.float64)
        specs = [
            replace(self._specs[name], limits=None, guessed=False) for name, _ in self._attributes
        ]
        tables: list[ChunkTable] = []
        route: Route | None = None
        chunks = None if scales is None else target_chunks(self._table.coords, scales)
        done = 0
        jobs = self._jobs(tiles, target, members, starts, settle=settle)
        for tile, result in zip(tiles, self._runner.tiles(self._reader, jobs), strict=True):
            self._report(f"level {target.level}: {done:,} vertices")
            route = result.route
            if chunks is not None and not _subset(route.chunks, chunks[tile.chunks]):
                raise ChunkingError(f"a tile of level {path} reaches out of its chunks")
            if not tables:
                made = route.chunks if chunks is None else chunks
                grid = grid_of(self.handle.meta.bounds, target.chunk_shape, made)
                create_rows(layout, path, positions.dtype, specs, grid)
            found = fill_rows(
                layout, path, route, result.positions, specs, result.values, self._check
            )
            tables.append(found)
            rows = rows_of(tile.chunks, starts)
            parents[rows] = np.where(result.parents >= 0, result.parents + done, -1)
            end = done + len(result.positions)
            positions[done:end] = result.positions[route.order]
            weights[done:end] = result.totals[route.order]
            done = end
        if route is None:
            raise CoarseningError(f"the level below level {path} has no vertices")
        self._positions, self._weights = positions[:done], weights[:done]
        coords = np.concatenate([table.coords for table in tables])
        counts = np.concatenate([table.counts for table in tables])
        return ChunkTable(coords, counts, exact=True), route, parents

    def _jobs(
        self,
        tiles: list[Tile],
        target: Target,
        members: Members | None,
        starts: IntArray,
        *,
        settle: bool,
    ) -> Iterator[TileJob]:
        live: npt.NDArray[np.bool_] | None = None
        if members is not None:
            live = np.zeros(int(starts[-1]), np.bool_)
            live[members.rows] = True
            live = None if live.all() else live
        arrays = self._reader.arrays
        for tile in tiles:
            self._check()
            weights = None
            if self._weights is not None:
                weights = self._weights[rows_of(tile.chunks, starts)]
            yield TileJob(
                level=arrays.meta.level,
                coords=self._table.coords[tile.chunks],
                target=target,
                attributes=self._attributes,
                offset=self.handle.meta.bounds[0],
                weights=weights,
                live=live,
                shared=members is not None,
                settle=settle,
            )

    def _target(self, source: int, level: int, step: Step) -> Target:
        """The grids of the next level."""
        root, below = self.handle.meta, self.handle.level(source).meta
        if step.vertices is None:
            return target_of(root, below, level, step)
        live: npt.NDArray[np.bool_] | None = None
        if self._members is not None:
            live = np.zeros(int(self._table.counts.sum()), np.bool_)
            live[self._members.rows] = True
        return sized_target(root, below, level, step.vertices, partial(self._occupied, live))

    def _occupied(self, live: npt.NDArray[np.bool_] | None, target: Target) -> int:
        """Bins of a target that hold a vertex of the level last made.

        Args:
            live: (N,) bool rows to look at, or None for all.
            target: The grids.
        """
        scales = None
        if live is None:
            scales = chunk_scales(self._reader.arrays.chunk_shape, target)
        found = 0
        for tile in tiles_of(self._table, scales):
            self._check()
            chunks = [tuple(row) for row in self._table.coords[tile.chunks].tolist()]
            arrays = self._reader.arrays
            plan = plan_read(arrays.table.coords, arrays.chunk_shape, chunks=chunks)
            positions = self._reader.read(plan).positions
            own = positions if live is None else positions[live]
            found += cell_ranks(own, target.bin_shape)[0]
        return found

    def _kept(self, members: Members, step: Step, choice: tuple[str, int | None]) -> IntArray:
        """Objects that stay, among those that have vertices."""
        ids = distinct(members.objects)
        carried = self._carried
        assert carried is not None  # noqa: S101  there are objects
        if step.sparsity == 1 or choice[0] == "random":
            return keep_objects(ids, step.sparsity, strategy=choice[0], seed=choice[1])
        positions = self._positions
        if self._weights is None:  # the level everything is built from
            arrays = self._reader.arrays
            plan = plan_read(arrays.table.coords, arrays.chunk_shape)
            positions = self._reader.read(plan).positions
        facts = KnownObjects(ids, members, positions, carried)
        return keep_objects(ids, step.sparsity, strategy=choice[0], seed=choice[1], facts=facts)

    def _write_objects(self, path: str, route: Route, members: Members) -> None:
        """Manifests over shared vertices, and what is known of the objects that remain."""
        manifests = manifests_of_members(members, route, self._slots)
        write_objects(self.handle.layout, path, ObjectTables(manifests))
        if self._carried is not None:
            write_carried(self.handle.layout, path, self._carried, distinct(members.objects))

    def _level_meta(self, source: int, target: Target, count: int) -> LevelMetadata:
        names = [VERTICES]
        if self._specs:
            names += [VERTEX_ATTRIBUTES, *(f"{VERTEX_ATTRIBUTES}/{n}" for n in self._specs)]
        has_objects = self._members is not None
        names += arrays_of_objects(self._carried)
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


def _subset(chunks: IntArray, allowed: IntArray) -> bool:
    """Whether all chunks are among those allowed."""
    known = {tuple(row) for row in allowed.tolist()}
    return all(tuple(row) in known for row in chunks.tolist())
