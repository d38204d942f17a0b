"""What is kept in several files, one of them made hostile: links, objects, tables, records.

As in ``test_mutated_inputs``; the other files of the structure stay as they are.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from zarr_vectors.constants import NODE, OUTLINE_KEY
from zarr_vectors.core.group import group_at
from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.headers import read_headers
from zarr_vectors.core.info import store_info
from zarr_vectors.core.journal import FOLDER, HEAD, Record
from zarr_vectors.core.journal.records import Segment
from zarr_vectors.core.layouts.base import Layout, ObjectRows
from zarr_vectors.core.layouts.detect import layout_for
from zarr_vectors.core.paths import check_key
from zarr_vectors.encoding.manifests import encode_manifests
from zarr_vectors.exceptions import ZVError
from zarr_vectors.headers import HeaderRegistry
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.feeding import ROOM, Decoder, Tally, run_block
from zarr_vectors.testing.harming import roles
from zarr_vectors.testing.kinds import make_store
from zarr_vectors.testing.links_contract import RATIOS, grid_for, some_links
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.types.parametric import read_parametric_set, write_parametric_objects

VERSIONS = ("0.7.0", "0.9.2")
BLOCK = 8
Files = dict[str, bytes]

RNG = np.random.default_rng(0)


class CheckedPlace(DictPlace):
    """A place that takes no key which could leave it."""

    def get_many(self, keys: Any) -> Files:
        return super().get_many([check_key(key) for key in keys])

    def put_many(self, items: Any) -> None:
        super().put_many({check_key(key): data for key, data in items.items()})

    def delete_prefix(self, prefix: str) -> None:
        super().delete_prefix(check_key(prefix) if prefix else "")


def with_one_changed(name: str, files: Files, key: str, look: Callable[[Any], object]) -> Decoder:
    """A decoder of a structure whose file ``key`` is what is fed."""
    old = files[key]

    def decode(value: Any) -> None:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        look(CheckedPlace({**files, key: data}))

    return Decoder(name, [json.loads(old) if key.endswith(NODE) else old], decode, BLOCK)


# links


def link_files(version: str, width: int, delta: int) -> Files:
    place = DictPlace()
    layout = layout_for(version, place)
    ratio = RATIOS[delta]
    layout.put_links(
        "0",
        some_links(width, 3, 30),
        grid_for(3),
        delta=delta,
        chunk_ratio=None if ratio is None else ratio[:3],
    )
    return place.items


def looks_at_links(version: str, delta: int) -> Callable[[Any], None]:
    def look(place: Any) -> None:
        layout = layout_for(version, place)
        family = layout.link_families("0", [delta]).get(delta)
        assert family is not None
        assert 1 <= family.width <= 2**20
        for within, starting in ((None, False), ([(0, 0, 0), (-1, 0, 1)], True)):
            found = layout.get_links(
                "0",
                delta=delta,
                within=within,
                starting=starting,
                attributes=family.attributes[:4],
            )
            assert found is not None
            count = len(found.rows)
            assert found.rows.shape == found.chunks.shape[:2] == (count, family.width)
            for values in found.attributes.values():
                assert len(values) == count
            assert family.count in {None, count} or within is not None
        for group in layout.get_chunk_links("0", (0, 0, 0), delta=delta) or ():
            assert group.shape == (len(group), family.width)

    return look


def link_decoders() -> list[Decoder]:
    found = []
    for version in VERSIONS:
        for width, delta in ((2, 0), (3, 1)):
            files = link_files(version, width, delta)
            look = looks_at_links(version, delta)
            for role, key in roles(files).items():
                if role not in {NODE, f"0/{NODE}"}:
                    found.append(with_one_changed(f"{version} {role}", files, key, look))
    return found


# objects, groups, dense tables, parametric objects, headers


def table_files(version: str) -> Files:
    place = DictPlace()
    blobs, ids = (
        encode_manifests(RNG.integers(-2, 3, (9, 3)), np.arange(9), [0, 2, 5, 9]),
        [1, 4, 9],
    )
    layout = layout_for(version, place)
    layout.put_objects("0", ObjectRows(np.array(ids), list(blobs), 3))
    layout.put_groups("0", [np.array([1, 4]), np.array([], np.int64), np.array([9])])
    about = {"name": "size", "dtype": "float32"}
    size = RNG.normal(size=3).astype("f4")
    layout.put_dense("0/object_attributes/size", size, about, np.array([0, 2]))
    layout.put_dense("0/group_attributes/weight", RNG.normal(size=(3, 2)), about)
    return place.items


def look_at_tables(version: str) -> Callable[[Any], None]:
    def look(place: Any) -> None:
        layout: Layout = layout_for(version, place)
        index = layout.get_objects("0")
        if index is not None:
            assert len(index.ids) == len(index.manifests)
            assert (index.ids[1:] > index.ids[:-1]).all()
            some = layout.get_objects("0", index.ids[:2].tolist())
            assert some is not None
            assert some.ids.tolist() == index.ids[:2].tolist()
        for group in layout.get_groups("0") or ():
            assert group.dtype == np.int64
            assert group.ndim == 1
        for name in ("object_attributes/size", "group_attributes/weight"):
            dense = layout.get_dense(f"0/{name}")
            if dense is not None:
                values, present = dense
                assert not len(present) or 0 <= present.min() <= present.max() < len(values)

    return look


def small_store(version: str) -> Files:
    """Points on two levels, parametric objects with tables and groups, a header."""
    place = DictPlace()
    shapes = {"chunk_shape": (60.0,) * 3, "bin_shape": (30.0,) * 3}
    make_store("points", place, format_version=version, **shapes)
    build_pyramid(place, factors=[(2.0, 1.0)])
    write_parametric_objects(
        place,
        [
            {"type": "plane", "coefficients": [1, 2, 3, 4], "name": "cut"},
            {"type": "sphere", "coefficients": [1, 2, 3, 4]},
        ],
        object_attributes={"size": [1.0, 2.0]},
        groups={0: [0, 1], 1: []},
        group_attributes={"weight": [1, 2]},
    )
    HeaderRegistry(place).add("trk", {"voxel": [1, 2, 3], "who": "me"})
    return place.items


def look_at_parametric(place: Any) -> None:
    found = read_parametric_set(place)
    for entry in found.objects:
        assert len(entry["coefficients"]) == len(entry["coefficient_names"])
    assert all(len(rows) == len(found.objects) for rows in found.object_attributes.values())
    assert all(len(rows) == len(found.groups) for rows in found.group_attributes.values())


def look_at_store(place: Any) -> None:
    handle = open_handle(place)
    assert json.loads(json.dumps(store_info(group_at(handle.layout))))
    for number, level in handle.levels.items():
        assert level.meta.level == number >= 0
        assert level.meta.vertex_count >= 0
    read_headers(handle.layout)


def store_decoders() -> list[Decoder]:
    found = []
    for version in VERSIONS:
        tables = table_files(version)
        look = look_at_tables(version)
        found += [
            with_one_changed(f"{version} {role}", tables, key, look)
            for role, key in roles(tables).items()
            if role not in {NODE, f"0/{NODE}"}
        ]
        files = small_store(version)
        assert OUTLINE_KEY in json.loads(files[NODE])["attributes"]
        for role, key in roles(files).items():
            name = f"{version} store, {role}"
            if role.startswith("parametric/"):
                found.append(with_one_changed(name, files, key, look_at_parametric))
            elif role in {NODE, f"0/{NODE}", f"1/{NODE}"} or role.startswith("headers"):
                found.append(with_one_changed(name, files, key, look_at_store))
    return found


# records of transactions


def signed(head: Any) -> bytes:
    """A segment whose sum is right, whatever its head says."""
    text = json.dumps(head).encode()
    body = text + b"old bytes"
    return struct.pack("<4sII", b"ZVJ1", len(text), zlib.crc32(body)) + body


RECORD = Record.new("write points", ["7"])
SEGMENT = {"id": RECORD.id, "fresh": ["5"], "keys": [["0/x", 3], ["0/y", 6], ["n", None]]}


def look_at_journal(place: Any) -> None:
    """Read past it, then undo it: what is outside of what it names stays."""
    with suppress(ZVError):
        open_handle(place)
    open_handle(place, "r+")
    assert not any(key.startswith(f"{FOLDER}/{RECORD.id}") for key in place.items)


def journal_decoders() -> list[Decoder]:
    store = small_store("0.9.2")
    gone = json.loads(RECORD.encode())  # of this process, which holds no such record
    segment = RECORD.segment_key(0)

    def heads(value: Any) -> None:
        look_at_journal(CheckedPlace({**store, HEAD: json.dumps(value).encode()}))

    def segments(value: Any) -> None:
        head = json.dumps(gone).encode()
        look_at_journal(CheckedPlace({**store, HEAD: head, segment: signed(value)}))

    def raw(blob: bytes) -> None:
        found = Segment.decode(blob, RECORD.id)
        assert found is None or set(found.old) == {"a", "b"}

    whole = b"".join(Segment({"a": b"abc", "b": None}, ("c",)).encode(RECORD.id))
    return [
        Decoder("journal heads", [gone], heads, BLOCK),
        Decoder("journal segments", [SEGMENT], segments, BLOCK),
        Decoder("journal segments' bytes", [whole], raw, BLOCK),
    ]


def all_decoders() -> list[Decoder]:
    return [*link_decoders(), *store_decoders(), *journal_decoders()]


@pytest.fixture(scope="module")
def decoders() -> list[Decoder]:
    return all_decoders()


def test_valid_inputs_are_accepted(decoders: list[Decoder]) -> None:
    for decoder in decoders:
        decoder.decode(decoder.valid[0])


def test_every_role_is_there(decoders: list[Decoder]) -> None:
    names = " ".join(decoder.name for decoder in decoders)
    for role in (
        "0.7.0 0/cross_chunk_links/0/data/c",
        "0.7.0 0/links/0/N/c",
        "0.7.0 0/link_attributes/colour/0/N/c",
        "0.7.0 0/cross_chunk_link_attributes/colour/0/data/c",
        "0.9.2 0/links/0/N/zarr.json",
        "0.9.2 0/links/0/N/c",
        "0.9.2 0/links/0/zarr.json",
        "store, parametric/objects",
        "store, parametric/names",
        "store, headers",
    ):
        assert role in names, names


@pytest.mark.filterwarnings("ignore::zarr_vectors.exceptions.ZVWarning")
def test_some_mutated_structures(
    decoders: list[Decoder], short_seed: int, memory_limit: Any
) -> None:
    tally = Tally()
    for number, decoder in enumerate(decoders):
        with memory_limit(ROOM):
            run_block(decoder, short_seed, tally, closely=number % 8 == 0)
    assert 0 < tally.refused < tally.inputs


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::zarr_vectors.exceptions.ZVWarning")
def test_many_mutated_structures(
    decoders: list[Decoder], long_seed: int, clock: Any, figures: Any, memory_limit: Any
) -> None:
    tally, block = Tally(), 0
    try:
        while clock:
            for decoder in decoders:
                with memory_limit(ROOM):
                    run_block(decoder, long_seed + block, tally, closely=block % 16 == 0)
            block += 1
    finally:
        figures(f"seed {long_seed}, {tally}")
    assert 0 < tally.refused < tally.inputs
