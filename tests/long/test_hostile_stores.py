"""Whole stores with one to four files mutated, cut, swapped or gone, read in every way there is.

Only named errors may come out, soon. What was read and does not depend on a harmed file must be the
truth; what depends on harmed data alone must have its true shape; what depends on harmed documents
must fit together. ``ZV_SEED`` repeats a run from the store that failed.
"""

from __future__ import annotations

import json
import math
import re
import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import google_crc32c
import numpy as np
import pytest
from numcodecs import Zstd

from zarr_vectors.core.codecs import BYTES, BYTES_LITTLE, VLEN_BYTES, ZSTD_0
from zarr_vectors.core.documents import array_document
from zarr_vectors.encoding.fragments import decode_fragments, encode_ranges
from zarr_vectors.exceptions import ArrayError, ZVError
from zarr_vectors.lazy import ZVStore, open_zv
from zarr_vectors.reading import assemble
from zarr_vectors.reading.plan import Pieces
from zarr_vectors.testing.data import Cloud, cloud, points_store
from zarr_vectors.testing.feeding import MOST_BYTES
from zarr_vectors.testing.harming import (
    ROOM,
    BadStoreError,
    Files,
    Parts,
    Seed,
    Tally,
    guard,
    is_data,
    plain,
    read_files,
    try_store,
    write_files,
)
from zarr_vectors.types.points import read_points
from zv_viewer.commands.info import describe
from zv_viewer.planning import build_cells
from zv_viewer.sources.store import StoreSource

NAMES = ("rgb", "kind")

# the stores


def edited(files: Files, name: str, edit: Callable[[Any], None]) -> None:
    document = json.loads(files[name])
    edit(document)
    files[name] = json.dumps(document).encode()


def without_tables(files: Files) -> None:
    """As published writers leave a store: no record of chunks."""
    for level in ("0", "1"):
        edited(files, f"{level}/zarr.json", lambda d: d["attributes"].pop("zarr_vectors_chunks"))


def packed(files: Files) -> None:
    """The chunks of 0.7 arrays of level 0 in one compressed shard each."""
    for array in ("0/vertices", "0/vertex_attributes/rgb"):
        blobs = {k: files.pop(k) for k in list(files) if k.startswith(f"{array}/") and "/c/0" in k}
        index, body = {}, b""
        for name, data in blobs.items():
            key = name.removeprefix(f"{array}/").removesuffix("/c/0")
            del files[f"{array}/{key}/zarr.json"]
            index[key] = [len(body), len(data)]
            body += data
        files[f"{array}/__shard_000000/c/0"] = bytes(Zstd(level=1).encode(body))
        files[f"{array}/__shard_000000/zarr.json"] = array_document(
            [len(body)],
            "uint8",
            [BYTES, ZSTD_0],
            chunk_shape=[len(body)],
            attributes={"shard_index": index},
        )


def sharded(files: Files) -> None:
    """The cells of 0.9 arrays of level 0 in one shard each."""
    for array in ("0/vertices", "0/vertex_attributes/rgb"):
        shape = json.loads(files[f"{array}/zarr.json"])["shape"]
        table = np.full((math.prod(shape), 2), 2**64 - 1, "<u8")
        body = b""
        for name in [k for k in files if k.startswith(f"{array}/c/")]:
            index = tuple(map(int, name.removeprefix(f"{array}/c/").split("/")))
            data = files.pop(name)
            table[np.ravel_multi_index(index, shape)] = len(body), len(data)
            body += data
        raw = table.tobytes()
        body += raw + int(google_crc32c.value(raw)).to_bytes(4, "little")
        files[f"{array}/c/" + "/".join("0" * len(shape))] = body
        inside = {
            "chunk_shape": [1] * len(shape),
            "codecs": [dict(VLEN_BYTES)],
            "index_codecs": [dict(BYTES_LITTLE), {"name": "crc32c"}],
            "index_location": "end",
        }

        def shard(document: Any, shape: list[int] = shape, inside: Any = inside) -> None:
            document["chunk_grid"]["configuration"]["chunk_shape"] = shape
            document["codecs"] = [{"name": "sharding_indexed", "configuration": inside}]

        edited(files, f"{array}/zarr.json", shard)


OBJECTS: dict[str, Any] = {
    "object_ids": np.arange(14) % 3,
    "object_attributes": {"size": np.arange(3.0)},
    "groups": {0: [0, 1], 1: [2]},
    "group_attributes": {"weight": np.arange(2.0)},
}
KINDS: dict[str, tuple[dict[str, Any], Callable[[Files], None] | None]] = {
    "0.7.0 plain": ({}, None),
    "0.9.2 plain": ({}, None),
    "0.7.0 objects": (OBJECTS, None),
    "0.9.2 objects": (OBJECTS, None),
    "0.7.0 by kind": ({"chunk_by_attribute": "kind"}, None),
    "0.9.2 by kind": ({"chunk_by_attribute": "kind"}, None),
    "0.7.0 by number": ({"chunk_by_attribute": "part"}, None),
    "0.9.2 by number": ({"chunk_by_attribute": "part"}, None),
    "0.7.0 as published": (OBJECTS, without_tables),
    "0.9.2 as published": (OBJECTS, without_tables),
    "0.7.0 packed": ({}, packed),
    "0.9.2 sharded": ({}, sharded),
}


def shaped(seed: Seed) -> set[str]:
    """Parts whose shape no harmed value can change: where chunks are counted, those too."""
    whole = {"vertices", "attribute", "points"}
    return whole if "published" in seed.name else {*whole, "chunk", "chunk values"}


def make_seed(name: str, folder: Path) -> Seed:
    options, change = KINDS[name]
    whole = cloud(14)
    data = Cloud(whole.positions, {key: whole.attributes[key] for key in NAMES})
    if options.get("chunk_by_attribute") == "part":
        data.attributes["part"] = np.arange(14, dtype=np.int16) % 2  # type: ignore[index]
    levels = 1 if "chunk_by_attribute" in options else 2
    version = name.split(" ")[0]
    points_store(folder, data, chunk=50.0, levels=levels, format_version=version, **options)
    files = read_files(folder)
    if change is not None:
        change(files)
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        write_files(folder, files)
    seed = Seed(name, folder, files)
    seed.truth = look(folder, Parts())
    return seed


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[Seed]:
    place = tmp_path_factory.mktemp("hostile")
    return [make_seed(name, place / f"store{n}") for n, name in enumerate(KINDS)]


def is_of_a_chunk(name: str) -> bool:
    """Stored values, or the document of a chunk alone."""
    return is_data(name) or re.search(r"/-?\d+(\.-?\d+)+/", name) is not None


# looking at a store


def look(folder: Path, like: Parts) -> Parts:
    """Everything that can be read, part by part.

    Args:
        folder: The store.
        like: Parts of a store whose levels, chunks and attributes are asked for as well.
    """
    parts = Parts()
    guard(parts, ("viewer",), lambda: see(folder))
    try:
        store = open_zv(folder)
    except ZVError:
        return parts
    guard(parts, ("info",), lambda: json.loads(json.dumps(describe(store))))
    numbers = {part[1] for part in like if len(part) > 1} | set(store.levels)
    for number in sorted(numbers)[:4]:
        look_at_level(store, number, parts, like)
    if 0 in store.levels:
        guard(parts, ("points", 0), lambda: read_points(folder, attribute_names=NAMES).positions)
    return parts


def look_at_level(store: ZVStore, number: int, parts: Parts, like: Parts) -> None:
    def put(name: str, read: Callable[[], Any], *more: Any) -> None:
        guard(parts, (name, number, *more), read)

    put("vertices", lambda: store[number].vertices.compute())
    for name in NAMES:
        put("attribute", lambda name=name: store[number].attributes[name].compute(), name)
    keys = {part[2] for part in like if part[:2] == ("chunk", number)}
    guard(parts, ("keys", number), lambda: store[number].chunk_keys)
    for key in sorted(keys | set(parts.get(("keys", number), [])[:12])):
        put("chunk", lambda key=key: store[number].read_chunks([key])[key].positions, key)
        put(
            "chunk values",
            lambda key=key: store[number].read_chunks([key], ["rgb"])[key].attributes["rgb"],
            key,
        )
    put("box", lambda: store.read(number, ([-20.0] * store.ndim, [60.0] * store.ndim))["positions"])
    put("objects", lambda: store[number].filter(object_ids=[2, 0]).read(NAMES))
    put("group", lambda: store[number].filter(group_ids=[1]).read())
    put("ids", lambda: store[number].present_oids)
    put("size", lambda: store[number].object_attribute("size"))


def see(folder: Path) -> Any:
    """As the viewer reads a store."""
    source = StoreSource(str(folder))
    scene = source.describe()
    tree = build_cells(scene)
    assert len(tree.count) == len(tree.parent)
    assert tree.count.sum() == sum(level.vertex_count for level in scene.levels)
    for level in scene.levels:
        if not len(level.chunks):
            assert not level.vertex_count
            continue
        rows = source.read(level.index, level.chunks[:5], [a.name for a in scene.attributes])
        if level.counts_exact:
            assert len(rows.positions) == level.counts[:5].sum()
        assert all(len(values) == len(rows.positions) for values in rows.values.values())
    source.close()
    return [level.chunks for level in scene.levels]


# what may be and what may not


def depends(part: tuple[Any, ...], name: str, files: Files) -> bool:
    """Whether a part is made from a file."""
    if name == "zarr.json" or part[0] in {"info", "viewer", "keys"}:
        return True
    level = f"{part[1]}/"
    if not name.startswith(level):
        return False
    below = name.removeprefix(level)
    if below == "zarr.json":
        return True
    needs = {
        "vertices": ["vertices/"],
        "attribute": ["vertices/", f"vertex_attributes/{part[-1]}/"],
        "chunk": ["vertices/"],
        "chunk values": ["vertices/", "vertex_attributes/rgb/"],
        "box": ["vertices/", "vertex_attributes/"],
        "points": ["vertices/", "vertex_attributes/"],
        "size": ["object_attributes/size/"],
        "group": ["vertices/", "vertex_fragments/", "object_index/", "groups/"],
        "ids": ["object_index/"],
    }
    if part[0] == "objects":
        return True
    array = next((need for need in needs[part[0]] if below.startswith(need)), None)
    if array is None:
        return False
    if part[0] not in {"chunk", "chunk values"}:
        return True
    document = json.loads(files[f"{level}{array}zarr.json"])
    return in_chunk(below.removeprefix(array), part[2], document)


def in_chunk(below: str, key: tuple[int, ...], document: Any) -> bool:
    """Whether a file of an array holds a chunk, or speaks of all of them."""
    if below == "zarr.json" or below.startswith("__shard"):
        return True
    if not below.startswith("c/"):
        return below.split("/")[0] == ".".join(map(str, key))
    if set(document["chunk_grid"]["configuration"]["chunk_shape"]) != {1}:
        return True  # a shard
    origin = document["attributes"].get("chunk_grid_origin", [0] * len(key))
    return below == "/".join(["c", *(str(k - o) for k, o in zip(key, origin, strict=True))])


def judge(seed: Seed, found: Parts, harmed: Iterable[str]) -> None:
    """Compare what was read with what is there.

    Raises:
        AssertionError: A wrong value that no harmed file explains, or a wrong shape.
    """
    truth = seed.truth
    for part, value in found.items():
        causes = [name for name in harmed if depends(part, name, seed.files)]
        if part in truth and not causes:
            np.testing.assert_equal(plain(value), plain(truth[part]), err_msg=str(part))
        elif part in truth and part[0] in shaped(seed) and all(map(is_of_a_chunk, causes)):
            assert value.shape == truth[part].shape, f"{part} has shape {value.shape}"
    for number in {part[1] for part in found if len(part) > 1}:
        fits_together(found, number)


def fits_together(found: Parts, number: Any) -> None:
    vertices = found.get(("vertices", number))
    if vertices is not None:
        assert vertices.ndim == 2
        for name in NAMES:
            values = found.get(("attribute", number, name))
            assert values is None or len(values) == len(vertices), f"{name} of level {number}"
    objects = found.get(("objects", number))
    if objects is not None:
        assert len(objects.positions) == len(objects.object_ids) == objects.vertex_count
        assert set(objects.object_ids.tolist()) <= {0, 2}


def test_the_stores_are_whole(seeds: list[Seed]) -> None:
    for seed in seeds:
        assert look(seed.folder, seed.truth).keys() == seed.truth.keys()
        judge(seed, look(seed.folder, seed.truth), [])
        names = {part[0] for part in seed.truth}
        assert {"viewer", "info", "vertices", "attribute", "chunk", "chunk values"} <= names
        has_objects = "0/object_index/zarr.json" in seed.files
        assert (len(seed.truth["objects", 0].positions) > 0) == has_objects
        assert len(seed.truth["vertices", 0]) == 14


def test_some_hostile_stores(seeds: list[Seed], short_seed: int, memory_limit: Any) -> None:
    tally = Tally()
    with memory_limit(ROOM):
        for number in range(short_seed, short_seed + 30):
            for seed in seeds:
                try_store(seed, number, tally, look, judge, closely=number % 16 == 3)
    assert tally.parts
    assert tally.refused


@pytest.mark.slow
def test_many_hostile_stores(seeds: list[Seed], try_for_long: Any) -> None:
    try_for_long(seeds, look, judge)


def test_small_manifests_cannot_ask_for_more_than_memory_holds() -> None:
    rows, shares = 10_000, 10_000
    index = decode_fragments(encode_ranges(np.zeros(shares), np.full(shares, rows)))
    none = np.zeros(shares, np.int64)
    pieces = Pieces(np.zeros((shares, 3), np.int64), np.arange(shares), none)
    first = np.array([0, rows])
    tracemalloc.start()
    with pytest.raises(ArrayError, match="rows in all"):
        assemble.piece_rows(pieces, {(0, 0, 0): index}, [(0, 0, 0)], first, "0/x", "memory://")
    assert tracemalloc.get_traced_memory()[1] < MOST_BYTES
    tracemalloc.stop()


# faults put in on purpose: each must be found


def first_fault(seeds: list[Seed], stores: int = 40) -> str:
    try:
        for number in range(stores):
            for seed in seeds:
                try_store(seed, number, Tally(), look, judge)
    except BadStoreError as error:
        return str(error)
    return "nothing"


def zeros(data: Any, dtype: Any, row_shape: Any) -> Any:
    """Values of the right shape that are not there."""
    return np.zeros_like(np.frombuffer(data, dtype).reshape(-1, *row_shape))


FAULTS = {
    "counts are not compared": (assemble, "same_counts", lambda *args: None),
    "other values": (assemble, "rows_of", zeros),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_reader_that_does_wrong_is_found(
    seeds: list[Seed], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(*FAULTS[name])
    text = first_fault(seeds)
    assert "ZV_SEED=" in text
    assert "Error" in text
