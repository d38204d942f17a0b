"""The object index of a level turned round: from chunks to the objects in them, kept small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import OBJECT_INDEX
from zarr_vectors.core.layouts.base import KeepsObjects
from zarr_vectors.core.paths import format_chunk
from zarr_vectors.encoding.manifests import decode_manifests
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading.level import LevelArrays
from zarr_vectors.reading.objects import object_rows
from zarr_vectors.reading.scatter import narrow
from zarr_vectors.reading.stack import starts_of
from zarr_vectors.typing import ChunkCoords, IntArray

_BLOCK = 2**16
"""Manifests decoded at once."""

SEVERAL = -2
"""In place of an object, where there is more than one."""


@dataclass(frozen=True, eq=False, slots=True)
class ObjectPieces:
    """Fragments of objects, object after object in manifest order: pieces. 12 bytes for each.

    Attributes:
        ids: (O,) int64 objects, ascending.
        offsets: (O + 1,) int64, first piece of every object, and the end.
        ranks: (P,) integers, chunk of every piece among those of the level; -1 where that has none.
        fragments: (P,) integers, fragment of that chunk.
        order: (T,) integers, pieces in chunks of the level, chunk after chunk, ascending in each.
        starts: (C + 1,) int64, where those of every chunk start in ``order``, and the end.
        strays: (S,) int64 pieces in chunks that the level does not have, ascending.
        stray_chunks: (S, R) int64, those chunks.
    """

    ids: IntArray
    offsets: IntArray
    ranks: npt.NDArray[Any]
    fragments: npt.NDArray[Any]
    order: npt.NDArray[Any]
    starts: IntArray
    strays: IntArray
    stray_chunks: IntArray

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        lists = (self.ids, self.offsets, self.starts, self.strays, self.stray_chunks)
        own = self.ranks.nbytes + self.fragments.nbytes + self.order.nbytes
        return own + sum(array.nbytes for array in lists)

    def in_chunks(self, ranks: IntArray) -> tuple[IntArray, IntArray]:
        """Pieces in chunks, in the order of the chunks.

        Args:
            ranks: (k,) chunks among those of the level.

        Returns:
            (n,) int64 pieces, and (n,) int64 which of the k chunks each lies in.
        """
        counts = self.starts[ranks + 1] - self.starts[ranks]
        ends = np.cumsum(counts)
        at = np.repeat(self.starts[ranks] - (ends - counts), counts)
        at += np.arange(len(at))
        return self.order[at].astype(np.int64), np.repeat(np.arange(len(ranks)), counts)

    def owners(self, pieces: IntArray) -> IntArray:
        """(n,) int64 row of ``ids`` of the objects that pieces belong to."""
        return np.searchsorted(self.offsets, pieces, side="right") - 1

    def objects_in(self, ranks: IntArray) -> IntArray:
        """(k,) int64 id of the only object in a chunk; -1 for none, :data:`SEVERAL` for more."""
        counts = self.starts[ranks + 1] - self.starts[ranks]
        found = np.full(len(ranks), -1, np.int64)
        full = np.flatnonzero(counts)
        first = self.owners(self.order[self.starts[ranks[full]]].astype(np.int64))
        last = self.owners(self.order[self.starts[ranks[full] + 1] - 1].astype(np.int64))
        found[full] = np.where(first == last, self.ids[first], SEVERAL)
        return found

    def are_shared(self) -> bool:
        """Whether a fragment belongs to several objects, or to one of them more than once."""
        ranks, fragments = self.ranks[self.order], self.fragments[self.order]
        same = ranks[1:] == ranks[:-1]
        if (fragments[1:] > fragments[:-1])[same].all():
            return False
        order = np.lexsort((fragments, ranks))
        ranks, fragments = ranks[order], fragments[order]
        return bool(((ranks[1:] == ranks[:-1]) & (fragments[1:] == fragments[:-1])).any())

    def stray(self, piece: int, arrays: LevelArrays) -> ArrayError:
        """Error about a piece in a chunk that the level does not have."""
        oid = int(self.ids[self.owners(np.array([piece]))[0]])
        at = int(np.searchsorted(self.strays, piece))
        chunk: ChunkCoords = tuple(self.stray_chunks[at].tolist())
        path = f"{arrays.path}/{OBJECT_INDEX}"
        return ArrayError(
            f"{path} in {arrays.url} is damaged: object {oid} has vertices in chunk "
            f"{format_chunk(chunk)}, which is not there",
            array=path,
            chunk=chunk,
        )


def read_pieces(
    layout: KeepsObjects, arrays: LevelArrays, ranks_of: Callable[[IntArray], IntArray]
) -> ObjectPieces | None:
    """Read the object index of a level; None where it has no objects.

    Args:
        layout: Where it is.
        arrays: The level.
        ranks_of: (n, R) chunks -> (n,) their places among those of the level, -1 for none.

    Raises:
        ArrayError: The index is damaged, or recorded and not there.
    """
    rows = object_rows(layout, arrays, None)
    if rows is None:
        return None
    sizes, ranks, fragments, strays, where = [], [], [], [], []
    first = 0
    for start in range(0, len(rows.ids), _BLOCK):
        try:
            table = decode_manifests(rows.manifests[start : start + _BLOCK], rows.sid_ndim)
        except ArrayError as error:
            path = f"{arrays.path}/{OBJECT_INDEX}"
            among = f" among those from {start} on" if start else ""
            raise ArrayError(f"{path} of {arrays.url}: {error}{among}", array=path) from error
        own = ranks_of(table.chunks)
        lost = np.flatnonzero(own < 0)
        strays.append(first + lost)
        where.append(table.chunks[lost])
        sizes.append(np.diff(table.offsets))
        ranks.append(own.astype(np.int32))
        fragments.append(narrow(table.fragments))
        first += len(own)
    chunks = np.concatenate(ranks)
    # a sort of numbers of two bytes is several times as fast
    count = len(arrays.table.coords)
    keys = chunks.astype(np.int16) if count < 2**15 else chunks
    order = narrow(np.argsort(keys, kind="stable"))
    counts = np.bincount(chunks + 1, minlength=count + 1)
    return ObjectPieces(
        ids=rows.ids,
        offsets=starts_of(np.concatenate(sizes)),
        ranks=chunks,
        fragments=np.concatenate(fragments),
        order=order[counts[0] :],
        starts=starts_of(counts[1:]),
        strays=np.concatenate(strays),
        stray_chunks=np.concatenate(where),
    )
