"""A level read some chunks at a time; chunks that cannot be read are set aside and named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zarr_vectors.exceptions import ArrayError, Cancelled, StoreUnreachable, ZVError
from zarr_vectors.lazy import ZVLevel, ZVStore
from zarr_vectors.reading.assemble import fragment_rows
from zarr_vectors.reading.object_pieces import ObjectPieces, read_pieces
from zarr_vectors.typing import AnyArray, ChunkCoords, FloatArray, IntArray

_EPS = 1e-5


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Vertices of some chunks.

    Attributes:
        positions: (N, D) float, world units.
        attributes: name -> (N,) or (N, C).
        chunks: (N,) int64 row of the level's chunk table.
        objects: (N,) int64 object, -1 for none; None where nothing joins the vertices.
        links: (M, W) int64 rows, or None.
        open_rows: (K, W) int64 rows, -1 in other chunks, or None.
        open_ends: (K, W) int64.
        open_objects: (K,) int64.
    """

    positions: FloatArray
    attributes: dict[str, AnyArray]
    chunks: IntArray
    objects: IntArray | None = None
    links: IntArray | None = None
    open_rows: IntArray | None = None
    open_ends: IntArray | None = None
    open_objects: IntArray | None = None
    stored: IntArray | None = None
    """(N,) int64, equal for rows that are one vertex as stored, which an object may use again."""

    def take(self, rows: IntArray) -> Rows:
        """Some of the rows, without links."""
        return Rows(
            self.positions[rows],
            {name: values[rows] for name, values in self.attributes.items()},
            self.chunks[rows],
            None if self.objects is None else self.objects[rows],
            stored=None if self.stored is None else self.stored[rows],
        )


class LevelReading:
    """Reads a level, and keeps account of what it met.

    Args:
        store: The store.
        number: The level.
        linked: Whether edges or faces join the vertices.
    """

    def __init__(self, store: ZVStore, number: int, *, linked: bool) -> None:
        self.number = number
        self.level: ZVLevel = store[number]
        self.linked = linked
        self.damaged: dict[ChunkCoords, str] = {}
        self.troubles: list[str] = []
        """Damage that is no chunk's."""
        table = self.level.chunk_table
        self.coords: IntArray = table.coords[:, -store.ndim :]
        self._keys = table.keys()
        self.counts: IntArray = table.counts.astype(np.int64).copy()
        self.exact = table.exact
        self.seen = np.zeros(len(self._keys), np.bool_)
        self.outside: IntArray = np.zeros(len(self._keys), np.int64)
        """Vertices that lie in another chunk's box than their own."""
        self.chunk_shape: tuple[float, ...] = self.level.chunk_shape
        self.bin_shape: tuple[float, ...] = self.level.bin_shape or store.bin_shape
        self.specs = self.level.attribute_specs
        self._pieces: ObjectPieces | None = None
        self._store = store

    def chunk(self, row: int) -> ChunkCoords:
        """Coordinates of a chunk of the table."""
        return self._keys[row]

    def absent(self) -> frozenset[ChunkCoords]:
        """Of the damaged chunks, those of which nothing is there; as the reader words it."""
        return frozenset(chunk for chunk, said in self.damaged.items() if said.endswith("missing"))

    def miscounted(self) -> dict[ChunkCoords, tuple[int, int]]:
        """Chunk -> (vertices recorded, vertices there), of those read where the two differ."""
        if not self.exact:
            return {}
        recorded = self.level.chunk_table.counts
        odd = np.flatnonzero(self.seen & (recorded != self.counts))
        return {self._keys[i]: (int(recorded[i]), int(self.counts[i])) for i in odd}

    def read(self, rows: IntArray, attributes: Iterable[str] = ()) -> Rows:
        """Vertices of chunks of the table; those that are damaged have none."""
        names = [name for name in attributes if name in self.specs]
        wanted = [int(row) for row in rows if self._keys[row] not in self.damaged]
        while True:
            try:
                found, counts = self._read(wanted, names)
                broken = self._not_finite(found)
                if not broken:
                    break
                wanted = [row for row in wanted if row not in broken]
            except (Cancelled, StoreUnreachable):
                raise
            except ZVError as error:
                wanted = self._without(wanted, names, error)
        self._look_at(found, np.asarray(wanted, np.int64), counts)
        return found

    def _read(self, wanted: list[int], names: list[str]) -> tuple[Rows, IntArray]:
        keys = [self._keys[row] for row in wanted]
        if not keys:
            return self._nothing(names), np.zeros(0, np.int64)
        if self.linked:
            part = self.level.read_linked_chunks(keys, names)
            ends = np.cumsum(part.counts)
            chunks = np.asarray(wanted)[np.searchsorted(ends, part.stored, side="right")]
            rows = Rows(
                part.positions,
                part.attributes,
                chunks,
                part.objects,
                part.links,
                part.open_rows,
                part.open_ends,
                part.open_objects,
                part.stored,
            )
            return rows, part.counts
        parts = self.level.read_chunks(keys, names)
        counts = np.array([len(chunk.positions) for chunk in parts.values()], np.int64)
        rows = Rows(
            np.concatenate([chunk.positions for chunk in parts.values()]),
            {n: np.concatenate([c.attributes[n] for c in parts.values()]) for n in names},
            np.repeat(np.asarray(wanted, np.int64), counts),
        )
        return rows, counts

    def _not_finite(self, rows: Rows) -> set[int]:
        """Chunks with positions that are no numbers, now damaged."""
        broken = np.flatnonzero(~np.isfinite(rows.positions).all(axis=1))
        found = set(np.unique(rows.chunks[broken]).tolist())
        for row in found:
            self.damaged[self._keys[row]] = (
                f"{self.number}/vertices has positions that are not finite numbers"
            )
        return found

    def _nothing(self, names: list[str]) -> Rows:
        none = np.zeros(0, np.int64)
        ndim = self.coords.shape[1]
        empty: dict[str, Any] = {}
        for name in names:
            spec = self.specs[name]
            shape = (0,) if spec.columns == 1 else (0, spec.columns)
            empty[name] = np.zeros(shape, spec.dtype)
        rows = Rows(np.zeros((0, ndim)), empty, none)
        if not self.linked:
            return rows
        pairs = np.zeros((0, 2), np.int64)
        return replace(
            rows,
            objects=none,
            links=pairs,
            open_rows=pairs,
            open_ends=pairs,
            open_objects=none,
        )

    def _without(self, wanted: list[int], names: list[str], error: ZVError) -> list[int]:
        """The chunks that can be read, where reading them together failed."""
        named = error.chunk if isinstance(error, ArrayError) else None
        keys = {self._keys[row] for row in wanted}
        if named is not None and tuple(named) in keys:
            self.damaged[tuple(named)] = str(error)
        else:
            good = 0
            for row in wanted:
                try:
                    self._read([row], names)
                    good += 1
                except (Cancelled, StoreUnreachable):
                    raise
                except ZVError as one:
                    self.damaged[self._keys[row]] = str(one)
            if good == len(wanted):  # each by itself, and not together
                raise error
            if not good and len(wanted) > 1:
                self._not_linked(wanted, error)
        return [row for row in wanted if self._keys[row] not in self.damaged]

    def _not_linked(self, wanted: list[int], error: ZVError) -> None:
        """Read on without links, where what tells of those of all chunks is damaged."""
        if not self.linked:
            return
        self.linked = False
        self.troubles.append(str(error))
        for row in wanted:
            self.damaged.pop(self._keys[row], None)

    def _look_at(self, rows: Rows, wanted: IntArray, counts: IntArray) -> None:
        """Keep account of chunks read for the first time."""
        fresh = wanted[~self.seen[wanted]]
        if not len(fresh):
            return
        self.counts[wanted] = counts
        self.seen[fresh] = True
        place = rows.positions / np.asarray(self.chunk_shape) - self.coords[rows.chunks]
        stray = np.flatnonzero(~((place > -_EPS) & (place < 1 + _EPS)).all(axis=1))
        if len(stray):
            found = np.bincount(rows.chunks[stray], minlength=len(self._keys))
            self.outside[fresh] = found[fresh]

    def owners(self, rows: IntArray) -> tuple[IntArray, IntArray] | None:
        """Which objects the vertices of chunks of a point cloud belong to.

        Args:
            rows: Chunks of the table, as they were read.

        Returns:
            (n,) int64 rows of what :meth:`read` returned, and (n,) int64 objects; None where there
            are none. A row of several objects comes as often.
        """
        reader = self.level.reader
        if self._pieces is None:
            layout = self._store.level_group(self.number).layout
            self._pieces = read_pieces(layout, reader.arrays, reader.ranks_of)
        pieces = self._pieces
        if pieces is None:
            return None
        good = np.array([row for row in rows if self._keys[row] not in self.damaged], np.int64)
        keys = [self._keys[row] for row in good]
        own, which = pieces.in_chunks(good)
        starts = np.zeros(len(good) + 1, np.int64)
        np.cumsum(self.counts[good], out=starts[1:])
        arrays = reader.arrays
        found, sizes = fragment_rows(
            which,
            pieces.fragments[own],
            reader.fragment_tables(keys),
            keys,
            starts,
            arrays.fragments_path,
            arrays.url,
        )
        return found, np.repeat(pieces.ids[pieces.owners(own)], sizes)
