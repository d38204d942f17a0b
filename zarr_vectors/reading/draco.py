"""Vertices kept as Draco bitstreams, read as if they were raw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from zarr_vectors.core.layouts.base import Cells, ReadsCells
from zarr_vectors.core.paths import format_chunk
from zarr_vectors.encoding import draco
from zarr_vectors.encoding.fragments import decode_fragments
from zarr_vectors.exceptions import DracoError
from zarr_vectors.reading.cache import CellCache
from zarr_vectors.reading.level import LevelArrays
from zarr_vectors.typing import ChunkCoords, IntArray


class DracoCells:
    """Cells of a level whose vertices are encoded: they come decoded, all others as they are.

    Args:
        cells: Where blobs come from.
        arrays: What the level holds.
    """

    def __init__(self, cells: ReadsCells, arrays: LevelArrays) -> None:
        self._cells = cells
        self._arrays = arrays
        self._faces = CellCache()

    def get_cells(self, request: Mapping[str, Iterable[ChunkCoords]]) -> dict[str, Cells]:
        """Blobs of the arrays asked for, vertices decoded.

        Raises:
            DracoError: DracoPy is missing, or a chunk does not decode.
        """
        arrays = self._arrays
        if arrays.vertices_path not in request:
            return self._cells.get_cells(request)
        wanted = {path: list(coords) for path, coords in request.items()}
        mine = wanted[arrays.vertices_path]
        asked = wanted.get(arrays.fragments_path)
        if not arrays.table.exact:
            wanted[arrays.fragments_path] = list({*mine, *(asked or ())})
        found = dict(self._cells.get_cells(wanted))
        counts = self._counts(mine, found.get(arrays.fragments_path, {}))
        blobs = found.get(arrays.vertices_path, {})
        found[arrays.vertices_path] = {
            key: self._decoded(key, blob, counts[key]) for key, blob in blobs.items()
        }
        if asked is None:
            found.pop(arrays.fragments_path, None)
        return found

    def list_cells(self, path: str) -> tuple[ChunkCoords, ...]:
        """Coordinates of the non-empty cells."""
        return self._cells.list_cells(path)

    def faces(self, keys: Sequence[ChunkCoords]) -> list[IntArray]:
        """(f, 3) int64 rows of each chunk's vertices, from the same bitstreams."""
        path = self._arrays.vertices_path
        found = self._faces.get(path, keys)
        missing = [key for key in keys if key not in found]
        if missing:  # more than were kept: one by one, so that each is
            self._faces.clear()
            for key in missing:
                self.get_cells({path: [key]})
                found |= self._faces.get(path, [key])
        return [np.frombuffer(found.get(key, b""), np.int64).reshape(-1, 3) for key in keys]

    def _counts(self, keys: list[ChunkCoords], tables: Cells) -> dict[ChunkCoords, int]:
        """Vertices every chunk has: as recorded, else the rows its fragments reach."""
        table = self._arrays.table
        if table.exact:
            return dict(zip(table.keys(), table.counts.tolist(), strict=True))
        counts = dict.fromkeys(keys, 0)
        for key in keys:
            if key in tables:
                index = decode_fragments(tables[key])
                counts[key] = int((index.starts + index.counts)[~index.explicit].max(initial=0))
        return counts

    def _decoded(self, key: ChunkCoords, blob: bytes, count: int) -> bytes:
        arrays = self._arrays
        try:
            rows, faces = draco.decode(blob, count)
        except DracoError as error:
            name = f"chunk {format_chunk(key)} of {arrays.vertices_path} in {arrays.url}"
            raise DracoError(f"{name} cannot be read: {error}") from error
        self._faces.put(arrays.vertices_path, {key: faces.tobytes()})
        # quantising may move a vertex at a wall out of its chunk, where a box would miss it
        size = np.asarray(arrays.chunk_shape, np.float64)
        low = np.asarray(key[-arrays.ndim :], np.float64) * size
        first, last = low.astype(np.float32), (low + size).astype(np.float32)
        first = np.where(first < low, np.nextafter(first, np.float32(np.inf)), first)
        last = np.nextafter(last, np.float32(-np.inf))
        kept = np.clip(rows, first, np.maximum(first, last))
        return kept.astype(arrays.vertices.dtype).tobytes()
