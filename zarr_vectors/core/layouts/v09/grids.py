"""The grid of a chunked array: which cell holds a chunk, and which cells are not empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zarr_vectors.core import codecs, paths
from zarr_vectors.core.codecs import Pipeline, Sharding
from zarr_vectors.core.documents import ArrayNode, array_document, array_node
from zarr_vectors.core.keys import format_key, parse_keys
from zarr_vectors.core.layouts.base import ChunkGrid
from zarr_vectors.core.layouts.flat import VLEN
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import ChunkCoords

RECORD = "nonempty_chunks"
ORIGIN = "chunk_grid_origin"
_MOST_AXES = 16


@dataclass(frozen=True, slots=True)
class Grid:
    """A chunked array as its document describes it."""

    path: str
    node: ArrayNode
    origin: ChunkCoords
    stored: frozenset[ChunkCoords] | None
    """Chunks recorded as not empty; None where the array keeps no record."""
    listed: tuple[ChunkCoords, ...] = ()
    """The same chunks, ascending in numeric tuple order."""
    plain: bool = field(init=False)
    """Cells are neither compressed nor checksummed."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "plain", self.pipeline.plain)

    @property
    def shape(self) -> tuple[int, ...]:
        """Chunks along each axis."""
        return self.node.shape

    @property
    def sharding(self) -> Sharding | None:
        """How cells are packed into shards, None where each is stored alone."""
        return self.node.codecs if isinstance(self.node.codecs, Sharding) else None

    @property
    def pipeline(self) -> Pipeline:
        """How one cell is encoded."""
        found = self.node.codecs
        return found.inner if isinstance(found, Sharding) else found

    def index(self, chunk: ChunkCoords) -> tuple[int, ...] | None:
        """Cell of a chunk, or None outside the grid.

        Raises:
            ArrayError: The chunk is of another rank.
        """
        paths.check_rank(chunk, len(self.origin), self.path)
        found = tuple(c - o for c, o in zip(chunk, self.origin, strict=True))
        inside = all(0 <= i < n for i, n in zip(found, self.shape, strict=True))
        return found if inside else None

    def key(self, index: tuple[int, ...]) -> str:
        """Key of the object that holds a cell."""
        return f"{self.path}/{self.node.chunk_key(index)}"

    def keys(self, chunks: Sequence[ChunkCoords]) -> list[str | None]:
        """Keys of the objects that hold the cells of chunks, None outside the grid.

        Raises:
            ArrayError: A chunk is of another rank.
        """
        rank = len(self.origin)
        for chunk in chunks:
            if len(chunk) != rank:
                paths.check_rank(chunk, rank, self.path)
        columns = list(zip(*chunks, strict=True))
        grid = list(zip(columns, self.origin, self.shape, strict=bool(columns)))
        if any(min(column) < o or max(column) >= o + n for column, o, n in grid):
            indexes = map(self.index, chunks)
            return [None if index is None else self.key(index) for index in indexes]
        separator = self.node.separator
        texts = [[str(c - o) for c in column] for column, o, _ in grid]
        below = map(separator.join, zip(*texts, strict=True))
        return [f"{self.path}/c{separator}{text}" for text in below]


def read_grid(path: str, document: Mapping[str, Any], like: Grid | None = None) -> Grid:
    """The grid of an array.

    Args:
        path: Logical path of the array.
        document: Its document.
        like: A grid whose record may be the same: it is then taken over.

    Raises:
        ArrayError: The document is no chunked array, or its record is malformed.
    """
    node = array_node(document, paths.node(path))
    rank = len(node.shape)
    if node.data_type != VLEN or not 1 <= rank <= _MOST_AXES:
        raise ArrayError(f"it is no chunked array: data type {node.data_type[:60]!r}, {rank} axes")
    inner = node.codecs.chunk_shape if isinstance(node.codecs, Sharding) else node.chunk_shape
    cell = node.codecs.inner if isinstance(node.codecs, Sharding) else node.codecs
    if inner != (1,) * rank or cell.serializer != "vlen-bytes":
        raise ArrayError(f"it does not hold one chunk per cell: chunks of {inner}")
    origin = node.attributes.get(ORIGIN, [0] * rank)
    if (
        not isinstance(origin, list)
        or len(origin) != rank
        or any(type(n) is not int or abs(n) > 2**62 for n in origin)
    ):
        raise ArrayError(f"its {ORIGIN} {str(origin)[:60]} is malformed")
    record = node.attributes.get(RECORD)
    if record is None:
        return Grid(path, node, tuple(origin), None)
    if not isinstance(record, list):
        raise ArrayError(f"its {RECORD} is no list")
    if like is not None and like.node.attributes.get(RECORD) == record:
        stored, listed = like.stored, like.listed
    else:
        coords = parse_keys(record)
        stored = frozenset(coords)
        listed = tuple(sorted(coords if len(coords) == len(stored) else stored))
    if listed and len(listed[0]) != rank:
        raise ArrayError(f"its {RECORD} holds keys of {len(listed[0])} numbers, not {rank}")
    return Grid(path, node, tuple(origin), stored, listed)


def grid_document(
    grid: ChunkGrid, meta: Mapping[str, Any], stored: frozenset[ChunkCoords]
) -> bytes:
    """``zarr.json`` of a chunked array whose cells are stored one by one, uncompressed.

    Raises:
        ArrayError: The grid has no axes.
    """
    if not grid.shape or len(grid.shape) != len(grid.origin):
        raise ArrayError("an array of format 0.9.2 needs a grid of chunks to be created")
    return array_document(
        grid.shape,
        VLEN,
        [codecs.VLEN_BYTES],
        chunk_shape=[1] * len(grid.shape),
        fill_value="",
        attributes=record_of(grid.origin, stored) | dict(meta),
    )


def record_of(origin: ChunkCoords, stored: frozenset[ChunkCoords]) -> dict[str, Any]:
    """Attributes that say where the grid starts and which chunks are stored."""
    found: dict[str, Any] = {RECORD: sorted(map(format_key, stored))}
    if any(origin):
        found[ORIGIN] = list(origin)
    return found
