"""Lines, graphs, skeletons and meshes made coarser: each object by itself, still connected."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from zarr_vectors.constants import (
    FACE_ATTRIBUTES,
    LINK_ATTRIBUTES,
    LINKS,
    VERTEX_ATTRIBUTES,
    VERTICES,
)
from zarr_vectors.core.handle import StoreHandle, finish
from zarr_vectors.core.metadata import LevelError, LevelMetadata
from zarr_vectors.core.metadata.multiscales import LevelTransform, with_transform
from zarr_vectors.core.metadata.tables import ERROR_METRIC, SHAPE_METRIC
from zarr_vectors.core.root_meta import LevelDocument, RootDocument
from zarr_vectors.exceptions import CoarseningError, StoreError, ZVWarning
from zarr_vectors.multiresolution.builder import LevelBuilder, exact_table
from zarr_vectors.multiresolution.carried import arrays_of_objects, read_carried, write_carried
from zarr_vectors.multiresolution.cross_level import CrossLevel, Place, composed, place_of
from zarr_vectors.multiresolution.density import DENSITY_KEY, density_of_bins
from zarr_vectors.multiresolution.linked_load import Loader, Source
from zarr_vectors.multiresolution.linked_reduce import BatchJob, joined_rows, reduce_batch
from zarr_vectors.multiresolution.linked_routes import with_slots
from zarr_vectors.multiresolution.linked_rows import KINDS, PATHS
from zarr_vectors.multiresolution.linked_write import Stacked, Stacking, stored_specs
from zarr_vectors.multiresolution.object_facts import ShelfFacts
from zarr_vectors.multiresolution.object_selection import keep_objects
from zarr_vectors.multiresolution.quantiles import Quantiles
from zarr_vectors.multiresolution.reducing import Runner, serial
from zarr_vectors.multiresolution.scratch import Scratch, rest
from zarr_vectors.multiresolution.shelf import BATCH_ROWS, Shelf
from zarr_vectors.multiresolution.steps import (
    COLLAPSE,
    METHOD,
    Progress,
    Step,
    Target,
    target_of,
)
from zarr_vectors.multiresolution.strategies import points as reduce
from zarr_vectors.multiresolution.strategies.shapes import to_shape
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import LevelArrays, describe_level
from zarr_vectors.reading.linked import link_attribute_names
from zarr_vectors.reading.objects import decoded_objects
from zarr_vectors.typing import IntArray
from zarr_vectors.writing.commit import ObjectTables, grid_of, write_objects
from zarr_vectors.writing.linked import LINKS_ATTRIBUTES
from zarr_vectors.writing.order import distinct


class LinkedBuilder(LevelBuilder):
    """A pyramid being built: the store, the level last made, and the way down to the reference.

    A level is made in batches of whole objects, so that memory does not grow with their number;
    objects that share vertices, or that links join, are in one batch. Batches may be made by other
    processes: the bytes are the same.

    Args:
        handle: The store, open for writing.
        aggregation: Attribute name, of vertices or of links -> how its values are reduced.
        progress: Told of every step.
        cancelled: Asked between steps; True stops.
        runner: Makes the batches.
        cross: Links between levels.
    """

    LEAST = 4
    """Vertices that an object keeps on average; where fewer are asked for, fewer objects stay."""
    SPARSE = 4.0
    """Sparsity of a step of its own accord where bins have little left to merge."""

    def __init__(
        self,
        handle: StoreHandle,
        aggregation: Mapping[str, str],
        progress: Progress | None,
        cancelled: Callable[[], bool] | None,
        runner: Runner = serial,
        cross: CrossLevel | None = None,
    ) -> None:
        kinds = handle.meta.geometry_types
        if len(kinds) != 1 or kinds[0] not in KINDS:
            raise CoarseningError(
                f"{handle.backend.url} holds {', '.join(kinds) or 'nothing'}: "
                "pyramids are built of one geometry type"
            )
        super().__init__(handle, aggregation, progress, cancelled, cross)
        self._kind = kinds[0]
        self._runner = runner
        self._scratch = Scratch()

    def close(self) -> None:
        """Let go of what was set aside on disk."""
        self._scratch.close()

    def load(self, level: int) -> None:
        """Read the level everything is built from."""
        handle = self.handle
        document = handle.level(level)
        if document.meta.chunked_by_attribute:
            raise CoarseningError(
                f"level {level} of {handle.backend.url} is chunked by an attribute: "
                "pyramids need levels chunked by space alone"
            )
        _warn_of_faces(handle, document)
        arrays = describe_level(handle.layout, handle.meta, document)
        reader = LevelReader(handle.layout, arrays)
        links = () if self._kind in PATHS else link_attribute_names(handle, level)
        self._choose_aggregations(arrays, links)
        table = exact_table(reader)
        objects = decoded_objects(handle.layout, arrays, None)
        self._carried = None
        if objects is not None:
            self._carried = read_carried(handle.layout, arrays.path, objects[0])
        source = Source(handle, reader, table, self._kind, objects, tuple(self._specs), links)
        place = place_of(handle.meta, level, arrays.chunk_shape, table)
        wanted = self._cross.takes(place)
        loader = Loader(source, self._scratch, self._check, BATCH_ROWS)
        self._shelf, stored = loader.load(stored=wanted)
        self._reference = self._shelf
        self._reference_level = level
        self._standing: IntArray | None = None
        self._sparsity = 1.0
        self._shared = False
        self._shrank = 1.0 if self._kind == "line" else 0.0
        if wanted:
            self._cross.start(place, stored)

    def is_coarse(self, level: int) -> bool:
        """Whether the level last made is small enough, or nothing more can be left out of it."""
        if self._shelf.count <= self.COARSE:
            return True
        return level > 0 and self._shrank > 0.9 and len(self._shelf.ids()) <= 1

    def next_step(self) -> Step:
        """The step a pyramid takes of its own accord.

        Bins double; where that merged less than a third of the vertices, fewer objects stay.
        """
        sparse = self._shrank > 2 / 3 and self._carried is not None
        return Step(2.0, self.SPARSE if sparse else 1.0)

    def build(
        self, source: int, level: int, step: Step, choice: tuple[str, int | None], rest_of: int
    ) -> dict[str, Any]:
        """Make one level from the one last made, write it, and keep it for the next."""
        handle, layout, path = self.handle, self.handle.layout, str(level)
        if level in handle.levels:
            raise StoreError(f"{handle.backend.url} has a level {level} already: remove it first")
        self._steps = self._done + rest_of * (self._shelf.batches + 3)
        step = self._sized(step)
        target = target_of(handle.meta, handle.level(source).meta, level, step)
        kept = self._kept(step, choice)
        above = self._scratch.growing(np.int64)
        stacking = Stacking(self._scratch)
        below = self._shelf
        for result in self._runner.each(reduce_batch, self._jobs(kept, target, step.vertices)):
            self._report(f"level {level}: {stacking.count:,} vertices")
            stacking.add(result)
            above.add(result.parents)
        below.rest()
        parents = above.whole()
        shelf, stacked = stacking.finish()
        merged = stacked.merged
        grid = grid_of(handle.meta.bounds, target.chunk_shape, merged.coords)
        self._report(f"level {level}: writing {shelf.count:,} vertices")
        try:
            specs = stored_specs(self._specs)
            bins = stacked.write_rows(layout, target, shelf, specs, grid, self._check, BATCH_ROWS)
            there = self._write_objects(path, stacked)
            layout.put_links(path, stacked.links(BATCH_ROWS), grid)
            self._report(f"level {level}: error")
            error = self._measure(below, shelf, parents, shape=step.vertices is not None)
            place = place_of(handle.meta, level, target.chunk_shape, merged.table)
            self._climb(place, below, shelf, stacked, parents)
        except BaseException:
            layout.delete(path)
            raise
        self._shrank = shelf.count / max(below.count, 1)
        self._shared = self._shared or stacking.shared
        self._shelf = shelf
        self._sparsity = 1.0 / step.sparsity
        method = METHOD if step.vertices is None else COLLAPSE
        meta = self._level_meta(source, target, shelf.count, method, shared=stacking.shared)
        transform = LevelTransform(target.bin_ratio, tuple(x / 2 for x in target.bin_shape))
        root = RootDocument(with_transform(handle.root.attributes, level, transform), handle.meta)
        extra = {DENSITY_KEY: density_of_bins(shelf.count, bins, target.bin_shape, stacked.length)}
        extra |= {} if self._kind in PATHS else LINKS_ATTRIBUTES
        self.handle = handle.with_level(LevelDocument(meta, extra, merged.table, error), root)
        finish(self.handle, level)
        return {
            "vertex_count": meta.vertex_count,
            "object_count": len(there),
            "objects_kept": len(kept),
            "source_objects": 0 if self._carried is None else len(self._carried.slots),
            "method": method,
            "preserves_object_ids": meta.preserves_object_ids,
            "shared_fragments": stacking.shared,
            "error": error.to_dict(),
        }

    def _capabilities(self) -> Iterable[str]:
        if self._carried is not None:
            yield "preserved_object_ids"
        if self._shared:
            yield "shared_fragments"

    def _sized(self, step: Step) -> Step:
        """The step, with how much larger bins become where a number of vertices is asked for.

        Bins and chunks grow as vertices become fewer. Fewer objects stay where each would have
        less than :data:`LEAST` vertices.

        Raises:
            CoarseningError: The level has no more vertices than that.
        """
        wanted, count = step.vertices, self._shelf.count
        if wanted is None:
            return step
        if wanted >= count:
            raise CoarseningError(
                f"{wanted:,} vertices are asked for, and the level below has {count:,}"
            )
        ratio = (count / wanted) ** (1 / self.handle.meta.ndim)
        sparsity = 1.0
        if self._carried is not None:
            least = 2 if self._kind == "line" else self.LEAST
            sparsity = max(1.0, least * len(self._shelf.ids()) / wanted)
        return replace(step, coarsen=float(max(1, round(ratio))), sparsity=sparsity)

    def _shares(self, kept: IntArray, wanted: int) -> list[int]:
        """Vertices that each batch may make, as its objects that stay have them."""
        shelf = self._shelf
        sizes = []
        for number in range(shelf.batches):
            members = shelf.batch(number).members
            live = np.ones(int(shelf.starts[number + 1] - shelf.starts[number]), np.bool_)
            if members is not None:
                stays = np.isin(members.objects, kept)
                live[members.rows] = False
                live[members.rows[stays]] = True
            sizes.append(np.count_nonzero(live))
        ends = np.cumsum([0, *sizes])
        shares = np.diff(np.rint(ends * (wanted / max(int(ends[-1]), 1))))
        return [int(share) for share in shares]

    def _jobs(self, kept: IntArray, target: Target, wanted: int | None) -> Iterator[BatchJob]:
        shelf = self._shelf
        shares = None if wanted is None else self._shares(kept, wanted)
        marks = self.handle.layout.parents_cross_fragments
        for number in range(shelf.batches):
            self._check()
            rows = shelf.batch(number)
            own = None
            if rows.members is not None:
                ids = distinct(rows.members.objects)
                own = None if np.isin(ids, kept).all() else kept
            yield BatchJob(
                rows,
                shelf.values_of(number),
                own,
                self._kind,
                target,
                self._how,
                self._link_how,
                self.handle.meta.bounds[0],
                marks,
                None if shares is None else shares[number],
            )
            shelf.rest()

    def _kept(self, step: Step, choice: tuple[str, int | None]) -> IntArray:
        """Ids of the objects that stay."""
        if self._carried is None:
            if step.sparsity > 1:
                raise CoarseningError(
                    "there are no objects to leave out: the sparsity factor must be 1"
                )
            return np.zeros(0, np.int64)
        ids = self._shelf.ids()
        facts = ShelfFacts(self._shelf, self._carried, self._kind, self.handle.meta.bounds[0])
        return keep_objects(ids, step.sparsity, strategy=choice[0], seed=choice[1], facts=facts)

    def _write_objects(self, path: str, stacked: Stacked) -> IntArray:
        """Manifests and what is known of objects; the ids of those that have vertices."""
        if self._carried is None or stacked.manifests is None:
            return np.zeros(0, np.int64)
        there = stacked.manifests.ids
        whole = with_slots(stacked.manifests, self._carried.slots)
        write_objects(self.handle.layout, path, ObjectTables(whole))
        write_carried(self.handle.layout, path, self._carried, there)
        return there

    def _measure(self, below: Shelf, shelf: Shelf, parents: IntArray, *, shape: bool) -> LevelError:
        """Distance of every reference vertex to the one that now stands for it.

        Args:
            below: The level before.
            shelf: The level.
            parents: (N,) int64 row of the level, in its batch, for every row of the level before.
            shape: To the lines or faces around that one instead.
        """
        reference, tally, lost = self._reference, Quantiles(), 0
        first = self._standing is None
        if self._standing is None:
            self._standing = self._scratch.array((reference.count,), np.int64)
        for number in range(reference.batches):
            self._check()
            rows = _span(reference.starts, number)
            above = np.asarray(parents[_span(below.starts, number)])
            standing = composed(None if first else np.asarray(self._standing[rows]), above)
            self._standing[rows] = standing
            there = standing >= 0
            lost += int(len(there) - np.count_nonzero(there))
            positions = np.asarray(reference.positions[rows])
            own = np.asarray(shelf.positions[_span(shelf.starts, number)])
            if not there.all():
                positions, standing = positions[there], standing[there]
            if shape:
                rows_above = shelf.batch(number)
                links = rows_above.links
                if self._kind in PATHS:
                    links = joined_rows(rows_above, self._kind)
                tally.add(to_shape(positions, standing, own, links))
            else:
                tally.add(reduce.displacements(positions, own, standing))
            for column in (self._standing, reference.positions, shelf.positions, parents):
                rest(column)
        p50, p95 = tally.percentiles((50, 95))
        metric = SHAPE_METRIC if shape else ERROR_METRIC
        return LevelError(p50, p95, tally.max, self._reference_level, lost, metric)

    def _climb(
        self, place: Place, below: Shelf, shelf: Shelf, stacked: Stacked, parents: IntArray
    ) -> None:
        """Link the level with those below it."""
        if not self._cross.wanted:
            return
        shift = np.repeat(shelf.starts[:-1], np.diff(below.starts))
        stored = [stacked.merged.stored(number) for number in range(shelf.batches)]
        whole = np.where(parents >= 0, parents + shift, -1)
        self._cross.climb(self.handle.layout, place, whole, np.concatenate(stored))

    def _level_meta(
        self, source: int, target: Target, count: int, method: str, *, shared: bool
    ) -> LevelMetadata:
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
            vertex_count=count,
            arrays_present=(*names, *arrays_of_objects(self._carried)),
            bin_shape=target.bin_shape,
            bin_ratio=target.bin_ratio,
            chunk_shape=None if chunk == self.handle.meta.chunk_shape else chunk,
            object_sparsity=self._sparsity,
            coarsening_method=method,
            parent_level=source,
            preserves_object_ids=has_objects,
            inherited_num_objects=len(self._carried.slots) if self._carried else 0,
            shared_fragments=shared,
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


def _span(starts: IntArray, number: int) -> slice:
    """The rows of a batch."""
    return slice(int(starts[number]), int(starts[number + 1]))


def _warn_of_faces(handle: StoreHandle, document: LevelDocument) -> None:
    """Tell of attributes that only faces inside chunks have: those across would be given none."""
    lost = [n for n in document.meta.arrays_present if n.startswith(f"{FACE_ATTRIBUTES}/")]
    if lost:
        names = ", ".join(repr(name.split("/", 1)[1]) for name in lost)
        warnings.warn(
            f"attributes {names} of faces at level {document.meta.level} of {handle.backend.url} "
            "are not carried: only faces inside one chunk have them; propagate_attribute with "
            "scope='face' carries them, and face_attributes of write_mesh are",
            ZVWarning,
            stacklevel=4,
        )
