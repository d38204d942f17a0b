"""Levels of lines, graphs, skeletons and meshes, against levels made vertex by vertex."""

from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import CoarseningError, StoreError, ZVWarning
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution import linked as builder
from zarr_vectors.multiresolution.coarsen import build_pyramid, coarsen_level
from zarr_vectors.reading.faces import face_counts
from zarr_vectors.testing.pyramids import distances, parts_of
from zarr_vectors.types.graphs import read_graph, write_graph
from zarr_vectors.types.meshes import read_mesh, write_mesh
from zarr_vectors.types.polylines import write_polylines
from zarr_vectors.validate import validate

FACTORS = [(1, 1), (2, 1), (2, 1)]
BINS = (6.0, 12.0, 24.0)
NAMES = ["value", "row", "rgb", "kind"]


def by_place(positions):
    """Order of rows by position: a name for vertices that does not depend on how they are kept."""
    return np.lexsort(np.asarray(positions).T)


def matched(found, wanted):
    """For every row found the row wanted at the same place."""
    order, expected = by_place(found), by_place(wanted)
    np.testing.assert_allclose(found[order], wanted[expected], rtol=1e-5, atol=1e-5)
    place = np.empty(len(order), int)
    place[order] = expected
    return place


def same_links(found, slow, place, data):
    """Links are equal where rows are renamed, and each turns as one of those it stands for does."""
    named = place[found].tolist()
    if data.kind not in ("graph", "mesh"):
        assert sorted(map(tuple, named)) == sorted(tuple(map(int, link)) for link in slow.links)
        return
    assert sorted(map(sorted, named)) == sorted(sorted(map(int, link)) for link in slow.links)
    number = {source: i for i, vertex in enumerate(slow.vertices) for source in vertex.sources}
    turned = {turn([number[end] for end in link]) for link in data.links.tolist()}
    assert {turn(link) for link in named} <= turned


def turn(link):
    """A face from its least corner on; edges as they are."""
    first = link.index(min(link)) if len(link) > 2 else 0
    return (*link[first:], *link[:first])


def test_levels_equal_the_slow_way(pyramid):
    store = open_zv(pyramid.place)
    reference = pyramid.positions.astype(np.float32)
    for level, slow in enumerate(pyramid.slowly(BINS)):
        positions, links, values = pyramid.read(level, NAMES)
        wanted = np.stack([vertex.position for vertex in slow.vertices])
        place = matched(positions, wanted)
        same_links(links, slow, place, pyramid)
        assert store.vertex_count(level) == len(wanted)
        sources = [slow.vertices[row].sources for row in place]
        numbers = pyramid.attributes["value"].astype(np.float64)
        np.testing.assert_allclose(
            values["value"], [numbers[s].mean() for s in sources], rtol=1e-4, atol=1e-5
        )
        assert values["row"].dtype == np.int32
        assert values["rgb"].dtype == np.uint8
        assert values["rgb"].shape == (len(wanted), 3)
        if level == 0:
            continue
        away = distances(slow.vertices, reference)
        error = store[level].error
        assert (error.reference_level, error.unrepresented) == (0, 0)
        np.testing.assert_allclose(
            [error.p50, error.p95, error.max],
            [*np.percentile(away, (50, 95)), away.max()],
            rtol=1e-4,
            atol=1e-5,
        )
    # at the first level no vertex stands for others yet that were themselves merged
    kinds, known = pyramid.attributes["kind"], pyramid.read(1, ["kind"])
    place = matched(known[0], np.stack([v.position for v in pyramid.slowly(BINS[:1])[1].vertices]))
    slow = pyramid.slowly(BINS[:1])[1].vertices
    for row, found in zip(place, known[2]["kind"], strict=True):
        names, counts = np.unique(kinds[slow[row].sources], return_counts=True)
        assert found == names[counts.argmax()]


def test_objects_are_what_they_were(linked):
    build_pyramid(linked.place, factors=[(1, 1), (2, 2), (2, 1)], sparsity_seed=3)
    store = open_zv(linked.place)
    layout = open_handle(linked.place).layout
    slow = linked.slowly(BINS)
    before = store[0].present_oids.tolist()
    assert before == list(range(6))
    for level in (1, 2, 3):
        handle = store[level]
        assert handle.preserves_object_ids
        assert handle.inherited_num_objects == 6
        assert not handle.shared_fragments
        there = handle.present_oids.tolist()
        assert set(there) <= set(before)
        assert len(there) == (6 if level == 1 else 3)
        assert handle.object_sparsity == (0.5 if level == 2 else 1.0)
        before = there
        for oid in there:
            whole = slow[level]
            rows = [row for row, owner in enumerate(whole.owners) if owner == oid]
            positions, _, _ = linked.read(level, object_ids=[oid])
            matched(positions, np.stack([whole.vertices[row].position for row in rows]))
        weight = handle.object_attribute("weight")
        np.testing.assert_array_equal(weight[there], np.array(there) * 2.5)
        pair = handle.object_attribute("pair")
        np.testing.assert_array_equal(pair[there], np.arange(12).reshape(6, 2)[there])
        assert pair.dtype == np.int16
        if linked.kind != "line":
            assert [g.tolist() for g in layout.get_groups(str(level))] == [[0, 1], [4]]
            ranks, _ = layout.get_dense(f"{level}/group_attributes/rank")
            np.testing.assert_array_equal(ranks, [3, 1])
        lost = store[level].error.unrepresented
        assert lost == sum(int(o) not in there for o in linked.ids)


def test_what_is_connected_stays_connected(pyramid):
    _, links, _ = pyramid.read(0)
    whole = len(set(parts_of(len(pyramid.positions), links.tolist())))
    for level in (1, 2, 3):
        positions, links, _ = pyramid.read(level)
        if pyramid.kind != "mesh":
            assert len(set(parts_of(len(positions), links.tolist()))) == whole
        if pyramid.kind == "skeleton":
            assert len(links) == len(positions) - whole
            assert len(set(links[:, 0].tolist())) == len(links)
        ends = np.sort(links, axis=1)
        assert (np.diff(ends, axis=1) > 0).all()
        assert len(np.unique(ends, axis=0)) == len(ends)
        if pyramid.kind == "mesh":
            assert len(links)


@pytest.mark.parametrize("kind", ["line", "polyline", "streamline"], scope="module")
def test_lines_keep_their_ends_inside_the_bin(pyramid):
    for level, size in enumerate(BINS, 1):
        for oid, line in enumerate(pyramid.lines):
            positions, _, _ = pyramid.read(level, object_ids=[oid])
            assert len(positions) >= min(len(line), 2)
            for end in (0, -1):
                cells = np.floor(np.stack([positions[end], line[end].astype(np.float32)]) / size)
                np.testing.assert_array_equal(cells[0], cells[1])


def test_fragments_lie_in_their_chunks_and_tile_them(pyramid):
    store = open_zv(pyramid.place)
    for level in (1, 2, 3):
        handle, shape = store[level], np.array(store[level].chunk_shape)
        assert handle.chunk_table.exact
        for key, rows in handle.read_chunks(handle.chunk_table.coords).items():
            chunks = np.floor(rows.positions.astype(np.float64) / shape).astype(int)
            assert {tuple(c) for c in chunks.tolist()} == {key}
        meta = open_handle(pyramid.place).level(level)
        assert meta.meta.fragments_tile
        density = meta.attributes["zarr_vectors_density"]
        positions, links, _ = pyramid.read(level)
        cells = {tuple(c) for c in np.floor(positions.astype(float) / BINS[level - 1]).tolist()}
        assert density["occupied_bins"] == len(cells)
        assert density["vertices_per_bin"] == pytest.approx(len(positions) / len(cells))
        if pyramid.kind != "mesh":
            steps = np.linalg.norm(np.diff(positions[links].astype(float), axis=1), axis=2)
            assert density["spacing"] == pytest.approx(steps.mean(), rel=1e-4)


def test_levels_are_valid(linked):
    build_pyramid(linked.place, factors=[(1, 1), (2, 2)], sparsity_seed=0, cross_level_depth=-1)
    assert validate(linked.place, level=5).errors == []


@pytest.mark.parametrize("kind", ["polyline", "skeleton", "mesh"])
def test_two_dimensions(store_of, kind, version):
    data = store_of(kind, version, ndim=2)
    build_pyramid(data.place, factors=FACTORS[:2])
    for level, slow in enumerate(data.slowly(BINS[:2])):
        positions, links, _ = data.read(level)
        place = matched(positions, np.stack([v.position for v in slow.vertices]))
        same_links(links, slow, place, data)


@pytest.mark.parametrize("kind", ["graph", "skeleton", "mesh"])
def test_attributes_of_links_are_carried(store_of, kind, version):
    data = store_of(kind, version, link_values=True)
    build_pyramid(data.place, factors=[(2, 1)], attribute_aggregation={"code": "max"})
    slow = data.slowly((12.0,))[1]
    positions, links, _ = data.read(1)
    place = matched(positions, np.stack([v.position for v in slow.vertices]))
    layout = open_handle(data.place).layout
    assert layout.link_families("1")[0].attributes == ("code", "size")
    number = {s: i for i, v in enumerate(slow.vertices) for s in v.sources}
    sources = {}
    for row, link in enumerate(data.links.tolist()):
        sources.setdefault(frozenset(number[end] for end in link), []).append(row)
    found = links_with(data, ["size", "code"])
    for link, size, code in zip(links.tolist(), found["size"], found["code"], strict=True):
        rows = sources[frozenset(int(place[end]) for end in link)]
        assert size == pytest.approx(np.mean(rows))
        assert code == max(row % 5 for row in rows)
    assert found["code"].dtype == np.int16


def links_with(data, names):
    """Attributes of the links of level 1 in the order they are read in."""
    if data.kind == "mesh":
        return read_mesh(data.place, level=1, face_attribute_names=names).face_attributes
    return read_graph(data.place, level=1, link_attribute_names=names).link_attributes


def test_lines_are_left_out_where_nothing_is_left_to_merge(store_of):
    data = store_of("line")
    levels = build_pyramid(data.place)["levels_created"]
    assert levels == 0  # small as it is
    spec = build_pyramid(data.place, factors=[(2, 2), (2, 3)])["level_specs"]
    assert [(s["objects_kept"], s["vertex_count"]) for s in spec] == [(3, 6), (1, 2)]


def test_strategies_choose_by_what_objects_are(store_of, version):
    data = store_of("streamline", version)
    build_pyramid(data.place, factors=[(1, 3)], sparsity_strategy="length")
    lengths = [np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in data.lines]
    kept = open_zv(data.place)[1].present_oids.tolist()
    assert kept == sorted(np.argsort(lengths)[-2:].tolist())


@pytest.mark.parametrize("kind", ["polyline", "graph", "mesh"])
@pytest.mark.parametrize("strategy", ["random", "spatial_coverage", "length", "attribute:weight"])
def test_strategies_work_for_every_geometry(store_of, kind, strategy):
    data = store_of(kind)
    options = {"sparsity_strategy": strategy, "sparsity_seed": 5}
    build_pyramid(data.place, factors=[(1, 2), (2, 3)], **options)
    store = open_zv(data.place)
    first, second = (store[level].present_oids.tolist() for level in (1, 2))
    assert (len(first), len(second)) == (3, 1)
    assert set(second) < set(first)
    if strategy == "attribute:weight":
        assert (first, second) == ([3, 4, 5], [5])


def test_one_level_from_another(linked):
    build_pyramid(linked.place, factors=[(1, 1)])
    spec = coarsen_level(linked.place, 1, 3, coarsen_factor=2.0, cross_level_storage="implicit")
    store = open_zv(linked.place)
    assert store.levels == [0, 1, 3]
    assert store[3].vertex_count == spec["vertex_count"]
    assert store[3].error.reference_level == 1
    assert set(open_handle(linked.place).layout.link_families("1", (1, 2, 3))) == {2}


def test_a_cancelled_level_leaves_nothing(store_of, version):
    data = store_of("skeleton", version)
    before = sorted(p.relative_to(data.place) for p in data.place.rglob("*"))
    asked = []

    def cancelled():
        asked.append(1)
        return len(asked) > 6

    with pytest.raises(CoarseningError, match="cancelled"):
        coarsen_level(data.place, 0, 1, coarsen_factor=2.0, cancelled=cancelled)
    assert sorted(p.relative_to(data.place) for p in data.place.rglob("*")) == before


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"factors": [(2, 1)], "attribute_aggregation": {"no": "max"}}, CoarseningError, "no"),
        ({"factors": [(2, 1)], "attribute_aggregation": {"kind": "mean"}}, CoarseningError, "mean"),
        ({"factors": [(2, 2)], "sparsity_strategy": "best"}, CoarseningError, "best"),
        ({"factors": [(2, 2)], "sparsity_strategy": "attribute:no"}, CoarseningError, "weight"),
        ({"factors": [(2, 2)], "sparsity_strategy": "attribute:pair"}, CoarseningError, "columns"),
        ({"factors": [(0, 2)]}, ValueError, "at least 1"),
    ],
)
def test_wrong_arguments_are_named(store_of, arguments, error, words):
    data = store_of("polyline")
    with pytest.raises(error, match=words):
        build_pyramid(data.place, **arguments)
    assert open_zv(data.place).levels == [0]


def test_a_level_that_is_there_is_not_replaced(store_of):
    data = store_of("graph")
    build_pyramid(data.place, factors=[(2, 1)])
    with pytest.raises(StoreError, match="already"):
        build_pyramid(data.place, factors=[(2, 1)])


def test_levels_that_are_there_are_named_before_anything_is_read(store_of, monkeypatch):
    data = store_of("mesh")
    build_pyramid(data.place, factors=[(1, 1)])
    monkeypatch.setattr(builder, "Loader", None)
    for factors in (None, [(2, 1)]):
        with pytest.raises(StoreError, match="level 1 already"):
            build_pyramid(data.place, factors=factors)


def test_attributes_that_some_faces_have_are_told_of(store_of, version):
    data = store_of("mesh", version)
    layout = open_handle(data.place).layout
    count = int(face_counts(layout, "0")[1].sum())
    with open_zv(data.place, mode="r+")[0].writer() as writer:
        writer.add_face_attribute_sync("area", np.arange(count, dtype=np.float32))
    with pytest.warns(ZVWarning, match="'area' of faces at level 0"):
        build_pyramid(data.place, factors=[(1, 1)])


def test_faces_of_four_corners_become_triangles(tmp_path, version):
    side = np.arange(9)
    grid = np.stack(np.meshgrid(side, side, [0.0], indexing="ij"), axis=-1).reshape(-1, 3)
    corner = (side[:-1, None] * 9 + side[:-1]).reshape(-1)
    quads = np.column_stack([corner, corner + 9, corner + 10, corner + 1])
    write_mesh(
        tmp_path / "s",
        grid + 0.5,
        quads,
        chunk_shape=(6.0,) * 3,
        bin_shape=(1.0,) * 3,
        format_version=version,
    )
    build_pyramid(tmp_path / "s", factors=[(1, 1), (3, 1)])
    assert read_mesh(tmp_path / "s").faces.shape == (64, 4)
    assert read_mesh(tmp_path / "s", level=1).faces.shape == (128, 3)
    coarse = read_mesh(tmp_path / "s", level=2)
    assert coarse.vertex_count == 9
    assert coarse.faces.shape == (8, 3)
    corners = coarse.vertices[coarse.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (normals[:, 2] > 0).all()


@pytest.mark.parametrize("form", ["graph", "skeleton", "mesh", "lines"])
def test_nothing_has_coarse_levels_too(tmp_path, form, version):
    options = {"chunk_shape": (8.0,) * 3, "bounds": ([-9] * 3, [9] * 3), "format_version": version}
    none, some = np.zeros((0, 3)), np.arange(9.0).reshape(3, 3)
    if form == "lines":
        write_polylines(tmp_path / "s", [none, some, none], **options)
    elif form == "mesh":
        write_mesh(tmp_path / "s", none, np.zeros((0, 3), int), **options)
    else:
        write_graph(tmp_path / "s", none, np.zeros((0, 2), int), kind=form, **options)
    build_pyramid(tmp_path / "s", factors=[(1, 1), (1, 1)], cross_level_depth=-1)
    store = open_zv(tmp_path / "s")
    assert [store.vertex_count(n) for n in (1, 2)] == ([2, 2] if form == "lines" else [0, 0])
    assert store[2].present_oids.tolist() == ([1] if form == "lines" else [])


def test_sparse_ids_stay_what_they_are(tmp_path):
    ids = np.array([3, 3, 2**40, 2**40])
    write_graph(
        tmp_path / "s",
        np.arange(12.0).reshape(4, 3),
        [[0, 1], [2, 3]],
        chunk_shape=(8.0,) * 3,
        object_ids=ids,
        object_attributes={"weight": np.array([1.0, 2.0])},
        format_version="0.9.2",
    )
    build_pyramid(tmp_path / "s", factors=[(1, 1), (1, 2)], sparsity_strategy="attribute:weight")
    store = open_zv(tmp_path / "s")
    assert store[1].present_oids.tolist() == [3, 2**40]
    assert store[2].present_oids.tolist() == [2**40]
    np.testing.assert_array_equal(store[2].object_attribute("weight"), [np.nan, 2.0])


def test_encoded_meshes_are_made_coarser(store_of, version):
    pytest.importorskip("DracoPy")
    data = store_of("mesh", version, encoding="draco", draco_quantization_bits=16)
    build_pyramid(data.place, factors=[(2, 1)])
    slow = data.slowly((12.0,))[1]
    found = read_mesh(data.place, level=1)
    # vertices are moved a little before they are put into bins
    assert found.vertex_count == pytest.approx(len(slow.vertices), rel=0.05)
    assert found.face_count == pytest.approx(len(slow.links), rel=0.05)


@pytest.mark.parametrize("kind", ["polyline", "skeleton", "mesh"])
def test_a_pyramid_that_fails_leaves_the_store_as_it_was(store_of, kind, version, monkeypatch):
    data = store_of(kind, version)
    build_pyramid(data.place, factors=[(1, 1)])
    before = {p: p.read_bytes() for p in data.place.rglob("*") if p.is_file()}
    real = builder.density_of_bins

    def failing(count, bins, bin_shape, length):
        if bin_shape[0] > 12:
            raise OSError("no room")
        return real(count, bins, bin_shape, length)

    monkeypatch.setattr(builder, "density_of_bins", failing)
    with pytest.raises(OSError, match="no room"):
        coarsen_level(data.place, 1, 2, coarsen_factor=4.0, cross_level_storage="explicit")
    assert {p: p.read_bytes() for p in data.place.rglob("*") if p.is_file()} == before
