"""One tiny array of bytes per blob: ``<blob>/zarr.json`` says its size, ``<blob>/c/0`` holds it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from zarr_vectors.constants import MAX_CELL_BYTES, NODE
from zarr_vectors.core import paths
from zarr_vectors.core.backends.base import StorageBackend
from zarr_vectors.core.codecs import Pipeline
from zarr_vectors.core.documents import BlobNodes, blob_document, parse_document
from zarr_vectors.core.layouts.tree import Documents, Tree
from zarr_vectors.exceptions import ArrayError, MetadataError
from zarr_vectors.typing import ChunkCoords

Buffer = bytes | bytearray | memoryview
Place = tuple[str, ChunkCoords | None]
"""Logical path and chunk a blob belongs to, for messages."""


class Blobs(Tree):
    """Reads and writes tiny arrays in batches."""

    def __init__(self, backend: StorageBackend) -> None:
        super().__init__(backend)
        self._nodes = BlobNodes()

    def read_blobs(self, wanted: Mapping[str, Place]) -> dict[str, bytes]:
        """Contents of the blobs that exist, by path, in one batch.

        Raises:
            ArrayError: A blob is cut short, undecodable, or half of it is missing.
        """
        return self.read_blobs_and_documents(wanted, ())[0]

    def read_blobs_and_documents(
        self, wanted: Mapping[str, Place], nodes: Iterable[str]
    ) -> tuple[dict[str, bytes], Documents]:
        """Blobs as above, and in the same batch the documents of nodes that exist."""
        for path, _ in wanted.values():
            paths.join(path)
        keys = [key for blob in wanted for key in (f"{blob}/{NODE}", f"{blob}/c/0")]
        beside = {paths.node(path): path for path in nodes}
        found = self.backend.get_many([*keys, *beside] if beside else keys)
        out = {}
        for blob, (path, chunk) in wanted.items():
            document = found.get(f"{blob}/{NODE}")
            data = found.get(f"{blob}/c/0")
            if document is None:
                if data is not None:
                    raise self.damaged(path, f"{blob}/{NODE} is missing", chunk)
                continue
            size, pipeline = self.node_of(blob, document, path, chunk)
            if data is not None and pipeline.plain and len(data) == size:
                out[blob] = data
                continue
            try:
                out[blob] = _contents(data, size, pipeline)
            except ArrayError as error:
                raise self.damaged(path, str(error), chunk) from error
        documents = {
            path: parse_document(found[key], f"{key} of {self.backend.url}")
            for key, path in beside.items()
            if key in found
        }
        return out, documents

    def blob_items(self, blob: str, data: Buffer) -> dict[str, Buffer]:
        """Keys and values that make a blob, uncompressed."""
        document = blob_document(len(data))
        if not len(data):
            return {f"{blob}/{NODE}": document}
        return {f"{blob}/c/0": data, f"{blob}/{NODE}": document}

    def delete_blobs(self, blobs: Iterable[str]) -> None:
        """Remove blobs: their keys where that is all there is, on a disk their folders too."""
        if self.backend.local_path is None:
            self.backend.delete_many(
                key for blob in blobs for key in (f"{blob}/c/0", f"{blob}/{NODE}")
            )
            return
        for blob in blobs:
            self.backend.delete_prefix(paths.join(blob))

    def node_of(
        self, blob: str, document: bytes, path: str, chunk: ChunkCoords | None
    ) -> tuple[int, Pipeline]:
        """Bytes a blob has, and how they are encoded, by its document."""
        try:
            size, pipeline = self._nodes.read(document, f"{blob}/{NODE}")
        except (ArrayError, MetadataError) as error:
            raise self.damaged(path, str(error), chunk) from error
        if size > MAX_CELL_BYTES:
            raise self.damaged(
                path, f"it claims {size} bytes, more than the {MAX_CELL_BYTES} allowed", chunk
            )
        return size, pipeline


def _contents(data: bytes | None, size: int, pipeline: Pipeline) -> bytes:
    if data is None:
        # bytes that all equal the fill value are stored by the compressing path as no file at all
        if pipeline.plain and size:
            raise ArrayError(f"its {size} bytes are missing")
        return bytes(size)
    if pipeline.plain and len(data) != size:
        how = "cut short" if len(data) < size else "too long"
        raise ArrayError(f"it is {how}: {len(data)} bytes, expected {size}")
    return bytes(pipeline.unpack(data, size=size))
