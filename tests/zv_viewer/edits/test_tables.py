"""Columns read from files, and joined to objects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.multiresolution.scratch import Scratch
from zv_viewer.edits import tables
from zv_viewer.edits.columns import Values
from zv_viewer.edits.joining import by_object
from zv_viewer.edits.tables import column_names, read_table, values_of
from zv_viewer.errors import InputError


def column(path: Path, name: str) -> Values:
    with Scratch() as scratch:
        found = read_table(path, [name], scratch).column(name)
        return Values(np.array(found.rows), found.categories)


@pytest.mark.parametrize("block", [2, 1000])
def test_kinds_of_columns_in_text(tmp_path: Path, monkeypatch, block: int) -> None:
    monkeypatch.setattr(tables, "BLOCK", block)
    path = tmp_path / "t.csv"
    path.write_text(
        '\ufeffid\twhole\tlate\ttext\tgap\n1\t5\t1\tb\t1\n2\t-7\t2\t"a, c"\t\n\n3\t0\t2.5\t\t3\n'
    )
    assert column_names(path) == ["id", "whole", "late", "text", "gap"]
    assert column(path, "whole").rows.tolist() == [5, -7, 0]
    assert column(path, "whole").rows.dtype == np.int64
    assert column(path, "late").rows.tolist() == [1, 2, 2.5]
    text = column(path, "text")
    assert text.categories == ("a, c", "b")
    assert text.rows.tolist() == [1, 0, -1]
    assert np.isnan(column(path, "gap").rows[1])


def test_parquet(tmp_path: Path, monkeypatch) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    monkeypatch.setattr(tables, "BLOCK", 2)
    path = tmp_path / "t.parquet"
    table = pyarrow.table(
        {
            "f": np.array([1, 2, 3, 4, 5], np.float32),
            "n": pyarrow.array([1, 2, 3, None, 5], pyarrow.int16()),
            "flag": [True, False, True, True, False],
            "text": pyarrow.array(["b", None, "a", "b", "c"]).dictionary_encode(),
            "list": [[1], [2], [3], [4], [5]],
        }
    )
    parquet.write_table(table, path)
    assert column_names(path) == ["f", "n", "flag", "text", "list"]
    assert column(path, "f").rows.dtype == np.float32
    np.testing.assert_array_equal(column(path, "n").rows, [1, 2, 3, np.nan, 5])
    assert column(path, "flag").rows.dtype == np.bool_
    assert column(path, "text").categories == ("a", "b", "c")
    assert column(path, "text").rows.tolist() == [1, -1, 0, 1, 2]
    with pytest.raises(InputError, match=r"'list' of t\.parquet holds list"):
        column(path, "list")
    path.write_bytes(b"PAR1 nothing")
    with pytest.raises(InputError, match="is no Parquet file"):
        column(path, "f")


def test_numpy_files(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.arange(6.0).reshape(3, 2))
    assert column_names(tmp_path / "v.npy") == ["v"]
    assert column(tmp_path / "v.npy", "v").rows.shape == (3, 2)
    rows = np.zeros(2, [("id", "i8"), ("name", "U3")])
    rows["name"] = ["x", "y"]
    np.save(tmp_path / "s.npy", rows)
    assert column_names(tmp_path / "s.npy") == ["id", "name"]
    assert column(tmp_path / "s.npy", "name").categories == ("x", "y")
    np.save(tmp_path / "o.npy", np.array([{}, []], object), allow_pickle=True)
    with pytest.raises(InputError, match="is no array of numbers"):
        column(tmp_path / "o.npy", "o")
    np.save(tmp_path / "c.npy", np.zeros((2, 2, 2)))
    with pytest.raises(InputError, match="must hold"):
        column_names(tmp_path / "c.npy")


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("t.csv", b"", "must name every column"),
        ("t.csv", b"a,a\n1,2\n", "must name every column"),
        ("t.csv", b"a,b\n1,2\n3\n", "line 3 of t.csv has 1 cells, the first line 2"),
        ("t.csv", b"a,b\n1,\xff\n", "t.csv cannot be read: "),
        ("t.csv", b"b\n1\n", "t.csv has no column 'a'; it has b"),
        ("t.xls", b"", r"t.xls is no table known here: \.csv"),
        ("gone.csv", None, "gone.csv cannot be read: No such file"),
        ("t.npy", b"\x93NUMPY nothing", "t.npy is no array of numbers"),
    ],
)
def test_files_that_are_no_tables(tmp_path: Path, name: str, data: bytes | None, sentence) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError, match=sentence) as told:
        column(path, "a")
    assert str(tmp_path) not in str(told.value)


def test_joining_names_what_does_not_match() -> None:
    objects = np.array([1, 4, 9])

    def joined(ids, *, strict=False):
        return by_object("T", "id", Values(np.array(ids)), objects, strict=strict)

    found = joined([9, 1.0, 7])
    assert found.rows.tolist() == [1, -1, 0]
    assert (found.without_row, found.strangers) == (1, 1)
    for ids, strict, sentence in (
        ([1, 4, 4, 9, 9], False, "2 objects have several rows in T, the first is object 4"),
        ([2, 3], False, "none of the 2 ids in column 'id' of T is one of the 3 objects"),
        ([1, 4], True, "1 of 3 objects have no row in T, the first is object 9"),
        ([1, 4, 9, 10], True, "1 of 4 rows of T name no object, the first names 10"),
        ([1, 4, 9.5], False, r"row 2 of column 'id' of T is no object id: 9\.5"),
        ([1, np.nan], False, "is no object id: nan"),
    ):
        with pytest.raises(InputError, match=sentence):
            joined(ids, strict=strict)
    with pytest.raises(InputError, match="does not hold object ids"):
        by_object("T", "id", values_of(["a", "b"], "x"), objects, strict=False)
