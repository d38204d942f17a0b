"""Attributes of faces carried to coarser levels, against a slow reference and in both formats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import ArrayError, CoarseningError
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution import face_values
from zarr_vectors.multiresolution.propagating import propagate_attribute
from zarr_vectors.multiresolution.strategies.faces import carry_values
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.testing.surfaces import write_sheets


def slowly(values, source, target, parents):
    """Means of the faces that became a face, else of means of those around each of its corners."""
    found, own = [], []
    ends = [[int(parents[row]) for row in face] for face in source]
    for face in target.tolist():
        same = [v for v, end in zip(values, ends, strict=True) if sorted(end) == sorted(face)]
        own.append(bool(same))
        if same:
            found.append(np.mean(same))
            continue
        means = []
        for corner in face:
            near = [v for v, end in zip(values, ends, strict=True) for e in end if e == corner]
            if near:
                means.append(np.mean(near))
        found.append(np.mean(means) if means else None)
    return found, own


@settings(max_examples=60)
@given(st.integers(0, 2**31), st.integers(0, 12), st.integers(0, 6), st.integers(1, 7))
def test_values_of_faces_are_those_of_the_faces_behind(seed, fine, coarse, rows) -> None:
    rng = np.random.default_rng(seed)
    source = rng.integers(0, 9, (fine, 3))
    target = np.array([rng.permutation(rows + 2)[:3] for _ in range(coarse)]).reshape(-1, 3)
    parents = rng.integers(-1, rows + 2, 9)
    values = rng.normal(size=fine)
    found = carry_values(values, source, target, parents, "mean")
    expected, own = slowly(values, source, target, parents)
    assert found.own.tolist() == own
    assert found.known.tolist() == [one is not None for one in expected]
    told = [one for one in expected if one is not None]
    np.testing.assert_allclose(found.values[found.known], told)
    assert (found.behind >= 1).all()


def test_faces_of_four_corners_give_triangles_their_value() -> None:
    source, target = np.array([[0, 1, 2, 3]]), np.array([[5, 6, 7], [5, 7, 8], [6, 7, 8]])
    found = carry_values(np.array([4.0]), source, target, np.array([5, 6, 7, 8]), "first")
    assert found.own.tolist() == [True, True, False]
    assert found.values.tolist() == [4.0, 4.0, 4.0]


def centres(level) -> np.ndarray:
    """Middle of every face inside a chunk, as its attributes number them."""
    keys = level.chunk_keys
    faces, _ = level.read_inner_faces(keys)
    rows = level.read_chunks(keys)
    corners = np.split(faces.corners, np.cumsum(faces.counts)[:-1])
    found = [rows[key].positions[own] for key, own in zip(faces.keys(), corners, strict=True)]
    return np.concatenate(found).mean(axis=1)


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("how", ["mean", "mode", "max"])
def test_an_attribute_of_faces_goes_up(version: str, how: str) -> None:
    place = DictPlace()
    write_sheets(place, format_version=version)
    at = centres(open_zv(place)[0])[:, 0]
    given = at if how == "mean" else (at > 11.5).astype(np.uint8)
    with open_zv(place)[0].writer() as writer:
        writer.add_face_attribute_sync("new", given)
    before = {key: data for key, data in place.items.items() if "face_attributes" not in key}
    told = propagate_attribute(place, "new", scope="face", aggregation=how)
    assert told["levels"] == [1, 2]
    assert told["without_value"] == {1: 0, 2: 0}
    changed = {k for k, v in place.items.items() if before.get(k) != v} - {"zarr.json"}
    assert {key for key in changed if "/face_attributes" not in key} == {
        "1/zarr.json",
        "2/zarr.json",
    }
    for number in (1, 2):
        level = open_zv(place)[number]
        values, where = level.face_attributes["new"].compute(), centres(level)[:, 0]
        assert values.dtype == given.dtype
        assert len(values) == len(where)
        if how == "mean":
            assert np.abs(values - where).max() < 2.0 * 2**number
        else:
            sure = np.abs(where - 11.5) > 2.0 * 2**number
            assert (values == (where > 11.5))[sure].all()


def test_what_is_refused() -> None:
    place = DictPlace()
    write_sheets(place, side=6, format_version="0.9.2")
    with pytest.raises(ArrayError, match="0/face_attributes/none"):
        propagate_attribute(place, "none", scope="face")
    count = len(centres(open_zv(place)[0]))
    with open_zv(place)[0].writer() as writer:
        writer.add_face_attribute_sync("new", np.arange(count))
    handle = open_handle(place)
    with pytest.raises(CoarseningError, match="unknown aggregation 'sum'"):
        propagate_attribute(place, "new", scope="face", aggregation="sum")
    with pytest.raises(ValueError, match="vertex, object or face"):
        propagate_attribute(place, "new", scope="edge")
    with pytest.raises(ArrayError, match="has no face attribute 'none'"):
        open_zv(place)[0].read_inner_faces(handle.level(0).table.keys(), ["none"])


@pytest.mark.parametrize("how", ["mean", "first"])
def test_it_does_not_matter_how_many_are_worked_out_together(how: str, monkeypatch) -> None:
    start = DictPlace()
    write_sheets(start, format_version="0.9.2")
    count = len(centres(open_zv(start)[0]))
    with open_zv(start)[0].writer() as writer:
        writer.add_face_attribute_sync("new", np.random.default_rng(2).normal(size=count))
    found = []
    for most in (1, 50, 1 << 18):
        monkeypatch.setattr(face_values, "AT_ONCE", most)
        place = DictPlace(start.items)
        propagate_attribute(place, "new", scope="face", aggregation=how)
        found.append(place.items)
    assert found[0] == found[1] == found[2] != start.items
