"""Requests at open, and what the root's record of its levels is worth."""

from __future__ import annotations

import json

import numpy as np
import pytest
from zarr.core.buffer.cpu import Buffer
from zarr.storage import MemoryStore

from zarr_vectors.constants import OUTLINE_KEY
from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.store import open_store
from zarr_vectors.exceptions import StoreError
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import coarsen_level
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.testing.stores import FailingStore, NthCall, UnlistableStore

LEVELS = 4


@pytest.fixture(params=["0.7.0", "0.9.2"])
def made(request):
    place = MemoryStore()
    data = cloud(400)
    points_store(place, data, format_version=request.param, levels=LEVELS)
    return place


def document(place, key):
    return json.loads(place._store_dict[key].to_bytes())


def put(place, key, found):
    place._store_dict[key] = Buffer.from_bytes(json.dumps(found).encode())


def everything(store):
    """All that metadata tells."""
    return [
        (level.vertex_count, level.chunk_table.coords.tolist(), level.chunk_table.counts.tolist(),
         level.attribute_specs, level.error, level.vertex_dtype, level.bin_shape,
         sorted(level.attributes))
        for level in (store[number] for number in store.levels)
    ]  # fmt: skip


def counted(place):
    return FailingStore(place, NthCall())


def test_three_requests_tell_all_of_a_store_of_ours(made):
    place = counted(made)
    store = open_zv(place)
    found = everything(store)
    assert len(place.calls) == store.io.total.requests == 3
    root = document(made, "zarr.json")
    del root["attributes"][OUTLINE_KEY]
    put(made, "zarr.json", root)
    assert found == everything(open_zv(made))


def test_two_and_one_a_level_without_listing_where_the_record_is_missing(made):
    root = document(made, "zarr.json")
    del root["attributes"][OUTLINE_KEY]
    put(made, "zarr.json", root)
    place = counted(UnlistableStore(made))
    store = open_zv(place)
    assert store.levels == list(range(LEVELS))
    assert len(place.calls) == 2 + LEVELS


@pytest.mark.parametrize("level", [0, 1])
def test_values_are_right_whatever_the_record_says(made, level):
    """A level's documents changed behind the root's back, as another program does."""
    array = document(made, f"{level}/vertex_attributes/row/zarr.json")
    array["attributes"]["unit"] = "furlong"
    own = document(made, f"{level}/zarr.json")
    own["attributes"]["zarr_vectors_level"]["coarsening_method"] = "by hand"
    put(made, f"{level}/zarr.json", own)
    put(made, f"{level}/vertex_attributes/row/zarr.json", array)
    store = open_zv(made)
    store[level].attributes["row"].compute()
    assert store[level].attribute_specs["row"].unit == "furlong"


def test_a_change_of_the_finest_level_is_seen_at_open(made):
    own = document(made, "0/zarr.json")
    own["attributes"]["zarr_vectors_level"]["vertex_count"] = 7
    put(made, "0/zarr.json", own)
    assert open_zv(made)[0].vertex_count == 7


def test_a_level_added_by_another_program_is_seen(made):
    root = document(made, "zarr.json")
    old = json.loads(json.dumps(root))
    coarsen_level(made, 0, LEVELS, coarsen_factor=16.0)
    root = document(made, "zarr.json")
    root["attributes"][OUTLINE_KEY] = old["attributes"][OUTLINE_KEY]
    put(made, "zarr.json", root)
    assert open_zv(made).levels == list(range(LEVELS + 1))


def test_our_own_smaller_writes_do_not_leave_a_wrong_record(made):
    group = open_store(made, "r+")
    group["1"].attrs.update({"note": "mine"})
    assert OUTLINE_KEY not in document(made, "zarr.json")["attributes"]
    with open_zv(made)[1].writer() as writer:
        writer.add_attribute_sync("new", np.arange(open_zv(made)[1].vertex_count))
    place = counted(made)
    assert "new" in open_zv(place)[1].attribute_specs
    assert len(place.calls) == 3


@pytest.mark.parametrize("record", [[], {"version": 1}, {"version": 1, "levels": {"x": 1}}, 7])
def test_an_odd_record_is_passed_over(made, record):
    root = document(made, "zarr.json")
    root["attributes"][OUTLINE_KEY] = record
    put(made, "zarr.json", root)
    assert open_zv(made).levels == list(range(LEVELS))


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_a_level_that_the_root_records_and_that_is_missing_is_named(version: str) -> None:
    place = DictPlace()
    points_store(place, format_version=version)
    del place.items["0/zarr.json"]
    with pytest.raises(
        StoreError, match=r"0/zarr\.json of memory://a-dict is recorded but missing"
    ):
        open_handle(place)
    del place.items["zarr.json"]
    with pytest.raises(StoreError):
        open_handle(place)
