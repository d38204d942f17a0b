"""Stores of every geometry with one to four files harmed: read, validated, told of.

As in ``test_hostile_stores``, which looks at point clouds more closely: only named errors, soon;
what depends on no harmed file is the truth, and what does fits together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.core.group import group_at
from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.info import store_info
from zarr_vectors.exceptions import ZVError
from zarr_vectors.lazy import open_zv
from zarr_vectors.reading import edges, linked
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import describe_level
from zarr_vectors.reading.linked import holds_faces, link_attribute_names, read_edges, read_faces
from zarr_vectors.reading.paths import objects_of, placed, read_paths
from zarr_vectors.reading.plan import plan_read
from zarr_vectors.testing.harming import (
    ROOM,
    BadStoreError,
    Parts,
    Seed,
    Tally,
    guard,
    plain,
    read_files,
    seed_of_kind,
    try_store,
)
from zarr_vectors.testing.kinds import KINDS, make_store
from zarr_vectors.types.parametric import read_parametric_set, write_parametric_objects
from zarr_vectors.validate import validate
from zarr_vectors.writing.copying import family_names

pytestmark = pytest.mark.filterwarnings("ignore::zarr_vectors.exceptions.ZVWarning")

VERSIONS = ("0.7.0", "0.9.2")
BOX = ((-60.0,) * 3, (10.0,) * 3)
LINKS = {"links", "link_fragments", "link_attributes", "cross_chunk_links", "face_attributes"}
LINKS |= {"cross_chunk_link_attributes"}
NEEDS = {
    "vertices": {"vertices", "vertex_fragments"},
    "attributes": {"vertices", "vertex_fragments", "vertex_attributes"},
    "links": {"vertices", "vertex_fragments", "object_index", *LINKS},
    "box": {"vertices", "vertex_fragments", "object_index", *LINKS},
    "by chunk": {"vertices", "vertex_fragments", "object_index", *LINKS},
    "objects": {"vertices", "vertex_fragments", "object_index"},
    "object attributes": {"object_index", "object_attributes"},
    "groups": {"groups", "groupings", "group_attributes", "groupings_attributes"},
}


def make_seed(kind: str, version: str, folder: Path) -> Seed:
    if kind != "parametric":
        seed = seed_of_kind(kind, version, folder)
    else:
        make_store("points", folder, format_version=version, chunk_shape=(120.0,) * 3)
        write_parametric_objects(
            folder,
            [
                {"type": "plane", "coefficients": [1, 2, 3, 4]},
                {"type": "line", "coefficients": range(6)},
            ],
            object_attributes={"size": [1.0, 2.0]},
            groups={0: [0, 1], 1: []},
            group_attributes={"weight": [1, 2]},
        )
        seed = Seed(f"{version} {kind}", folder, read_files(folder))
    seed.truth = look(folder, Parts())
    return seed


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[Seed]:
    place = tmp_path_factory.mktemp("hostile")
    kinds = [(kind, version) for kind in (*KINDS, "parametric") for version in VERSIONS]
    return [make_seed(*kind, place / f"store{n}") for n, kind in enumerate(kinds)]


def look(folder: Path, like: Parts) -> Parts:
    """Everything that can be read, part by part."""
    parts = Parts()
    guard(parts, ("validate",), lambda: check(folder))
    try:
        handle = open_handle(folder)
    except ZVError:
        return parts
    guard(parts, ("info",), lambda: json.loads(json.dumps(store_info(group_at(handle.layout)))))
    guard(parts, ("parametric",), lambda: read_parametric_set(folder))
    for number in sorted({part[1] for part in like if len(part) > 1} | set(handle.levels))[:3]:
        look_at_level(folder, number, parts)
    return parts


def check(folder: Path) -> bool:
    result = validate(folder, level=5)
    for text in (*result.errors, *result.warnings):
        assert text.isprintable(), text
    return result.ok


def look_at_level(folder: Path, number: int, parts: Parts) -> None:
    def put(name: str, read: Any) -> None:
        guard(parts, (name, number), read)

    def reading() -> tuple[Any, Any]:
        handle = open_handle(folder)
        return handle, describe_level(handle.layout, handle.meta, handle.level(number))

    def points(*, named: bool) -> Any:
        handle, arrays = reading()
        plan = plan_read(arrays.table.coords, arrays.chunk_shape)
        names = sorted(arrays.attributes) if named else []
        found = LevelReader(handle.layout, arrays).read(plan, names)
        return [found.positions, *(found.vertex_attributes[name] for name in names)]

    def links(box: Any) -> Any:
        handle, arrays = reading()
        if holds_faces(handle) is None:
            return []
        read = read_faces if holds_faces(handle) else read_edges
        plan = plan_read(arrays.table.coords, arrays.chunk_shape, box=box)
        names = link_attribute_names(handle, number)
        found = read(handle, LevelReader(handle.layout, arrays), plan, (), names)
        values = [found.attributes[name] for name in sorted(names)]
        return [found.points.positions, found.links, *values]

    def by_chunk() -> Any:
        store = open_zv(folder)
        if store[number].links_per_vertex == 0:
            return []
        keys = store[number].chunk_keys
        parts = [store[number].read_linked_chunks(keys[k::3]) for k in range(3)]
        return [
            [p.positions, p.objects, p.stored, p.links, p.open_rows, p.open_ends, p.open_objects]
            for p in parts
        ]

    def objects() -> Any:
        handle, arrays = reading()
        if handle.layout.get_objects(str(number)) is None:
            return []
        reader = LevelReader(handle.layout, arrays)
        rows = read_paths(reader, placed(reader, objects_of(handle.layout, arrays)))
        return [rows.ids, rows.positions, rows.offsets]

    def tables(family: str) -> Any:
        layout = open_handle(folder).layout
        path = f"{number}/{family}"
        found: dict[str, Any] = {}
        for name in family_names(layout, path):
            dense = layout.get_dense(f"{path}/{name}")
            found[name] = None if dense is None else list(dense)
        return found

    put("vertices", lambda: points(named=False))
    put("attributes", lambda: points(named=True))
    put("links", lambda: links(None))
    put("box", lambda: links(BOX))
    put("by chunk", by_chunk)
    put("objects", objects)
    put("object attributes", lambda: tables("object_attributes"))
    put(
        "groups",
        lambda: [open_handle(folder).layout.get_groups(str(number)), tables("group_attributes")],
    )


def depends(part: tuple[Any, ...], name: str) -> bool:
    """Whether a part is made from a file."""
    if name == "zarr.json" or part[0] in {"info", "validate"}:
        return True
    if part[0] == "parametric":
        return name.startswith("parametric/")
    level, _, below = name.partition("/")
    if level != str(part[1]):
        return False
    return below == "zarr.json" or below.split("/")[0] in NEEDS[part[0]]


def judge(seed: Seed, found: Parts, harmed: Iterable[str]) -> None:
    """Compare what was read with what is there.

    Raises:
        AssertionError: A wrong value that no harmed file explains, or parts that do not fit.
    """
    for part, value in found.items():
        if part in seed.truth and not any(depends(part, name) for name in harmed):
            np.testing.assert_equal(plain(value), plain(seed.truth[part]), err_msg=str(part))
        if part[0] in {"links", "box"} and value:
            positions, links, *columns = value
            assert not links.size or 0 <= links.min() <= links.max() < len(positions), part
            assert all(len(column) == len(links) for column in columns), part
            sound = found.get(("validate",), False)
            assert np.isfinite(positions).all() or not sound, part
        if part[0] == "by chunk":
            for positions, objects, stored, links, rows, ends, owners in value:
                assert len(positions) == len(objects) == len(stored), part
                assert len(rows) == len(ends) == len(owners), part
                assert not links.size or 0 <= links.min() <= links.max() < len(positions), part
                assert not rows.size or -1 <= rows.min() <= rows.max() < len(positions), part
                assert ((rows < 0).any(axis=1) & (rows >= 0).any(axis=1)).all(), part
        if part[0] == "objects" and value:
            ids, positions, offsets = value
            assert len(ids) == len(offsets) - 1, part
            assert offsets[-1] == len(positions), part
        if part[0] == "attributes":
            assert len(set(map(len, value))) == 1, part


def test_the_stores_are_whole(seeds: list[Seed]) -> None:
    for seed in seeds:
        assert seed.truth["validate",], seed.name
        names = {part[0] for part in seed.truth}
        assert names == {"validate", "info", "parametric", *NEEDS}, seed.name
        levels = 1 if "line" in seed.name.split() or "parametric" in seed.name else 2
        assert sum(part[0] == "links" for part in seed.truth) == levels
        judge(seed, look(seed.folder, seed.truth), [])
        folders = {name.split("/")[1] for name in seed.files if name[0].isdigit()} - {"zarr.json"}
        assert folders <= set().union(*NEEDS.values()), seed.name


def test_some_hostile_stores(seeds: list[Seed], short_seed: int, memory_limit: Any) -> None:
    tally = Tally()
    with memory_limit(ROOM):
        for number in range(short_seed, short_seed + 2):
            for seed in seeds:
                try_store(seed, number, tally, look, judge)
    assert tally.parts
    assert tally.refused


@pytest.mark.slow
def test_many_hostile_stores(seeds: list[Seed], try_for_long: Any) -> None:
    try_for_long(seeds, look, judge)


# a fault put in on purpose: it must be found


def any_ends(records: Any, selection: Any, *args: Any, **kwargs: Any) -> Any:
    """Rows that no chunk has."""
    return np.where(records.rows >= 0, records.rows + 10**6, edges.OUTSIDE)


def test_a_reader_that_does_not_look_at_rows_is_found(
    seeds: list[Seed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linked, "taken_ends", any_ends)
    graph = next(seed for seed in seeds if seed.name.endswith("graph"))
    with pytest.raises(BadStoreError, match="ZV_SEED="):
        try_some(graph, 20)


def try_some(seed: Seed, stores: int) -> None:
    for number in range(stores):
        try_store(seed, number, Tally(), look, judge)
