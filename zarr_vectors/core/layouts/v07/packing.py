"""Packing the chunks of 0.7 into ``__shard_`` arrays, and taking them apart again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from zarr_vectors.constants import KIND_KEY, OLD_KIND_KEY
from zarr_vectors.core import paths
from zarr_vectors.core.documents import blob_document, dump_json, is_group, parse_document
from zarr_vectors.core.keys import format_key
from zarr_vectors.core.layouts.base import Cells, Packed
from zarr_vectors.core.layouts.v07.cells import Cells07
from zarr_vectors.typing import ChunkCoords

_CHUNKED = {
    "vertices",
    "vertex_fragments",
    "attribute",
    "links",
    "link_fragments",
    "link_attribute",
    "face_attribute",
}
_MOST_SHARD = 128 * 2**20
"""Bytes a shard may hold: readers fetch a compressed one whole."""


class Packing07(Cells07):
    """Packs and unpacks chunked arrays."""

    def cell_arrays(self, level: str) -> list[str]:
        """Sorted paths of the chunked arrays of a level."""
        found: list[str] = []
        level_groups = [f"{level}/{name}" for name in self.children(level)]
        while level_groups:
            documents = self.documents(level_groups)
            deeper: list[str] = []
            for path in level_groups:
                document = documents.get(path)
                if document is not None and not is_group(document):
                    continue
                attributes = {} if document is None else document.get("attributes", {})
                kind = attributes.get(KIND_KEY, attributes.get(OLD_KIND_KEY))
                parts = path.split("/")
                # some writers leave these without metadata
                unmarked = parts[-1] == "link_fragments" or parts[-2] == "face_attributes"
                if kind in _CHUNKED or unmarked:
                    found.append(path)
                elif kind is None:  # a family, with or without a document of its own
                    deeper.append(path)
            level_groups = [f"{path}/{name}" for path in deeper for name in self.children(path)]
        return sorted(found)

    def packed_cells(self, path: str) -> Packed | None:
        """Shards of an array, or None where its chunks are stored one by one."""
        shards = self.shards_of(path)
        return Packed(len(shards.nodes), len(shards.slots)) if shards.nodes else None

    def pack_cells(self, path: str, order: Sequence[ChunkCoords], size: int) -> Packed:
        """Pack all chunks of an array, ``size`` to a shard, in the order given."""
        names = set(self.backend.list_dir(path))
        loose: list[str] = []
        count = 0
        for number, cells in enumerate(self._cut(path, order, size)):
            keys = sorted(cells, key=format_key)
            index: dict[str, list[int]] = {}
            start = 0
            for chunk in keys:
                index[format_key(chunk)] = [start, len(cells[chunk])]
                start += len(cells[chunk])
            shard = f"{path}/__shard_{number:06d}"
            document = parse_document(blob_document(start), shard)
            document["attributes"] = {"shard_index": index}
            self.backend.put_many(
                {
                    f"{shard}/c/0": b"".join(cells[chunk] for chunk in keys),
                    paths.node(shard): dump_json(document),
                }
            )
            loose += [f"{path}/{key}" for key in index if key in names]
            count += len(keys)
        self.delete_blobs(loose)
        self.forget()
        return self.packed_cells(path) or Packed(0, count)

    def unpack_cells(self, path: str) -> int:
        """Store every packed chunk of an array by itself; how many there were."""
        shards = self.shards_of(path)
        if not shards.nodes:
            return 0
        chunks = sorted(shards.slots)
        for start in range(0, len(chunks), 1024):
            part = chunks[start : start + 1024]
            self.put_loose(path, self.read_packed({path: part})[path])
        self.delete_blobs(shards.nodes)
        self.forget()
        return len(chunks)

    def put_loose(self, path: str, cells: Cells) -> None:
        """Store chunks by themselves, whatever shards hold."""
        items: dict[str, bytes | bytearray | memoryview] = {}
        for chunk, data in cells.items():
            items.update(self.blob_items(f"{path}/{format_key(chunk)}", data))
        self.backend.put_many(items)

    def _cut(self, path: str, order: Sequence[ChunkCoords], size: int) -> Iterator[Cells]:
        """The cells of shard after shard."""
        for start in range(0, len(order), size):
            part: Cells = {}
            held = 0
            for chunk, data in self.get_cells({path: order[start : start + size]})[path].items():
                if part and held + len(data) > _MOST_SHARD:
                    yield part
                    part, held = {}, 0
                part[chunk] = data
                held += len(data)
            if part:
                yield part
