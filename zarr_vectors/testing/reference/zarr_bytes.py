"""Bytes of a Zarr hierarchy in a local folder, read the slow and obvious way.

Nothing of the library is used, nor Zarr's own: JSON, NumPy and the codecs of numcodecs.
"""

from __future__ import annotations

import itertools
import json
import math
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np

from zarr_vectors.typing import AnyArray

Key = tuple[int, ...]
"""A chunk by its coordinates."""


def document(folder: Path) -> dict[str, Any]:
    """What ``zarr.json`` of a folder says; nothing where there is none."""
    file = folder / "zarr.json"
    return dict(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else {}


def attributes(folder: Path) -> dict[str, Any]:
    """Attributes of a group or array; nothing where there is none."""
    return dict(document(folder).get("attributes", {}))


def folders(folder: Path) -> list[Path]:
    """Folders inside a folder by name; none where it is not there."""
    if not folder.is_dir():
        return []
    return sorted(child for child in folder.iterdir() if child.is_dir() and child.name != "c")


def key_of(name: str) -> Key:
    """The chunk a name such as ``-1.0.2`` stands for."""
    return tuple(int(part) for part in name.split("."))


def array(folder: Path) -> AnyArray | list[bytes]:
    """A whole array of numbers in its shape, or of byte strings in C order."""
    node = document(folder)
    shape = node["shape"]
    strings = node["data_type"] == "variable_length_bytes"
    dtype = np.dtype("O" if strings else node["data_type"])
    found = np.full(shape, b"" if strings else _number(node["fill_value"]), dtype)
    for place, chunk in _chunks(folder, node):
        size = node["chunk_grid"]["configuration"]["chunk_shape"]
        for codec in node["codecs"]:
            if codec["name"] == "sharding_indexed":
                size = codec["configuration"]["chunk_shape"]
        if strings:
            values = np.empty(math.prod(size), "O")
            values[:] = _strings(chunk)
        else:
            values = np.frombuffer(chunk, dtype.newbyteorder("<"))
        values = values.reshape(size)
        start = [p * n for p, n in zip(place, size, strict=True)]
        stop = [min(a + n, end) for a, n, end in zip(start, size, shape, strict=True)]
        here = tuple(slice(a, b) for a, b in zip(start, stop, strict=True))
        inside = tuple(slice(0, b - a) for a, b in zip(start, stop, strict=True))
        found[here] = values[inside]
    return found.reshape(-1).tolist() if strings else found


def one_blob(folder: Path) -> bytes:
    """The bytes of an array of bytes."""
    return np.asarray(array(folder)).tobytes()


def cells_07(folder: Path) -> dict[Key, bytes]:
    """Blobs of a chunked array of 0.7: an array for every chunk, or for many in a shard."""
    found = {}
    for child in folders(folder):
        if child.name.startswith("__shard_"):
            whole = one_blob(child)
            for name, (start, length) in attributes(child)["shard_index"].items():
                found[key_of(name)] = whole[start : start + length]
        else:
            found[key_of(child.name)] = one_blob(child)
    return {key: found[key] for key in sorted(found) if found[key]}


def cells_09(folder: Path) -> dict[Key, bytes]:
    """Blobs of a chunked array of 0.9: one array with a byte string for every chunk."""
    node = document(folder)
    if not node:
        return {}
    rank = len(node["shape"])
    origin = node["attributes"].get("chunk_grid_origin", [0] * rank)
    found = {}
    for place, chunk in _chunks(folder, node):
        (blob,) = _strings(chunk)
        if blob:
            found[tuple(p + o for p, o in zip(place, origin, strict=True))] = blob
    said = sorted(key_of(name) for name in node["attributes"]["nonempty_chunks"])
    if said != sorted(found):
        raise ValueError(f"{folder} says it has other chunks than it has")
    return {key: found[key] for key in sorted(found)}


def _chunks(folder: Path, node: dict[str, Any]) -> Iterator[tuple[Key, bytes]]:
    """Places and decoded bytes of the chunks that are stored; of shards, the chunks inside."""
    size = node["chunk_grid"]["configuration"]["chunk_shape"]
    counts = [max(1, math.ceil(n / s)) for n, s in zip(node["shape"], size, strict=True)]
    for place in itertools.product(*(range(n) for n in counts)):
        file = folder / "c" / "/".join(str(p) for p in place)
        if not file.exists():
            continue
        if node["codecs"][0]["name"] != "sharding_indexed":
            yield place, _decoded(file.read_bytes(), node["codecs"])
            continue
        how = node["codecs"][0]["configuration"]
        per = [a // b for a, b in zip(size, how["chunk_shape"], strict=True)]
        data = file.read_bytes()
        index_bytes = 16 * math.prod(per)
        crc = any(codec["name"] == "crc32c" for codec in how["index_codecs"])
        if how.get("index_location", "end") != "end":
            raise ValueError(f"the index of {file} is not at its end")
        index = data[len(data) - index_bytes - 4 * crc :]
        for number, inner in enumerate(itertools.product(*(range(n) for n in per))):
            start, length = struct.unpack_from("<QQ", index, 16 * number)
            if start != 2**64 - 1:
                where = tuple(p * n + i for p, n, i in zip(place, per, inner, strict=True))
                yield where, _decoded(data[start : start + length], how["codecs"])


def _decoded(data: bytes, codecs: list[dict[str, Any]]) -> bytes:
    for codec in reversed(codecs):
        if codec["name"] in ("zstd", "blosc", "gzip"):
            data = bytes(numcodecs.get_codec({"id": codec["name"]}).decode(data))
        elif codec["name"] == "crc32c":
            data = data[:-4]
        elif codec["name"] not in ("bytes", "vlen-bytes"):
            raise ValueError(f"unknown codec {codec['name']}")
    return data


def _strings(data: bytes) -> list[bytes]:
    (count,) = struct.unpack_from("<I", data)
    found, at = [], 4
    for _ in range(count):
        (length,) = struct.unpack_from("<I", data, at)
        found.append(data[at + 4 : at + 4 + length])
        at += 4 + length
    return found


def _number(fill: float | str | bool) -> float:
    return float(fill) if isinstance(fill, str) else fill
