"""The table of objects tells what the store holds, in both formats and for every kind."""

from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.core.backends import CancelScope
from zarr_vectors.exceptions import Cancelled
from zarr_vectors.lazy import ZVStore, open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.testing.kinds import KINDS, make_store
from zarr_vectors.types.points import write_points
from zv_viewer.model.objects import ObjectTable
from zv_viewer.objects import ID, LENGTH, VERTICES, column_of, keys_of
from zv_viewer.sources.object_places import with_places
from zv_viewer.sources.objects import has_objects, read_objects

LARGE = {"chunk_shape": (60.0,) * 3, "bin_shape": (30.0,) * 3}
"""Few chunks: few files."""
VERSIONS = ("0.7.0", "0.9.2")


def table_of(store: ZVStore) -> ObjectTable:
    return with_places(store, read_objects(store))


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "points"])
def test_the_table_tells_what_was_written(tmp_path: Path, kind: str, version: str) -> None:
    make_store(kind, tmp_path / "s", format_version=version, **LARGE)
    with open_zv(tmp_path / "s") as store:
        assert has_objects(store)
        table = table_of(store)
        level = store[0]
        assert table.ids.tolist() == list(range(6))
        assert column_of(table, "size").values.tolist() == [0, 1.5, 3, 4.5, 6, 7.5]
        assert column_of(table, "pair[1]").values.tolist() == [1, 3, 5, 7, 9, 11]
        assert keys_of(table)[0] == ID
        assert table.levels is not None
        assert table.levels.tolist() == [1] * 6
        assert table.vertices is not None
        assert table.boxes is not None
        assert table.vertices.sum() == store.vertex_count(0)
        for row, oid in enumerate(table.ids.tolist()):
            inside = level.filter(object_ids=[oid]).read().positions
            assert len(inside) == table.vertices[row]
            low, high = table.boxes[row]
            assert (inside >= low).all()
            assert (inside <= high).all()
        if kind != "line":
            assert [table.groups.rows(g).tolist() for g in range(3)] == [[0, 2], [5], []]
            assert table.groups.names == ("group 0", "group 1", "group 2")
        assert not table.notes


@pytest.mark.parametrize("version", VERSIONS)
def test_levels_are_those_an_object_has_vertices_at(tmp_path: Path, version: str) -> None:
    make_store("streamline", tmp_path / "s", format_version=version, **LARGE)
    build_pyramid(tmp_path / "s", factors=[(2.0, 2.0), (2.0, 2.0)])
    with open_zv(tmp_path / "s") as store:
        table = table_of(store)
        assert table.levels is not None
        assert len(table.level_numbers) == len(store.levels) > 1
        for row, oid in enumerate(table.ids.tolist()):
            bits = int(table.levels[row])
            at = [number for place, number in enumerate(store.levels) if bits >> place & 1]
            assert at == store.object_levels(oid)
        assert len(set(table.levels.tolist())) > 1


def test_rows_follow_the_index_whatever_the_ids(tmp_path: Path) -> None:
    positions = cloud(40).positions
    ids = np.repeat([900_000_000_001, 5, 77, 12], 10)
    write_points(
        tmp_path / "s",
        positions,
        object_ids=ids,
        object_attributes={"weight": np.array([1.0, 2.0, 3.0, 4.0])},
        groups={0: [12, 900_000_000_001]},
        format_version="0.9.2",
    )
    with open_zv(tmp_path / "s") as store, store[0].writer() as writer:
        writer.add_object_attribute_sync("kind", np.array(["a", "B", "a", "c"]))
    with open_zv(tmp_path / "s") as store:
        table = table_of(store)
        assert table.ids.tolist() == [5, 12, 77, 900_000_000_001]
        written = store[0].object_attribute("weight").tolist()
        assert column_of(table, "weight").values.tolist() == written
        kind = column_of(table, "kind")
        assert kind.categories is not None
        text = [kind.categories[code] for code in kind.values]
        assert text == store[0].object_attribute("kind").tolist()
        assert table.groups.rows(0).tolist() == [1, 3]
        assert table.vertices is not None
        assert table.vertices.tolist() == [10] * 4


@pytest.mark.parametrize("version", VERSIONS)
def test_objects_without_vertices_are_left_out(tmp_path: Path, version: str) -> None:
    write_points(
        tmp_path / "s",
        cloud(30).positions,
        object_ids=np.repeat([4, 9, 2], 10),
        object_attributes={"weight": np.array([1.0, 2.0, 3.0])},
        groups={0: [9], 1: [2, 4]},
        format_version=version,
    )
    with open_zv(tmp_path / "s") as store:
        table = table_of(store)
    assert table.ids.tolist() == [2, 4, 9]
    assert column_of(table, "weight").values.tolist() == [1, 2, 3]
    assert [table.groups.rows(g).tolist() for g in range(2)] == [[2], [0, 1]]
    assert not table.notes


@pytest.mark.parametrize("version", VERSIONS)
def test_length_and_count_come_from_attributes_called_so(tmp_path: Path, version: str) -> None:
    make_store("objects", tmp_path / "s", format_version=version, **LARGE)
    with open_zv(tmp_path / "s") as store, store[0].writer() as writer:
        writer.add_object_attribute_sync("cable_length", np.arange(6) * 2.5)
        writer.add_object_attribute_sync("n_nodes", np.arange(6) + 100)
    with open_zv(tmp_path / "s") as store:
        table = table_of(store)
    assert table.length is not None
    assert table.length.tolist() == [0, 2.5, 5, 7.5, 10, 12.5]
    assert table.vertices is not None
    assert table.vertices.tolist() == [100, 101, 102, 103, 104, 105]
    keys = keys_of(table)
    assert LENGTH in keys
    assert VERTICES in keys
    assert "cable_length" not in keys
    assert "n_nodes" not in keys


def test_a_store_without_objects_has_an_empty_table(tmp_path: Path) -> None:
    points_store(tmp_path / "s", cloud(20))
    with open_zv(tmp_path / "s") as store:
        assert not has_objects(store)
        assert len(table_of(store)) == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_damaged_is_a_note_and_the_rest_is_there(tmp_path: Path, version: str) -> None:
    make_store("mesh", tmp_path / "s", format_version=version, **LARGE)
    where = next((tmp_path / "s" / "0" / "object_attributes" / "size").rglob("c/*"))
    for file in [where] if where.is_file() else where.rglob("*"):
        file.write_bytes(b"no numbers")
    with open_zv(tmp_path / "s") as store:
        table = table_of(store)
    assert [column.name for column in table.columns] == ["pair[0]", "pair[1]", "group weight"]
    assert len(table.notes) == 1
    assert "'size' cannot be read" in table.notes[0]
    assert len(table) == 6


def test_a_scope_given_up_ends_the_reading(tmp_path: Path) -> None:
    make_store("mesh", tmp_path / "s", **LARGE)
    with open_zv(tmp_path / "s") as store, CancelScope() as scope:
        asked = []

        def progress(what: str) -> None:
            asked.append(what)
            if scope.cancelled:
                raise Cancelled(what)
            scope.cancel()

        with pytest.raises(Cancelled):
            read_objects(store, progress)
    assert len(asked) == 2


def test_numbers_of_groups_are_columns_of_their_objects(tmp_path: Path) -> None:
    make_store("skeleton", tmp_path / "store")
    table = read_objects(open_zv(tmp_path / "store"))
    (column,) = [one for one in table.columns if one.name == "group weight"]
    assert column.known.tolist() == [True, False, True, False, False, True]
    assert column.values[column.known].tolist() == [1.0, 1.0, 2.0]
    assert column.limits == (1.0, 2.0)
