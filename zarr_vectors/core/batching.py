"""Deferred writes and prefetched reads as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from zarr_vectors.core.keys import parse_key
from zarr_vectors.core.layouts.base import Cells, Layout
from zarr_vectors.exceptions import StoreError
from zarr_vectors.typing import ChunkCoords

ReadPlan = Mapping[str, Iterable[str | ChunkCoords]]
"""Array name -> chunks, as keys or coordinates."""


@dataclass(slots=True)
class Batch:
    """What a family of group handles has put off and has fetched ahead."""

    writes: dict[str, dict[ChunkCoords, bytes]] | None = None
    """Logical path -> queued cells; None outside a batch."""
    reads: dict[str, Cells] | None = None
    """Logical path -> fetched cells; None outside a batch."""
    planned: dict[str, frozenset[ChunkCoords]] = field(default_factory=dict)
    """Logical path -> chunks that were asked for ahead, there or not."""

    def start_writes(self) -> None:
        """Queue writes from now on.

        Raises:
            StoreError: They are queued already.
        """
        if self.writes is not None:
            raise StoreError("batched_writes() cannot be nested")
        self.writes = {}

    def flush(self, layout: Layout) -> None:
        """Write what is queued, array by array, and queue no more."""
        queued, self.writes = self.writes or {}, None
        for path, cells in queued.items():
            layout.put_cells(path, cells)

    def start_reads(self, layout: Layout, plan: Mapping[str, Iterable[ChunkCoords]]) -> None:
        """Fetch cells in one batch and serve them from now on.

        Raises:
            StoreError: A batch of reads is open already.
        """
        if self.reads is not None:
            raise StoreError("batched_reads() cannot be nested")
        self.planned = {path: frozenset(chunks) for path, chunks in plan.items()}
        self.reads = layout.get_cells(self.planned)

    def end_reads(self) -> None:
        """Let go of the fetched cells."""
        self.reads = None
        self.planned = {}

    def cell(self, layout: Layout, path: str, chunk: ChunkCoords) -> bytes | None:
        """One cell: queued, fetched ahead, or read now; None where there is none."""
        if self.writes is not None and chunk in self.writes.get(path, {}):
            return self.writes[path][chunk] or None
        if self.reads is not None and chunk in self.planned.get(path, ()):
            return self.reads[path].get(chunk)
        return layout.get_cells({path: [chunk]})[path].get(chunk)

    def put(self, layout: Layout, path: str, chunk: ChunkCoords, data: bytes) -> None:
        """Write one cell, now or when the batch ends."""
        if self.writes is None:
            layout.put_cells(path, {chunk: data})
        else:
            self.writes.setdefault(path, {})[chunk] = data
        if self.reads is not None and chunk in self.planned.get(path, ()):
            self.reads[path][chunk] = data


def coords_of(chunk: str | ChunkCoords) -> ChunkCoords:
    """Coordinates of a chunk given as key or coordinates."""
    return parse_key(chunk) if isinstance(chunk, str) else tuple(map(int, chunk))
