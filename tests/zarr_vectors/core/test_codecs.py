from __future__ import annotations

import gzip
import struct
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numcodecs import blosc, zstd

from zarr_vectors.core.codecs import (
    BYTES,
    VLEN_BYTES,
    ZSTD_0,
    Pipeline,
    Sharding,
    decode_vlen,
    encode_vlen,
    parse_codecs,
    zstd_size,
)
from zarr_vectors.exceptions import ArrayError

BLOSC = {
    "name": "blosc",
    "configuration": {"cname": "zstd", "clevel": 5, "shuffle": "bitshuffle", "typesize": 4},
}
GZIP = {"name": "gzip", "configuration": {"level": 1}}
CRC = {"name": "crc32c"}
CHAINS = {
    "plain": [],
    "zstd": [ZSTD_0],
    "zstd with checksum": [{"name": "zstd", "configuration": {"level": 3, "checksum": True}}],
    "blosc": [BLOSC],
    "gzip": [GZIP],
    "crc": [CRC],
    "zstd, crc": [ZSTD_0, CRC],
    "gzip, zstd": [GZIP, ZSTD_0],
}


def pipeline(chain: list[object]) -> Pipeline:
    found = parse_codecs([dict(BYTES), *chain])
    assert isinstance(found, Pipeline)
    return found


@pytest.mark.parametrize("name", CHAINS)
@given(data=st.binary(max_size=3000) | st.integers(0, 300_000).map(bytes))
def test_bytes_come_back(name: str, data: bytes) -> None:
    line = pipeline(CHAINS[name])
    packed = line.pack(data)
    assert line.unpack(packed) == data
    assert line.unpack(packed, size=len(data)) == data
    with pytest.raises(ArrayError):
        line.unpack(packed, size=len(data) + 1)
    if data:
        with pytest.raises(ArrayError):
            line.unpack(packed, size=len(data) - 1)
        with pytest.raises(ArrayError):
            line.unpack(packed, cap=len(data) - 1)


@pytest.mark.parametrize("name", [name for name in CHAINS if name != "plain"])
@given(data=st.binary(min_size=1, max_size=200), draw=st.data())
def test_damage_is_a_named_error_or_bytes(name: str, data: bytes, draw: st.DataObject) -> None:
    line = pipeline(CHAINS[name])
    packed = bytearray(line.pack(data))
    if draw.draw(st.booleans()):
        packed = packed[: draw.draw(st.integers(0, len(packed) - 1))]
        with pytest.raises(ArrayError):
            line.unpack(packed, size=len(data))
        return
    packed[draw.draw(st.integers(0, len(packed) - 1))] = draw.draw(st.integers(0, 255))
    try:
        assert len(line.unpack(packed, size=len(data))) == len(data)
    except ArrayError as error:
        assert str(error)  # noqa: PT017 - either outcome is right


def claiming(size: int) -> bytes:
    """A small zstd frame that claims to hold ``size`` bytes."""
    head = struct.pack("<IBBQ", 0xFD2FB528, 0xC0, 0x58, size)
    return head + (1 | 1 << 1 | 100 << 3).to_bytes(3, "little") + b"x"


BOMBS = {
    "zstd of zeros": ([ZSTD_0], zstd.compress(bytes(2**24), 3)),
    "zstd claim": ([ZSTD_0], claiming(2**45)),
    "zstd blocks without a claim": (
        [ZSTD_0],
        struct.pack("<IBB", 0xFD2FB528, 0, 0x58)
        + ((0 | 1 << 1 | 2**17 << 3).to_bytes(3, "little") + b"x") * 4000
        + (1).to_bytes(3, "little"),
    ),
    "gzip": ([GZIP], gzip.compress(bytes(2**24))),
    "blosc": ([BLOSC], blosc.compress(bytes(2**24), b"zstd", 5)),
    "zstd in gzip": ([GZIP, ZSTD_0], zstd.compress(gzip.compress(bytes(2**24)), 3)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_before_they_go_off(name: str) -> None:
    chain, data = BOMBS[name]
    line = pipeline(chain)
    tracemalloc.start()
    begun = time.perf_counter()
    for limits in ({"cap": 2**20}, {"size": 2**20}):
        with pytest.raises(ArrayError, match=r"more than|bytes"):
            line.unpack(data, **limits)
    assert time.perf_counter() - begun < 1
    assert tracemalloc.get_traced_memory()[1] < 2**23
    tracemalloc.stop()


def test_a_frame_that_does_not_say_its_size_is_read() -> None:
    body = (0 | 0 << 1 | 3 << 3).to_bytes(3, "little") + b"abc"
    body += (1 | 1 << 1 | 5 << 3).to_bytes(3, "little") + b"z"
    frame = struct.pack("<IBB", 0xFD2FB528, 0, 0x58) + body
    assert zstd_size(frame) == (8, False)
    assert bytes(pipeline([ZSTD_0]).unpack(frame, size=8)) == b"abczzzzz"


def test_two_frames_are_refused() -> None:
    frame = zstd.compress(b"abc", 1)
    with pytest.raises(ArrayError, match="followed"):
        pipeline([ZSTD_0]).unpack(frame + frame)


@pytest.mark.parametrize(
    "codecs",
    [
        None,
        [],
        {},
        [3],
        [{"name": 3}],
        [{"name": "bytes", "configuration": []}, 1],
        [{"name": "pickle"}],
        [{"name": "bytes"}, {"name": "numcodecs.pickle"}],
        [{"name": "bytes"}, {"name": "bytes"}],
        [{"name": "zstd"}],
        [{"name": "sharding_indexed", "configuration": {}}],
        [{"name": "transpose"}, {"name": "bytes"}],
    ],
)
def test_codecs_off_the_list_are_refused(codecs: object) -> None:
    with pytest.raises(ArrayError, match="codec"):
        parse_codecs(codecs)


def test_shards_within_shards_are_refused() -> None:
    inner = {
        "name": "sharding_indexed",
        "configuration": {"chunk_shape": [1], "codecs": [VLEN_BYTES], "index_codecs": [BYTES]},
    }
    outer = {**inner, "configuration": {**inner["configuration"], "codecs": [inner]}}
    assert isinstance(parse_codecs([inner]), Sharding)
    with pytest.raises(ArrayError, match="within"):
        parse_codecs([outer])


words = st.integers(0, 9).map(lambda number: number.to_bytes(4, "little"))


@given(st.lists(st.binary(max_size=30), max_size=10), st.integers(0, 9), st.integers(0, 20))
def test_elements_come_back(elements: list[bytes], empty: int, used: int) -> None:
    elements = elements + [b""] * empty
    data = encode_vlen(elements)
    assert decode_vlen(data, len(elements)) == elements
    assert decode_vlen(data, len(elements), used) == elements
    for wrong in (len(elements) + 1, len(elements) - 1, 2**32 - 1):
        with pytest.raises(ArrayError):
            decode_vlen(data, wrong)
    with pytest.raises(ArrayError):
        decode_vlen(data + b"!", len(elements))
    with pytest.raises(ArrayError):
        decode_vlen(data[:-1], len(elements))


@given(st.binary(max_size=40) | st.lists(words).map(b"".join), st.integers(0, 5))
def test_noise_is_a_named_error_or_elements(noise: bytes, count: int) -> None:
    seen = []
    for used in (None, *range(count + 1)):
        try:
            seen.append(list(decode_vlen(noise, count, used)))
            assert len(seen[-1]) == count
        except ArrayError as error:
            seen.append(str(error))
            assert seen[-1]
    assert all(found == seen[0] for found in seen)
