"""LiDAR returns: every number of the file is in the store, with its own type."""

from __future__ import annotations

from pathlib import Path

import laspy
import numpy as np
import pytest

from zarr_vectors import open_zv, read_points

pytestmark = pytest.mark.realdata

NAMES = ["class", "gps_time", "intensity", "rgb"]
CLASSES = {1: "unclassified", 2: "ground"}


@pytest.fixture(scope="module")
def cloud(laz: Path) -> laspy.LasData:
    return laspy.read(laz)


def columns(cloud: laspy.LasData) -> dict[str, np.ndarray]:
    """What the store is to hold, in the order of the file."""
    return {
        "positions": np.column_stack([cloud.x, cloud.y, cloud.z]),
        "class": np.array([CLASSES[int(code)] for code in cloud.classification]),
        "gps_time": np.asarray(cloud.gps_time),
        "intensity": np.asarray(cloud.intensity),
        "rgb": np.column_stack([cloud.red, cloud.green, cloud.blue]).astype(np.uint8),
    }


def in_order(rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Rows sorted by place and time; returns that agree in both are alike in all we compare."""
    keys = [rows["intensity"], *rows["rgb"].T, rows["class"], rows["gps_time"]]
    order = np.lexsort([*keys, *rows["positions"].T])
    return {name: values[order] for name, values in rows.items()}


def test_every_return_comes_back(cloud: laspy.LasData, lidar_store: Path) -> None:
    found = read_points(lidar_store, attribute_names=NAMES)
    got = in_order({"positions": found["positions"], **found["vertex_attributes"]})
    wanted = in_order(columns(cloud))
    assert len(got["positions"]) == len(cloud) == 110_000
    assert got["positions"].dtype == np.float64
    for name, values in wanted.items():
        np.testing.assert_array_equal(got[name], values, err_msg=name)
        if name != "class":
            assert got[name].dtype == values.dtype


def test_bounds_types_and_axes_are_the_file_s(cloud: laspy.LasData, lidar_store: Path) -> None:
    with open_zv(lidar_store) as store:
        places = columns(cloud)["positions"]
        np.testing.assert_array_equal(store.bounds, [places.min(axis=0), places.max(axis=0)])
        assert [(axis.name, axis.unit) for axis in store.axes] == [(a, "foot") for a in "xyz"]
        assert "Lambert" in store.crs["wkt"]
        specs = store[0].attribute_specs
        assert {name: (str(s.dtype), s.columns) for name, s in specs.items()} == {
            "class": ("uint8", 1),
            "gps_time": ("float64", 1),
            "intensity": ("uint16", 1),
            "rgb": ("uint8", 3),
        }


def test_a_box_holds_what_the_file_has_there(cloud: laspy.LasData, lidar_store: Path) -> None:
    low, high = [636_300.0, 849_000.0, 400.0], [636_450.5, 849_123.25, 430.0]
    found = read_points(lidar_store, bbox=(low, high), attribute_names=NAMES)
    wanted = columns(cloud)
    inside = ((wanted["positions"] >= low) & (wanted["positions"] <= high)).all(axis=1)
    assert 1000 < inside.sum() < 60_000
    got = in_order({"positions": found["positions"], **found["vertex_attributes"]})
    for name, values in in_order({n: v[inside] for n, v in wanted.items()}).items():
        np.testing.assert_array_equal(got[name], values, err_msg=name)


def test_coarse_levels_keep_means_and_limits(cloud: laspy.LasData, lidar_store: Path) -> None:
    rgb = columns(cloud)["rgb"].mean(axis=0)
    with open_zv(lidar_store) as store:
        counts = [store.vertex_count(level) for level in store.levels]
        assert counts == sorted(counts, reverse=True)
        assert counts[-1] < 1000
        for number in store.levels[1:]:
            level = store[number]
            assert sorted(level.attribute_specs) == NAMES
            error = level.error
            assert 0 < error.p50 < error.p95 <= error.max < 2 * np.linalg.norm(level.bin_shape)
            colours = level.attributes["rgb"].compute()
            assert colours.dtype == np.uint8
            assert np.abs(colours.mean(axis=0) - rgb).max() < 25
