"""As what stores are drawn, and one sentence about what is not seen."""

from pathlib import Path

import pytest

from zarr_vectors.testing.kinds import KINDS, make_store
from zv_viewer.model.scene import AttributeInfo
from zv_viewer.sources.drawable import (
    DIRECTION,
    drawn_as,
    link_width,
    mixed_warning,
    with_direction,
)
from zv_viewer.sources.store import StoreSource


@pytest.mark.parametrize(
    ("kinds", "drawn", "width", "hidden"),
    [
        ([], "point_cloud", 0, None),
        (["point_cloud"], "point_cloud", 0, None),
        (["skeleton", "graph"], "skeleton", 2, None),
        (["point_cloud", "line"], "line", 2, "drawn as lines; its point clouds are not seen"),
        (["graph", "mesh"], "mesh", 3, "drawn as meshes; its graphs are not seen"),
        (
            ["point_cloud", "mesh", "line"],
            "mesh",
            3,
            "drawn as meshes; its lines and point clouds are not seen",
        ),
    ],
)
def test_of_several_kinds_faces_are_drawn_before_edges_before_points(
    kinds: list[str], drawn: str, width: int, hidden: str | None
) -> None:
    assert drawn_as(kinds) == drawn
    assert link_width(drawn) == width
    warning = mixed_warning(kinds)
    assert warning is None if hidden is None else hidden in str(warning)


def test_curves_are_coloured_by_direction_unless_the_store_does_it() -> None:
    age = AttributeInfo("age", "int16")
    own = AttributeInfo("direction", "float32", columns=3)
    assert with_direction("streamline", (age,)) == (age, DIRECTION)
    assert with_direction("line", (own,)) == (own,)
    assert with_direction("skeleton", (age,)) == (age,)


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_store_of_every_kind(kind: str, version: str, tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.zarrvectors"
    make_store(kind, path, format_version=version)
    source = StoreSource(str(path))
    scene = source.describe()
    points = kind in ("points", "objects")
    assert scene.geometry == ("point_cloud" if points else kind)
    assert scene.link_width == (0 if points else 3 if kind == "mesh" else 2)
    assert scene.objects.tolist() == ([-1] if kind == "points" else [-1, *range(6)])
    assert (scene.links_per_vertex > 0) is not points
    assert not scene.warnings
    source.close()


def test_too_many_objects_of_points_are_told(tmp_path: Path, monkeypatch) -> None:
    make_store("objects", tmp_path / "s")
    monkeypatch.setattr("zv_viewer.sources.store.MOST_OBJECTS", 3)
    source = StoreSource(str(tmp_path / "s"))
    scene = source.describe()
    assert scene.objects.tolist() == [-1]
    assert scene.warnings == ("objects of points cannot be told apart: there are 6 of them",)
    source.close()
