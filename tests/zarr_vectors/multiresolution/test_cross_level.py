"""Links between levels join every vertex with the one that stands for it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.store import open_store, remove_resolution_level
from zarr_vectors.exceptions import ZVWarning
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution import coarsen
from zarr_vectors.multiresolution.coarsen import build_pyramid, coarsen_level
from zarr_vectors.multiresolution.cross_level import CrossLevel, composed
from zarr_vectors.testing.data import cloud, points_store

BINS = (6.0, 12.0, 24.0)
FACTORS = [(1, 1), (2, 1), (2, 1)]


def ends(place, level, delta):
    """(M, 2, D) positions of both ends of the links of a level, sorted."""
    handle, store = open_handle(place), open_zv(place)
    records = handle.layout.get_links(str(level), delta=delta)
    found = []
    for end, number in enumerate((level, level + delta)):
        chunks = {tuple(c) for c in records.chunks[:, end].tolist()}
        rows = store[number].read_chunks(chunks)
        found.append(
            np.array(
                [
                    rows[tuple(chunk)].positions[row]
                    for chunk, row in zip(
                        records.chunks[:, end].tolist(), records.rows[:, end].tolist(), strict=True
                    )
                ]
            )
        )
    both = np.stack(found, axis=1)
    return both[np.lexsort(both.reshape(len(both), -1).T)]


def slow_ends(levels, below, above):
    """The same from levels made vertex by vertex."""
    first = {v.sources[0]: v for v in levels[below].vertices}
    at = {s: v.position for v in levels[above].vertices for s in v.sources}
    both = np.array([[v.position, at[source]] for source, v in first.items()])
    return both[np.lexsort(both.reshape(len(both), -1).T)]


def close(found, wanted):
    order = np.lexsort(np.round(found, 2).reshape(len(found), -1).T)
    expected = np.lexsort(np.round(wanted, 2).reshape(len(wanted), -1).T)
    np.testing.assert_allclose(found[order], wanted[expected], rtol=1e-4, atol=2e-2)


@pytest.mark.parametrize("kind", ["line", "streamline", "skeleton", "mesh"])
def test_every_vertex_is_linked_with_its_representative(store_of, kind, version):
    data = store_of(kind, version)
    spec = build_pyramid(
        data.place, factors=FACTORS, cross_level_depth=-1, cross_level_storage="explicit"
    )
    assert (spec["cross_level_depth"], spec["cross_level_storage"]) == (-1, "explicit")
    slow = data.slowly(BINS)
    for below in range(3):
        for above in range(below + 1, 4):
            found = ends(data.place, below, above - below)
            close(found, slow_ends(slow, below, above))
            back = ends(data.place, above, below - above)[:, ::-1]
            close(back, found)
    assert "multiscale_links" in open_handle(data.place).meta.format_capabilities


def test_points_too(tmp_path, version):
    data = points_store(tmp_path / "s", cloud(700), format_version=version)
    build_pyramid(tmp_path / "s", factors=[(2, 1), (2, 1)], cross_level_depth=2)
    finest = data.positions.astype(np.float32)
    for delta, size in ((1, 10.0), (2, 20.0)):
        found = ends(tmp_path / "s", 0, delta)
        assert len(found) == 700
        order = np.lexsort(finest.T)
        np.testing.assert_array_equal(found[np.lexsort(found[:, 0].T), 0], finest[order])
        np.testing.assert_array_equal(np.floor(found[:, 0] / size), np.floor(found[:, 1] / size))
    assert open_handle(tmp_path / "s").meta.cross_level_storage == "explicit"


@pytest.mark.parametrize(
    ("depth", "storage", "deltas"),
    [
        (1, "explicit", {0: {1}, 1: {-1, 1}, 2: {-1, 1}, 3: {-1}}),
        (1, "implicit", {0: {1}, 1: {1}, 2: {1}, 3: set()}),
        (2, "implicit", {0: {1, 2}, 1: {1, 2}, 2: {1}, 3: set()}),
        (-1, "explicit", {0: {1, 2, 3}, 1: {-1, 1, 2}, 2: {-2, -1, 1}, 3: {-3, -2, -1}}),
        (-1, "none", {0: set(), 1: set(), 2: set(), 3: set()}),
        (0, "explicit", {0: set(), 1: set(), 2: set(), 3: set()}),
    ],
)
def test_depth_and_storage_say_which_are_kept(store_of, depth, storage, deltas, version):
    data = store_of("polyline", version)
    build_pyramid(data.place, factors=FACTORS, cross_level_depth=depth, cross_level_storage=storage)
    handle = open_handle(data.place)
    for level, wanted in deltas.items():
        around = [delta for delta in range(-3, 4) if delta]
        assert set(handle.layout.link_families(str(level), around)) == wanted
    assert handle.meta.cross_level_depth == depth
    assert handle.meta.cross_level_storage == storage
    assert ("multiscale_links" in handle.meta.format_capabilities) == any(deltas.values())


def test_vertices_of_objects_left_out_have_no_link(store_of, version):
    data = store_of("graph", version)
    build_pyramid(data.place, factors=[(1, 2), (1, 1)], sparsity_seed=1, cross_level_depth=2)
    kept = open_zv(data.place)[1].present_oids
    for delta in (1, 2):
        found = ends(data.place, 0, delta)[:, 0]
        inside = data.positions.astype(np.float32)[np.isin(data.ids, kept)]
        np.testing.assert_array_equal(found[np.lexsort(found.T)], inside[np.lexsort(inside.T)])


def test_clouds_too_large_to_link_say_so(tmp_path, monkeypatch):
    points_store(tmp_path / "s", cloud(300))
    monkeypatch.setattr(coarsen, "MOST_LINKED", 270)
    with pytest.warns(ZVWarning, match="no links between levels"):
        spec = build_pyramid(tmp_path / "s", factors=[(2, 1)], cross_level_storage="explicit")
    assert spec["cross_level_storage"] == "none"
    handle = open_handle(tmp_path / "s")
    assert handle.meta.cross_level_storage == "none"
    assert not handle.layout.link_families("0", (1,))
    coarsen_level(tmp_path / "s", 1, 2, coarsen_factor=2.0, cross_level_storage="implicit")
    assert set(open_handle(tmp_path / "s").layout.link_families("1", (-1, 1))) == {1}


@given(
    st.lists(st.integers(-1, 4), max_size=9),
    st.lists(st.integers(-1, 6), min_size=5, max_size=5),
)
def test_composition_follows_both_steps(rows, parents):
    found = composed(np.array(rows, np.int64), np.array(parents))
    assert found.tolist() == [parents[row] if row >= 0 else -1 for row in rows]
    assert composed(None, np.array(parents)).tolist() == parents


@pytest.mark.parametrize(("depth", "storage"), [(-2, "none"), (1, "some"), (1, "")])
def test_wrong_arguments_are_named(depth, storage):
    with pytest.raises(ValueError, match="cross_level"):
        CrossLevel(depth, storage)


def test_links_to_levels_that_are_no_more_go(store_of, version):
    data = store_of("streamline", version)
    build_pyramid(data.place, factors=FACTORS, cross_level_depth=-1)
    for level in (3, 2, 1):
        remove_resolution_level(open_store(data.place, mode="r+"), level)
    build_pyramid(data.place, factors=FACTORS[:2], cross_level_depth=1)
    families = open_handle(data.place).layout.link_families("0", (1, 2, 3))
    assert {delta for delta, family in families.items() if family.count} == {1}
    close(ends(data.place, 0, 1), slow_ends(data.slowly(BINS[:1]), 0, 1))


def test_a_level_without_links_leaves_the_record_of_others(store_of):
    data = store_of("polyline")
    build_pyramid(data.place, factors=FACTORS[:1], cross_level_depth=-1)
    coarsen_level(data.place, 1, 2, coarsen_factor=2.0)
    meta = open_handle(data.place).meta
    assert (meta.cross_level_depth, meta.cross_level_storage) == (-1, "explicit")
