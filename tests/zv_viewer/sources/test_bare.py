"""Levels that another library left without links are not shown, and said to be so."""

import json
import shutil
from pathlib import Path

import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.kinds import make_store
from zv_viewer.sources.bare import bare_levels, bare_warning
from zv_viewer.sources.store import StoreSource


def without_links(path: Path, number: int) -> None:
    """Take the links of a level away, and what tells of them."""
    root, level = path / "zarr.json", path / str(number) / "zarr.json"
    facts = json.loads(root.read_text())
    del facts["attributes"]["zarr_vectors_levels"]
    root.write_text(json.dumps(facts))
    facts = json.loads(level.read_text())
    del facts["attributes"]["zarr_vectors_links"]
    present = facts["attributes"]["zarr_vectors_level"]["arrays_present"]
    facts["attributes"]["zarr_vectors_level"]["arrays_present"] = [
        name for name in present if not name.startswith(("links", "cross_chunk_links"))
    ]
    level.write_text(json.dumps(facts))
    for folder in ("links", "cross_chunk_links"):
        shutil.rmtree(path / str(number) / folder, ignore_errors=True)


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", ["skeleton", "graph", "mesh"])
def test_they_are_left_out_and_named(tmp_path: Path, kind: str, version: str) -> None:
    path = tmp_path / "s"
    make_store(kind, path, format_version=version)
    build_pyramid(str(path), factors=[(2.0, 1.0)] * 2)
    with open_zv(str(path)) as store:
        assert bare_levels(store) == []
    without_links(path, 1)
    source = StoreSource(str(path))
    scene = source.describe()
    source.close()
    assert [level.index for level in scene.levels] == [0, 2]
    (said,) = (warning for warning in scene.warnings if "links" in warning)
    assert said == bare_warning([1])


def test_in_words() -> None:
    assert bare_warning([2]) == ("level 2 is without links, and not shown; build the pyramid again")
    assert bare_warning([1, 2]).startswith("levels 1 and 2 are without links")
