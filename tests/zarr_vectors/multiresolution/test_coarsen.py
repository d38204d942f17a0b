from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import CoarseningError, StoreError
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid, coarsen_level
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.types.points import read_points, write_points


def by_bin(positions, size):
    """Rows of every occupied bin, by plain loops."""
    bins = {}
    for row, point in enumerate(positions.astype(np.float64)):
        bins.setdefault(tuple(np.floor(point / size).astype(int).tolist()), []).append(row)
    return bins


def test_levels_equal_the_slow_way(tmp_path, version):
    data = points_store(tmp_path / "s", cloud(2000), format_version=version, levels=4)
    store = open_zv(tmp_path / "s")
    finest = data.positions.astype(np.float32)
    for level in (1, 2, 3):
        size = 5.0 * 2**level
        assert store[level].bin_shape == (size,) * 3
        assert store[level].bin_ratio == (2.0**level,) * 3
        assert store[level].chunk_shape == (20.0 * 2**level,) * 3
        found = read_points(
            tmp_path / "s", level=level, attribute_names=["value", "kind", "rgb", "row"]
        )
        bins = by_bin(finest, size)
        assert found.vertex_count == len(bins) == store[level].vertex_count
        rows = list(bins.values())
        means = np.array([finest[r].astype(np.float64).mean(axis=0) for r in rows])
        order, expected = np.lexsort(found.positions.T), np.lexsort(means.T)
        np.testing.assert_allclose(found.positions[order], means[expected], rtol=1e-5, atol=1e-4)
        values = np.array([data.attributes["value"][r].astype(np.float64).mean() for r in rows])
        np.testing.assert_allclose(
            found.vertex_attributes["value"][order], values[expected], rtol=1e-4, atol=1e-5
        )
        assert found.vertex_attributes["rgb"].dtype == np.uint8
        assert found.vertex_attributes["row"].dtype == np.int32
        moved = np.concatenate(
            [np.linalg.norm(finest[r] - m, axis=1) for r, m in zip(rows, means, strict=True)]
        )
        error = store[level].error
        assert error.reference_level == 0
        np.testing.assert_allclose(
            [error.p50, error.p95, error.max],
            [*np.percentile(moved, (50, 95)), moved.max()],
            rtol=1e-3,
        )


def test_first_level_categories_are_modes(tmp_path, version):
    data = points_store(tmp_path / "s", cloud(500), format_version=version, levels=2, bins=1)
    found = read_points(tmp_path / "s", level=1, attribute_names=["kind"])
    bins = by_bin(data.positions.astype(np.float32), 40.0)
    for point, kind in zip(found.positions, found.vertex_attributes["kind"], strict=True):
        rows = bins[tuple(np.floor(point.astype(float) / 40.0).astype(int).tolist())]
        kinds, counts = np.unique(data.attributes["kind"][rows], return_counts=True)
        assert kind == kinds[counts.argmax()]


def test_tables_of_every_level_are_exact(tmp_path, version):
    points_store(tmp_path / "s", cloud(800), format_version=version, levels=3)
    store = open_zv(tmp_path / "s")
    for level in store.levels:
        table = store[level].chunk_table
        assert table.exact
        rows = store[level].read_chunks(table.coords)
        assert [len(part.positions) for part in rows.values()] == table.counts.tolist()


def test_vertices_lie_in_their_chunks(tmp_path, version):
    points_store(tmp_path / "s", cloud(800), format_version=version, levels=3)
    store = open_zv(tmp_path / "s")
    for level in store.levels:
        shape = np.array(store[level].chunk_shape)
        for key, rows in store[level].read_chunks(store[level].chunk_table.coords).items():
            chunks = np.floor(rows.positions.astype(np.float64) / shape).astype(int)
            assert {tuple(c) for c in chunks.tolist()} == {key}


def test_objects_keep_their_ids(tmp_path, version):
    data = cloud(600)
    ids = np.arange(600) % 8 + 2
    points_store(
        tmp_path / "s",
        data,
        format_version=version,
        object_ids=ids,
        object_attributes={"weight": np.arange(8) * 2.5},
    )
    build_pyramid(tmp_path / "s", factors=[(2, 1), (2, 2)], sparsity_seed=1)
    store = open_zv(tmp_path / "s")
    whole = {tuple(p) for p in store[1].vertices.compute().tolist()}
    for oid in range(2, 10):
        own = by_bin(data.positions[ids == oid].astype(np.float32), 10.0)
        found = store[1].filter(object_ids=[oid]).compute()
        assert found["vertex_count"] == len(own)
        assert {tuple(p) for p in found["positions"].tolist()} <= whole
    assert store[1].preserves_object_ids
    assert store[1].present_oids.tolist() == list(range(2, 10))
    slots = store.object_count_at(0)
    assert store.object_count_at(2) == slots
    kept = store[2].present_oids
    assert 1 <= len(kept) <= round(slots / 2)
    assert store[2].object_sparsity == 0.5
    assert store[2].error.unrepresented > 0
    values = store[2].object_attribute("weight")
    rows = kept if slots > 8 else kept - 2
    np.testing.assert_array_equal(values[rows], (kept - 2) * 2.5)
    assert store.object_levels(int(kept[0])) == [0, 1, 2]


def test_groups_are_kept_and_choices_nest(tmp_path, version):
    ids = np.arange(900) % 30
    data = cloud(900)
    near = data.positions * 0.05 + (ids[:, None] - 15) * [3.0, 2.0, 1.0]
    for strategy in ("random", "spatial_coverage", "length", "attribute:weight"):
        place = tmp_path / strategy.replace(":", "-")
        write_points(
            place,
            near,
            chunk_shape=(20.0,) * 3,
            bin_shape=(2.0,) * 3,
            object_ids=ids,
            object_attributes={"weight": np.arange(30) % 7},
            groups={0: [3, 29], 1: []},
            group_attributes={"size": np.array([2, 0])},
            format_version=version,
        )
        build_pyramid(place, factors=[(1, 3), (2, 2)], sparsity_strategy=strategy, sparsity_seed=2)
        store, layout = open_zv(place), open_handle(place).layout
        kept = [set(store[level].present_oids.tolist()) for level in (0, 1, 2)]
        assert [len(k) for k in kept] == [30, 10, 5]
        assert kept[2] < kept[1] < kept[0]
        if strategy == "attribute:weight":
            assert min(oid % 7 for oid in kept[1]) >= 4
        for level in (1, 2):
            assert [g.tolist() for g in layout.get_groups(str(level))] == [[3, 29], []]
            values, _ = layout.get_dense(f"{level}/group_attributes/size")
            np.testing.assert_array_equal(values, [2, 0])
            density = open_handle(place).level(level).attributes["zarr_vectors_density"]
            assert density["occupied_bins"] == store.vertex_count(level)


def test_a_factor_of_one_thins_to_a_vertex_per_bin(tmp_path):
    data = points_store(tmp_path / "s", cloud(3000), chunk=20.0, bins=2)
    spec = build_pyramid(tmp_path / "s", factors=[(1, 1), (2, 1)])["level_specs"]
    assert spec[0]["vertex_count"] == len(by_bin(data.positions.astype(np.float32), 10.0))
    assert open_zv(tmp_path / "s")[1].chunk_shape == (20.0,) * 3
    assert open_zv(tmp_path / "s")[2].chunk_shape == (40.0,) * 3


def test_factors_are_chosen_when_none_are_given(tmp_path):
    points_store(tmp_path / "s", cloud(20000), chunk=20.0, bins=4)
    levels = build_pyramid(tmp_path / "s")["levels_created"]
    store = open_zv(tmp_path / "s")
    assert levels >= 1
    assert store[levels].vertex_count <= 4096 < store[levels - 1].vertex_count


def test_aggregation_is_chosen_by_attribute(tmp_path):
    data = points_store(tmp_path / "s", cloud(400), bins=1)
    how = {"row": "first", "value": "max", "rgb": "mode"}
    build_pyramid(tmp_path / "s", factors=[(2, 1)], attribute_aggregation=how)
    found = read_points(tmp_path / "s", level=1, attribute_names=["row", "value"])
    assert set(found.vertex_attributes["row"]) <= set(data.attributes["row"].tolist())
    bins = by_bin(data.positions.astype(np.float32), 40.0)
    expected = sorted(float(data.attributes["value"][r].max()) for r in bins.values())
    np.testing.assert_allclose(np.sort(found.vertex_attributes["value"]), expected)


def test_one_level_from_another(tmp_path, version):
    points_store(tmp_path / "s", cloud(500), format_version=version, levels=2)
    spec = coarsen_level(tmp_path / "s", 1, 4, coarsen_factor=2.0, chunk_scale_factor=2)
    store = open_zv(tmp_path / "s")
    assert store.levels == [0, 1, 4]
    assert store[4].vertex_count == spec["vertex_count"]
    assert store[4].error.reference_level == 1
    assert store[4].bin_shape == (20.0,) * 3


def test_progress_is_told_and_ends(tmp_path):
    points_store(tmp_path / "s", cloud(300))
    told = []
    build_pyramid(
        tmp_path / "s", factors=[(2, 1), (2, 1)], progress=lambda *step: told.append(step)
    )
    done = [step[0] for step in told]
    assert done == list(range(len(told)))
    assert all(step[0] < step[1] for step in told)


def test_a_cancelled_level_leaves_nothing(tmp_path, version):
    points_store(tmp_path / "s", cloud(300), format_version=version, levels=2)
    before = sorted(p.relative_to(tmp_path) for p in (tmp_path / "s").rglob("*"))
    asked = []

    def cancelled():
        asked.append(1)
        return len(asked) > 4

    with pytest.raises(CoarseningError, match="cancelled"):
        coarsen_level(tmp_path / "s", 1, 2, coarsen_factor=2.0, cancelled=cancelled)
    assert sorted(p.relative_to(tmp_path) for p in (tmp_path / "s").rglob("*")) == before
    assert open_zv(tmp_path / "s").levels == [0, 1]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"factors": [(0.5, 1)]}, ValueError, "at least 1"),
        ({"factors": ["2"]}, ValueError, "pairs"),
        ({"factors": [(2, 1)], "chunk_scale_factors": [0]}, CoarseningError, "integers"),
        ({"factors": [(2, 1)], "chunk_scale_factors": [2, 2]}, CoarseningError, "1 levels"),
        ({"factors": [(2, 3)]}, CoarseningError, "no objects"),
        ({"factors": [(2, 1)], "cross_level_depth": -2}, ValueError, "depth"),
        ({"factors": [(2, 1)], "cross_level_storage": "some"}, ValueError, "storage"),
        ({"factors": [(2, 1)], "attribute_aggregation": {"no": "max"}}, CoarseningError, "no"),
        ({"factors": [(2, 1)], "attribute_aggregation": {"kind": "mean"}}, CoarseningError, "mean"),
    ],
)
def test_wrong_arguments_are_named(tmp_path, arguments, error, words):
    points_store(tmp_path / "s")
    with pytest.raises(error, match=words):
        build_pyramid(tmp_path / "s", **arguments)


def test_a_level_that_is_there_is_not_replaced(tmp_path):
    points_store(tmp_path / "s", levels=2)
    with pytest.raises(StoreError, match="already"):
        build_pyramid(tmp_path / "s", factors=[(2, 1)])


def test_attribute_chunked_levels_are_refused(tmp_path):
    data = cloud()
    write_points(
        tmp_path / "s",
        data.positions,
        chunk_shape=(50.0,) * 3,
        vertex_attributes={"kind": data.attributes["kind"]},
        chunk_by_attribute="kind",
    )
    with pytest.raises(CoarseningError, match="chunked by an attribute"):
        build_pyramid(tmp_path / "s", factors=[(2, 1)])
