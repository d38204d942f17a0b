"""What every layout promises, stated once; each layout inherits it over each kind of store.

A subclass gives the fixture ``place``: a :class:`Place` with a fresh, writable backend.
"""

# ruff: noqa: S101 - a contract is made of assertions

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from zarr_vectors.core.backends.base import StorageBackend
from zarr_vectors.core.layouts.base import ChunkGrid, Layout, ObjectRows
from zarr_vectors.core.layouts.detect import layout_for
from zarr_vectors.encoding.manifests import decode_manifest, encode_manifest
from zarr_vectors.exceptions import ArrayError, StoreError, ZVError
from zarr_vectors.typing import ChunkCoords, ObjectManifest

VERTICES = "0/vertices"
GENE = "0/vertex_attributes/gene"
GRID = ChunkGrid((-12, -3, -3), (30, 8, 8))
CELLS: dict[ChunkCoords, bytes] = {
    (10, 0, 0): b"ten",
    (-10, 0, -1): bytes(24),
    (2, -3, 4): b"\1\0\0\0" * 9,
    (-2, 1, 0): b"x",
}
NUMBERS = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")
HOSTILE = ("..", "../up", "/etc", "a\\b", "C:\\x", "a\0b", "nul", "zarr.json/..", "", ".", "x.")


@dataclass(frozen=True)
class Place:
    """Where a contract runs."""

    version: str
    backend: StorageBackend
    lists: bool
    data_key: Callable[[str, ChunkCoords], str]
    """Key of the stored bytes of a cell whose grid starts at ``GRID.origin``."""

    def layout(self) -> Layout:
        """A layout that remembers nothing yet."""
        return layout_for(self.version, self.backend)


class LayoutContract:
    """Promises of :class:`zarr_vectors.core.layouts.base.Layout`."""

    @pytest.fixture
    def filled(self, place: Place) -> Layout:
        """A layout with one array of four cells."""
        layout = place.layout()
        layout.create_cells(VERTICES, {"dtype": "float32", "encoding": "raw"}, GRID)
        layout.put_cells(VERTICES, CELLS)
        return place.layout()

    def test_cells_come_back(self, filled: Layout) -> None:
        """What was put is got, negative coordinates and all-zero bytes included."""
        assert filled.get_cells({VERTICES: list(CELLS)}) == {VERTICES: CELLS}

    def test_absent_cells_are_left_out(self, filled: Layout) -> None:
        """Absent is no error, inside the box of chunks and outside."""
        asked = [(10, 0, 0), (0, 0, 0), (10**6, 0, 0), (-(10**6), 5, 5)]
        assert filled.get_cells({VERTICES: asked}) == {VERTICES: {(10, 0, 0): b"ten"}}

    def test_an_array_that_is_not_there_has_no_cells(self, place: Place) -> None:
        """Nothing is invented."""
        layout = place.layout()
        assert layout.get_cells({"7/vertices": [(0, 0, 0)]}) == {"7/vertices": {}}
        assert layout.array_metas(["7/vertices"]) == {}
        assert layout.get_dense("7/object_attributes/x") is None
        assert layout.get_objects("7") is None
        assert layout.get_groups("7") is None

    def test_many_arrays_in_one_request(self, filled: Layout) -> None:
        """One request may ask several arrays."""
        filled.create_cells(GENE, {"dtype": "int32"}, GRID)
        filled.put_cells(GENE, {(0, 0, 0): b"1234", (10, 0, 0): b"5678"})
        found = filled.get_cells({VERTICES: [(10, 0, 0)], GENE: [(0, 0, 0), (1, 0, 0)]})
        assert found == {VERTICES: {(10, 0, 0): b"ten"}, GENE: {(0, 0, 0): b"1234"}}

    def test_coordinates_may_have_another_rank(self, place: Place) -> None:
        """Attribute-chunked levels lead with a bin; 2-D stores have two."""
        for grid, cell in (
            (ChunkGrid((0, -1, -1, -1), (2, 6, 6, 6)), (1, -1, 0, 4)),
            (ChunkGrid((-5, 0), (9, 1)), (-5, 0)),
        ):
            layout = place.layout()
            layout.create_cells(f"{len(cell)}/vertices", {"dtype": "float64"}, grid)
            layout.put_cells(f"{len(cell)}/vertices", {cell: b"payload!"})
            found = place.layout().get_cells({f"{len(cell)}/vertices": [cell]})
            assert found == {f"{len(cell)}/vertices": {cell: b"payload!"}}

    def test_a_put_replaces_and_an_empty_blob_removes(self, place: Place, filled: Layout) -> None:
        """The record of what exists stays exact."""
        filled.put_cells(VERTICES, {(10, 0, 0): b"a longer blob", (2, -3, 4): b""})
        filled.put_cells(VERTICES, {(0, 0, 0): b"new", (-2, 1, 0): b""})
        again = place.layout()
        expected = {k: v for k, v in CELLS.items() if k not in {(2, -3, 4), (-2, 1, 0)}}
        expected |= {(10, 0, 0): b"a longer blob", (0, 0, 0): b"new"}
        assert again.get_cells({VERTICES: {**CELLS, **expected}}) == {VERTICES: expected}
        if place.lists:
            assert again.list_cells(VERTICES) == tuple(sorted(expected))

    def test_cells_are_listed_in_numeric_order(self, place: Place, filled: Layout) -> None:
        """Ascending as tuples of numbers, not as text; a place that cannot list says so."""
        if not place.lists and place.version.startswith("0.7"):
            with pytest.raises(StoreError, match="cannot list"):
                filled.list_cells(VERTICES)
        else:
            assert filled.list_cells(VERTICES) == tuple(sorted(CELLS))

    @pytest.mark.parametrize("how", ["missing", "cut", "long", "noise"])
    def test_damage_is_named_and_stays_where_it_is(
        self, place: Place, filled: Layout, how: str
    ) -> None:
        """An error names array, chunk and store; other chunks are read as before."""
        key = place.data_key(VERTICES, (10, 0, 0))
        data = place.backend.get_many([key])[key]
        if how == "missing":
            place.backend.delete_many([key])
        else:
            bad = {"cut": data[:-1], "long": data + b"!", "noise": b"\xff" * (len(data) + 3)}[how]
            place.backend.put_many({key: bad})
        layout = place.layout()
        with pytest.raises(ArrayError) as caught:
            layout.get_cells({VERTICES: list(CELLS)})
        assert VERTICES in str(caught.value)
        assert "(10, 0, 0)" in str(caught.value)
        assert place.backend.url in str(caught.value)
        assert (caught.value.array, caught.value.chunk) == (VERTICES, (10, 0, 0))
        rest = {chunk: blob for chunk, blob in CELLS.items() if chunk != (10, 0, 0)}
        assert layout.get_cells({VERTICES: list(rest)}) == {VERTICES: rest}

    @pytest.mark.parametrize("document", [b"", b"{", b"[]", b"{}", b'{"a":1,"a":2}', b"[" * 10**5])
    def test_a_damaged_document_is_a_named_error(
        self, place: Place, filled: Layout, document: bytes
    ) -> None:
        """Metadata that is no metadata never becomes something else."""
        place.backend.put_many({f"{VERTICES}/zarr.json": document})
        if document == b"{}":
            assert place.layout().array_metas([VERTICES]) == {VERTICES: {}}
        else:
            with pytest.raises(ZVError, match="vertices"):
                place.layout().array_metas([VERTICES])

    def test_metadata_is_merged_and_the_record_is_not_part_of_it(
        self, place: Place, filled: Layout
    ) -> None:
        """Metadata is what the caller gave, its family, and nothing of the layout's own."""
        known: dict[str, object] = {
            "zv_array": "vertices",
            "dtype": "float32",
            "encoding": "raw",
        }
        assert filled.array_metas([VERTICES, "0/nothing"]) == {VERTICES: known}
        filled.set_array_meta(VERTICES, {"encoding": "draco", "more": [1, 2]})
        known |= {"encoding": "draco", "more": [1, 2]}
        assert place.layout().array_metas([VERTICES]) == {VERTICES: known}
        assert place.layout().get_cells({VERTICES: list(CELLS)}) == {VERTICES: CELLS}
        with pytest.raises(StoreError, match="nothing"):
            filled.set_array_meta("0/nothing", {})

    @pytest.mark.parametrize("row_shape", [[], [3]])
    def test_attributes_say_how_wide_they_are(self, place: Place, row_shape: list[int]) -> None:
        """``row_shape`` comes back however the format stores it, family and name too."""
        layout = place.layout()
        layout.create_cells(GENE, {"dtype": "uint8", "row_shape": row_shape}, GRID)
        meta = place.layout().array_metas([GENE])[GENE]
        assert meta["row_shape"] == row_shape
        assert (meta["zv_array"], meta["name"], meta["dtype"]) == ("attribute", "gene", "uint8")

    def test_names_of_a_family(self, place: Place, filled: Layout) -> None:
        """Arrays of a family are found by listing, or the place says that it cannot list."""
        for name in ("b", "a", "c d"):
            filled.create_cells(f"0/vertex_attributes/{name}", {"dtype": "int8"}, GRID)
        if place.lists:
            assert place.layout().array_names("0/vertex_attributes") == ["a", "b", "c d"]
            assert place.layout().array_names("5/vertex_attributes") == []
        else:
            with pytest.raises(StoreError, match="cannot list"):
                place.layout().array_names("0/vertex_attributes")

    def test_every_group_on_the_way_has_a_document(self, place: Place) -> None:
        """Other programs walk the tree from the root."""
        place.layout().create_cells("3/vertex_attributes/gene", {"dtype": "int8"}, GRID)
        place.layout().put_dense("3/object_attributes/size", np.zeros(3), {})
        ways = ["", "3", "3/vertex_attributes", "3/object_attributes"]
        assert place.layout().get_attrs(ways) == {way: {} for way in ways}

    def test_groups_keep_their_attributes(self, place: Place) -> None:
        """Attributes are replaced as a whole; making something below leaves them alone."""
        layout = place.layout()
        layout.put_attrs({"": {"a": 1}, "0": {"b": [1.5, None, "é"]}})
        layout.create_cells(VERTICES, {}, GRID)
        layout.put_attrs({"": {"c": {}}})
        assert place.layout().get_attrs(["", "0", "9"]) == {
            "": {"c": {}},
            "0": {"b": [1.5, None, "é"]},
        }

    def test_creating_again_empties(self, place: Place, filled: Layout) -> None:
        """An array made anew has nothing of the old one."""
        if not place.lists and place.version.startswith("0.7"):
            pytest.skip("nothing can be emptied where nothing can be listed")
        filled.create_cells(VERTICES, {"dtype": "float64"}, GRID)
        assert place.layout().list_cells(VERTICES) == ()
        assert place.layout().get_cells({VERTICES: list(CELLS)}) == {VERTICES: {}}
        assert place.layout().array_metas([VERTICES])[VERTICES]["dtype"] == "float64"

    def test_a_deleted_array_is_gone(self, place: Place, filled: Layout) -> None:
        """With everything below it, in this handle too."""
        filled.delete("0")
        for layout in (filled, place.layout()):
            assert layout.get_attrs(["0", VERTICES]) == {}
            assert layout.get_cells({VERTICES: list(CELLS)}) == {VERTICES: {}}

    def test_forgetting_shows_what_others_wrote(self, place: Place, filled: Layout) -> None:
        """A handle remembers documents until told to forget."""
        filled.get_cells({VERTICES: [(0, 0, 0)]})
        place.layout().put_cells(VERTICES, {(0, 0, 0): b"other"})
        filled.forget()
        assert filled.get_cells({VERTICES: [(0, 0, 0)]}) == {VERTICES: {(0, 0, 0): b"other"}}

    @pytest.mark.parametrize(
        "grid", [ChunkGrid((-12, -3, -3), (40, 9, 8)), ChunkGrid((-20, -5, -3), (60, 20, 20))]
    )
    def test_a_larger_grid_keeps_every_cell(
        self, place: Place, filled: Layout, grid: ChunkGrid
    ) -> None:
        """Room is made on either side."""
        filled.set_grid(VERTICES, grid)
        far = (grid.origin[0] + grid.shape[0] - 1, 0, 0)
        filled.put_cells(VERTICES, {far: b"far"})
        expected = {**CELLS, far: b"far"}
        assert place.layout().get_cells({VERTICES: list(expected)}) == {VERTICES: expected}
        assert place.layout().array_metas([VERTICES])[VERTICES]["dtype"] == "float32"

    @pytest.mark.parametrize("dtype", [*NUMBERS, "float32", "float64"])
    @pytest.mark.parametrize("columns", [None, 3])
    def test_dense_arrays_come_back(self, place: Place, dtype: str, columns: int | None) -> None:
        """With dtype and shape; absent rows are known to be absent."""
        path = "0/object_attributes/size"
        shape = (7,) if columns is None else (7, columns)
        values = (np.arange(np.prod(shape)).reshape(shape) + 1).astype(dtype)
        place.layout().put_dense(path, values, {"unit": "um"})
        found = place.layout().get_dense(path)
        assert found is not None
        assert found[0].dtype == np.dtype(dtype)
        assert np.array_equal(found[0], values)
        assert found[1].tolist() == list(range(7))
        present = np.array([1, 2, 6])
        place.layout().put_dense(path, values, {}, present)
        found = place.layout().get_dense(path)
        assert found is not None
        assert found[1].tolist() == [1, 2, 6]
        assert np.array_equal(found[0][present], values[present])

    def test_dense_arrays_may_be_empty_or_all_zero(self, place: Place) -> None:
        """No rows, and rows of the fill value."""
        for rows in (0, 4):
            place.layout().put_dense("0/group_attributes/g", np.zeros(rows, np.float32), {})
            found = place.layout().get_dense("0/group_attributes/g")
            assert found is not None
            assert found[0].tolist() == [0.0] * rows
            assert found[1].tolist() == list(range(rows))

    def test_objects_come_back(self, place: Place) -> None:
        """All of them, or some by id; unknown ids are skipped."""
        pairs: list[ObjectManifest] = [[((0, 0, 0), 4), ((-1, 0, 2), 0)], [], [((5, 5, 5), 1)]]
        blobs = [encode_manifest(pair, 3) for pair in pairs]
        place.layout().put_objects("0", ObjectRows(np.arange(3), blobs, 3))
        rows = place.layout().get_objects("0")
        assert rows is not None
        assert rows.ids.tolist() == [0, 1, 2]
        assert [decode_manifest(blob, rows.sid_ndim) for blob in rows.manifests] == pairs
        some = place.layout().get_objects("0", [2, 99, 0, 2])
        assert some is not None
        assert some.ids.tolist() == [0, 2]
        assert list(some.manifests) == [blobs[0], blobs[2]]

    def test_objects_with_gaps_in_their_ids(self, place: Place) -> None:
        """Ids are kept; what a format adds for the gaps is empty."""
        blobs = [encode_manifest([((k, 0), 0)], 2) for k in range(2)]
        place.layout().put_objects("0", ObjectRows(np.array([3, 40_000]), blobs, 2))
        rows = place.layout().get_objects("0")
        assert rows is not None
        full = {
            oid: blob
            for oid, blob in zip(rows.ids.tolist(), rows.manifests, strict=True)
            if blob != bytes(4)
        }
        assert full == {3: blobs[0], 40_000: blobs[1]}

    @pytest.mark.parametrize("ids", [[-1, 0], [1, 1]])
    def test_object_ids_are_distinct_and_not_negative(self, place: Place, ids: list[int]) -> None:
        """Nothing is written otherwise."""
        with pytest.raises(ArrayError, match="distinct"):
            place.layout().put_objects("0", ObjectRows(np.array(ids), [bytes(4)] * 2, 3))
        assert place.layout().get_objects("0") is None

    @pytest.mark.parametrize("groups", [[], [[0]], [[0, 5, 2**40], [], [1]]])
    def test_groups_of_objects_come_back(self, place: Place, groups: list[list[int]]) -> None:
        """Empty groups too, and a group of id 0 alone."""
        place.layout().put_groups("0", [np.array(group, dtype=np.int64) for group in groups])
        found = place.layout().get_groups("0")
        assert found is not None
        assert [group.tolist() for group in found] == groups

    @pytest.mark.parametrize("name", HOSTILE)
    def test_names_that_leave_the_store_are_refused(self, place: Place, name: str) -> None:
        """Read, write and delete alike, before the place is asked."""
        layout = place.layout()
        path = f"0/vertex_attributes/{name}"
        calls: list[Callable[[], object]] = [
            lambda: layout.get_cells({path: [(0, 0, 0)]}),
            lambda: layout.array_metas([path]),
            lambda: layout.create_cells(path, {}, GRID),
            lambda: layout.put_cells(path, {(0, 0, 0): b"x"}),
            lambda: layout.get_dense(path),
            lambda: layout.put_dense(path, np.zeros(1), {}),
            lambda: layout.delete(path),
        ]
        before = place.backend.stats.total.requests
        for call in calls:
            with pytest.raises(StoreError, match="not allowed"):
                call()
        assert place.backend.stats.total.requests == before

    def test_a_batch_is_larger_than_what_is_in_flight(self, place: Place) -> None:
        """Hundreds of cells in one call."""
        grid = ChunkGrid((0, 0, 0), (300, 1, 1))
        cells: dict[ChunkCoords, bytes] = {(k, 0, 0): k.to_bytes(2, "little") for k in range(300)}
        place.layout().create_cells(VERTICES, {}, grid)
        place.layout().put_cells(VERTICES, cells)
        assert place.layout().get_cells({VERTICES: cells}) == {VERTICES: cells}
