"""Attributes of faces by vertices: what the faces around a vertex say, however it is read."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.propagating import propagate_attribute
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.testing.surfaces import write_sheets
from zarr_vectors.writing.commit import grid_of
from zv_viewer.edits import FromExpression, Request, rehearse
from zv_viewer.sources.face_values import mean_around, most_around
from zv_viewer.sources.store import StoreSource

NAMES = ["face: height", "face: part", "face: rgb"]


@pytest.fixture(scope="module", params=["0.7.0", "0.9.2"])
def place(request) -> DictPlace:
    """Two sheets whose faces have a number, a category and a colour; one attribute goes up."""
    made = DictPlace()
    write_sheets(made, side=10, levels=1, format_version=request.param)
    count = sum(open_zv(made)[0].read_inner_faces(open_zv(made)[0].chunk_keys)[0].counts)
    rng = np.random.default_rng(3)
    with open_zv(made)[0].writer() as writer:
        writer.add_face_attribute_sync("height", rng.normal(size=count).astype("f4"))
        writer.add_face_attribute_sync("part", rng.choice(["a", "b", "c"], count))
        writer.add_face_attribute_sync("rgb", rng.integers(0, 256, (count, 3)).astype("u1"))
    propagate_attribute(made, "height", scope="face")
    return made


def slowly(level, name: str) -> dict[tuple[tuple[int, ...], int], list]:
    """Values of the faces around every vertex, by its chunk and row."""
    faces, values = level.read_inner_faces(level.chunk_keys, [name])
    around: dict = {}
    keys = [
        key for key, n in zip(faces.keys(), faces.counts.tolist(), strict=True) for _ in range(n)
    ]
    for key, corners, value in zip(keys, faces.corners.tolist(), values[name], strict=True):
        for row in corners:
            around.setdefault((key, row), []).append(value)
    return around


def test_every_vertex_has_what_the_faces_around_it_say(place) -> None:
    source, level = StoreSource(place), open_zv(place)[0]
    infos = {info.name: info for info in source.describe().attributes}
    assert [infos[name].columns for name in NAMES] == [1, 1, 3]
    assert infos["face: part"].categories == ("a", "b", "c")
    assert infos["face: height"].dtype == "float64"
    assert infos["face: rgb"].dtype == "uint8"
    assert source.attributes_of(0) == {"age", "kind", *NAMES}
    chunks = level.chunk_table.coords[::-1]
    raw = source.read(0, chunks, ["age", *NAMES])
    counts = level.chunk_table.counts[::-1]
    places = [
        (tuple(key), row)
        for key, n in zip(chunks.tolist(), counts, strict=True)
        for row in range(n)
    ]
    for name in NAMES:
        around, values = slowly(level, name.removeprefix("face: ")), raw.values[name]
        later = source.read_values(0, chunks, name)[0]
        np.testing.assert_array_equal(later[raw.links.stored], values)
        for row, stored in enumerate(raw.links.stored.tolist()):
            near = around.get(places[stored])
            if name == "face: part":
                most = -1
                if near:
                    times = Counter(int(code) for code in near)
                    most = min(code for code, n in times.items() if n == max(times.values()))
                assert values[row] == most
            elif near is None:
                assert np.isnan(values[row]).all()
            else:
                np.testing.assert_allclose(values[row], np.mean(near, axis=0, dtype=float))


def test_levels_without_them_have_none(place) -> None:
    source = StoreSource(place)
    assert source.attributes_of(1) == {"age", "kind", "face: height"}
    chunks = open_zv(place)[1].chunk_table.coords
    assert set(source.read(1, chunks, NAMES).values) == {"face: height"}
    assert np.isnan(source.read_values(1, chunks, "face: part")[0]).all()
    assert np.isfinite(source.read_values(1, chunks, "face: height")[0]).any()


def test_gaps_are_passed_over() -> None:
    corners = np.array([[0, 1, 2], [1, 2, 3]])
    assert mean_around(np.array([np.nan, 4.0]), corners, 5).tolist()[1:4] == [4.0, 4.0, 4.0]
    assert np.isnan(mean_around(np.array([np.nan, 4.0]), corners, 5)[[0, 4]]).all()
    assert most_around(np.array([-1, 2]), corners, 5).tolist() == [-1, 2, 2, 2, -1]
    none = np.zeros((0, 3), np.int64)
    assert most_around(np.zeros(0, np.int8), none, 2).tolist() == [-1, -1]
    assert np.isnan(mean_around(np.zeros(0), none, 2)).all()
    assert np.isnan(mean_around(np.zeros((0, 3)), none[:, :0], 2)).tolist() == [[True] * 3] * 2


def test_a_vertex_attribute_of_that_name_stays() -> None:
    made = DictPlace()
    write_sheets(made, side=4, levels=0)
    with open_zv(made)[0].writer() as writer:
        count = sum(open_zv(made)[0].read_inner_faces(open_zv(made)[0].chunk_keys)[0].counts)
        writer.add_face_attribute_sync("x", np.ones(count))
        writer.add_attribute_sync("face: x", np.arange(32))
    source = StoreSource(made)
    assert [i.name for i in source.describe().attributes].count("face: x") == 1
    values = source.read_values(0, open_zv(made)[0].chunk_table.coords, "face: x")[0]
    assert sorted(values.tolist()) == list(range(32))


@pytest.mark.parametrize("dtype", ["nothing", ["<f4"], None])
def test_damaged_descriptions_of_faces_leave_the_rest_to_be_seen(dtype) -> None:
    made = DictPlace()
    write_sheets(made, side=4, levels=0, format_version="0.9.2")
    with open_zv(made)[0].writer() as writer:
        count = sum(open_zv(made)[0].read_inner_faces(open_zv(made)[0].chunk_keys)[0].counts)
        writer.add_face_attribute_sync("x", np.ones(count))
    key = "0/face_attributes/x/zarr.json"
    document = json.loads(made.items[key])
    document["attributes"]["dtype"] = dtype
    made.items[key] = json.dumps(document).encode()
    scene = StoreSource(made).describe()
    assert [info.name for info in scene.attributes] == ["age", "kind"]
    assert any("attributes of faces are not known: " in text for text in scene.warnings)


def test_faces_of_vertices_that_are_not_there_are_damage() -> None:
    made = DictPlace()
    write_sheets(made, side=4, levels=0, format_version="0.9.2")
    level = open_zv(made)[0]
    count = sum(level.read_inner_faces(level.chunk_keys)[0].counts)
    with level.writer() as writer:
        writer.add_face_attribute_sync("x", np.ones(count))
    chunk = level.chunk_keys[0]
    layout = open_handle(made, "r+").layout
    (faces,) = layout.get_chunk_links("0", chunk)
    grid = grid_of(open_handle(made).meta.bounds, (8.0,) * 3, level.chunk_table.coords)
    layout.put_chunk_links("0", chunk, [faces + 99], grid)
    source = StoreSource(made)
    with pytest.raises(ArrayError, match=r"0/links in .* joins vertices that are not there"):
        source.read_values(0, level.chunk_table.coords, "face: x")
    with pytest.raises(ArrayError, match="joins vertices that are not there"):
        rehearse(open_handle(made), Request("y", "face", FromExpression("x + z")))
