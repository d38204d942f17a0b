"""Links: what is stored, byte for byte, what damage is named, and any links there and back."""

from __future__ import annotations

import itertools
import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.storage import MemoryStore

from zarr_vectors.core.backends import StorageBackend, open_backend
from zarr_vectors.core.layouts import ends
from zarr_vectors.core.layouts.base import ChunkGrid, LinkRecords
from zarr_vectors.core.layouts.detect import layout_for
from zarr_vectors.exceptions import ArrayError, ZVWarning
from zarr_vectors.testing.links_contract import as_rows, grid_for, some_links

VERSIONS = ["0.7.0", "0.9.2"]
SAMPLE_GRID = ChunkGrid((-1, 0, 0), (2, 1, 1))
EDGE = LinkRecords(np.array([[[0, 0, 0], [-1, 0, 0]]]), np.array([[1, 0]]))


def attributes(backend: StorageBackend, path: str) -> dict[str, Any]:
    key = f"{path}/zarr.json"
    found: dict[str, Any] = json.loads(backend.get_many([key])[key])["attributes"]
    return {k: v for k, v in found.items() if not k.startswith("zarr_vectors")}


def data(backend: StorageBackend, key: str) -> bytes:
    return backend.get_many([key])[key]


def test_bytes_of_0_7(backend: StorageBackend) -> None:
    layout_for("0.7.0", backend).put_links("0", EDGE, SAMPLE_GRID)
    blob = data(backend, "0/cross_chunk_links/0/data/c/0")
    assert blob == bytes(24) + b"\1" + bytes(7) + b"\xff" * 8 + bytes(24)
    assert attributes(backend, "0/cross_chunk_links/0") == {
        "zv_array": "cross_chunk_links",
        "level_delta": 0,
        "link_width": 2,
        "num_links": 1,
        "sid_ndim": 3,
    }
    assert attributes(backend, "0/cross_chunk_links") == {}


@pytest.mark.parametrize("delta", [0, 1])
@pytest.mark.parametrize("version", VERSIONS)
def test_links_put_part_by_part_are_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch, version: str, delta: int
) -> None:
    stores = []
    for most in (1 << 16, 7):
        monkeypatch.setattr("zarr_vectors.core.layouts.v07.linking._BLOCK", most)
        monkeypatch.setattr("zarr_vectors.core.layouts.v09.linking._PART_LINKS", most)
        backend = open_backend(MemoryStore(), mode="a")
        layout_for(version, backend).put_links("0", some_links(3, 3), grid_for(3), delta=delta)
        stores.append(backend.get_many(backend.keys_below("")))
    assert stores[0]
    assert stores[0] == stores[1]


def test_bytes_of_0_9(backend: StorageBackend) -> None:
    layout_for("0.9.2", backend).put_links("0", EDGE, SAMPLE_GRID)
    body = struct.pack("<5q", 1, 0, 1, 0, 1)
    assert data(backend, "0/links/0/+1.0.0/c/0/0/0") == b"\1\0\0\0\x28\0\0\0" + body
    assert attributes(backend, "0/links/0") == {
        "zv_array": "links_family",
        "level_delta": 0,
        "link_width": 2,
        "directed": False,
        "store": "canonical",
        "sid_ndim": 3,
        "num_links": 1,
        "num_physical_records": 1,
    }
    assert attributes(backend, "0/links/0/+1.0.0") == {
        "nonempty_chunks": ["-1.0.0"],
        "chunk_grid_origin": [-1, 0, 0],
        "zv_array": "links",
        "dtype": "int64",
        "offsets": [[1, 0, 0]],
        "has_perm": True,
        "link_width": 2,
        "level_delta": 0,
    }


@pytest.mark.parametrize("version", VERSIONS)
def test_bytes_inside_a_chunk_and_between_levels(backend: StorageBackend, version: str) -> None:
    rows = np.array([[4, 2], [0, 3]])
    records = LinkRecords(np.zeros((2, 2, 3), int), rows, {"w": np.array([7, 8], "u1")})
    layout = layout_for(version, backend)
    layout.put_links("0", records, SAMPLE_GRID)
    layout.put_links("0", records, SAMPLE_GRID, delta=1)
    inline = struct.pack("<2q", 1, 0)
    flat = rows.astype("<i8").tobytes()
    table = bytes.fromhex("4746565a010000000100000001000000 0100000000000000")
    table += struct.pack("<2qI", 0, 2, 0)
    if version == "0.7.0":
        stored = {
            "0/links/0/0.0.0/c/0": flat,
            "0/link_fragments/0.0.0/c/0": table,
            "0/links/+1/0.0.0/c/0": inline + flat,
            "0/link_attributes/w/0/0.0.0/c/0": b"\7\x08",
            "0/link_attributes/w/+1/0.0.0/c/0": b"\7\x08",
        }
    else:
        stored = {
            "0/links/0/0.0.0/c/1/0/0": flat,
            "0/link_fragments/c/1/0/0": table,
            "0/links/+1/0.0.0/c/1/0/0": inline + flat,
            "0/link_attributes/w/0/0.0.0/c/1/0/0": b"\7\x08",
            "0/link_attributes/w/+1/0.0.0/c/1/0/0": b"\7\x08",
        }
        stored = {k: struct.pack("<II", 1, len(v)) + v for k, v in stored.items()}
    assert {key: data(backend, key) for key in stored} == stored


@st.composite
def any_links(draw: st.DrawFn) -> tuple[LinkRecords, int, list[tuple[int, int]]]:
    """Links of any width and rank, a delta and a ratio of chunk shapes."""
    width, rank = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    count, seed = draw(st.integers(0, 30)), draw(st.integers(0, 2**20))
    spread = draw(st.sampled_from([1, 2, 10**6]))
    rng = np.random.default_rng(seed)
    chunks = rng.integers(-spread, spread, (count, width, rank))
    same = rng.random(count) < draw(st.sampled_from([0.0, 0.5, 1.0]))
    chunks[same] = chunks[same, :1]
    rows = rng.integers(-1, 2**40, (count, width))
    values = {"n": np.arange(count), "p": rng.random((count, 2)).astype("f4")}
    ratio = [tuple(draw(st.integers(1, 4)) for _ in range(2)) for _ in range(rank)]
    return LinkRecords(chunks, rows, values), draw(st.integers(-2, 2)), ratio  # type: ignore[return-value]


@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=40)
@given(any_links())
def test_any_links_come_back(
    version: str, case: tuple[LinkRecords, int, list[tuple[int, int]]]
) -> None:
    records, delta, ratio = case
    rank = records.chunks.shape[2]
    backend = open_backend(MemoryStore(), mode="a")
    grid = ChunkGrid((-(10**6),) * rank, (2 * 10**6,) * rank)
    layout_for(version, backend).put_links("0", records, grid, delta=delta, chunk_ratio=ratio)
    found = layout_for(version, backend).get_links("0", delta=delta, attributes=["n", "p"])
    assert found is not None
    assert sorted(as_rows(found)) == sorted(as_rows(records))
    inside = (records.chunks == records.chunks[:, :1]).all(axis=(1, 2))
    if delta == 0:
        order = sorted(np.flatnonzero(inside), key=lambda m: tuple(records.chunks[m, 0].tolist()))
        assert found.attributes["n"][: len(order)].tolist() == order


@pytest.mark.parametrize("width", range(1, 8))
def test_codes_of_orders_are_those_of_lehmer(width: int) -> None:
    orders = np.array(list(itertools.permutations(range(width)))[:200])
    codes = ends.encode_orders(orders)
    assert codes.tolist() == list(range(len(orders)))
    places = ends.decode_places(codes, width)
    np.testing.assert_array_equal(
        np.take_along_axis(orders, places, axis=1), np.tile(np.arange(width), (len(orders), 1))
    )


@given(st.integers(0, 2**20), st.integers(1, 4), st.sampled_from([3, 2**20, 2**40]))
def test_numbers_of_rows_are_those_of_numpy(seed: int, columns: int, spread: int) -> None:
    rows = np.random.default_rng(seed).integers(-spread, spread, (50, columns))
    found, number = ends.number_rows(rows)
    expected, inverse = np.unique(rows, axis=0, return_inverse=True)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(number, inverse.reshape(-1))
    chosen = ends.ChunkSet(map(tuple, rows[::3].tolist()), columns)
    wanted = set(map(tuple, rows[::3].tolist()))
    assert chosen.holds(rows).tolist() == [tuple(row) in wanted for row in rows.tolist()]


@given(st.integers(0, 2**20), st.integers(0, 60), st.integers(1, 3))
def test_rows_are_ordered_by_their_runs_as_one_by_one(seed: int, count: int, columns: int) -> None:
    rows = np.random.default_rng(seed).integers(0, 2, (count, columns))
    heads, lengths = ends.equal_runs(rows)
    np.testing.assert_array_equal(np.repeat(rows[heads], lengths, axis=0), rows)
    assert not (rows[heads[1:]] == rows[heads[:-1]]).all(axis=1).any()
    keys = rows @ (2 ** np.arange(columns))
    order = ends.order_of_runs(keys[heads], heads, lengths, 2**columns)
    np.testing.assert_array_equal(order, np.argsort(keys, kind="stable"))


def edit(path: str, change: Callable[[dict[str, Any]], object]) -> Callable[[StorageBackend], None]:
    def apply(backend: StorageBackend) -> None:
        document = json.loads(data(backend, f"{path}/zarr.json"))
        change(document["attributes"])
        backend.put_many({f"{path}/zarr.json": json.dumps(document).encode()})

    return apply


def put(key: str, value: bytes) -> Callable[[StorageBackend], None]:
    return lambda backend: backend.put_many({key: value})


def cell(body: bytes) -> bytes:
    return struct.pack("<II", 1, len(body)) + body


FAMILY = "0/links/0"
RECORD = "zarr_vectors_family"
DAMAGE: dict[str, tuple[str, Callable[[StorageBackend], None], str]] = {
    "7 width 0": ("0.7.0", edit(FAMILY, lambda a: a.update(link_width=0)), FAMILY),
    "7 width huge": ("0.7.0", edit(FAMILY, lambda a: a.update(link_width=2**40)), FAMILY),
    "7 other width": ("0.7.0", edit(FAMILY, lambda a: a.update(link_width=3)), FAMILY),
    "7 record": ("0.7.0", edit(FAMILY, lambda a: a[RECORD].update(chunks={"a": 1})), FAMILY),
    "7 count": (
        "0.7.0",
        edit("0/cross_chunk_links/0", lambda a: a.update(num_links=99)),
        "cross_chunk_links",
    ),
    "7 count huge": (
        "0.7.0",
        edit("0/cross_chunk_links/0", lambda a: a.update(num_links=2**60)),
        "num_links",
    ),
    "7 list lost": (
        "0.7.0",
        lambda backend: backend.delete_prefix("0/cross_chunk_links/0/data"),
        "cross_chunk_links",
    ),
    "7 cell lost": (
        "0.7.0",
        lambda backend: backend.delete_prefix("0/links/0/-2.1.-1"),
        r"\(-2, 1, -1\)",
    ),
    "7 attribute": (
        "0.7.0",
        edit("0/link_attributes/weight/0", lambda a: a.update(dtype="float64")),
        "weight",
    ),
    "7 shape": (
        "0.7.0",
        edit("0/cross_chunk_link_attributes/weight/0", lambda a: a.update(shape=[2, 2])),
        "weight",
    ),
    "9 count": ("0.9.2", edit(FAMILY, lambda a: a.update(num_links=99)), FAMILY),
    "9 width": ("0.9.2", edit(FAMILY, lambda a: a.update(link_width=3)), FAMILY),
    "9 width huge": ("0.9.2", edit(FAMILY, lambda a: a.update(link_width=2**40)), FAMILY),
    "9 rank": ("0.9.2", edit(FAMILY, lambda a: a.update(sid_ndim=2)), FAMILY),
    "9 store": ("0.9.2", edit(FAMILY, lambda a: a.update(store="other")), FAMILY),
    "9 record": ("0.9.2", edit(FAMILY, lambda a: a[RECORD].update(offsets=[1])), FAMILY),
    "9 offsets": ("0.9.2", edit(FAMILY, lambda a: a[RECORD].update(offsets=["../x"])), FAMILY),
    "9 twice": (
        "0.9.2",
        edit(FAMILY, lambda a: a[RECORD].update(offsets=[*a[RECORD]["offsets"], "0.0.0"])),
        "twice",
    ),
    "9 body": ("0.9.2", put("0/links/0/0.0.0/c/2/5/3", cell(b"123")), r"\(-2, 1, -1\)"),
    "9 perm": (
        "0.9.2",
        edit("0/links/0/0.0.0", lambda a: a.update(has_perm="no")),
        "has_perm",
    ),
    "9 attribute": (
        "0.9.2",
        lambda backend: backend.delete_prefix("0/link_attributes/weight/0/0.0.0"),
        "weight",
    ),
    "9 attribute cell": (
        "0.9.2",
        put("0/link_attributes/weight/0/0.0.0/c/2/5/3", cell(b"12")),
        r"\(-2, 1, -1\)",
    ),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_damage_is_named(backend: StorageBackend, case: str) -> None:
    version, damage, named = DAMAGE[case]
    some = some_links(2, 3)
    some.chunks[0] = [-2, 1, -1]
    layout_for(version, backend).put_links("0", some, grid_for(3))
    damage(backend)
    with pytest.raises(ArrayError, match=named) as caught:
        layout_for(version, backend).get_links("0", attributes=["weight"])
    assert backend.url in str(caught.value)


def test_a_wrong_order_of_ends_is_damage(backend: StorageBackend) -> None:
    layout_for("0.9.2", backend).put_links("0", EDGE, SAMPLE_GRID)
    backend.put_many({"0/links/0/+1.0.0/c/0/0/0": cell(struct.pack("<5q", 1, 0, 2, 0, 1))})
    with pytest.raises(ArrayError, match="out of range for 2 ends"):
        layout_for("0.9.2", backend).get_links("0")


def test_a_source_outside_the_grid_is_refused(backend: StorageBackend) -> None:
    with pytest.raises(ArrayError, match="outside the grid") as caught:
        layout_for("0.9.2", backend).put_links("0", EDGE, ChunkGrid((0, 0, 0), (2, 2, 2)))
    assert caught.value.chunk == (-1, 0, 0)
    assert not backend.get_many(["0/links/0/zarr.json"])


@pytest.mark.parametrize("version", VERSIONS)
def test_links_of_others_are_found_by_listing(backend: StorageBackend, version: str) -> None:
    some = some_links(3, 3)
    layout_for(version, backend).put_links("0", some, grid_for(3))
    edit(FAMILY, lambda a: a.pop(RECORD))(backend)
    layout = layout_for(version, backend)
    assert layout.link_families("0")[0].attributes == ("colour", "weight")
    found = layout.get_links("0", attributes=["weight", "colour"])
    assert found is not None
    assert sorted(as_rows(found)) == sorted(as_rows(some))


def test_a_record_others_left_behind_is_not_believed(backend: StorageBackend) -> None:
    some = some_links(2, 3)
    layout_for("0.9.2", backend).put_links("0", some, grid_for(3))
    edit(FAMILY, lambda a: a[RECORD].update(offsets=["0.0.0"], num_physical_records=1))(backend)
    found = layout_for("0.9.2", backend).get_links("0")
    assert found is not None
    assert len(found.rows) == 60


def test_values_that_were_never_stored_are_marked(backend: StorageBackend) -> None:
    """As published releases write 0.7: links between chunks lose their attributes."""
    some = some_links(2, 3)
    layout_for("0.7.0", backend).put_links("0", some, grid_for(3))
    backend.delete_prefix("0/cross_chunk_link_attributes")
    with pytest.warns(ZVWarning, match="was not stored"):
        found = layout_for("0.7.0", backend).get_links("0", attributes=["weight"])
    assert found is not None
    across = (found.chunks[:, 0] != found.chunks[:, 1]).any(axis=1)
    assert across.any()
    np.testing.assert_array_equal(np.isnan(found.attributes["weight"]), across)
