"""Reading where nothing can be listed, and adding to a store what that takes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from zarr.storage import LocalStore

from zarr_vectors.constants import CHUNKS_KEY, OUTLINE_KEY
from zarr_vectors.core.headers import RECORD
from zarr_vectors.core.store import open_store
from zarr_vectors.exceptions import StoreError, StoreUnlistable
from zarr_vectors.headers.registry import HeaderRegistry
from zarr_vectors.indexing import index_store
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.sharding.io import reshard, shard_store
from zarr_vectors.testing.kinds import KINDS, contents, make_store
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.types.points import read_points

VERSIONS = ["0.7.0", "0.9.2"]
WIDE = {kind: {} if kind == "line" else {"bin_shape": (15.0,) * 3} for kind in KINDS}
OURS = (CHUNKS_KEY, "zarr_vectors_family", OUTLINE_KEY)


class Unlistable(DictPlace):
    """Knows its keys only when told them, as a plain web server does."""

    read_only = True

    def __init__(self, place):
        super().__init__(place.items)

    def list_dir(self, prefix):
        """Refused."""
        raise StoreUnlistable(f"{self.url} cannot list its keys")

    keys_below = list_dir


def made(kind, version, *, shards=False, levels=0):
    place = DictPlace()
    make_store(kind, place, format_version=version, chunk_shape=(30.0,) * 3, **WIDE[kind])
    if levels:
        build_pyramid(place, factors=[(2.0, 1.0)] * levels)
    if shards:
        shard_store(place, shard_size=8)
    return place


def bare(place):
    """A store with none of our records, as other programs write it."""
    found = DictPlace(place.items)
    for key in [key for key in found.items if key.endswith("zarr.json")]:
        document = json.loads(found.items[key])
        for name in OURS:
            document["attributes"].pop(name, None)
        found.items[key] = json.dumps(document).encode()
    return found


def same(place, other):
    assert repr(contents(place)) == repr(contents(other))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shards", [False, True])
def test_what_we_write_is_read_without_listing(kind, version, shards):
    place = made(kind, version, shards=shards, levels=int(not shards))
    same(place, Unlistable(place))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["objects", "graph", "mesh", "streamline"])
@pytest.mark.parametrize("shards", [False, True])
def test_a_store_without_our_records_is_given_them(kind, version, shards):
    whole = made(kind, version, shards=shards)
    place = bare(whole)
    wanted = index_store(place, check=True)
    assert OUTLINE_KEY not in open_store(place).attrs
    assert index_store(place) == wanted
    assert any("chunks of level 0" in line for line in wanted["added"])
    assert index_store(place)["added"] == []
    same(whole, Unlistable(place))


@pytest.mark.parametrize("version", VERSIONS)
def test_only_keys_of_ours_are_added(version):
    place = bare(made("mesh", version))
    before = dict(place.items)
    index_store(place)
    after = place.items
    assert before.keys() == after.keys()
    for key in (key for key in after if before[key] != after[key]):
        old, new = json.loads(before[key]), json.loads(after[key])
        for name in OURS:
            new["attributes"].pop(name, None)
        assert old == new


def test_a_store_that_cannot_be_listed_says_how_to_be_read():
    place = Unlistable(bare(made("points", "0.7.0")))
    with pytest.raises(StoreUnlistable, match="zv-view index STORE"):
        read_points(place)
    with pytest.raises(StoreUnlistable, match="cannot list its keys"):
        index_store(place, check=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_names_of_a_family_that_nothing_records(version):
    place = bare(made("points", version))
    level = open_zv(place)[0]
    assert level.object_attribute_names == []
    index_store(place)
    assert open_zv(Unlistable(place))[0].object_attribute_names == []


def test_a_store_that_cannot_be_written_to_is_refused_in_a_sentence(tmp_path):
    make_store("points", tmp_path / "s")
    with pytest.raises(StoreError, match="cannot be written to"):
        index_store(LocalStore(tmp_path / "s", read_only=True))


def test_a_level_that_miscounts_its_vertices_is_read_all_the_same():
    place = bare(made("points", "0.7.0"))
    document = json.loads(place.items["0/zarr.json"])
    document["attributes"]["zarr_vectors_level"]["vertex_count"] = 239
    place.items["0/zarr.json"] = json.dumps(document).encode()
    found = index_store(place)
    assert found["notes"] == [
        "level 0 records 239 vertices and holds 240: how many each chunk holds cannot be recorded"
    ]
    chunks = open_zv(Unlistable(place))[0].chunk_keys
    assert chunks == open_zv(place)[0].chunk_keys
    assert chunks


def test_headers_of_others_are_named(tmp_path):
    make_store("points", tmp_path / "s")
    HeaderRegistry(tmp_path / "s").add("trk", {"a": 1})
    group = open_store(tmp_path / "s", "r+")["headers"]
    group.attrs.replace({})
    assert "the names below headers" in index_store(tmp_path / "s")["added"]
    assert group.attrs[RECORD] == ["trk"]


def test_shards_packed_anew_behind_the_record():
    """Another program packs a store the same way in name, and otherwise in fact."""
    place = made("points", "0.7.0", shards=True)
    keys = open_zv(place)[0].chunk_keys
    root = place.items["zarr.json"]
    whole = {key: read_points(place, chunks=[key]).positions for key in keys}
    reshard(place, "snake", 4)
    place.items["zarr.json"] = root
    missed = 0
    for key in keys:
        assert np.array_equal(read_points(place, chunks=[key]).positions, whole[key])
        try:
            found = read_points(Unlistable(place), chunks=[key]).positions
        except StoreUnlistable:
            missed += 1
        else:
            assert np.array_equal(found, whole[key])
    assert missed


@pytest.mark.parametrize(
    "names",
    [7, {"below": 1}, {"below": {"vertex_attributes": ["../x"]}}, {"below": {}, "cells": 3}],
)
def test_an_odd_record_of_names_is_passed_over(names):
    place = made("objects", "0.9.2")
    root = json.loads(place.items["zarr.json"])
    root["attributes"][OUTLINE_KEY]["levels"]["0"]["names"] = names
    place.items["zarr.json"] = json.dumps(root).encode()
    assert open_zv(place)[0].object_attribute_names == ["pair", "size"]
    with pytest.raises(StoreUnlistable):
        open_zv(Unlistable(place))[0].object_attribute_names  # noqa: B018  it is asked


@pytest.mark.parametrize("version", VERSIONS)
def test_an_attribute_that_another_program_adds_is_found_by_name(version):
    """Its arrays are there; neither the level nor the root knows of it."""
    place = made("points", version)
    added = {
        key.replace("/age", "/new"): value for key, value in place.items.items() if "/age/" in key
    }
    place.items.update(added)
    for one in (place, Unlistable(place)):
        found = read_points(one, attribute_names=["new", "age"]).vertex_attributes
        assert np.array_equal(found["new"], found["age"])
    index_store(place)
    assert "new" in open_zv(Unlistable(place))[0].attribute_specs
