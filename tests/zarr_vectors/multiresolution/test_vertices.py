"""Pyramids by the number of vertices."""

import numpy as np
import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.multiresolution.sizing import sized_target
from zarr_vectors.multiresolution.strategies.shapes import to_edges, to_faces
from zarr_vectors.spatial.chunking import bins_per_chunk
from zarr_vectors.testing.pyramids import parts_of
from zarr_vectors.types.points import write_points
from zarr_vectors.validate import validate
from zarr_vectors.writing.route import cell_ranks

NAMES = ["value", "row", "rgb", "kind"]


def a_cloud(place, *, count=20_000, chunk=16.0, edge=1.0, ids=None):
    positions = np.random.default_rng(0).normal(0, 20, (count, 3)).clip(-60, 60)
    values = {"row": np.arange(count, dtype=np.int32)}
    options = {"chunk_shape": (chunk,) * 3, "bin_shape": (edge,) * 3, "object_ids": ids}
    write_points(place, positions, vertex_attributes=values, **options)
    return positions.astype(np.float32)


def slowly_away(points, owners, positions, links, own):
    """Distance of each point to the nearest link of its object, or vertex of it."""
    ends = positions[links].astype(np.float64)
    measure = to_faces if links.shape[1] == 3 else lambda p, c: to_edges(p, c[:, 0], c[:, 1])
    found = np.empty(len(points))
    for row, (point, owner) in enumerate(zip(points.astype(np.float64), owners, strict=True)):
        mine = own[links[:, 0]] == owner
        found[row] = np.linalg.norm(positions[own == owner] - point, axis=1).min()
        if mine.any():
            every = np.broadcast_to(point, (mine.sum(), len(point)))
            found[row] = min(found[row], measure(every, ends[mine]).min())
    return found


@pytest.mark.parametrize("kind", ["polyline", "graph", "skeleton", "mesh"])
@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_levels_have_as_many(store_of, kind, version):
    data = store_of(kind, version)
    count = len(data.positions)
    wanted = [count // 2, count // 5]
    found = build_pyramid(data.place, vertices=wanted)
    assert [spec["vertex_count"] for spec in found["level_specs"]] == wanted
    assert found["method"] == "edge_collapse"
    assert validate(data.place, level=5).ok
    store = open_zv(data.place)
    before = None
    for level in (0, 1, 2):
        positions, links, values = data.read(level, NAMES)
        own = np.floor(values["row"] + 0.5)
        parts = parts_of(len(positions), links[:, :2].tolist())
        assert values["rgb"].dtype == np.uint8
        assert store[level].present_oids.tolist() == list(range(6))
        if before is not None and kind != "mesh":
            assert len(set(parts)) == before
        before = len(set(parts))
        if level:
            assert len(np.unique(np.sort(links, axis=1), axis=0)) == len(links)
            assert (np.diff(np.sort(links, axis=1), axis=1) > 0).all()
            error = store[level].error
            assert error.metric == "vertex_to_shape"
            assert 0 < error.p50 <= error.p95 <= error.max < 40
        assert len(own) == len(positions)


@pytest.mark.parametrize("kind", ["polyline", "skeleton", "mesh"])
def test_the_stored_error_is_no_less_than_the_distance(store_of, kind):
    data = store_of(kind)
    build_pyramid(data.place, vertices=[len(data.positions) // 4], cross_level_storage="none")
    store = open_zv(data.place)
    positions, links, _ = data.read(1)
    ids = store[1].object_index
    own = np.full(len(positions), -1)
    if kind == "polyline":
        found = [len(ids[oid]) for oid in store[1].present_oids]
        assert min(found) >= 1
        lengths = [len(store[1].polylines[oid].compute()) for oid in store[1].present_oids]
        own = np.repeat(store[1].present_oids, lengths)
    else:
        from zarr_vectors.types.graphs import read_graph
        from zarr_vectors.types.meshes import read_mesh

        read = read_mesh if kind == "mesh" else read_graph
        for oid in store[1].present_oids.tolist():
            part = read(data.place, level=1, object_ids=[oid])
            mine = part.vertices if kind == "mesh" else part.positions
            own[(positions[:, None] == mine).all(axis=2).any(axis=1)] = oid
    away = slowly_away(data.positions, data.ids, positions, links, own)
    error = store[1].error
    assert error.max >= away.max() - 1e-4
    assert error.p95 >= np.percentile(away, 95) - 1e-4
    assert error.p95 < 4 * np.percentile(away, 95) + 1e-3


def test_fewer_lines_stay_where_each_would_have_too_few(store_of):
    data = store_of("streamline")
    found = build_pyramid(data.place, vertices=[12], sparsity_strategy="length")
    (spec,) = found["level_specs"]
    assert spec["objects_kept"] == 3
    assert spec["vertex_count"] == 12
    assert open_zv(data.place)[1].object_sparsity == pytest.approx(0.5)


def test_lines_of_two_vertices_can_only_be_left_out(store_of):
    data = store_of("line")
    (spec,) = build_pyramid(data.place, vertices=[6])["level_specs"]
    assert (spec["objects_kept"], spec["vertex_count"]) == (3, 6)


def test_parts_made_by_other_processes_are_the_same(store_of, tmp_path, monkeypatch):
    from zarr_vectors.multiresolution import linked

    monkeypatch.setattr(linked, "BATCH_ROWS", 100)
    trees = []
    for workers in (None, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        data = store_of("skeleton")
        place = data.place.rename(folder / "s")
        found = build_pyramid(place, vertices=[120], workers=workers, cross_level_storage="none")
        assert found["level_specs"][0]["vertex_count"] == 120
        files = sorted(path for path in (place / "1").rglob("*") if path.is_file())
        trees.append([(str(path.relative_to(place)), path.read_bytes()) for path in files])
    assert trees[0] == trees[1]


def test_clouds_come_near(tmp_path):
    positions = a_cloud(tmp_path / "s")
    wanted = [9000, 3000, 400]
    found = build_pyramid(tmp_path / "s", vertices=wanted, attribute_aggregation={"row": "min"})
    counts = [spec["vertex_count"] for spec in found["level_specs"]]
    np.testing.assert_allclose(counts, wanted, rtol=0.05)
    assert found["method"] == "per_object"
    assert validate(tmp_path / "s", level=5).ok
    store = open_zv(tmp_path / "s")
    chunk = store.chunk_shape
    for level in store.levels[1:]:
        bins_per_chunk(store[level].chunk_shape, store[level].bin_shape)
        scale = np.array(store[level].chunk_shape) / chunk
        np.testing.assert_allclose(scale, np.rint(scale))
        chunk = store[level].chunk_shape
        own = store[level].vertices.compute()
        assert cell_ranks(own, store[level].bin_shape)[0] == len(own)
    shape = store[1].bin_shape  # every vertex of level 0 has one in its bin
    both = np.concatenate([positions, store[1].vertices.compute()])
    assert cell_ranks(both, shape)[0] == cell_ranks(positions, shape)[0] == counts[0]


def test_clouds_with_objects(tmp_path):
    a_cloud(tmp_path / "s", count=3000, ids=np.arange(3000) % 7)
    (spec,) = build_pyramid(tmp_path / "s", vertices=[900])["level_specs"]
    assert spec["vertex_count"] == pytest.approx(900, rel=0.05)
    assert spec["object_count"] == 7


def test_bins_that_do_not_divide_chunks(tmp_path):
    a_cloud(tmp_path / "s", count=3000)
    build_pyramid(tmp_path / "s", factors=[1.7])
    handle = open_handle(tmp_path / "s")

    def count(target):
        return round(8000 / target.bin_shape[0] ** 3)

    found = sized_target(handle.meta, handle.level(1).meta, 2, 500, count)
    assert count(found) == pytest.approx(500, rel=0.2)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"vertices": [10, 10]}, "falling"),
        ({"vertices": [0]}, "falling"),
        ({"vertices": [10.5]}, "falling"),
        ({"vertices": [10], "factors": [2]}, "give one"),
        ({"vertices": [10], "chunk_scale_factors": [2]}, "chunk_scale_factors"),
    ],
)
def test_what_cannot_be_meant(tmp_path, options, text):
    a_cloud(tmp_path / "s", count=100)
    with pytest.raises(ValueError, match=text):
        build_pyramid(tmp_path / "s", **options)
    assert open_zv(tmp_path / "s").levels == [0]


def test_more_than_there_are(tmp_path, store_of):
    a_cloud(tmp_path / "s", count=3000, edge=8.0)
    with pytest.raises(CoarseningError, match="hold"):
        build_pyramid(tmp_path / "s", vertices=[2999])
    data = store_of("mesh")
    with pytest.raises(CoarseningError, match="asked for"):
        build_pyramid(data.place, vertices=[len(data.positions)])
    assert open_zv(data.place).levels == [0]
