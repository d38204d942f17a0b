from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.storage import MemoryStore

from zarr_vectors.core.store import open_store, set_bounds
from zarr_vectors.exceptions import ArrayError, ConventionError, MetadataError, StoreError
from zarr_vectors.types.graphs import read_graph, write_graph
from zarr_vectors.types.points import write_points

VERSIONS = ["0.7.0", "0.9.2"]
KINDS = ["graph", "skeleton"]
ROWS = {"attribute_names": ["row"], "link_attribute_names": ["weight"]}


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


def forest(rng, count, trees=1):
    """(child, parent) edges of random trees over shuffled nodes, and the tree of every node."""
    names = rng.permutation(count)
    tree = rng.integers(0, trees, count)
    edges = []
    for member in range(trees):
        nodes = names[tree[names] == member]
        edges += [(nodes[i], nodes[rng.integers(max(0, i - 4), i)]) for i in range(1, len(nodes))]
    return rng.permutation(np.array(edges, np.int64).reshape(-1, 2)), tree


def network(rng, count, links):
    """Random edges, some of them twice, some from a node to itself, some nodes without any."""
    return rng.integers(0, max(count - 3, 1), (links, 2))


def made(kind, rng, count, trees=1):
    """Edges of a kind, and the objects of the nodes."""
    if kind == "skeleton":
        return forest(rng, count, trees)
    objects = rng.integers(0, trees, count)
    return network(rng, count, 2 * count), objects


def pairs(edges):
    return sorted(map(tuple, np.asarray(edges).tolist()))


def rows_of(*columns):
    """The rows of several columns side by side, sorted."""
    return sorted(zip(*(column.tolist() for column in columns), strict=True))


def assert_same(found, positions, edges, dtype="float32", keep=None):
    """The answer holds what was given: vertices by their ``row``, edges by the rows they join."""
    rows = found.vertex_attributes["row"]
    keep = np.ones(len(positions), bool) if keep is None else keep
    assert sorted(rows.tolist()) == np.flatnonzero(keep).tolist()
    np.testing.assert_array_equal(found.positions, positions.astype(dtype)[rows])
    assert found.positions.dtype == np.dtype(dtype)
    assert found.edges.dtype == np.int64
    assert found.node_count == len(rows)
    assert found.edge_count == len(found.edges)
    expected = edges[keep[edges].all(axis=1)] if len(edges) else edges
    assert pairs(rows[found.edges]) == pairs(expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ndim", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("objects", ["none", "several"])
def test_what_is_written_is_read(tmp_path, version, kind, ndim, dtype, objects):
    rng = np.random.default_rng(ndim)
    positions = rng.uniform(-30, 20, (120, ndim))
    edges, ids = made(kind, rng, 120, 4)
    answer = write_graph(
        tmp_path / "s",
        positions,
        edges,
        chunk_shape=(12.5 if ndim < 4 else 25.0,) * ndim,
        kind=kind,
        dtype=dtype,
        vertex_attributes={"row": np.arange(120)},
        object_ids=None if objects == "none" else ids * 3,
        format_version=version,
    )
    assert answer["node_count"] == 120
    assert answer["edge_count"] == len(edges)
    assert answer["intra_edge_count"] + answer["cross_edge_count"] == len(edges)
    assert answer["cross_edge_count"] > 0
    assert answer["kind"] == kind
    assert_same(read_graph(tmp_path / "s", attribute_names=["row"]), positions, edges, dtype)


@pytest.mark.parametrize("kind", KINDS)
def test_attributes_of_every_scope_follow(tmp_path, version, kind):
    rng = np.random.default_rng(1)
    positions = rng.uniform(-30, 20, (90, 3))
    edges, ids = made(kind, rng, 90, 3)
    weight = rng.standard_normal(len(edges)).astype(np.float32)
    pair = rng.integers(-9, 9, (len(edges), 2)).astype(np.int16)
    label = np.array(["soma", "axon"])[rng.integers(0, 2, 90)]
    write_graph(
        tmp_path / "s",
        positions,
        edges,
        chunk_shape=(15.0,) * 3,
        kind=kind,
        vertex_attributes={"row": np.arange(90), "label": label},
        link_attributes={"weight": weight, "pair": pair},
        object_attributes={"mass": np.array([1.5, 2.5, 3.5])},
        object_ids=ids,
        groups={0: [0, 2], 1: [1]},
        group_attributes={"size": np.array([2, 1])},
        format_version=version,
    )
    found = read_graph(
        tmp_path / "s",
        attribute_names=["row", "label"],
        link_attribute_names=["weight", "pair"],
        group_ids=[0],
    )
    keep = ids != 1
    assert_same(found, positions, edges, keep=keep)
    rows = found.vertex_attributes["row"]
    np.testing.assert_array_equal(found.vertex_attributes["label"], label[rows])
    np.testing.assert_array_equal(found.object_ids, ids[rows])
    assert found.link_attributes["pair"].dtype == np.int16
    kept = keep[edges].all(axis=1)
    expected = rows_of(edges[kept], weight[kept], pair[kept])
    values = found.link_attributes
    got = rows_of(rows[found.edges], values["weight"], values["pair"])
    assert got == expected


@pytest.mark.parametrize("kind", KINDS)
def test_filters_drop_edges_with_an_end_outside(tmp_path, version, kind):
    rng = np.random.default_rng(2)
    positions = rng.uniform(-30, 20, (150, 3)).astype(np.float32)
    edges, ids = made(kind, rng, 150, 5)
    write_graph(
        tmp_path / "s",
        positions,
        edges,
        chunk_shape=(20.0,) * 3,
        kind=kind,
        vertex_attributes={"row": np.arange(150)},
        object_ids=ids,
        format_version=version,
    )

    def read(**filters):
        return read_graph(tmp_path / "s", attribute_names=["row"], **filters)

    box = (np.array([-21.0] * 3), np.array([11.0] * 3))
    inside = ((positions >= box[0]) & (positions <= box[1])).all(axis=1)
    assert_same(read(bbox=box), positions, edges, keep=inside)
    some = np.isin(ids, [1, 4])
    assert_same(read(object_ids=[4, 99, 1]), positions, edges, keep=some)
    assert_same(read(object_ids=[4, 1], bbox=box), positions, edges, keep=some & inside)
    chunks = [(0, 0, 0), (-1, 0, -1), (7, 7, 7)]
    cell = np.floor(positions / 20).astype(int)
    near = np.isin([tuple(c) in chunks for c in cell.tolist()], [True])
    assert_same(read(chunks=chunks), positions, edges, keep=near)
    empty = read(chunks=[])
    assert empty.positions.shape == (0, 3)
    assert empty.edges.shape == (0, 2)
    assert read(object_ids=[]).node_count == 0


@pytest.mark.parametrize("kind", KINDS)
def test_chunks_by_attribute(tmp_path, version, kind):
    rng = np.random.default_rng(3)
    positions = rng.uniform(-10, 20, (60, 3))
    edges, _ = made(kind, rng, 60)
    part = rng.integers(0, 3, 60)
    write_graph(
        tmp_path / "s",
        positions,
        edges,
        chunk_shape=(15.0,) * 3,
        kind=kind,
        vertex_attributes={"row": np.arange(60), "part": part},
        chunk_by_attribute="part",
        format_version=version,
    )
    assert_same(read_graph(tmp_path / "s", attribute_names=["row"]), positions, edges)
    found = read_graph(tmp_path / "s", attribute_names=["row"], attribute_filter={"part": 2})
    assert_same(found, positions, edges, keep=part == 2)


@pytest.mark.parametrize("kind", KINDS)
def test_few_or_no_vertices_and_edges(tmp_path, version, kind):
    none = np.zeros((0, 2), int)
    options = {"chunk_shape": (5.0,) * 3, "kind": kind, "format_version": version}
    write_graph(tmp_path / "a", np.zeros((0, 3)), none, **options)
    assert read_graph(tmp_path / "a").positions.shape == (0, 3)
    assert read_graph(tmp_path / "a").edges.shape == (0, 2)
    points = np.array([[1.0, 1, 1], [-9, 2, 2], [2, 2, 2]])
    answer = write_graph(tmp_path / "b", points, [], **options)
    assert answer["edge_count"] == 0
    found = read_graph(tmp_path / "b")
    assert found.node_count == 3
    assert found.edges.shape == (0, 2)
    write_graph(tmp_path / "c", points, [[1, 0]], **options)
    assert read_graph(tmp_path / "c").edges.tolist() == [[0, 1]]


def test_a_long_path_and_a_star(tmp_path, version):
    count = 2000
    positions = np.stack([np.linspace(-50, 50, count), np.zeros(count)], axis=1)
    path = np.stack([np.arange(1, count), np.arange(count - 1)], axis=1)
    star = np.stack([np.arange(1, count), np.zeros(count - 1, int)], axis=1)
    for name, edges in (("path", path), ("back", path[:, ::-1]), ("star", star)):
        write_graph(
            tmp_path / name,
            positions,
            edges,
            chunk_shape=(7.0, 7.0),
            kind="skeleton",
            vertex_attributes={"row": np.arange(count)},
            format_version=version,
        )
        assert_same(read_graph(tmp_path / name, attribute_names=["row"]), positions, edges)


@settings(max_examples=30, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    version=st.sampled_from(VERSIONS),
    seed=st.integers(0, 2**32),
    count=st.integers(1, 40),
    trees=st.integers(1, 5),
    with_ids=st.booleans(),
    weighed=st.booleans(),
    chunk=st.sampled_from([1.0, 4.0, 100.0]),
)
def test_any_graph(kind, version, seed, count, trees, with_ids, weighed, chunk):
    rng = np.random.default_rng(seed)
    positions = rng.integers(-6, 6, (count, 3)).astype(float)
    edges, ids = made(kind, rng, count, trees)
    weight = rng.standard_normal(len(edges))
    store = MemoryStore()
    write_graph(
        store,
        positions,
        edges,
        chunk_shape=(chunk,) * 3,
        kind=kind,
        vertex_attributes={"row": np.arange(count)},
        link_attributes={"weight": weight} if weighed else None,
        object_ids=rng.permutation(7)[ids] if with_ids else None,
        format_version=version,
    )
    found = read_graph(
        store, attribute_names=["row"], link_attribute_names=["weight"] if weighed else None
    )
    assert_same(found, positions, edges)
    if weighed:
        rows = found.vertex_attributes["row"]
        got = rows_of(rows[found.edges], found.link_attributes["weight"])
        assert got == rows_of(edges, weight)


def test_objects_that_cut_a_tree_are_kept(tmp_path, version):
    positions = np.array([[1.0, 1], [2, 1], [3, 1], [4, 1], [15, 1], [5, 1]])
    edges = np.array([[1, 0], [2, 1], [3, 2], [4, 3], [5, 4]])
    write_graph(
        tmp_path / "s",
        positions,
        edges,
        chunk_shape=(10.0, 10.0),
        kind="skeleton",
        object_ids=[2, 2, 0, 0, 1, 2],
        vertex_attributes={"row": np.arange(6)},
        format_version=version,
    )
    assert_same(read_graph(tmp_path / "s", attribute_names=["row"]), positions, edges)


def test_paths_are_read_as_edges(tmp_path, version):
    from zarr_vectors.types.polylines import write_polylines

    lines = [np.array([[1.0, 1, 1], [12, 1, 1], [2, 2, 2]]), np.array([[3.0, 3, 3], [4, 4, 4]])]
    write_polylines(tmp_path / "s", lines, chunk_shape=(10.0,) * 3, format_version=version)
    found = read_graph(tmp_path / "s")
    ends = found.positions[found.edges].tolist()
    joined = {(tuple(a), tuple(b)) for a, b in ends}
    assert joined == {
        (tuple(line[i].tolist()), tuple(line[i + 1].tolist()))
        for line in lines
        for i in range(len(line) - 1)
    }
    part = read_graph(tmp_path / "s", chunks=[(0, 0, 0)])
    assert part.node_count == 4
    assert part.edge_count == 1


def test_old_names_of_arguments(tmp_path, version):
    positions, edges = np.array([[1.0, 1], [2, 2]]), [[1, 0]]
    for number, old in enumerate(
        ({"is_tree": True}, {"node_attributes": {"a": [1, 2]}}, {"edge_attributes": {"b": [3]}})
    ):
        place = tmp_path / str(number)
        with pytest.warns(DeprecationWarning, match="is now"):
            answer = write_graph(place, positions, edges, format_version=version, **old)
        assert answer["kind"] == ("skeleton" if "is_tree" in old else "graph")
    found = read_graph(tmp_path / "1", attribute_names=["a"])
    assert sorted(found.vertex_attributes["a"].tolist()) == [1, 2]
    assert read_graph(tmp_path / "2", link_attribute_names=["b"]).link_attributes["b"] == [3]


BAD = [
    ({"edges": [[0, 3]]}, ArrayError, "names vertex 3"),
    ({"edges": [[0, -1]]}, ArrayError, "names vertex -1"),
    ({"edges": [[0, 1, 2]]}, ArrayError, r"must be \(M, 2\)"),
    ({"edges": [[0.5, 1]]}, ArrayError, "must be integers"),
    ({"kind": "tree"}, ValueError, "graph or skeleton"),
    ({"kind": "skeleton", "edges": [[0, 1], [0, 2]]}, ArrayError, "2 parents"),
    ({"kind": "skeleton", "edges": [[0, 1], [1, 2], [2, 0]]}, ArrayError, "circle"),
    ({"kind": "skeleton", "edges": [[1, 1]]}, ArrayError, "its own parent"),
    ({"link_attributes": {"w": [1, 2]}}, ArrayError, "there are 1 edges"),
    ({"vertex_attributes": {"v": [1]}}, ArrayError, "there are 3 vertices"),
    ({"object_ids": [1, 2]}, ArrayError, "3 vertices"),
    ({"object_ids": [-1, 0, 0]}, ArrayError, "0 or more"),
    ({"bounds": ([0, 0], [1, 1])}, MetadataError, "out of bounds"),
    ({"out_of_bounds": "ignore"}, MetadataError, "for points"),
    ({"group_attributes": {"g": [1]}}, ArrayError, "without groups"),
    ({"format_version": "0.8.0"}, StoreError, "0.8.0"),
]


@pytest.mark.parametrize(("arguments", "error", "words"), BAD)
def test_bad_input_gets_one_clear_sentence(tmp_path, arguments, error, words):
    given = {"edges": [[1, 0]], **arguments}
    with pytest.raises(error, match=words):
        write_graph(tmp_path / "s", np.arange(6.0).reshape(3, 2), **given)
    assert not (tmp_path / "s" / "zarr.json").exists()


def test_bounds_do_not_cut_what_links_name(tmp_path, version):
    points = np.array([[1.0, 1, 1], [9, 9, 9], [12, 3, 3]])
    write_graph(
        tmp_path / "g", points, [[1, 0], [2, 1]], chunk_shape=(5.0,) * 3, format_version=version
    )
    root = open_store(tmp_path / "g", "r+")
    with pytest.raises(StoreError, match="links name vertices by row"):
        set_bounds(root, ([0.0] * 3, [10.0] * 3), force=True)
    assert read_graph(tmp_path / "g").edge_count == 2
    set_bounds(root, ([0.0] * 3, [12.0] * 3), force=True)
    set_bounds(root, ([-40.0] * 3, [60.0] * 3))
    assert read_graph(tmp_path / "g").edge_count == 2


def test_stores_without_edges_are_refused(tmp_path, version):
    write_points(tmp_path / "p", np.ones((3, 3)), format_version=version)
    with pytest.raises(ConventionError, match="point_cloud"):
        read_graph(tmp_path / "p")
    write_graph(tmp_path / "g", np.ones((3, 3)), [[0, 1]], format_version=version)
    with pytest.raises(StoreError, match="level 3"):
        read_graph(tmp_path / "g", level=3)
    with pytest.raises(StoreError, match="no attribute 'x'"):
        read_graph(tmp_path / "g", attribute_names=["x"])
    with pytest.raises((StoreError, ArrayError), match="x"):
        read_graph(tmp_path / "g", link_attribute_names=["x"])
