"""Synapse tables: five neurons in one store, each an object that comes back as its table."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors import open_zv, read_points

pytestmark = pytest.mark.realdata

NAMES = ["confidence", "roi", "type"]
VOXEL = 8.0


def rows_of(table: Path) -> list[tuple[object, ...]]:
    """(x, y, z, confidence, roi, type) of every row, sorted; read without any library."""
    with table.open(newline="") as file:
        return sorted(
            (
                *(float(row[axis]) * VOXEL for axis in "xyz"),
                float(np.float32(row["confidence"])),
                row["roi"] or "none",
                row["type"],
            )
            for row in csv.DictReader(file)
        )


def rows_read(store: Path, **how: object) -> list[tuple[object, ...]]:
    found = read_points(store, attribute_names=NAMES, **how)
    columns = [found["vertex_attributes"][name].tolist() for name in NAMES]
    return sorted(zip(*found["positions"].T.tolist(), *columns, strict=True))


def test_every_neuron_is_an_object_that_comes_back(tables: list[Path], synapse_store: Path) -> None:
    with open_zv(synapse_store) as store:
        neurons = store[0].object_attribute("neuron")
    assert neurons.tolist() == [int(table.stem) for table in tables]
    assert len(tables) == 5
    for number, table in enumerate(tables):
        assert rows_read(synapse_store, object_ids=[number]) == rows_of(table)


def test_all_rows_and_their_types(tables: list[Path], synapse_store: Path) -> None:
    every = sorted(row for table in tables for row in rows_of(table))
    assert rows_read(synapse_store) == every
    with open_zv(synapse_store) as store:
        assert store.vertex_count(0) == len(every)
        places = np.array([row[:3] for row in every])
        np.testing.assert_array_equal(store.bounds, [places.min(axis=0), places.max(axis=0)])
        specs = store[0].attribute_specs
        assert specs["confidence"].dtype == np.float32
        assert set(specs["type"].categories) == {"pre", "post"}
        assert {"AL(R)", "LH(R)", "none"} <= set(specs["roi"].categories)


def test_a_box_holds_what_the_tables_have_there(tables: list[Path], synapse_store: Path) -> None:
    low, high = [20_000.0, 150_000.0, 100_000.0], [60_000.0, 200_000.0, 130_000.0]
    wanted = sorted(
        row
        for table in tables
        for row in rows_of(table)
        if all(a <= x <= b for a, x, b in zip(low, row, high, strict=False))
    )
    assert 100 < len(wanted) < 5000
    assert rows_read(synapse_store, bbox=(low, high)) == wanted


def test_coarse_levels_keep_objects_and_attributes(synapse_store: Path) -> None:
    with open_zv(synapse_store) as store:
        for number in store.levels[1:]:
            assert sorted(store[number].attribute_specs) == NAMES
            assert store.object_count_at(number) == 5
            assert store[number].vertex_count < store[number - 1].vertex_count
