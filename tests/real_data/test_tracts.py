"""Streamlines of a TrackVis file: written and read back equal, in both formats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.types.polylines import read_polylines, write_polylines

nibabel = pytest.importorskip("nibabel")


@pytest.fixture(scope="module")
def streamlines(test_data: Path) -> list[np.ndarray]:
    """World coordinates in millimetres."""
    found = nibabel.streamlines.load(test_data / "tracts" / "tracks300.trk").streamlines
    return [np.asarray(line, np.float32) for line in found]


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_streamlines_come_back(streamlines: list[np.ndarray], tmp_path: Path, version: str) -> None:
    lengths = np.array(
        [np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in streamlines]
    )
    along = [np.linspace(0, 1, len(line), dtype=np.float32) for line in streamlines]
    counts = write_polylines(
        tmp_path / "s",
        streamlines,
        chunk_shape=(20.0,) * 3,
        bin_shape=(5.0,) * 3,
        vertex_attributes={"along": along},
        object_attributes={"length": lengths},
        groups={0: range(0, 300, 2), 1: range(1, 300, 2)},
        axis_units=["millimeter"] * 3,
        format_version=version,
    )
    assert (counts["polyline_count"], counts["vertex_count"]) == (300, 14_576)
    found = read_polylines(tmp_path / "s", attribute_names=["along"])
    for mine, line in zip(found.lines, streamlines, strict=True):
        np.testing.assert_array_equal(mine, line)
    for mine, values in zip(found.per_polyline("along"), along, strict=True):
        np.testing.assert_array_equal(mine, values)
    for segments, line in zip(found["polylines"], streamlines, strict=True):
        assert sum(map(len, segments)) == len(line)
        assert all(map(len, segments))
    lazy = open_zv(tmp_path / "s")[0].polylines
    middle = (float(np.quantile(lengths, 0.4)), float(np.quantile(lengths, 0.6)))
    some = lazy.filter(length_range=middle)
    assert 40 < len(some) < 80
    for oid, line in some.items():
        np.testing.assert_array_equal(line, streamlines[oid])
    start = streamlines[7][0]
    near = read_polylines(tmp_path / "s", bbox=(start, start), group_ids=[1])
    assert 7 in near.object_ids
    assert (near.object_ids % 2 == 1).all()
