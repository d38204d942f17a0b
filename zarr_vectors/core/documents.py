"""``zarr.json`` documents: small, fixed in form, written and parsed here.

Documents come from strangers: their size and depth are limited, keys may not repeat, and every
number is checked before it is used as a size.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zarr_vectors.constants import MAX_DOCUMENT_BYTES
from zarr_vectors.core.codecs import Pipeline, Sharding, parse_codecs
from zarr_vectors.exceptions import ArrayError, MetadataError

Buffer = bytes | bytearray | memoryview

_MAX_SIZE = 2**62
_BLOB = re.compile(
    rb'(\{\s*"shape":\s*\[\s*)(0|[1-9]\d{0,17})'
    rb'(\s*\].{0,200}?"chunk_shape":\s*\[\s*)([1-9]\d{0,17})(\s*\].{0,2000})',
    re.DOTALL,
)
_BLOB_FORM = (
    b'{"shape":[%d],"data_type":"uint8","chunk_grid":{"name":"regular","configuration":'
    b'{"chunk_shape":[%d]}},"chunk_key_encoding":{"name":"default","configuration":'
    b'{"separator":"/"}},"fill_value":0,"codecs":[{"name":"bytes"}],"attributes":{},'
    b'"zarr_format":3,"node_type":"array","storage_transformers":[]}'
)


@dataclass(frozen=True, slots=True)
class ArrayNode:
    """What the ``zarr.json`` of an array says."""

    shape: tuple[int, ...]
    chunk_shape: tuple[int, ...]
    data_type: str
    codecs: Pipeline | Sharding
    fill_value: Any
    attributes: dict[str, Any]
    separator: str = "/"

    def chunk_key(self, index: Sequence[int]) -> str:
        """Key of a chunk below the array: ``c/1/0``."""
        return self.separator.join(("c", *map(str, index)))


def dump_json(value: object) -> bytes:
    """JSON text, NaN and infinities refused.

    Raises:
        MetadataError: The value has no JSON form.
    """
    try:
        return json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise MetadataError(f"metadata cannot be written as JSON: {error}") from error


def parse_document(data: Buffer, where: str) -> dict[str, Any]:
    """The JSON object in ``data``.

    Args:
        data: Text of a ``zarr.json``.
        where: Its key, for messages.

    Raises:
        MetadataError: Too large, too deep, keys repeat, or no JSON object.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise MetadataError(f"{where} has {len(data)} bytes, more than {MAX_DOCUMENT_BYTES}")
    try:
        text = bytes(data)
        found = _DECODER.decode(text.decode(json.detect_encoding(text), "surrogatepass"))
    except RecursionError:
        raise MetadataError(f"{where} is nested too deeply") from None
    except ValueError as error:
        raise MetadataError(f"{where} is not a JSON document: {error}") from error
    if not isinstance(found, dict):
        raise MetadataError(f"{where} holds a {type(found).__name__}, expected an object")
    return found


def group_document(attributes: Mapping[str, Any]) -> bytes:
    """``zarr.json`` of a group."""
    return dump_json({"zarr_format": 3, "node_type": "group", "attributes": dict(attributes)})


def array_document(
    shape: Sequence[int],
    data_type: str,
    codecs: Sequence[Mapping[str, Any]],
    *,
    chunk_shape: Sequence[int],
    fill_value: object = 0,
    attributes: Mapping[str, Any] | None = None,
) -> bytes:
    """``zarr.json`` of an array."""
    return dump_json(
        {
            "shape": list(shape),
            "data_type": data_type,
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunk_shape)}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": fill_value,
            "codecs": [dict(codec) for codec in codecs],
            "attributes": dict(attributes or {}),
            "zarr_format": 3,
            "node_type": "array",
            "storage_transformers": [],
        }
    )


def blob_document(size: int) -> bytes:
    """``zarr.json`` of a one-dimensional array of ``size`` raw bytes in one chunk."""
    return _BLOB_FORM % (size, max(size, 1))


def is_group(document: Mapping[str, Any]) -> bool:
    """The document describes a group."""
    return document.get("node_type") == "group"


def attributes_of(document: Mapping[str, Any], where: str) -> dict[str, Any]:
    """Attributes in a document.

    Raises:
        MetadataError: They are no object.
    """
    found = document.get("attributes", {})
    if not isinstance(found, dict):
        raise MetadataError(f"attributes of {where} must be an object")
    return found


def array_node(document: Mapping[str, Any], where: str) -> ArrayNode:
    """What an array's document says.

    Raises:
        ArrayError: It is no array this library can read.
    """
    if document.get("node_type") != "array" or document.get("zarr_format") != 3:
        raise ArrayError(f"{where} does not describe a Zarr 3 array", array=where)
    shape = _sizes(document.get("shape"), 0, where)
    chunk_shape = _sizes(
        _configuration(document.get("chunk_grid"), "regular").get("chunk_shape"), 1, where
    )
    if len(chunk_shape) != len(shape):
        raise ArrayError(f"{where} has chunks of another rank than itself", array=where)
    encoding = _configuration(document.get("chunk_key_encoding"), "default")
    separator = encoding.get("separator", "/")
    data_type = document.get("data_type")
    if separator not in ("/", ".") or not isinstance(data_type, str):
        raise ArrayError(f"{where} has unsupported chunk keys or data type", array=where)
    if document.get("storage_transformers"):
        raise ArrayError(f"{where} uses storage transformers, which are not supported", array=where)
    try:
        codecs = parse_codecs(document.get("codecs"))
    except ArrayError as error:
        raise ArrayError(f"{where} cannot be decoded: {error}", array=where) from error
    return ArrayNode(
        shape,
        chunk_shape,
        data_type,
        codecs,
        document.get("fill_value"),
        attributes_of(document, where),
        separator,
    )


class BlobNodes:
    """Reads the documents of byte blobs, which differ by their size alone.

    A store holds thousands of them; one of each form is parsed, the rest are compared with it.
    """

    _MOST_FORMS = 256

    def __init__(self) -> None:
        self._forms: dict[tuple[bytes, bytes, bytes], Pipeline] = {}

    def read(self, data: bytes, where: str) -> tuple[int, Pipeline]:
        """(size in bytes, pipeline) of a blob.

        Raises:
            ArrayError: Not an array of bytes in one chunk.
            MetadataError: Not a document.
        """
        found = _BLOB.fullmatch(data)
        if found is None:
            return self._parse(data, where)
        size, chunk = int(found[2]), int(found[4])
        pipeline = self._forms.get((found[1], found[3], found[5]))
        if pipeline is None or chunk != max(size, 1):
            _, pipeline = self._parse(data, where)
            if len(self._forms) < self._MOST_FORMS:
                self._forms[found[1], found[3], found[5]] = pipeline
        return size, pipeline

    def _parse(self, data: bytes, where: str) -> tuple[int, Pipeline]:
        node = array_node(parse_document(data, where), where)
        whole = len(node.shape) == 1 and node.chunk_shape[0] >= node.shape[0]
        pipeline = node.codecs
        if not whole or node.data_type != "uint8" or not isinstance(pipeline, Pipeline):
            raise ArrayError(f"{where} is not an array of bytes in one chunk", array=where)
        if pipeline.serializer != "bytes" or node.chunk_shape[0] != max(node.shape[0], 1):
            raise ArrayError(f"{where} is not an array of bytes in one chunk", array=where)
        return node.shape[0], pipeline


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise ValueError(f"key {twice[:60]!r} is there twice")
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_unique)


def _configuration(entry: object, name: str) -> Mapping[str, Any]:
    if isinstance(entry, dict) and entry.get("name") == name:
        found = entry.get("configuration", {})
        if isinstance(found, dict):
            return found
    return {"separator": None}


def _sizes(value: object, least: int, where: str) -> tuple[int, ...]:
    if isinstance(value, list) and all(type(n) is int and least <= n <= _MAX_SIZE for n in value):
        return tuple(value)
    raise ArrayError(f"{where} has a malformed shape", array=where)
