"""Packed chunks: blobs back to back in ``__shard_`` arrays with an index in their attributes."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from zarr_vectors.constants import MAX_CELL_BYTES, NODE
from zarr_vectors.core import paths
from zarr_vectors.core.backends.base import StorageBackend
from zarr_vectors.core.codecs import Pipeline
from zarr_vectors.core.documents import ArrayNode, array_node, dump_json
from zarr_vectors.core.keys import format_key, try_parse_key
from zarr_vectors.core.layouts.base import Cells
from zarr_vectors.core.layouts.tree import Documents
from zarr_vectors.core.layouts.v07.blobs import Blobs
from zarr_vectors.exceptions import ArrayError, StoreUnlistable
from zarr_vectors.typing import ChunkCoords

_NAME = re.compile(r"__shard_[0-9]{6,}", re.ASCII)
_MOST_UNPACKED = 64 * 2**20


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a packed chunk is."""

    shard: str
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Shards:
    """The packed chunks of one array."""

    slots: dict[ChunkCoords, Slot]
    nodes: dict[str, ArrayNode]


_NONE = Shards({}, {})


class PackedBlobs(Blobs):
    """Finds, reads and drops packed chunks."""

    def __init__(self, backend: StorageBackend) -> None:
        super().__init__(backend)
        self._shards: dict[str, Shards] = {}
        self._parts: dict[str, Shards] = {}
        self._unpacked: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def forget(self) -> None:
        """Drop what is remembered of the stored documents, which others may have changed."""
        super().forget()
        with self._lock:
            self._shards.clear()
            self._parts.clear()
            self._unpacked.clear()

    def shards_of(self, path: str, names: Iterable[str] | None = None) -> Shards:
        """Packed chunks of an array.

        Args:
            path: Logical path.
            names: Child names of the array, where they are known.

        Raises:
            ArrayError: A shard or its index is damaged.
            StoreUnlistable: The place cannot list.
        """
        known = self._shards.get(path)
        if known is None:
            listed = self.backend.list_dir(path) if names is None else names
            shards = [f"{path}/{name}" for name in listed if _NAME.fullmatch(name)]
            known = self._shards[path] = self._read_indexes(path, shards)
        return known

    def packed_or_none(self, path: str) -> Shards:
        """Packed chunks of an array; none where the root says that nothing is packed.

        Raises:
            StoreUnlistable: Some arrays are packed, and the place cannot list.
        """
        known = self._shards.get(path)
        if known is None and self.recorded.sharded is False:
            return Shards({}, {})
        try:
            return self.shards_of(path)
        except StoreUnlistable as error:
            if self.recorded.sharded:
                raise self.unlisted(path, error) from error
            return Shards({}, {})

    def shards_to_read(
        self,
        coords: Mapping[str, Iterable[ChunkCoords]],
        recorded: Mapping[str, Mapping[ChunkCoords, str] | None],
    ) -> list[str]:
        """Shards that recorded chunks are in and whose index has not been read."""
        wanted: dict[str, None] = {}
        for path, chunks in coords.items():
            shards = recorded[path]
            if shards:
                known = self._parts.get(path, _NONE).nodes
                names = {f"{path}/{shards[c]}" for c in chunks if c in shards}
                wanted.update(dict.fromkeys(sorted(names - known.keys())))
        return list(wanted)

    def add_shards(
        self,
        coords: Mapping[str, Iterable[ChunkCoords]],
        recorded: Mapping[str, Mapping[ChunkCoords, str] | None],
        documents: Documents,
    ) -> set[str]:
        """Take over indexes just read; the arrays whose indexes are not as recorded."""
        for shard, document in documents.items():
            path = shard.rpartition("/")[0]
            with self.blaming(path):
                node = array_node(document, paths.node(shard))
                self._read_index(shard, node, self._parts.setdefault(path, Shards({}, {})))
        stale = set()
        for path, chunks in coords.items():
            shards = recorded[path]
            slots = self._parts.get(path, _NONE).slots
            if shards and any(chunk in shards and chunk not in slots for chunk in chunks):
                stale.add(path)
                self._parts.pop(path, None)
        return stale

    def read_packed(self, request: Mapping[str, Iterable[ChunkCoords]]) -> dict[str, Cells]:
        """Packed chunks among those asked for, by array, ranges of all in one batch.

        Raises:
            ArrayError: A shard is damaged.
        """
        wanted: list[tuple[str, ChunkCoords, Shards, Slot]] = []
        for path, coords in request.items():
            shards = self._parts.get(path) or self.packed_or_none(path)
            wanted += [(path, c, shards, shards.slots[c]) for c in coords if c in shards.slots]
        plain = [one for one in wanted if _pipeline(one[2], one[3]).plain]
        ranges = [(f"{slot.shard}/c/0", slot.offset, slot.length) for *_, slot in plain]
        parts = self.backend.get_ranges(ranges) if ranges else []
        cells: dict[str, Cells] = {path: {} for path in request}
        for (path, chunk, _, slot), part in zip(plain, parts, strict=True):
            if part is None or len(part) != slot.length:
                raise self.damaged(path, f"its shard {slot.shard} is missing or cut short", chunk)
            if part:
                cells[path][chunk] = part
        for path, chunk, shards, slot in wanted:
            if slot.length and not _pipeline(shards, slot).plain:
                whole = self._unpack(path, slot.shard, chunk)
                cells[path][chunk] = whole[slot.offset : slot.offset + slot.length]
        return cells

    def drop_packed(self, path: str, coords: Iterable[ChunkCoords]) -> None:
        """Take chunks out of the shard indexes; their bytes stay in the shards, unused."""
        shards = self.packed_or_none(path)
        self._parts.pop(path, None)
        self.recorded = self.recorded.without(path)
        gone = [c for c in coords if c in shards.slots]
        touched = {shards.slots[c].shard for c in gone}
        for chunk in gone:
            del shards.slots[chunk]
        documents = self.documents(touched)
        for shard, document in documents.items():
            document["attributes"]["shard_index"] = {
                format_key(c): [s.offset, s.length]
                for c, s in shards.slots.items()
                if s.shard == shard
            }
        self.backend.put_many({paths.node(s): dump_json(d) for s, d in documents.items()})

    def _read_indexes(self, path: str, shards: list[str]) -> Shards:
        found = Shards({}, {})
        documents = self.documents(shards) if shards else {}
        for shard in shards:
            if shard not in documents:
                raise self.damaged(path, f"{shard}/{NODE} is missing")
            with self.blaming(path):
                node = array_node(documents[shard], paths.node(shard))
                self._read_index(shard, node, found)
        return found

    def _read_index(self, shard: str, node: ArrayNode, found: Shards) -> None:
        index = node.attributes.get("shard_index")
        size = node.shape[0] if len(node.shape) == 1 else -1
        if not isinstance(node.codecs, Pipeline) or node.data_type != "uint8":
            raise ArrayError(f"{shard} is not an array of bytes")
        if not isinstance(index, dict) or not 0 <= size <= MAX_CELL_BYTES:
            raise ArrayError(f"{shard} has no index, or claims {size} bytes")
        found.nodes[shard] = node
        for key, place in index.items():
            chunk = try_parse_key(key)
            if (
                chunk is None
                or not isinstance(place, list)
                or len(place) != 2
                or any(type(n) is not int or not 0 <= n <= size for n in place)
                or place[0] + place[1] > size
            ):
                raise ArrayError(f"the index of {shard} has a malformed entry {key[:80]!r}")
            found.slots[chunk] = Slot(shard, place[0], place[1])

    def _unpack(self, path: str, shard: str, chunk: ChunkCoords) -> bytes:
        with self._lock:
            known = self._unpacked.get(shard)
            if known is not None:
                self._unpacked.move_to_end(shard)
                return known
        whole = self.read_blobs({shard: (path, chunk)}).get(shard)
        if whole is None:
            raise self.damaged(path, f"its shard {shard} is missing", chunk)
        with self._lock:
            self._unpacked[shard] = whole
            while len(self._unpacked) > 1 and self._held() > _MOST_UNPACKED:
                self._unpacked.popitem(last=False)
        return whole

    def _held(self) -> int:
        return sum(map(len, self._unpacked.values()))


def _pipeline(shards: Shards, slot: Slot) -> Pipeline:
    codecs = shards.nodes[slot.shard].codecs
    if not isinstance(codecs, Pipeline):
        raise ArrayError(f"{slot.shard} is not an array of bytes")
    return codecs
