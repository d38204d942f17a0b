"""How many requests a call makes, and how often it waits for answers."""

from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors.constants import OUTLINE_KEY
from zarr_vectors.core.store import open_store
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.sharding.io import shard_store
from zarr_vectors.testing.counting import CountingPlace
from zarr_vectors.testing.kinds import make_store
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.types.graphs import read_graph
from zarr_vectors.types.lines import read_lines
from zarr_vectors.types.meshes import read_mesh
from zarr_vectors.types.points import read_points, write_points
from zarr_vectors.types.polylines import read_polylines

READERS = {
    "points": read_points,
    "objects": read_points,
    "line": read_lines,
    "streamline": read_polylines,
    "graph": read_graph,
    "skeleton": read_graph,
    "mesh": read_mesh,
}
VERSIONS = ["0.7.0", "0.9.2"]
PER_CHUNK = {"0.7.0": 2, "0.9.2": 1}
"""Stored objects of one chunk of one array: 0.7.0 keeps the document of each beside it."""
LEVELS = 3


@pytest.fixture(scope="module", params=VERSIONS)
def grid(request):
    """(format version, a store of 1000 chunks with two attributes and coarse levels)."""
    rng = np.random.default_rng(1)
    corners = np.stack(np.meshgrid(*[np.arange(10.0)] * 3, indexing="ij"), -1).reshape(-1, 3)
    positions = (corners[:, None] + rng.uniform(0.05, 0.95, (1000, 4, 3))).reshape(-1, 3)
    values = {"a": positions[:, 0].copy(), "b": np.arange(4000), "c": np.arange(4000) % 7}
    place = DictPlace()
    options = {"chunk_shape": (1.0,) * 3, "bin_shape": (0.5,) * 3}
    write_points(
        place, positions, vertex_attributes=values, format_version=request.param, **options
    )
    build_pyramid(place, factors=[(2.0, 1.0)] * (LEVELS - 1))
    return request.param, place


def without_record(place):
    """The same store as if another program had written it."""
    found = DictPlace(place.items)
    root = open_store(found, "r+")
    attributes = root.attrs.to_dict()
    del attributes[OUTLINE_KEY]
    root.attrs.replace(attributes)
    return found


def test_three_requests_open_a_store_of_ours_with_all_its_levels(grid):
    place = CountingPlace(grid[1])
    store = open_zv(place)
    for level in store.levels:
        assert store[level].vertex_count == store[level].chunk_table.counts.sum()
        assert sorted(store[level].attribute_specs) == ["a", "b", "c"]
    assert len(store.levels) == LEVELS
    assert (place.requests, place.round_trips, place.listed) == (3, 1, [])


def test_two_and_one_a_level_open_a_store_of_others(grid):
    place = CountingPlace(without_record(grid[1]))
    store = open_zv(place)
    assert [store[n].vertex_count > 0 for n in store.levels] == [True] * LEVELS
    assert place.requests <= 2 + LEVELS
    assert place.round_trips <= 2
    assert place.listed == []


def test_the_coarsest_level_costs_its_objects_and_three(grid):
    version, whole = grid
    place = CountingPlace(whole)
    found = read_points(place, level=LEVELS - 1)
    level = open_zv(whole)[LEVELS - 1]
    assert found.vertex_count == level.vertex_count
    documents = 2  # of the level and of its vertices, which what the root records is compared with
    assert place.requests <= 3 + documents + PER_CHUNK[version] * len(level.chunk_keys)
    assert place.round_trips <= 3
    assert place.listed == []


@pytest.mark.parametrize("names", [[], ["a"], ["a", "b"]])
def test_a_box_costs_its_cells_and_three(grid, names):
    version, whole = grid
    place = CountingPlace(whole)
    found = read_points(place, bbox=([2.2] * 3, [4.8] * 3), attribute_names=names)
    chunks, many = 27, len(names)
    assert 0 < found.vertex_count <= 4 * chunks
    assert place.requests <= PER_CHUNK[version] * chunks * (2 + many) + 3
    assert place.requests == PER_CHUNK[version] * chunks * (1 + many) + 3 + (1 + many)
    assert place.listed == []


@pytest.mark.parametrize("names", [[], ["a", "b"]])
def test_a_box_of_a_packed_store_costs_less(grid, names):
    version, whole = grid
    packed = DictPlace(whole.items)
    shard_store(packed)
    place = CountingPlace(packed)
    found = read_points(place, bbox=([2.2] * 3, [4.8] * 3), attribute_names=names)
    loose = CountingPlace(whole)
    again = read_points(loose, bbox=([2.2] * 3, [4.8] * 3), attribute_names=names)
    assert sorted(found.positions.tolist()) == sorted(again.positions.tolist())
    assert place.requests < 0.75 * loose.requests
    assert place.round_trips <= 4
    assert place.listed == []
    place.reset()
    assert read_points(place, attribute_names=names).vertex_count == 4000
    assert place.requests < 0.1 * PER_CHUNK[version] * 1000 * (1 + len(names))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", READERS)
def test_reading_waits_a_few_times_and_lists_nothing(version, kind):
    whole = DictPlace()
    make_store(kind, whole, format_version=version, chunk_shape=(60.0,) * 3, bin_shape=(30.0,) * 3)
    place = CountingPlace(whole)
    READERS[kind](place)
    # the root; documents; then data, before it the object index, after it links by their records
    most = {"points": 3, "objects": 3, "line": 4, "streamline": 4}.get(kind, 5)
    assert place.round_trips <= most
    assert place.listed == []


@pytest.mark.parametrize("version", VERSIONS)
def test_tables_come_at_once(version):
    whole = DictPlace()
    make_store("objects", whole, format_version=version)
    place = CountingPlace(whole)
    layout = open_store(place).layout
    for ask in (
        lambda: layout.get_objects("0"),
        lambda: layout.get_objects("0", [2, 3]),
        lambda: layout.get_groups("0"),
        lambda: layout.get_dense("0/object_attributes/size"),
        lambda: layout.get_dense("0/object_attributes/pair"),
    ):
        place.reset()
        assert ask() is not None
        assert place.round_trips == 1
        assert place.requests <= 5
    place.reset()
    assert len(read_points(place, object_ids=[1, 4]).positions) > 0
    assert place.round_trips <= 4
