"""Lines, graphs, skeletons and meshes made coarser: each object by itself, still connected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import LINK_ATTRIBUTES, LINKS, VERTEX_ATTRIBUTES, VERTICES
from zarr_vectors.core.handle import StoreHandle, finish
from zarr_vectors.core.layouts.base import ChunkGrid
from zarr_vectors.core.metadata import ChunkTable, LevelError, LevelMetadata
from zarr_vectors.core.metadata.multiscales import LevelTransform, with_transform
from zarr_vectors.core.root_meta import LevelDocument, RootDocument
from zarr_vectors.exceptions import CoarseningError, StoreError
from zarr_vectors.multiresolution.builder import LevelBuilder, exact_table
from zarr_vectors.multiresolution.carried import (
    KnownObjects,
    arrays_of_objects,
    write_carried,
)
from zarr_vectors.multiresolution.cross_level import CrossLevel, composed, place_of
from zarr_vectors.multiresolution.density import DENSITY_KEY, density_of
from zarr_vectors.multiresolution.linked_routes import Routed, route_level
from zarr_vectors.multiresolution.linked_rows import KINDS, PATHS, Coarser, LinkedRows, coarser
from zarr_vectors.multiresolution.object_selection import keep_objects
from zarr_vectors.multiresolution.steps import (
    METHOD,
    Members,
    Progress,
    Step,
    Target,
    kept_members,
    target_of,
)
from zarr_vectors.multiresolution.strategies import points as reduce
from zarr_vectors.multiresolution.strategies.meshes import triangles_of
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import LevelArrays, describe_level
from zarr_vectors.reading.linked import link_attribute_names, read_edges, read_faces
from zarr_vectors.reading.plan import plan_read
from zarr_vectors.typing import AnyArray, IntArray
from zarr_vectors.writing.commit import (
    Column,
    ObjectTables,
    grid_of,
    write_column,
    write_objects,
    write_rows,
)
from zarr_vectors.writing.linked import LINKS_ATTRIBUTES
from zarr_vectors.writing.route import Route


class LinkedBuilder(LevelBuilder):
    """A pyramid being built: the store, the level last made, and the way down to the reference.

    Args:
        handle: The store, open for writing.
        aggregation: Attribute name, of vertices or of links -> how its values are reduced.
        progress: Told of every step.
        cancelled: Asked between steps; True stops.
        cross: Links between levels.
    """

    SPARSE = 4.0
    """Sparsity of a step of its own accord where bins have little left to merge."""

    def __init__(
        self,
        handle: StoreHandle,
        aggregation: Mapping[str, str],
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
        cross: CrossLevel,
    ) -> None:
        kinds = handle.meta.geometry_types
        if len(kinds) != 1 or kinds[0] not in KINDS:
            raise CoarseningError(
                f"{handle.backend.url} holds {', '.join(kinds) or 'nothing'}: "
                "pyramids are built of one geometry type"
            )
        super().__init__(handle, aggregation, progress, cancelled, cross)
        self._kind = kinds[0]

    def load(self, level: int) -> None:
        """Read the level everything is built from."""
        handle = self.handle
        document = handle.level(level)
        if document.meta.chunked_by_attribute:
            raise CoarseningError(
                f"level {level} of {handle.backend.url} is chunked by an attribute: "
                "pyramids need levels chunked by space alone"
            )
        arrays = describe_level(handle.layout, handle.meta, document)
        reader = LevelReader(handle.layout, arrays)
        links = () if self._kind in PATHS else link_attribute_names(handle, level)
        self._choose_aggregations(arrays, links)
        self._source = level
        rows, values, stored, table = self._read(reader, arrays, links)
        self._rows, self._values = rows, values
        self._reference = rows.positions
        self._reference_level = level
        self._standing: npt.NDArray[np.integer] | None = None
        self._sparsity = 1.0
        self._shared = False
        self._shrank = 1.0 if self._kind == "line" else 0.0
        self._cross.start(place_of(handle.meta, level, arrays.chunk_shape, table), stored)

    def is_coarse(self, level: int) -> bool:
        """Whether the level last made is small enough, or nothing more can be left out of it."""
        members = self._rows.members
        if len(self._rows.positions) <= self.COARSE:
            return True
        one = members is None or not len(members.objects) or len(np.unique(members.objects)) == 1
        return level > 0 and one and self._shrank > 0.9

    def next_step(self) -> Step:
        """The step a pyramid takes of its own accord.

        Bins double; where that merged less than a third of the vertices, fewer objects stay.
        """
        return Step(2.0, self.SPARSE if self._shrank > 2 / 3 and self._rows.members else 1.0)

    def build(
        self, source: int, level: int, step: Step, choice: tuple[str, int | None], rest: int
    ) -> dict[str, Any]:
        """Make one level from the one last made, write it, and keep it for the next."""
        handle, layout, path = self.handle, self.handle.layout, str(level)
        if level in handle.levels:
            raise StoreError(f"{handle.backend.url} has a level {level} already: remove it first")
        self._steps = self._done + rest * (3 + len(self._specs))
        self._report(f"level {level}: bins")
        target = target_of(handle.meta, handle.level(source).meta, level, step)
        kept, ids = self._kept(step, choice)
        made = coarser(self._rows, kept, self._kind, target.bin_shape, self._link_how)
        self._check()
        slots = None if self._carried is None else self._carried.slots
        marks = layout.parents_cross_fragments
        routed = route_level(made, self._kind, target, slots, mark_roots=marks)
        positions = made.rows.positions
        self._report(f"level {level}: {len(positions):,} vertices")
        grid = grid_of(handle.meta.bounds, target.chunk_shape, routed.route.chunks)
        try:
            table = write_rows(layout, path, routed.route, positions, [], grid, self._check)
            values = self._write_values(path, made, routed.route, grid)
            there = self._write_objects(path, made, routed)
            layout.put_links(path, routed.links, grid)
            self._report(f"level {level}: error")
            error = self._measure(made)
            place = place_of(handle.meta, level, target.chunk_shape, table)
            self._cross.climb(layout, place, made.parents, routed.stored)
        except BaseException:
            layout.delete(path)
            raise
        self._shrank = len(positions) / max(len(self._rows.positions), 1)
        self._shared = self._shared or routed.shared
        self._rows, self._values = made.rows, values
        self._sparsity = 1.0 / step.sparsity
        meta = self._level_meta(source, target, routed)
        transform = LevelTransform(target.bin_ratio, tuple(x / 2 for x in target.bin_shape))
        root = RootDocument(with_transform(handle.root.attributes, level, transform), handle.meta)
        extra = {DENSITY_KEY: self._density(made, target)}
        extra |= {} if self._kind in PATHS else LINKS_ATTRIBUTES
        self.handle = handle.with_level(LevelDocument(meta, extra, table, error), root)
        finish(self.handle, level)
        return {
            "vertex_count": meta.vertex_count,
            "object_count": len(there),
            "objects_kept": len(ids),
            "source_objects": 0 if self._carried is None else len(self._carried.slots),
            "method": METHOD,
            "preserves_object_ids": meta.preserves_object_ids,
            "shared_fragments": routed.shared,
            "error": error.to_dict(),
        }

    def _capabilities(self) -> Iterable[str]:
        if self._carried is not None:
            yield "preserved_object_ids"
        if self._shared:
            yield "shared_fragments"

    def _read(
        self, reader: LevelReader, arrays: LevelArrays, links: tuple[str, ...]
    ) -> tuple[LinkedRows, dict[str, AnyArray], IntArray, ChunkTable]:
        """The level in memory, its attributes, the stored row of every row, and its chunks."""
        handle, names = self.handle, list(self._specs)
        plan = plan_read(arrays.table.coords, arrays.chunk_shape)
        table = exact_table(reader)
        members = self._members_of(reader, table)
        if self._kind in PATHS:
            points = reader.read(plan, names, text=False)
            if members is None:
                raise CoarseningError(
                    f"level {arrays.path} of {handle.backend.url} has no objects: "
                    "lines are joined by their object"
                )
            # rows path after path; a row that several paths pass is there for each
            stored = members.rows
            values = {name: column[stored] for name, column in points.vertex_attributes.items()}
            members = Members(members.objects, np.arange(len(stored)))
            rows = LinkedRows(points.positions[stored], members)
            return rows, values, stored, table
        read = read_faces if self._kind == "mesh" else read_edges
        found = read(handle, reader, plan, names, links, text=False)
        ends, columns = found.links, found.attributes
        if self._kind == "mesh" and ends.shape[1] > 3:
            ends, faces = triangles_of(ends)
            columns = {name: column[faces] for name, column in columns.items()}
        rows = LinkedRows(found.points.positions, members, links=ends, link_values=columns)
        stored = np.arange(len(rows.positions))
        return rows, found.points.vertex_attributes, stored, table

    def _kept(self, step: Step, choice: tuple[str, int | None]) -> tuple[Members | None, IntArray]:
        """Members of the objects that stay, and their ids."""
        members, carried = self._rows.members, self._carried
        if members is None or carried is None:
            if step.sparsity > 1:
                raise CoarseningError(
                    "there are no objects to leave out: the sparsity factor must be 1"
                )
            return members, np.zeros(0, np.int64)
        ids = np.unique(members.objects)
        links = None if self._kind == "mesh" else self._joined(self._rows)
        facts = KnownObjects(ids, members, self._rows.positions, carried, links)
        kept = keep_objects(ids, step.sparsity, strategy=choice[0], seed=choice[1], facts=facts)
        if len(kept) == len(ids):
            return members, kept
        return kept_members(members, kept), kept

    def _joined(self, rows: LinkedRows) -> IntArray:
        """(M, 2) rows that edges join."""
        if self._kind in PATHS:
            objects = rows.members.objects if rows.members is not None else np.zeros(0, np.int64)
            at = np.flatnonzero(objects[1:] == objects[:-1])
            return np.stack([at, at + 1], axis=1)
        if self._kind == "mesh":
            faces = rows.links
            return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
        return rows.links

    def _write_values(
        self, path: str, made: Coarser, route: Route, grid: ChunkGrid
    ) -> dict[str, AnyArray]:
        live = made.parents >= 0
        inner, count = made.parents[live], len(made.rows.positions)
        weights = None if self._rows.weights is None else self._rows.weights[live]
        found = {}
        for name, spec in self._specs.items():
            self._report(f"level {path}: attribute {name}")
            values = self._values[name][live]
            reduced = reduce.reduce_values(values, inner, count, self._how[name], weights)
            column = Column(replace(spec, limits=None, guessed=False), reduced)
            write_column(self.handle.layout, path, route, column, grid, self._check)
            found[name] = reduced
        return found

    def _write_objects(self, path: str, made: Coarser, routed: Routed) -> IntArray:
        """Manifests and what is known of objects; the ids of those that have vertices."""
        members = made.rows.members
        if self._carried is None or members is None or routed.manifests is None:
            return np.zeros(0, np.int64)
        there = np.unique(members.objects)
        write_objects(self.handle.layout, path, ObjectTables(routed.manifests))
        write_carried(self.handle.layout, path, self._carried, there)
        return there

    def _measure(self, made: Coarser) -> LevelError:
        """Distance of every reference vertex to the one that now stands for it."""
        standing = composed(self._standing, made.parents)
        self._standing = standing
        there = standing >= 0
        lost = int(len(there) - np.count_nonzero(there))
        moved = reduce.displacements(self._reference[there], made.rows.positions, standing[there])
        if not len(moved):
            return LevelError(0.0, 0.0, 0.0, self._reference_level, lost)
        p50, p95 = (float(x) for x in np.percentile(moved, (50, 95)))
        return LevelError(p50, p95, float(moved.max()), self._reference_level, lost)

    def _density(self, made: Coarser, target: Target) -> dict[str, Any]:
        return density_of(made.rows.positions, target.bin_shape, self._joined(made.rows))

    def _level_meta(self, source: int, target: Target, routed: Routed) -> LevelMetadata:
        names = [VERTICES]
        if self._specs:
            names += [VERTEX_ATTRIBUTES, *(f"{VERTEX_ATTRIBUTES}/{n}" for n in self._specs)]
        names.append(LINKS)
        if self._link_how:
            names += [LINK_ATTRIBUTES, *(f"{LINK_ATTRIBUTES}/{n}" for n in self._link_how)]
        has_objects = self._carried is not None
        chunk = target.chunk_shape
        return LevelMetadata(
            level=target.level,
            vertex_count=len(routed.stored),
            arrays_present=(*names, *arrays_of_objects(self._carried)),
            bin_shape=target.bin_shape,
            bin_ratio=target.bin_ratio,
            chunk_shape=None if chunk == self.handle.meta.chunk_shape else chunk,
            object_sparsity=self._sparsity,
            coarsening_method=METHOD,
            parent_level=source,
            preserves_object_ids=has_objects,
            inherited_num_objects=len(self._carried.slots) if self._carried else 0,
            shared_fragments=routed.shared,
            fragments_tile=True,
        )

    def _choose_aggregations(self, arrays: LevelArrays, links: tuple[str, ...]) -> None:
        self._specs = dict(arrays.attributes)
        unknown = set(self._aggregation) - set(self._specs) - set(links)
        if unknown:
            raise CoarseningError(f"there are no attributes {sorted(unknown)} to aggregate")
        self._how = {name: self._aggregate(spec) for name, spec in self._specs.items()}
        self._link_how = {
            name: reduce.check_aggregation(
                self._aggregation.get(name, "mean"), name, categorical=False
            )
            for name in links
        }
