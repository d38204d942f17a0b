"""Every byte decoder fed valid inputs made hostile: a named error or a sane answer, in no time.

``ZV_SEED`` repeats a run from the block that failed.
"""

from __future__ import annotations

import base64
import json
import struct
import time
import zlib
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import google_crc32c
import numpy as np
import pytest
from numcodecs import blosc

from zarr_vectors.core import codecs
from zarr_vectors.core.codecs import Pipeline, decode_vlen, encode_vlen, parse_codecs, zstd_size
from zarr_vectors.core.documents import (
    BlobNodes,
    array_document,
    array_node,
    blob_document,
    dump_json,
    parse_document,
)
from zarr_vectors.core.keys import format_key, parse_keys, try_parse_key
from zarr_vectors.core.layouts.v07.shards import PackedBlobs
from zarr_vectors.core.layouts.v09.grids import read_grid
from zarr_vectors.core.layouts.v09.sharded import InShards, locate, read_sharded
from zarr_vectors.core.metadata import (
    AttributeSpec,
    ChunkTable,
    LevelError,
    LevelMetadata,
    RootMetadata,
    VertexSpec,
    default_axes,
    deserialise_parametric_types,
    fields,
    tables,
)
from zarr_vectors.core.root_meta import (
    RootDocument,
    level_attributes,
    parse_level,
    read_root,
    root_attributes,
)
from zarr_vectors.encoding import categorical, manifests
from zarr_vectors.encoding.categorical import categories_of, decode_categories
from zarr_vectors.encoding.fragments import FragmentIndex, decode_fragments, encode_fragments
from zarr_vectors.encoding.manifests import decode_manifest, decode_manifests, encode_manifests
from zarr_vectors.encoding.ragged import (
    decode_inline,
    decode_ragged_floats,
    decode_rows,
    encode_inline,
    encode_ragged_floats,
)
from zarr_vectors.exceptions import ZVError
from zarr_vectors.testing.feeding import (
    MOST_BYTES,
    ROOM,
    BadAnswerError,
    Decoder,
    Tally,
    feed,
    run_block,
)
from zarr_vectors.testing.mutate import nested

RNG = np.random.default_rng(0)


# decoders of bytes


def look_at_fragments(blob: bytes) -> None:
    index = decode_fragments(blob)
    assert index.num_rows >= 0
    assert index.num_explicit_fragments + index.num_range_fragments == len(index)
    index.check(ROWS)
    assert (index.starts >= 0).all()
    assert (index.counts >= 0).all()
    if index.num_rows <= 10**6:
        rows = index.gather()
        assert len(rows) == index.num_rows
        assert not len(rows) or (rows.min() >= 0 and rows.max() < ROWS)


ROWS = 500
FRAGMENTS = [
    encode_fragments([]),
    encode_fragments([(0, 3), (3, 0), (3, 497)]),
    encode_fragments([(k * 5, 5) for k in range(100)]),
    encode_fragments([np.array([4, 1, 1]), (2, 7), np.array([499]), np.array([], int)]),
    encode_fragments([np.arange(k) for k in range(70)]),
]


def look_at_manifests(rank: int) -> Callable[[bytes], None]:
    def look(blob: bytes) -> None:
        table = decode_manifests([blob, GOOD_MANIFESTS[rank], blob], rank)
        assert len(table) == 3
        assert table.chunks.shape == (len(table.fragments), rank)
        assert not len(table.fragments) or table.fragments.min() >= 0
        assert table.offsets[0] == 0
        assert table.offsets[-1] == len(table.fragments)
        if len(table.fragments) < 1000:
            assert table[0] == table[2] == decode_manifest(blob, rank)

    return look


def other_modes(rank: int) -> bytes:
    chunk = struct.pack(f"<{rank}q", *range(rank))
    run = chunk + b"\1" + struct.pack("<qq", 5, 20)
    listed = chunk + b"\2" + struct.pack("<I3q", 3, 7, 8, 1)
    return struct.pack("<I", 3) + run + listed + chunk + b"\0" + struct.pack("<q", 2)


GOOD_MANIFESTS = {
    rank: encode_manifests(RNG.integers(-9, 9, (6, rank)), np.arange(6), [0, 6])[0]
    for rank in (2, 3, 4)
}


def look_at_rows(blob: bytes) -> None:
    kind = ("float32", "<i8", "uint8", "float64", "bool")[len(blob) % 5]
    assert decode_rows(blob, kind, 3).nbytes == decode_rows(blob, kind).nbytes == len(blob)


def look_at_groups(blob: bytes) -> None:
    """Groups of floats: the offsets first, as they are stored beside the values."""
    cut = len(blob) // 2 // 8 * 8
    offsets = np.frombuffer(blob[:cut], "<i8")
    groups = decode_ragged_floats(blob[cut:], offsets, 1)
    assert len(groups) == max(len(offsets) - 1, 0)
    assert b"".join(group.tobytes() for group in groups) == blob[cut:]


def groups_blob(sizes: list[int]) -> bytes:
    values, offsets = encode_ragged_floats([np.ones((n, 1)) for n in sizes])
    assert len(values) == 8 * len(offsets)  # cut in the middle
    return offsets.astype("<i8").tobytes() + values


def look_at_inline(blob: bytes) -> None:
    groups = decode_inline(blob)
    assert sum(map(len, groups)) == len(blob) - 8 - 8 * len(groups)
    assert encode_inline(groups) == blob


def look_at_vlen(blob: bytes) -> None:
    count = 3 if blob[:4] == b"\3\0\0\0" else 1
    elements = decode_vlen(blob, count)
    assert len(elements) == count
    assert encode_vlen(elements) == blob


def look_at_codes(blob: bytes) -> None:
    codes = decode_rows(blob, ("u1", "<i2")[len(blob) % 2])
    text = decode_categories(codes, NAMES)
    back = [-1 if word is None else NAMES.index(word) for word in text.tolist()]
    assert back == codes.tolist()


NAMES = ("astrocyte", "glia", "neuron")

PLAIN = [bytes(2000), RNG.integers(0, 256, 300).astype("u1").tobytes(), b"abcd" * 200, b""]
CHAINS = {
    "zstd": [codecs.ZSTD_0],
    "zstd with checksum": [{"name": "zstd", "configuration": {"level": 1, "checksum": True}}],
    "gzip": [{"name": "gzip", "configuration": {"level": 1}}],
    "blosc": [{"name": "blosc", "configuration": {"cname": "lz4", "shuffle": "shuffle"}}],
    "blosc of zstd": [{"name": "blosc", "configuration": {"cname": "zstd"}}],
    "crc32c": [{"name": "crc32c"}],
    "zstd in crc32c": [codecs.ZSTD_0, {"name": "crc32c"}],
    "gzip in zstd": [{"name": "gzip"}, codecs.ZSTD_0],
}
CAP = 2**20


def castagnoli(data: bytes) -> int:
    """CRC32C of bytes, bit by bit (RFC 3720, appendix B.4)."""
    left = 0xFFFFFFFF
    for byte in data:
        left ^= byte
        for _ in range(8):
            left = left >> 1 ^ (0x82F63B78 if left & 1 else 0)
    return left ^ 0xFFFFFFFF


def pipeline(chain: Sequence[object]) -> Pipeline:
    found = parse_codecs([dict(codecs.BYTES), *chain])
    assert isinstance(found, Pipeline)
    return found


def unpacks(chain: Sequence[object], *, checked: bool) -> Callable[[bytes], None]:
    line = pipeline(chain)

    def look(blob: bytes) -> None:
        found = line.unpack(blob, cap=CAP)
        assert len(found) <= CAP
        assert not checked or castagnoli(blob[:-4]) == int.from_bytes(blob[-4:], "little")
        assert line.unpack(blob, size=len(found)) == found
        with pytest.raises(ZVError):
            line.unpack(blob, size=len(found) + 1)

    return look


def look_at_zstd_size(blob: bytes) -> None:
    size, _ = zstd_size(blob)
    assert size >= 0


# shards, whose bytes are found through a store


class Files:
    """A store in memory: what decoders of stored objects ask for."""

    local_path = None
    url = "memory://mutated"

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def get_many(self, keys: Any) -> dict[str, bytes]:
        return {key: self.files[key] for key in keys if key in self.files}

    def get_ranges(self, ranges: Any) -> list[bytes | None]:
        found: list[bytes | None] = []
        for key, start, length in ranges:
            data = self.files.get(key)
            begin = start if start >= 0 else max(len(data or b"") + start, 0)
            found.append(None if data is None else data[begin : begin + length])
        return found

    def list_dir(self, prefix: str) -> list[str]:
        below = [key.removeprefix(f"{prefix}/") for key in self.files if key.startswith(prefix)]
        return sorted({key.split("/")[0] for key in below})


INDEX_CODECS = [dict(codecs.BYTES_LITTLE), {"name": "crc32c"}]
SHARDED = [
    {
        "name": "sharding_indexed",
        "configuration": {
            "chunk_shape": [1, 1],
            "codecs": [dict(codecs.VLEN_BYTES)],
            "index_codecs": INDEX_CODECS,
            "index_location": "end",
        },
    }
]
UNCHECKED = json.loads(json.dumps(SHARDED))
UNCHECKED[0]["configuration"]["index_codecs"] = [dict(codecs.BYTES_LITTLE)]
GRID = json.loads(
    array_document(
        [6, 5],
        "variable_length_bytes",
        SHARDED,
        chunk_shape=[4, 2],
        fill_value="",
        attributes={
            "nonempty_chunks": ["-2.0", "0.1", "1.0"],
            "chunk_grid_origin": [-2, 0],
            "zv_array": "vertices",
        },
    )
)
ALONE = GRID | {
    "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [1, 1]}},
    "codecs": [dict(codecs.VLEN_BYTES), dict(codecs.ZSTD_0)],
}


def shard_bytes(*, checked: bool) -> bytes:
    """A shard of 4 x 2 cells, three of them there."""
    table = np.full((8, 2), 2**64 - 1, "<u8")
    body = b""
    for number in (0, 3, 5):
        cell = encode_vlen([bytes([number]) * (10 + number)])
        table[number] = len(body), len(cell)
        body += cell
    index = table.tobytes()
    check = int(google_crc32c.value(index)).to_bytes(4, "little")
    return body + index + (check if checked else b"")


def reads_shard(chain: list[Any]) -> Callable[[bytes], None]:
    grid = read_grid("0/vertices", GRID | {"codecs": chain})
    sharding = grid.sharding
    assert sharding is not None
    chunks = [(a, b) for a in (-2, -1, 0, 1) for b in (0, 1)]
    part = InShards.of(grid, sharding, chunks)

    def look(blob: bytes) -> None:
        files: Any = Files({"0/vertices/c/0/0": blob})
        found = read_sharded(files, [part], {})[0]
        assert list(found) == chunks
        for data in found.values():
            assert data is None or data in blob

    return look


def look_at_grid(document: Any) -> None:
    if not isinstance(document, dict):
        return
    grid = read_grid("0/vertices", document)
    rank = len(grid.shape)
    assert len(grid.origin) == rank
    for chunk in grid.stored or ():
        assert len(chunk) == rank
        index = grid.index(chunk)
        assert index is None or all(0 <= i < n for i, n in zip(index, grid.shape, strict=True))
        if grid.sharding is not None and index is not None:
            place = locate(grid, grid.sharding, chunk)
            assert place is not None
            files: Any = Files({place.key: SHARD})
            try:
                read_sharded(files, [InShards(grid, grid.sharding, {chunk: place})], {})
            except ZVError:
                continue


SHARD = shard_bytes(checked=True)

PACKED = json.loads(
    array_document(
        [5],
        "uint8",
        [codecs.BYTES],
        chunk_shape=[5],
        attributes={"shard_index": {"0.0": [0, 3], "-1.0": [3, 2]}},
    )
)


def look_at_packed(document: Any) -> None:
    data = dump_or_skip(document)
    if data is None:
        return
    path = "0/vertices/__shard_000000"
    files: Any = Files({f"{path}/zarr.json": data, f"{path}/c/0": b"abcde"})
    shards = PackedBlobs(files)
    for chunk, slot in shards.shards_of("0/vertices").slots.items():
        assert len(chunk) >= 1
        assert slot.length >= 0
    cells = shards.read_packed({"0/vertices": [(0, 0), (-1, 0)]})["0/vertices"]
    assert all(0 < len(blob) <= 5 for blob in cells.values())


# documents and metadata


def dump_or_skip(document: Any) -> bytes | None:
    """JSON text as a stranger may write it: NaN, huge numbers and lone surrogates included."""
    return json.dumps(document).encode()


def look_at_text(blob: bytes) -> None:
    document = parse_document(blob, "zarr.json")
    assert isinstance(document, dict)
    if document.get("node_type") == "array":
        look_at_node(document)


def look_at_node(document: Any) -> None:
    if isinstance(document, dict):
        node = array_node(document, "zarr.json")
        assert len(node.shape) == len(node.chunk_shape)
        assert all(0 <= n <= 2**62 for n in node.shape)
        assert node.chunk_key([0] * len(node.shape)).startswith("c")


def look_at_blobs(blob: bytes) -> None:
    """What is remembered of one form of document must not change how another is read."""
    try:
        size, line = BLOBS.read(blob, "zarr.json")
    except ZVError as error:
        with pytest.raises(type(error)):
            BlobNodes().read(blob, "zarr.json")
        raise
    node = array_node(parse_document(blob, "zarr.json"), "zarr.json")
    assert (node.shape, node.codecs) == ((size,), line)


BLOBS = BlobNodes()
ROOT = RootMetadata(
    axes=default_axes(3, ("x", "y", "z"), ("um", "um", None)),
    chunk_shape=(10.0, 10.0, 5.0),
    bounds=((0.0, -5.0, 0.0), (100.0, 50.0, 9.0)),
    geometry_types=("point_cloud",),
    base_bin_shape=(5.0, 5.0, 2.5),
    crs={"epsg": 4979},
)
ROOT_ATTRIBUTES = root_attributes(ROOT, "memory://x")
TABLE = ChunkTable(np.array([[0, 0, 0], [0, 0, 1], [2, 3, 0]]), np.array([4, 1, 7]), exact=True)
LEVEL = LevelMetadata(
    level=0,
    vertex_count=12,
    arrays_present=("vertices", "vertex_attributes/gene"),
    chunk_shape=(10.0, 10.0, 5.0),
    chunk_dims=("kind", "x", "y", "z"),
    chunk_attribute_name="kind",
    chunk_attribute_values=("a", "b"),
    preserves_object_ids=True,
    inherited_num_objects=3,
)
LEVEL_ATTRIBUTES = level_attributes(LEVEL, TABLE, LevelError(0.5, 1.0, 2.0))
GENE = {
    "dtype": "uint8",
    "row_shape": [3],
    "channel_names": ["r", "g", "b"],
    "encoding": "dictionary",
    "categories": list(NAMES),
    "_FillValue": -1,
    "unit": "um",
    "statistics": {"min": 0, "max": 2.5},
}
KINDS = {"0": {"name": "line", "coefficients": ["a", "b"]}, "3": {"name": "x", "coefficients": []}}


def look_at_root(attributes: Any) -> None:
    text = dump_or_skip({"zarr_format": 3, "node_type": "group", "attributes": attributes})
    files: Any = Files({"zarr.json": text})
    root = read_root(files)
    meta = root.meta
    ndim = len(meta.chunk_shape)
    assert (
        ndim == len(meta.axes) == len(meta.bounds[0]) == len(meta.bounds[1]) == len(meta.bin_shape)
    )
    assert np.isfinite([meta.chunk_shape, meta.bin_shape, *meta.bounds]).all()
    assert json.loads(dump_json(meta.to_dict()))
    parse_level(root, 0, LEVEL_ATTRIBUTES, "memory://x")


def look_at_level(attributes: Any) -> None:
    if not isinstance(attributes, dict):
        return
    level = parse_level(RootDocument(ROOT_ATTRIBUTES, ROOT), 0, attributes, "memory://x")
    assert 0 <= level.meta.vertex_count <= 2**63
    dump_json(level.meta.to_dict())
    estimate = ChunkTable.estimated([(0, 0, 0), (1, 0, 0)], 3, level.meta.vertex_count)
    assert estimate.counts.sum() == level.meta.vertex_count
    if level.table is not None:
        look_at_table_of(level.table)


def look_at_table_of(table: ChunkTable) -> None:
    assert table.coords.dtype == table.counts.dtype == np.int64
    assert len(table.coords) == len(table.counts)
    assert not len(table.counts) or table.counts.min() >= 0


def look_at_table(value: Any) -> None:
    table = ChunkTable.from_dict(value)
    look_at_table_of(table)
    assert table.counts.sum() == value["vertex_count"]


def look_at_attribute(value: Any) -> None:
    if not isinstance(value, dict):
        return
    spec = AttributeSpec.from_meta("gene", value)
    assert spec.row_bytes > 0
    assert spec.rows(np.zeros(0, spec.dtype)).shape == (0, *spec.row_shape)
    assert spec.rows(np.zeros(2 * spec.columns, spec.dtype)).shape == (2, *spec.row_shape)
    dump_json(spec.to_meta())
    if categories_of(value) is not None:
        decode_categories(np.zeros(1 if spec.categories else 0, np.uint8), spec.categories or ())


def look_at_vertices(value: Any) -> None:
    if isinstance(value, dict):
        assert VertexSpec.from_meta(value).dtype.itemsize in {2, 4, 8}


def look_at_keys(value: Any) -> None:
    if isinstance(value, list):
        coords = parse_keys(value)
        assert list(map(format_key, coords)) == value
        assert [try_parse_key(key) for key in value] == coords


def look_at_codecs(value: Any) -> None:
    found = parse_codecs(value)
    line = found if isinstance(found, Pipeline) else found.inner
    assert line.serializer in {"bytes", "vlen-bytes"}


DECODERS = [
    Decoder("fragments", FRAGMENTS, look_at_fragments),
    *(
        Decoder(
            f"manifests of rank {rank}",
            [GOOD_MANIFESTS[rank], manifests.EMPTY_MANIFEST, other_modes(rank)],
            look_at_manifests(rank),
        )
        for rank in (2, 3, 4)
    ),
    Decoder("rows", [bytes(range(120)), bytes(96), b""], look_at_rows),
    Decoder("ragged floats", [groups_blob([3, 0, 1, 6]), groups_blob([4, 2])], look_at_groups),
    Decoder("inline", [encode_inline([b"abc", b"", b"d" * 40]), encode_inline([])], look_at_inline),
    Decoder("vlen", [encode_vlen([b"abc"]), encode_vlen([b"", b"x" * 50, b"y"])], look_at_vlen),
    Decoder("categories", [bytes([0, 1, 2, 1] * 8), bytes(range(3)) * 20], look_at_codes),
    *(
        Decoder(
            name,
            [bytes(pipeline(chain).pack(data)) for data in PLAIN],
            unpacks(chain, checked="crc32c" in name),
        )
        for name, chain in CHAINS.items()
    ),
    Decoder(
        "zstd sizes", [bytes(pipeline(CHAINS["zstd"]).pack(d)) for d in PLAIN], look_at_zstd_size
    ),
    Decoder("shards of 0.9", [SHARD], reads_shard(SHARDED)),
    Decoder("shards of 0.9, unchecked", [shard_bytes(checked=False)], reads_shard(UNCHECKED)),
    Decoder("grids of 0.9", [GRID, ALONE], look_at_grid),
    Decoder("shards of 0.7", [PACKED], look_at_packed),
    Decoder("documents", [dump_json(GRID), dump_json(PACKED), blob_document(7)], look_at_text),
    Decoder("array documents", [GRID, ALONE, PACKED], look_at_node),
    Decoder("blob documents", [blob_document(n) for n in (0, 7, 120, 10**6)], look_at_blobs),
    Decoder("root", [ROOT_ATTRIBUTES], look_at_root),
    Decoder("level", [LEVEL_ATTRIBUTES, LEVEL.to_dict()], look_at_level),
    Decoder("chunk tables", [TABLE.to_dict()], look_at_table),
    Decoder("attributes", [GENE, {"dtype": "float32", "channel_names": ["a"]}], look_at_attribute),
    Decoder("vertices", [VertexSpec(np.dtype("f4")).to_meta()], look_at_vertices),
    Decoder("level errors", [LevelError(0.1, 0.2, 0.3).to_dict()], LevelError.from_dict),
    Decoder("parametric types", [KINDS], deserialise_parametric_types),
    Decoder("chunk keys", [["0.0.0", "-1.5.2", "3.4.5"], ["0"], []], look_at_keys),
    Decoder("codecs", [SHARDED, GRID["codecs"], ALONE["codecs"]], look_at_codecs),
]
BY_NAME = {decoder.name: decoder for decoder in DECODERS}


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_valid_inputs_are_accepted(decoder: Decoder) -> None:
    for value in decoder.valid:
        decoder.decode(value)


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_some_mutated_inputs(decoder: Decoder, short_seed: int, memory_limit: Any) -> None:
    tally = Tally()
    with memory_limit(ROOM):
        for block in range(4):
            run_block(decoder, short_seed + block, tally, closely=block == 3)
    assert 0 < tally.refused < tally.inputs


@pytest.mark.slow
def test_many_mutated_inputs(long_seed: int, clock: Any, figures: Any, memory_limit: Any) -> None:
    tally, block = Tally(), 0
    begun = time.perf_counter()
    try:
        while clock:
            for decoder in DECODERS:
                with memory_limit(ROOM):
                    run_block(decoder, long_seed + block, tally, closely=block % 16 == 0)
            block += 1
    finally:
        figures(f"seed {long_seed}, {tally}, {time.perf_counter() - begun:.0f} s")
    assert 0 < tally.refused < tally.inputs


# what every limit is for


def claims_zstd(size: int) -> bytes:
    """A small zstd frame that says it unpacks to ``size`` bytes."""
    head = struct.pack("<IBBQ", 0xFD2FB528, 0xC0, 0x58, size)
    return head + (1 | 1 << 1 | 100 << 3).to_bytes(3, "little") + b"x"


def claims_blosc(size: int) -> bytes:
    frame = bytearray(blosc.compress(bytes(2000), b"lz4", 5))
    frame[4:8] = struct.pack("<I", size)
    return bytes(frame)


def packed_text(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data)).decode()


def many_keys() -> bytes:
    """A document whose one repeated key is its last."""
    return b"{" + b",".join(b'"%d":0' % n for n in range(100_000)) + b',"99999":0}'


def nested_shards() -> list[Any]:
    chain: list[Any] = [dict(codecs.VLEN_BYTES)]
    for _ in range(300):
        inside = {"chunk_shape": [1], "codecs": chain, "index_codecs": INDEX_CODECS}
        chain = [{"name": "sharding_indexed", "configuration": inside}]
    return chain


RUN = struct.pack("<I3qBqq", 1, 0, 0, 0, 1, 0, 2**22)
BOMBS: dict[str, tuple[Callable[[Any], object], Any]] = {
    "zstd claim": (pipeline(CHAINS["zstd"]).unpack, claims_zstd(2**28 - 1)),
    "zstd claim of the moon": (pipeline(CHAINS["zstd"]).unpack, claims_zstd(2**45)),
    "blosc claim": (
        lambda data: pipeline(CHAINS["blosc"]).unpack(data, cap=CAP),
        claims_blosc(2**30),
    ),
    "fragments": (decode_fragments, struct.pack("<IHHII", 0x5A564647, 1, 0, 2**32 - 1, 2**32 - 1)),
    "no ranges": (decode_fragments, struct.pack("<IHHII", 0x5A564647, 1, 0, 2**32 - 1, 0)),
    "runs of fragments": (lambda data: decode_manifests([data] * 40, 3), RUN),
    "vlen": (lambda data: decode_vlen(data, 2**31), struct.pack("<II", 2**31, 0)),
    "inline": (decode_inline, struct.pack("<q", 2**62) + bytes(64)),
    "brackets": (look_at_text, b"[" * 10**5),
    "objects": (look_at_text, b'{"a":' * 10**5 + b"1" + b"}" * 10**5),
    "spaces": (look_at_text, b" " * 10**8),
    "a number without end": (look_at_text, b'{"a":' + b"9" * 10**6 + b"}"),
    "many keys": (look_at_text, many_keys()),
    "shards within shards": (parse_codecs, nested_shards()),
    "deep attributes": (look_at_root, {"zarr_vectors": nested(900)}),
    "chunk table": (
        look_at_table,
        {
            "version": 1,
            "rank": 3,
            "vertex_count": 0,
            "chunks": packed_text(bytes(2**27)),
            "counts": packed_text(bytes(2**25)),
        },
    ),
    "counts": (
        look_at_table,
        TABLE.to_dict() | {"counts": packed_text(bytes(2**27))},  # type: ignore[operator]
    ),
    "columns": (look_at_attribute, GENE | {"row_shape": [2**40, 2**40]}),
    "keys": (look_at_keys, ["0." * 5000 + "0"]),
}


@pytest.mark.parametrize("name", BOMBS)
def test_what_is_declared_is_not_believed(name: str, memory_limit: Any) -> None:
    decode, value = BOMBS[name]
    tally = Tally()
    with memory_limit(2**30):
        for closely in (False, True):
            feed(Decoder(name, [], decode), [value], 0, tally, closely=closely)
    assert tally.refused == 2


def test_a_long_category_does_not_widen_every_row(memory_limit: Any) -> None:
    words = ["x" * 10_000, *(str(number) for number in range(5000))]
    codes = RNG.integers(0, len(words), 10_000).astype("u2")
    tally = Tally()
    check = Decoder("words", [], lambda data: decode_categories(np.frombuffer(data, "u2"), words))
    with memory_limit(ROOM):
        feed(check, [codes.tobytes()], 0, tally, closely=True)
    assert decode_categories(codes, words).tolist() == [words[code] for code in codes]


# faults put in on purpose: each must be found


def found_in(name: str, blocks: int = 8) -> str:
    """What is wrong with a decoder."""
    try:
        for block in range(blocks):
            run_block(BY_NAME[name], block, Tally(), closely=True)
    except BadAnswerError as error:
        return str(error)
    return "nothing"


@pytest.mark.parametrize(
    ("decoder", "place", "name", "fault", "found"),
    [
        ("fragments", FragmentIndex, "check", lambda index, rows: None, "AssertionError"),
        ("manifests of rank 3", manifests, "_check_fragments", lambda n: None, "AssertionError"),
        ("categories", categorical, "check_codes", lambda codes, n: None, "IndexError"),
        ("chunk tables", tables, "integer_of", lambda n, what, least=0: n, "Error"),
        ("root", fields, "math", SimpleNamespace(isfinite=lambda number: True), "AssertionError"),
        ("crc32c", codecs, "_DECODERS", {"crc32c": lambda d, cap: bytes(d[:-4])}, "AssertionError"),
        ("manifests of rank 3", manifests, "_MAX_PAIRS", 2**62, "emory"),
    ],
)
def test_a_check_left_out_is_found(
    monkeypatch: pytest.MonkeyPatch,
    memory_limit: Any,
    decoder: str,
    place: Any,
    name: str,
    fault: Any,
    found: str,
) -> None:
    monkeypatch.setattr(place, name, fault)
    with memory_limit(ROOM):
        text = found_in(decoder)
    assert found in text
    assert "ZV_SEED=" in text


def test_memory_and_time_are_measured() -> None:
    tally = Tally()
    greedy = Decoder("greedy", [b"x"], lambda data: bytes(MOST_BYTES + 5 * len(data) + 2**10))
    with pytest.raises(BadAnswerError, match="bytes of memory"):
        run_block(greedy, 0, tally, closely=True)
    slow = Decoder("slow", [b"x"], lambda data: sum(range(10**6)))
    with pytest.raises(BadAnswerError, match=r"0\.\d+ s"):
        feed(slow, [b"x"], 0, tally, closely=False, most_seconds=0.001)


def test_more_memory_than_there_is_room_for_is_not_to_be_had(memory_limit: Any) -> None:
    greedy = Decoder("greedy", [b"x"], lambda data: np.ones(2 * ROOM, np.uint8))
    with memory_limit(ROOM), pytest.raises(BadAnswerError, match="MemoryError"):
        run_block(greedy, 0, Tally(), closely=False)


def test_a_block_is_the_same_again() -> None:
    for decoder in DECODERS:
        assert repr(decoder.inputs(5)) == repr(decoder.inputs(5)) != repr(decoder.inputs(6))
