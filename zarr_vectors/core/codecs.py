"""The codecs a store may use: an allow-list, and sizes checked before anything is decoded.

Decoders allocate what a stream claims to hold. Here the claim is read first, from a few header
bytes, and refused above a cap or where it contradicts the array's own metadata.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import google_crc32c
import numpy as np
from numcodecs import blosc, gzip, zstd

from zarr_vectors.constants import MAX_CELL_BYTES
from zarr_vectors.encoding.elements import Elements
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import IntArray

Buffer = bytes | bytearray | memoryview

_ZSTD_MAGIC = 0xFD2FB528
_ZSTD_BLOCK = 128 * 1024
_ABSENT = 2**64 - 1
_LENGTH = struct.Struct("<I")

ZSTD_0: Mapping[str, Any] = {"name": "zstd", "configuration": {"level": 0, "checksum": False}}
"""The compressor of object manifests."""
BYTES: Mapping[str, Any] = {"name": "bytes"}
"""Plain bytes."""
BYTES_LITTLE: Mapping[str, Any] = {"name": "bytes", "configuration": {"endian": "little"}}
"""Little-endian numbers."""
VLEN_BYTES: Mapping[str, Any] = {"name": "vlen-bytes", "configuration": {}}
"""Elements of any length."""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """How one stored chunk becomes bytes: a serializer, then bytes-to-bytes codecs."""

    serializer: Literal["bytes", "vlen-bytes"]
    byte_order: Literal["<", ">"] = "<"
    codecs: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    """(name, configuration), in the order they are applied when writing."""

    @property
    def plain(self) -> bool:
        """Stored bytes are the bytes."""
        return not self.codecs

    def unpack(self, data: Buffer, *, cap: int = MAX_CELL_BYTES, size: int | None = None) -> Buffer:
        """Undo the bytes-to-bytes codecs.

        Args:
            data: A stored chunk.
            cap: Largest answer accepted, bytes.
            size: The only size accepted, where it is known.

        Raises:
            ArrayError: Damaged, or larger than allowed.
        """
        for number, (name, _) in reversed(list(enumerate(self.codecs))):
            # only the innermost codec knows the final size; a compressed stage may be larger
            limit = cap if size is None or number else min(cap, size)
            data = _DECODERS[name](data, limit)
        if size is not None and len(data) != size:
            raise ArrayError(f"it has {len(data)} bytes, expected {size}")
        if len(data) > cap:
            raise ArrayError(f"it has {len(data)} bytes, more than the {cap} allowed")
        return data

    def pack(self, data: Buffer) -> Buffer:
        """Apply the bytes-to-bytes codecs."""
        for name, configuration in self.codecs:
            data = _ENCODERS[name](data, configuration)
        return data


@dataclass(frozen=True, slots=True)
class Sharding:
    """Many inner chunks in one stored object, found through an index at its end or start."""

    chunk_shape: tuple[int, ...]
    inner: Pipeline
    index: Pipeline
    at_end: bool

    def index_size(self, count: int) -> int:
        """Bytes of the index of ``count`` inner chunks."""
        return 16 * count + 4 * sum(name == "crc32c" for name, _ in self.index.codecs)

    def read_index(self, data: Buffer, count: int) -> tuple[IntArray, IntArray]:
        """(offsets, lengths) of the inner chunks, each (count,) int64, offset -1 where absent.

        Raises:
            ArrayError: Damaged.
        """
        raw = self.index.unpack(data, size=16 * count)
        order = f"{self.index.byte_order}u8"
        table = np.frombuffer(raw, order).reshape(count, 2)
        absent = (table == _ABSENT).all(axis=1)
        if (table[~absent] > 2**62).any():
            raise ArrayError("its shard index points beyond any file")
        table = np.where(absent[:, None], 0, table).astype(np.int64)
        return np.where(absent, -1, table[:, 0]), table[:, 1]

    def write_index(self, offsets: IntArray, lengths: IntArray) -> bytes:
        """The stored index; arguments as :meth:`read_index` returns them."""
        table = np.stack([offsets, lengths], axis=1).astype(np.uint64)
        table[offsets < 0] = _ABSENT
        return bytes(self.index.pack(table.astype(f"{self.index.byte_order}u8").tobytes()))


def parse_codecs(codecs: object) -> Pipeline | Sharding:
    """Codecs of a ``zarr.json``, all of them on the allow-list.

    Raises:
        ArrayError: A codec is unknown or malformed.
    """
    entries = [_entry(codec) for codec in codecs] if isinstance(codecs, list) else []
    if not entries:
        raise ArrayError("it names no codecs")
    name, configuration = entries[0]
    if name == "sharding_indexed":
        if entries[1:]:
            raise ArrayError("codecs around a shard are not supported")
        return _parse_sharding(configuration)
    return _parse_pipeline(entries)


def _parse_within(codecs: object) -> Pipeline:
    """Codecs inside a shard, which may not be a shard again, however deep."""
    entries = [_entry(codec) for codec in codecs] if isinstance(codecs, list) else []
    if not entries:
        raise ArrayError("it names no codecs")
    if entries[0][0] == "sharding_indexed":
        raise ArrayError("shards within shards are not supported")
    return _parse_pipeline(entries)


def _parse_pipeline(entries: list[tuple[str, Mapping[str, Any]]]) -> Pipeline:
    name, configuration = entries[0]
    rest = tuple(entries[1:])
    for other, _ in rest:
        if other not in _DECODERS:
            raise ArrayError(f"codec {other[:60]!r} is not supported")
    if name == "vlen-bytes":
        return Pipeline("vlen-bytes", "<", rest)
    if name == "bytes":
        big = configuration.get("endian", "little") == "big"
        return Pipeline("bytes", ">" if big else "<", rest)
    raise ArrayError(f"codec {name[:60]!r} is not supported")


def encode_vlen(elements: Sequence[Buffer]) -> bytes:
    """Serialized chunk of elements of any length."""
    count = len(elements)
    heads = struct.pack(f"<{count + 1}I", count, *map(len, elements))
    parts: list[Buffer] = [heads[k : k + 4] for k in range(0, len(heads), 4)]
    ends: list[Buffer] = [b"", *elements]
    return b"".join(itertools.chain.from_iterable(zip(parts, ends, strict=True)))


def decode_vlen(data: Buffer, count: int, used: int | None = None) -> Elements:
    """Elements of a serialized chunk.

    Args:
        data: The serialized chunk.
        count: Elements it must hold.
        used: Those after so many are mostly empty: they are looked at together.

    Raises:
        ArrayError: Damaged.
    """
    held = data if isinstance(data, bytes) else bytes(data)
    if len(held) < 4 or _LENGTH.unpack_from(held)[0] != count:
        raise ArrayError(f"it does not start with the count of its {count} elements")
    if count > (len(held) - 4) // 4:
        raise ArrayError(f"it claims {count} elements in {len(held)} bytes")
    walked = count if used is None else min(used, count)
    ends = _ends(held, walked, 4)
    at = ends[-1] if ends else 4
    rest = 4 * (count - walked)
    if at + rest == len(held) and held.endswith(bytes(rest)):
        others = np.arange(at + 4, at + rest + 1, 4)
    else:
        others = np.array(_ends(held, count - walked, at), np.int64)
    stops = np.concatenate([np.array(ends, np.int64), others])
    at = int(stops[-1]) if count else 4
    if at > len(held):
        raise ArrayError(f"it is cut short at byte {len(held)}")
    if at != len(held):
        raise ArrayError(f"{len(held) - at} bytes follow its last element")
    starts = np.concatenate([[4], stops[:-1]])[:count] + 4
    return Elements(held, starts, stops - starts)


def _ends(data: bytes, count: int, at: int) -> list[int]:
    """Where elements end that begin with their length, one after the other."""
    length = _LENGTH.unpack_from
    try:
        return [at := at + 4 + length(data, at)[0] for _ in range(count)]
    except struct.error:
        raise ArrayError(f"it is cut short at byte {len(data)}") from None


def _entry(codec: object) -> tuple[str, Mapping[str, Any]]:
    if isinstance(codec, str):
        return codec, {}
    if isinstance(codec, dict):
        name, configuration = codec.get("name"), codec.get("configuration") or {}
        if isinstance(name, str) and isinstance(configuration, dict):
            return name, configuration
    raise ArrayError("one of its codecs is malformed")


def _parse_sharding(configuration: Mapping[str, Any]) -> Sharding:
    shape = configuration.get("chunk_shape")
    inner = _parse_within(configuration.get("codecs"))
    index = _parse_within(configuration.get("index_codecs"))
    if index.serializer != "bytes" or any(name != "crc32c" for name, _ in index.codecs):
        raise ArrayError("its shard index has codecs that are not supported")
    if not isinstance(shape, list) or any(type(n) is not int or n < 1 for n in shape):
        raise ArrayError("its shards have a malformed chunk shape")
    return Sharding(tuple(shape), inner, index, configuration.get("index_location", "end") == "end")


def _too_large(claimed: int, cap: int) -> ArrayError:
    return ArrayError(f"it claims {claimed} bytes once unpacked, more than the {cap} allowed")


def zstd_size(data: Buffer) -> tuple[int, bool]:
    """(bytes a zstd frame unpacks to, True) or (an upper bound, False) where it does not say.

    Raises:
        ArrayError: Not one whole zstd frame.
    """
    view = memoryview(data)
    if len(view) < 6 or struct.unpack_from("<I", view)[0] != _ZSTD_MAGIC:
        raise ArrayError("it is no zstd frame")
    flags = view[4]
    single = bool(flags & 0x20)
    at = 5 + (0 if single else 1) + (0, 1, 2, 4)[flags & 3]
    field = (1 if single else 0, 2, 4, 8)[flags >> 6]
    if at + field > len(view):
        raise ArrayError("its zstd frame is cut short")
    claimed = int.from_bytes(view[at : at + field], "little") + (256 if field == 2 else 0)
    at += field
    bound = 0
    last = False
    while not last:
        if at + 3 > len(view):
            raise ArrayError("its zstd frame is cut short")
        head = int.from_bytes(view[at : at + 3], "little")
        last, kind, size = bool(head & 1), (head >> 1) & 3, head >> 3
        if kind == 3:
            raise ArrayError("its zstd frame is damaged")
        bound += size if kind < 2 else _ZSTD_BLOCK
        at += 3 + (1 if kind == 1 else size)
    at += 4 if flags & 4 else 0
    if at != len(view):
        what = "is cut short" if at > len(view) else "is followed by other bytes"
        raise ArrayError(f"its zstd frame {what}")
    if field and claimed > bound:
        raise ArrayError(f"its zstd frame claims {claimed} bytes, its blocks hold {bound} at most")
    return (claimed, True) if field else (bound, False)


def _decode_zstd(data: Buffer, cap: int) -> bytes:
    size, exact = zstd_size(data)
    # a frame that does not say its size is bounded by its blocks, each up to 128 KiB
    if size > (cap if exact else MAX_CELL_BYTES + _ZSTD_BLOCK):
        raise _too_large(size, cap)
    if exact and size == 0:  # numcodecs takes a declared size of 0 for damage
        return b""
    try:
        out: bytes = zstd.decompress(data)
    except (RuntimeError, ValueError) as error:
        raise ArrayError(f"its zstd frame is damaged ({error})") from error
    if len(out) > cap:
        raise _too_large(len(out), cap)
    return out


def _decode_blosc(data: Buffer, cap: int) -> bytes:
    view = memoryview(data)
    if len(view) < 16:
        raise ArrayError("its blosc frame is cut short")
    size, _, stored = struct.unpack_from("<III", view, 4)
    if stored != len(view):
        raise ArrayError(f"its blosc frame has {len(view)} bytes, expected {stored}")
    if size > cap:
        raise _too_large(size, cap)
    if size == 0:  # as above
        return b""
    try:
        out: bytes = blosc.decompress(data)
    except (RuntimeError, ValueError) as error:
        raise ArrayError(f"its blosc frame is damaged ({error})") from error
    return out


def _decode_gzip(data: Buffer, cap: int) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        out = inflater.decompress(data, cap + 1)
    except zlib.error as error:
        raise ArrayError(f"its gzip stream is damaged ({error})") from error
    if len(out) > cap:
        raise ArrayError(f"it unpacks to more than the {cap} bytes allowed")
    if not inflater.eof or inflater.unused_data:
        raise ArrayError("its gzip stream is cut short or followed by other bytes")
    return out


def _decode_crc32c(data: Buffer, cap: int) -> bytes:
    body, stored = bytes(data[:-4]), bytes(data[-4:])
    if len(stored) != 4 or google_crc32c.value(body) != int.from_bytes(stored, "little"):
        raise ArrayError("its checksum does not match")
    return body


def _encode_blosc(data: Buffer, configuration: Mapping[str, Any]) -> bytes:
    shuffles = {"noshuffle": blosc.NOSHUFFLE, "shuffle": blosc.SHUFFLE}
    codec = blosc.Blosc(
        cname=configuration.get("cname", "zstd"),
        clevel=configuration.get("clevel", 5),
        shuffle=shuffles.get(configuration.get("shuffle", ""), blosc.BITSHUFFLE),
        typesize=configuration.get("typesize", 4),
    )
    out: bytes = codec.encode(bytes(data))
    return out


def _encode_zstd(data: Buffer, configuration: Mapping[str, Any]) -> bytes:
    level, checksum = configuration.get("level", 0), configuration.get("checksum", False)
    out: bytes = zstd.compress(bytes(data), level, checksum)
    return out


def _encode_gzip(data: Buffer, configuration: Mapping[str, Any]) -> bytes:
    out: bytes = gzip.GZip(configuration.get("level", 5)).encode(bytes(data))
    return out


def _encode_crc32c(data: Buffer, configuration: Mapping[str, Any]) -> bytes:
    body = bytes(data)
    return body + int(google_crc32c.value(body)).to_bytes(4, "little")


_DECODERS = {
    "zstd": _decode_zstd,
    "blosc": _decode_blosc,
    "gzip": _decode_gzip,
    "crc32c": _decode_crc32c,
}
_ENCODERS = {
    "zstd": _encode_zstd,
    "blosc": _encode_blosc,
    "gzip": _encode_gzip,
    "crc32c": _encode_crc32c,
}
