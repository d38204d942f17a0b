"""What reads return is a frozen value, and a dict to those who expect one."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.types.points import read_points, write_points
from zarr_vectors.types.polylines import read_polylines, write_polylines


@pytest.fixture
def points(tmp_path: Path) -> Any:
    write_points(
        tmp_path / "p", np.eye(3), chunk_shape=(1.0,) * 3, vertex_attributes={"a": [1, 2, 3]}
    )
    return read_points(tmp_path / "p", attribute_names=["a"])


def test_a_result_is_a_dict(points: Any) -> None:
    assert isinstance(points, dict)
    names = ["positions", "vertex_attributes", "vertex_count", "level"]
    assert list(points) == list(points.keys()) == list(dict(points)) == list({**points}) == names
    assert len(points) == len(points.items()) == len(list(points.values())) == 4
    assert points["vertex_count"] == points.get("vertex_count") == points.vertex_count == 3
    assert "object_ids" not in points
    assert points.get("object_ids", 7) == 7
    with pytest.raises(KeyError):
        points["object_ids"]


@pytest.mark.parametrize(
    "change",
    [
        lambda r: r.__setitem__("a", 1),
        lambda r: r.__delitem__("level"),
        lambda r: r.update(a=1),
        lambda r: r.pop("level"),
        lambda r: r.clear(),
        lambda r: r.setdefault("a", 1),
    ],
)
def test_it_cannot_be_changed(points: Any, change: Any) -> None:
    with pytest.raises(TypeError, match="copy"):
        change(points)
    own = points.copy()
    own["more"] = 1
    assert "more" not in points


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))])  # noqa: S301
def test_copies(points: Any, way: Any) -> None:
    found = way(points)
    assert type(found) is type(points)
    assert list(found) == list(points)
    np.testing.assert_array_equal(found["positions"], points.positions)


def test_what_is_made_when_asked_for(tmp_path: Path) -> None:
    write_polylines(tmp_path / "l", [np.zeros((3, 2)), np.ones((2, 2))], chunk_shape=(9.0, 9.0))
    found = read_polylines(tmp_path / "l")
    assert "polylines" in found
    assert [[len(part) for part in line] for line in found["polylines"]] == [[3], [2]]
    assert len(dict(found)["polylines"]) == len(found.get("polylines", ())) == 2
