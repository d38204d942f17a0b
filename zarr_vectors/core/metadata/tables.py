"""What a level records about itself beyond the format: its chunks, and its error against level 0.

Both are keys beside ``zarr_vectors_level`` that other readers pass over.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.metadata.fields import integer_of, mapping_of, number_of, required, text_of
from zarr_vectors.exceptions import MetadataError
from zarr_vectors.typing import ChunkCoords, IntArray

TABLE_VERSION = 1
_MOST_AXES = 16
ERROR_METRIC = "vertex_to_representative"
SHAPE_METRIC = "vertex_to_shape"
MAX_BYTES = 1 << 24
"""Bytes the coordinates of a table may have: those of 1.4 million chunks of three axes. Larger
tables are not stored; chunks are listed instead."""


@dataclass(frozen=True, slots=True)
class LevelError:
    """Distance from level-0 vertices to what stands for them, world units."""

    p50: float
    p95: float
    max: float
    reference_level: int = 0
    unrepresented: int = 0
    """Level-0 vertices without a representative: those of objects left out."""
    metric: str = ERROR_METRIC
    """To the vertex that stands for each (``vertex_to_representative``), or to the nearest of the
    lines and faces around it (``vertex_to_shape``)."""

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> LevelError:
        """Parse ``zarr_vectors_error``."""
        what = "the stored level error"
        entry = mapping_of(data, what)
        p50, p95, largest = (
            number_of(required(entry, k, what), what) for k in ("p50", "p95", "max")
        )
        return cls(
            p50,
            p95,
            largest,
            integer_of(entry.get("reference_level", 0), what, least=0),
            integer_of(entry.get("unrepresented", 0), what, least=0),
            text_of(entry.get("metric", ERROR_METRIC), what),
        )

    def to_dict(self) -> dict[str, Any]:
        """As stored."""
        data: dict[str, Any] = {
            "reference_level": self.reference_level,
            "metric": self.metric,
            "p50": self.p50,
            "p95": self.p95,
            "max": self.max,
        }
        return {**data, "unrepresented": self.unrepresented} if self.unrepresented else data


@dataclass(frozen=True, eq=False, slots=True)
class ChunkTable:
    """The occupied chunks of a level and the vertices in each.

    Attributes:
        coords: (M, R) int64, ascending in tuple order.
        counts: (M,) int64 vertices per chunk.
        exact: Whether the counts are recorded; otherwise they are the mean.
    """

    coords: IntArray
    counts: IntArray
    exact: bool

    def keys(self) -> list[ChunkCoords]:
        """Coordinates as tuples of ints."""
        return list(map(tuple, self.coords.tolist()))

    @classmethod
    def estimated(cls, coords: Sequence[ChunkCoords], rank: int, vertex_count: int) -> ChunkTable:
        """A table of known chunks whose counts are not known: the level's count in equal parts."""
        rows = np.fromiter(chain.from_iterable(coords), np.int64, len(coords) * rank)
        rows = rows.reshape(-1, rank)
        counts = np.zeros(len(rows), np.int64)
        if len(rows):
            share, left = divmod(vertex_count, len(rows))
            counts += share
            counts[:left] += 1
        return cls(rows, counts, exact=False)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ChunkTable:
        """Parse ``zarr_vectors_chunks``.

        Raises:
            MetadataError: A field is missing or does not unpack to what the others say.
        """
        what = "the stored chunk table"
        entry = mapping_of(data, what)
        if integer_of(required(entry, "version", what), what) != TABLE_VERSION:
            raise MetadataError(f"{what} has the unknown version {entry['version']!r}")
        rank = integer_of(required(entry, "rank", what), what, least=1)
        if rank > _MOST_AXES:
            raise MetadataError(f"{what} claims chunks of {rank} components")
        flat = _unpack(required(entry, "chunks", what), "<i4", what, MAX_BYTES)
        most = 4 * (len(flat) // rank) + 1
        counts = _unpack(required(entry, "counts", what), "<u4", what, most)
        if len(flat) != rank * len(counts):
            raise MetadataError(f"{what} has {len(counts)} counts for {len(flat) / rank:g} chunks")
        total = integer_of(required(entry, "vertex_count", what), what, least=0)
        if int(counts.sum()) != total:
            raise MetadataError(f"{what} counts {int(counts.sum())} vertices and says {total}")
        return cls(flat.reshape(-1, rank), counts, exact=True)

    def to_dict(self) -> dict[str, Any] | None:
        """As stored, or None where a coordinate or a count does not fit the packed form."""
        if not self.exact or (self.coords.size and np.abs(self.coords).max() >= 2**31):
            return None
        if self.counts.size and self.counts.max() >= 2**32:
            return None
        if 4 * self.coords.size > MAX_BYTES:
            return None
        return {
            "version": TABLE_VERSION,
            "vertex_count": int(self.counts.sum()),
            "chunks": _pack(self.coords.astype("<i4")),
            "counts": _pack(self.counts.astype("<u4")),
            "rank": int(self.coords.shape[1]),
        }


def _pack(values: npt.NDArray[np.generic]) -> str:
    return base64.b64encode(zlib.compress(values.tobytes(), 6)).decode("ascii")


def _unpack(text: object, dtype: str, what: str, most: int) -> IntArray:
    try:
        packed = base64.b64decode(text_of(text, what), validate=True)
        unzip = zlib.decompressobj()
        data = unzip.decompress(packed, most)
    except (ValueError, zlib.error) as error:
        raise MetadataError(f"{what} does not unpack: {error}") from error
    if not unzip.eof or len(data) % 4:
        raise MetadataError(f"{what} is cut short, or has more entries than it may")
    return np.frombuffer(data, dtype).astype(np.int64)
