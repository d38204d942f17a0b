"""Vertices of a view, found block by block, against all of them looked at one by one."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors import open_zv
from zarr_vectors.exceptions import Cancelled
from zarr_vectors.testing.kinds import make_store
from zv_viewer.errors import InputError
from zv_viewer.model.camera import Camera
from zv_viewer.planning import build_cells
from zv_viewer.rows import RowFilter, ValueRange
from zv_viewer.sources.store import StoreSource
from zv_viewer.views.choosing import Block, Choice, chosen_rows
from zv_viewer.views.exporting import Export
from zv_viewer.views.tables import columns_of, write_table

INFINITY = np.inf

FLAT = Camera(
    np.array([[0, 1 / 30, 0, -0.1], [1 / 40, 0, 0, 0.2], [0, 0, 1, 0], [0, 0, 0, 1]], float),
    (300.0, 200.0),
    (1, 2),
    np.array([-5.0, -INFINITY, -INFINITY]),
    np.array([25.0, INFINITY, INFINITY]),
)
"""Axes 1 and 2, a slab of axis 0."""


@pytest.fixture(scope="module", params=[("points", "0.7.0"), ("mesh", "0.9.2")], ids=lambda p: p[0])
def store(request, tmp_path_factory) -> Path:
    kind, version = request.param
    place = tmp_path_factory.mktemp("choosing") / kind
    make_store(kind, place, format_version=version, chunk_shape=(20.0,) * 3, bin_shape=(20.0,) * 3)
    return place


@pytest.fixture
def source(store: Path):
    found = StoreSource(str(store))
    yield found
    found.close()


def whole(blocks) -> tuple[np.ndarray, np.ndarray]:
    found = list(blocks)
    return (
        np.concatenate([np.zeros((0, 3)), *(block.positions for block in found)]),
        np.concatenate([np.zeros(0), *(block.attributes["age"] for block in found)]),
    )


def test_what_is_visible_is_what_lies_on_the_canvas(store: Path, source: StoreSource) -> None:
    scene = source.describe()
    tree = build_cells(scene)
    everything, ages = whole(chosen_rows(source, scene, tree, Choice()))
    clip = everything[:, [1, 2]] @ FLAT.matrix[:2, :2].T + FLAT.matrix[:2, 3]
    seen = (np.abs(clip) <= 1).all(axis=1)
    seen &= (everything[:, 0] >= -5) & (everything[:, 0] <= 25)
    normals, reach = np.array([[0.0, 0.6, 0.8]]), np.array([-3.0])
    rules = RowFilter((ValueRange("age", 10, 80),))
    for choice, wanted in (
        (Choice(FLAT), seen),
        (Choice(FLAT, normals, reach), seen & (everything @ normals[0] >= reach[0])),
        (Choice(kept_by=rules), (ages >= 10) & (ages <= 80)),
        (Choice(FLAT, kept_by=rules), seen & (ages >= 10) & (ages <= 80)),
    ):
        found, _ = whole(chosen_rows(source, scene, tree, choice))
        assert 0 < wanted.sum() < len(everything)
        np.testing.assert_array_equal(found, everything[wanted])


def test_an_export_reads_no_more_once_it_is_given_up(source: StoreSource, tmp_path: Path) -> None:
    scene = source.describe()
    export = Export(source, scene, build_cells(scene), Choice(), None)

    def give_up(share: float) -> None:
        if share > 0:
            raise Cancelled("enough")

    with pytest.raises(Cancelled):
        export.run(tmp_path / "rows.csv", give_up)
    assert not list(tmp_path.iterdir())
    with pytest.raises(InputError, match="neither a table nor a store"):
        export.run(tmp_path / "rows.doc")
    with pytest.raises(InputError, match="does not exist"):
        export.run(tmp_path / "no" / "rows.csv")


def test_a_store_of_what_is_visible(store: Path, source: StoreSource, tmp_path: Path) -> None:
    scene = source.describe()
    tree, out = build_cells(scene), tmp_path / "part.zarrvectors"
    export = Export(source, scene, tree, Choice(FLAT), None)
    written = export.run(out).vertices
    copy = open_zv(out)
    assert copy[0].vertex_count == written > 0
    assert copy.zv_version == scene.format_version
    visible, ages = whole(chosen_rows(source, scene, tree, Choice(FLAT)))
    found = copy[0].vertices.compute()
    if scene.by_object:  # objects of which something is seen are whole
        rows = {tuple(row) for row in found.tolist()}
        assert rows >= {tuple(row) for row in visible.tolist()}
    else:
        order, wanted = np.lexsort(found.T), np.lexsort(visible.T)
        np.testing.assert_array_equal(found[order], visible[wanted])
        kept = copy[0].attributes["age"].compute()
        np.testing.assert_array_equal(kept[order], ages[wanted])


def test_tables_have_names_and_all_digits(tmp_path: Path) -> None:
    block = Block(
        np.array([[0.1, 2.0], [np.float32(1) / 3, 4.0]], np.float32),
        {
            "x": np.array([1, 2], np.int16),
            "rgb": np.array([[1, 2, 3], [4, 5, 6]], np.uint8),
            "kind": np.array(["a,b", 'c"d']),
        },
        np.array([7, -1]),
    )
    names = list(columns_of(block, ("y", "x")))
    assert names == ["y", "x", "x_", "rgb[0]", "rgb[1]", "rgb[2]", "kind", "object"]
    assert write_table([block, block], ("y", "x"), tmp_path / "t.csv") == 4
    with (tmp_path / "t.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == names
    assert rows[2] == ["0.33333334", "4.0", "2", "4", "5", "6", 'c"d', "-1"]
    with pytest.raises(InputError, match="nothing to export"):
        write_table([], ("y", "x"), tmp_path / "none.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]
