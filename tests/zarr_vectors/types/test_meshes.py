from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zarr.storage import MemoryStore

from zarr_vectors.encoding import draco
from zarr_vectors.exceptions import ArrayError, ConventionError, DracoError, StoreError
from zarr_vectors.lazy import open_zv
from zarr_vectors.types.graphs import write_graph
from zarr_vectors.types.meshes import read_mesh, write_mesh

VERSIONS = ["0.7.0", "0.9.2"]


@pytest.fixture(params=VERSIONS)
def version(request):
    return request.param


def sheet(side=9, low=-20.0, high=20.0, ndim=3):
    """A wavy grid: its vertices, and two triangles per cell, wound one way."""
    u, v = np.meshgrid(np.linspace(low, high, side), np.linspace(low, high, side))
    columns = [u.ravel(), v.ravel(), np.sin(u.ravel() / 5) * 6, np.cos(v.ravel() / 5) * 6]
    cell = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).ravel()
    faces = np.concatenate(
        [
            np.stack([cell, cell + 1, cell + side], axis=1),
            np.stack([cell + side + 1, cell + side, cell + 1], axis=1),
        ]
    )
    return np.stack(columns[:ndim], axis=1), faces


def corners(faces):
    return sorted(map(tuple, np.asarray(faces).tolist()))


def assert_same(found, vertices, faces, dtype="float32", keep=None, atol=0.0):
    """Vertices by their ``row``; faces with the same corners, in the same order."""
    rows = found.vertex_attributes["row"]
    keep = np.ones(len(vertices), bool) if keep is None else keep
    assert sorted(rows.tolist()) == np.flatnonzero(keep).tolist()
    np.testing.assert_allclose(found.vertices, vertices.astype(dtype)[rows], rtol=0, atol=atol)
    assert found.vertices.dtype == np.dtype(dtype)
    assert found.faces.dtype == np.int64
    assert found.vertex_count == len(rows)
    assert found.face_count == len(found.faces)
    expected = faces[keep[faces].all(axis=1)] if len(faces) else faces
    assert corners(rows[found.faces]) == corners(expected)


@pytest.mark.parametrize("ndim", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("objects", ["one", "several"])
def test_what_is_written_is_read(tmp_path, version, ndim, dtype, objects):
    vertices, faces = sheet(ndim=ndim)
    answer = write_mesh(
        tmp_path / "s",
        vertices,
        faces,
        chunk_shape=(9.0 if ndim < 4 else 20.0,) * ndim,
        dtype=dtype,
        vertex_attributes={"row": np.arange(len(vertices))},
        object_ids=None if objects == "one" else np.arange(len(vertices)) % 3 * 5,
        format_version=version,
    )
    assert answer["vertex_count"] == len(vertices)
    assert answer["face_count"] == len(faces)
    assert answer["intra_face_count"] + answer["cross_face_count"] == len(faces)
    assert answer["intra_face_count"] > 0
    assert answer["cross_face_count"] > 0
    assert answer["encoding"] == "raw"
    assert_same(read_mesh(tmp_path / "s", attribute_names=["row"]), vertices, faces, dtype)


@pytest.mark.parametrize("corner_count", [4, 5])
def test_faces_of_more_corners(tmp_path, version, corner_count):
    rng = np.random.default_rng(corner_count)
    vertices = rng.uniform(-10, 10, (40, 3))
    faces = np.array([rng.permutation(40)[:corner_count] for _ in range(60)])
    write_mesh(
        tmp_path / "s",
        vertices,
        faces,
        chunk_shape=(7.0,) * 3,
        vertex_attributes={"row": np.arange(40)},
        format_version=version,
    )
    assert_same(read_mesh(tmp_path / "s", attribute_names=["row"]), vertices, faces)


def test_attributes_of_every_scope_follow(tmp_path, version):
    vertices, faces = sheet()
    count = len(vertices)
    ids = (vertices[:, 0] > 3).astype(int) + 2 * (vertices[:, 1] > 3)
    area = np.arange(len(faces)) * 1.5
    tint = np.random.default_rng(0).integers(0, 255, (len(faces), 3)).astype(np.uint8)
    label = np.array(["in", "out"])[ids % 2]
    write_mesh(
        tmp_path / "s",
        vertices,
        faces,
        chunk_shape=(9.0,) * 3,
        vertex_attributes={"row": np.arange(count), "label": label},
        face_attributes={"area": area, "tint": tint},
        object_attributes={"mass": np.arange(4.0)},
        object_ids=ids,
        groups={0: [3, 1]},
        format_version=version,
    )
    for filters, keep in (
        ({}, np.ones(count, bool)),
        ({"group_ids": [0]}, ids % 2 == 1),
        ({"object_ids": [2]}, ids == 2),
    ):
        found = read_mesh(
            tmp_path / "s",
            attribute_names=["row", "label"],
            face_attribute_names=["area", "tint"],
            **filters,
        )
        assert_same(found, vertices, faces, keep=keep)
        rows = found.vertex_attributes["row"]
        np.testing.assert_array_equal(found.vertex_attributes["label"], label[rows])
        if filters:
            np.testing.assert_array_equal(found.object_ids, ids[rows])
        # areas are the number of the face
        number = (found.face_attributes["area"] / 1.5).astype(int)
        np.testing.assert_array_equal(rows[found.faces], faces[number])
        np.testing.assert_array_equal(found.face_attributes["tint"], tint[number])
        assert found.face_attributes["tint"].dtype == np.uint8
    np.testing.assert_array_equal(
        open_zv(tmp_path / "s")[0].object_attribute("mass"), np.arange(4.0)
    )


@pytest.mark.parametrize("encoding", ["raw", "draco"])
def test_filters_drop_faces_with_a_corner_outside(tmp_path, version, encoding):
    vertices, faces = sheet(side=13)
    write_mesh(
        tmp_path / "s",
        vertices,
        faces,
        chunk_shape=(9.0,) * 3,
        encoding=encoding,
        draco_quantization_bits=20,
        vertex_attributes={"row": np.arange(len(vertices))},
        format_version=version,
    )

    def read(**filters):
        return read_mesh(tmp_path / "s", attribute_names=["row"], **filters)

    box = (np.array([-11.0, -8.0, -3.1]), np.array([14.5, 9.7, 5.1]))
    inside = ((vertices >= box[0]) & (vertices <= box[1])).all(axis=1)
    assert_same(read(bbox=box), vertices, faces, keep=inside, atol=1e-4)
    chunks = [(0, 0, 0), (-1, 0, 0)]
    cell = map(tuple, np.floor(vertices / 9).astype(int).tolist())
    near = np.array([key in chunks for key in cell])
    assert_same(read(chunks=chunks), vertices, faces, keep=near, atol=1e-4)
    empty = read(chunks=[])
    assert empty.vertices.shape == empty.faces.shape == (0, 3)
    assert read(object_ids=[9]).vertex_count == 0


@pytest.mark.parametrize("encoding", ["raw", "draco"])
def test_few_or_no_vertices_and_faces(tmp_path, version, encoding):
    options = {"chunk_shape": (5.0,) * 3, "format_version": version, "encoding": encoding}
    none = np.zeros((0, 3), int)
    write_mesh(tmp_path / "a", np.zeros((0, 3)), none, **options)
    found = read_mesh(tmp_path / "a")
    assert found.vertices.shape == found.faces.shape == (0, 3)
    points = np.array([[1.0, 1, 1], [-9, 2, 2], [2, 2, 2]])
    write_mesh(tmp_path / "b", points, none, **options)
    found = read_mesh(tmp_path / "b")
    assert found.vertex_count == 3
    assert found.faces.shape == (0, 3)


@settings(max_examples=30, deadline=None)
@given(
    version=st.sampled_from(VERSIONS),
    encoding=st.sampled_from(["raw", "draco"]),
    seed=st.integers(0, 2**32),
    count=st.integers(1, 40),
    width=st.integers(3, 4),
    with_ids=st.booleans(),
    chunk=st.sampled_from([1.0, 4.0, 100.0]),
)
def test_any_mesh(version, encoding, seed, count, width, with_ids, chunk):
    rng = np.random.default_rng(seed)
    width = 3 if encoding == "draco" else width
    vertices = rng.integers(-6, 6, (count, 3)) + 0.5
    faces = rng.integers(0, max(count - 2, 1), (2 * count, width))
    store = MemoryStore()
    write_mesh(
        store,
        vertices,
        faces,
        chunk_shape=(chunk,) * 3,
        encoding=encoding,
        draco_quantization_bits=24,
        vertex_attributes={"row": np.arange(count)},
        object_ids=rng.integers(0, 4, count) if with_ids else None,
        format_version=version,
    )
    found = read_mesh(store, attribute_names=["row"])
    assert_same(found, vertices, faces, atol=0 if encoding == "raw" else 1e-5)


def test_draco_is_coarser_with_fewer_bits_and_stays_in_its_chunk(tmp_path, version):
    vertices, faces = sheet(side=21)
    worst = []
    for bits in (6, 11, 16):
        store = tmp_path / str(bits)
        answer = write_mesh(
            store,
            vertices,
            faces,
            chunk_shape=(8.0,) * 3,
            encoding="draco",
            draco_quantization_bits=bits,
            vertex_attributes={"row": np.arange(len(vertices))},
            format_version=version,
        )
        assert answer["encoding"] == "draco"
        found = read_mesh(store, attribute_names=["row"])
        rows = found.vertex_attributes["row"]
        assert corners(rows[found.faces]) == corners(faces)
        worst.append(np.abs(found.vertices - vertices[rows]).max())
        assert worst[-1] <= 8.0 / 2 ** (bits - 1)
        cells = np.floor(found.vertices.astype(float) / 8)
        np.testing.assert_array_equal(cells, np.floor(vertices.astype("f4") / 8.0)[rows])
        level = open_zv(store)[0]
        np.testing.assert_array_equal(level.vertices.compute(), found.vertices)
    assert worst[0] > worst[1] > worst[2] > 0


def test_without_dracopy_one_sentence_says_what_to_do(tmp_path, version, monkeypatch):
    vertices, faces = sheet()
    options = {"chunk_shape": (9.0,) * 3, "encoding": "draco", "format_version": version}
    write_mesh(tmp_path / "s", vertices, faces, **options)
    monkeypatch.setitem(sys.modules, "DracoPy", None)
    with pytest.raises(DracoError, match="pip install"):
        read_mesh(tmp_path / "s")
    with pytest.raises(DracoError, match="pip install"):
        write_mesh(tmp_path / "t", vertices, faces, **options)
    assert not (tmp_path / "t").exists()


def blob_of(store, version):
    name = {"0.7.0": "0/vertices/0.0.0/c/0", "0.9.2": "0/vertices/c"}[version]
    return sorted(p for p in (store / name).rglob("*") if p.is_file()) or [store / name]


@pytest.mark.parametrize("at", ["magic", "count", "middle"])
def test_a_damaged_bitstream_names_its_chunk(tmp_path, version, at):
    vertices, faces = sheet()
    write_mesh(
        tmp_path / "s",
        vertices,
        faces,
        chunk_shape=(9.0,) * 3,
        encoding="draco",
        format_version=version,
    )
    path = blob_of(tmp_path / "s", version)[0]
    data = bytearray(path.read_bytes())
    start = data.index(b"DRACO")
    if at == "magic":
        data[start] ^= 1
    elif at == "count":
        data[start + 12] ^= 0x11
    else:
        data[start + 14 :] = b"\xff" * (len(data) - start - 14)
    path.write_bytes(data)
    with pytest.raises(DracoError, match=r"chunk .* of 0/vertices in .*Draco"):
        read_mesh(tmp_path / "s")


BAD = [
    ({"faces": [[0, 1]]}, ArrayError, "L of 3 or more"),
    ({"faces": [[0, 1, 4]]}, ArrayError, "names vertex 4"),
    ({"faces": [[0, 1, 2.5]]}, ArrayError, "must be integers"),
    ({"encoding": "zip"}, ArrayError, "raw or draco"),
    ({"encoding": "draco", "dtype": "float64"}, ArrayError, "float32"),
    ({"encoding": "draco", "faces": [[0, 1, 2, 3]]}, ArrayError, "triangles"),
    ({"encoding": "draco", "face_attributes": {"a": [1]}}, ArrayError, "encoding='raw'"),
    ({"encoding": "draco", "draco_quantization_bits": 40}, DracoError, "from 1 to 30"),
    ({"face_attributes": {"a": [1, 2]}}, ArrayError, "there are 1 faces"),
    ({"object_ids": [0]}, ArrayError, "4 vertices"),
]


@pytest.mark.parametrize(("arguments", "error", "words"), BAD)
def test_bad_input_gets_one_clear_sentence(tmp_path, arguments, error, words):
    vertices = np.arange(12.0).reshape(4, 3)
    with pytest.raises(error, match=words):
        write_mesh(tmp_path / "s", vertices, **{"faces": [[0, 1, 2]], **arguments})
    assert not (tmp_path / "s" / "zarr.json").exists()


def test_stores_without_faces_are_refused(tmp_path, version):
    write_graph(tmp_path / "g", np.ones((3, 3)), [[0, 1]], format_version=version)
    with pytest.raises(ConventionError, match="graph"):
        read_mesh(tmp_path / "g")
    write_mesh(tmp_path / "m", np.eye(3), [[0, 1, 2]], format_version=version)
    with pytest.raises(StoreError, match="no link attribute 'x'"):
        read_mesh(tmp_path / "m", face_attribute_names=["x"])


def test_old_name_of_attributes(tmp_path, version):
    with pytest.warns(DeprecationWarning, match="is now"):
        write_mesh(
            tmp_path / "m",
            np.eye(3),
            [[0, 1, 2]],
            attributes={"a": [1, 2, 3]},
            format_version=version,
        )
    found = read_mesh(tmp_path / "m", attribute_names=["a"])
    assert sorted(found.vertex_attributes["a"].tolist()) == [1, 2, 3]


def test_a_bitstream_is_checked_before_it_is_decoded():
    vertices, faces = sheet(side=4)
    blob = draco.encode(vertices, faces, 11)
    assert draco.declared(blob) == (16, 18)
    with pytest.raises(DracoError, match="declares 16 vertices, expected 17"):
        draco.decode(blob, 17)
    for cut in (*range(0, 24, 2), len(blob) // 2, len(blob) - 1):
        with pytest.raises(DracoError):
            draco.decode(blob[:cut], 16)
    cloud = draco.encode(vertices, faces[:0], 30)
    rows, triangles = draco.decode(cloud, 16)
    np.testing.assert_allclose(rows, vertices, atol=1e-6)
    assert triangles.shape == (0, 3)
