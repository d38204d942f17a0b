"""What is tried in a part tells what the whole comes to."""

from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors import build_pyramid, open_zv
from zarr_vectors.types.points import write_points
from zv_viewer.model.settings import LodSettings
from zv_viewer.sources.weight import stored_bytes
from zv_viewer.testing.cameras import orthographic
from zv_viewer.what_if import box_around, parse_steps, try_pyramid
from zv_viewer.what_if.whole import whole_count

VIEW = orthographic((0.0, 0.0, 0.0), 2.0, displayed=(0, 1, 2))


def test_chunks_that_fill_up_are_told_from_neighbours_that_join() -> None:
    """In neither case does it matter that the chunks tried are the dense ones."""
    counts = np.geomspace(2, 5000, 200)
    dense = counts[150:]
    full = 64 * -np.expm1(-counts / 64)
    assert whole_count(counts, dense, full[150:]) == pytest.approx(full.sum(), rel=0.02)
    joined = counts * 0.25
    assert whole_count(counts, dense, joined[150:]) == pytest.approx(joined.sum(), rel=0.02)
    assert whole_count(counts, counts, full) == pytest.approx(full.sum())
    assert whole_count(counts, np.zeros(0), np.zeros(0)) == 0.0


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_a_quarter_of_clustered_points_tells_of_all(version, tmp_path) -> None:
    rng = np.random.default_rng(1)
    middles = rng.uniform(0, 800, (60, 3))
    spread = rng.gamma(2.0, 20.0, (60, 1, 1))
    points = (middles[:, None] + spread * rng.normal(size=(60, 400, 3))).reshape(-1, 3)
    write_points(
        tmp_path / "s",
        points.astype("f4"),
        chunk_shape=(200.0,) * 3,
        bin_shape=(12.5,) * 3,
        vertex_attributes={"value": rng.normal(size=len(points)).astype("f4")},
        format_version=version,
    )
    store = open_zv(tmp_path / "s")
    box = box_around(store, np.full(3, 400.0), len(points) // 4)
    assert box.vertices < box.of / 4
    trial = try_pyramid(store, box, parse_steps("2 2", "", ""), VIEW, LodSettings())
    build_pyramid(tmp_path / "s", factors=[2.0, 2.0])
    built = open_zv(tmp_path / "s")
    told = {level.level: level for level in trial.whole}
    assert list(told) == built.levels[1:]
    for number, level in told.items():
        assert level.vertices == pytest.approx(built[number].vertex_count, rel=0.1)
    whole = sum(stored_bytes(built, number) for number in told)
    assert sum(level.nbytes for level in told.values()) == pytest.approx(whole, rel=0.1)
    for one in trial.levels[1:]:
        assert one.error_p95 == pytest.approx(built[one.level].error.p95, rel=0.1)
