"""Rows of a level in runs: all of them, in order, few of what is wide."""

from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.testing.surfaces import write_sheets
from zarr_vectors.types.points import write_points
from zv_viewer.edits import scopes
from zv_viewer.edits.row_columns import read_columns
from zv_viewer.edits.scopes import Rows


def shape_of(rows: Rows) -> tuple[int, int]:
    """Runs, and the rows of the longest."""
    return len(rows.runs), max(run.count for run in rows.runs)


@pytest.mark.parametrize("scope", ["vertex", "face"])
def test_runs_are_as_long_as_they_may(scope, monkeypatch) -> None:
    place = DictPlace()
    write_sheets(place, side=20, levels=0)
    whole = Rows(open_handle(place), 0, scope)
    assert len(whole.runs) == 1
    expected = read_columns(whole, whole.runs[0], ["age", "x", "object_id"])
    monkeypatch.setattr(scopes, "RUN_ROWS", 150)
    rows = Rows(open_handle(place), 0, scope)
    assert len(rows.runs) > 3
    assert rows.count == whole.count
    assert [run.first for run in rows.runs[1:]] == np.cumsum([r.count for r in rows.runs])[
        :-1
    ].tolist()
    np.testing.assert_array_equal(rows.chunks, whole.chunks)
    parts = [read_columns(rows, run, ["age", "x", "object_id"]) for run in rows.runs]
    for name, values in expected.items():
        np.testing.assert_array_equal(np.concatenate([p[name].rows for p in parts]), values.rows)


def test_what_is_wide_comes_in_short_runs(monkeypatch) -> None:
    monkeypatch.setattr(scopes, "RUN_VALUES", 1000)
    positions = np.random.default_rng(0).uniform(0, 10, (1000, 3))
    place, wide = DictPlace(), DictPlace()
    write_points(place, positions, chunk_shape=(2.0,) * 3)
    many = {"many": np.zeros((1000, 20), np.float32)}
    write_points(wide, positions, chunk_shape=(2.0,) * 3, vertex_attributes=many)
    assert shape_of(Rows(open_handle(place), 0, "vertex")) == (1, 1000)
    assert shape_of(Rows(open_handle(wide), 0, "vertex"))[1] <= 50
    rows = Rows(open_handle(place), 0, "vertex")
    rows.make_room(20)
    assert shape_of(rows)[1] <= 50
    assert rows.count == 1000
