"""Draco bitstreams of one chunk: vertices, and the triangles between them, rows in stored order.

Needs the package DracoPy (extra ``draco``). What a stream declares is compared with what is known
before anything is decoded: a decoder allocates what it is told to.
"""

from __future__ import annotations

import struct
from types import ModuleType

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import MAX_CELL_BYTES
from zarr_vectors.exceptions import DracoError
from zarr_vectors.typing import IntArray

MOST_BITS = 30
"""Largest number of bits a coordinate can be quantised to."""

_MAGIC = b"DRACO"
_HEADER = struct.Struct("<5sBBBBH")
_POINTS, _MESH = 0, 1
_SEQUENTIAL, _EDGEBREAKER = 0, 1
_METADATA = 0x8000
_FACES_PER_BYTE = 1000


def codec() -> ModuleType:
    """The package that encodes and decodes.

    Raises:
        DracoError: It is not installed.
    """
    try:
        import DracoPy
    except ImportError as error:
        raise DracoError(
            "Draco meshes need the package DracoPy: pip install 'zv-viewer[draco]'"
        ) from error
    return DracoPy  # type: ignore[no-any-return]  # untyped


def check_bits(bits: int) -> int:
    """Quantization bits, which must be from 1 to 30.

    Raises:
        DracoError: They are not.
    """
    if not 1 <= bits <= MOST_BITS:
        raise DracoError(f"draco_quantization_bits must be from 1 to {MOST_BITS}, not {bits}")
    return int(bits)


def encode(points: npt.NDArray[np.floating], faces: IntArray, bits: int) -> bytes:
    """A chunk's vertices and triangles as a bitstream that keeps their order.

    Args:
        points: (n, 3) float, n > 0; quantised to ``bits`` bits over the chunk's extent.
        faces: (f, 3) int64 rows of ``points``; a point cloud is written where there are none.
        bits: Bits of a coordinate.

    Raises:
        DracoError: DracoPy is missing, or does not keep every vertex and face.
    """
    rows = np.ascontiguousarray(points, np.float32)
    triangles = np.ascontiguousarray(faces, np.uint32) if len(faces) else None
    blob: bytes = codec().encode(
        rows, triangles, quantization_bits=check_bits(bits), preserve_order=True
    )
    kept = declared(blob)
    if kept != (len(rows), len(faces)):
        raise DracoError(
            f"Draco kept {kept[0]} of {len(rows)} vertices and {kept[1]} of {len(faces)} faces"
        )
    return blob


def declared(blob: bytes) -> tuple[int, int]:
    """(vertices, faces) a bitstream says it holds, read from its first bytes.

    Raises:
        DracoError: Not a bitstream of a known form.
    """
    if len(blob) < _HEADER.size or not blob.startswith(_MAGIC):
        raise DracoError("the bytes are no Draco bitstream")
    _, major, minor, kind, method, flags = _HEADER.unpack_from(blob)
    if (major, minor) != (2, 2 if kind == _MESH else 3):
        raise DracoError(f"the Draco bitstream is of the unknown version {major}.{minor}")
    if flags & _METADATA:
        raise DracoError("the Draco bitstream begins with metadata, which is not supported")
    at = _HEADER.size
    if kind == _POINTS:
        if len(blob) < at + 4:
            raise DracoError("the Draco bitstream is cut short")
        return int.from_bytes(blob[at : at + 4], "little"), 0
    if kind != _MESH or method not in (_SEQUENTIAL, _EDGEBREAKER):
        raise DracoError(f"the Draco bitstream is of the unknown kind {kind}, method {method}")
    if method == _SEQUENTIAL:
        faces, at = _varint(blob, at)
        return _varint(blob, at)[0], faces
    points, at = _varint(blob, at + 1)
    return points, _varint(blob, at)[0]


def decode(blob: bytes, count: int) -> tuple[npt.NDArray[np.float32], IntArray]:
    """Vertices and triangles of a chunk.

    Args:
        blob: The bitstream.
        count: Vertices the chunk has.

    Returns:
        (count, 3) float32, and (f, 3) int64 rows of them.

    Raises:
        DracoError: DracoPy is missing, or the stream is damaged or holds something else.
    """
    points, faces = declared(blob)
    if points != count:
        raise DracoError(f"the Draco bitstream declares {points} vertices, expected {count}")
    if 24 * max(points, faces) > MAX_CELL_BYTES or faces > _FACES_PER_BYTE * len(blob):
        raise DracoError(f"the Draco bitstream declares {points} vertices and {faces} faces")
    package = codec()
    try:
        found = package.decode(blob)
        rows = np.asarray(found.points, np.float32).reshape(-1, 3)
        triangles = np.asarray(getattr(found, "faces", ()), np.int64).reshape(-1, 3)
    except (package.FileTypeException, ValueError, RuntimeError, MemoryError) as error:
        raise DracoError(f"the Draco bitstream does not decode: {error}") from error
    if len(rows) != count or len(triangles) != faces:
        raise DracoError(
            f"the Draco bitstream holds {len(rows)} vertices and {len(triangles)} faces, "
            f"expected {count} and {faces}"
        )
    if not np.isfinite(rows).all() or (len(triangles) and int(triangles.max()) >= count):
        raise DracoError("the Draco bitstream holds a vertex or a face that cannot be")
    return rows, triangles


def _varint(blob: bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, and where the next one begins."""
    value = 0
    for shift in range(0, 35, 7):
        if at >= len(blob):
            break
        byte = blob[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise DracoError("the Draco bitstream is cut short")
