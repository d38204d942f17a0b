"""What is drawn, and one sentence about what is not."""

from pathlib import Path

import pytest

from zarr_vectors.testing.kinds import KINDS, make_store
from zv_viewer.errors import InputError
from zv_viewer.sources.drawable import check_drawable, undrawn
from zv_viewer.sources.store import StoreSource

NAMES = {"line": "lines", "mesh": "meshes"}


@pytest.mark.parametrize(
    ("kinds", "said"),
    [
        ([], ""),
        (["point_cloud"], ""),
        (["mesh"], "meshes"),
        (["graph", "point_cloud", "mesh"], "graphs and meshes"),
        (["streamline", "line", "graph"], "graphs, lines and streamlines"),
        (["some_new_kind"], "some new kinds"),
    ],
)
def test_in_words(kinds: list[str], said: str) -> None:
    assert undrawn(kinds) == said


def test_points_pass_whatever_else_is_refused() -> None:
    check_drawable("memory://a", ["point_cloud"])
    with pytest.raises(InputError, match="memory://a holds meshes, which the viewer does not draw"):
        check_drawable("memory://a", ["point_cloud", "mesh"])


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_store_of_every_kind(kind: str, version: str, tmp_path: Path) -> None:
    path = tmp_path / f"{kind}.zarrvectors"
    make_store(kind, path, format_version=version)
    source = StoreSource(str(path))
    try:
        if kind in ("points", "objects"):
            assert source.describe().levels[0].vertex_count == 240
        else:
            with pytest.raises(InputError, match=NAMES.get(kind, f"{kind}s")) as caught:
                source.describe()
            assert str(path) in str(caught.value)
    finally:
        source.close()
