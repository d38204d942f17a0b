"""A level made in parts, here or in other processes, is byte for byte the level made at once."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import distributed
import numpy as np
import pytest

from zarr_vectors.core.metadata import ChunkTable
from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.multiresolution import clouds, measuring, quantiles, scratch
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.multiresolution.quantiles import Quantiles, exact_percentiles
from zarr_vectors.multiresolution.scratch import Scratch, rest
from zarr_vectors.multiresolution.steps import Target
from zarr_vectors.multiresolution.tiles import chunk_scales, rows_of, target_chunks, tiles_of
from zarr_vectors.testing.data import cloud, points_store

STEPS: list[tuple[float, float]] = [(2, 1), (2, 1), (3, 1)]


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def make(root: Path, version: str, **options: Any) -> dict[str, bytes]:
    points_store(root / "s", cloud(4000), format_version=version, chunk=20.0, bins=4)
    build_pyramid(root / "s", factors=STEPS, **options)
    return files(root)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything in many parts and on disk."""
    small = lambda table, scales: tiles_of(table, scales, 300)  # noqa: E731
    monkeypatch.setattr(clouds, "tiles_of", small)
    monkeypatch.setattr(scratch, "SMALL", 0)
    monkeypatch.setattr(measuring, "_KEPT", 0)
    monkeypatch.setattr(measuring, "_BLOCK", 700)


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_many_tiles_equal_one(tmp_path: Path, version: str, request: pytest.FixtureRequest) -> None:
    once = make(tmp_path / "once", version)
    request.getfixturevalue("tiny")
    said: list[str] = []
    parts = make(tmp_path / "parts", version, progress=lambda done, total, text: said.append(text))
    assert parts == once
    assert len(said) > 20


@pytest.mark.usefixtures("tiny")
def test_other_processes_make_the_same_bytes(tmp_path: Path) -> None:
    assert make(tmp_path / "two", "0.9.2", workers=2) == make(tmp_path / "one", "0.9.2")


@pytest.mark.usefixtures("tiny")
def test_a_cluster_makes_the_same_bytes(tmp_path: Path) -> None:
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        found = make(tmp_path / "cluster", "0.7.0", client=client)
    assert found == make(tmp_path / "serial", "0.7.0")


def test_who_cannot_help(tmp_path: Path) -> None:
    points_store(tmp_path / "s", cloud(50))
    for options in ({"workers": 0}, {"workers": 2, "client": object()}):
        with pytest.raises(CoarseningError, match="workers"):
            build_pyramid(tmp_path / "s", factors=[(2, 1)], **options)  # type: ignore[arg-type]


@pytest.mark.usefixtures("tiny")
@pytest.mark.parametrize("chunk", [0.1, 0.3, 0.7])
def test_vertices_on_the_walls_of_chunks(tmp_path: Path, chunk: float) -> None:
    """Multiples of 0.1 are on the walls, or next to them by a rounding error."""
    from zarr_vectors.types.points import read_points, write_points

    steps = np.arange(-12, 30) * 0.1
    positions = np.stack(np.meshgrid(steps, steps[:6], steps[:3]), axis=-1).reshape(-1, 3)
    write_points(tmp_path / "s", positions, chunk_shape=(chunk,) * 3, dtype="float64")
    specs = build_pyramid(tmp_path / "s", factors=[(2, 1), (2, 1)])["level_specs"]
    for level, spec in enumerate(specs, 1):
        size = chunk * 2**level
        found = read_points(tmp_path / "s", level=level).positions
        bins = {tuple(b) for b in np.floor(positions / size).astype(int).tolist()}
        if level == 1:
            assert len(found) == spec["vertex_count"] == len(bins)
        cells = np.floor(found / size).astype(int).tolist()
        assert len({tuple(c) for c in cells}) == len(found)
        assert spec["error"]["max"] <= size * np.sqrt(3) * 2


def target(chunk: float, bins: float) -> Target:
    return Target(1, (bins,) * 2, (1.0,) * 2, (chunk,) * 2)


def test_which_grids_nest() -> None:
    assert chunk_scales((10.0, 5.0), target(20.0, 10.0)) == (2, 4)
    assert chunk_scales((10.0, 10.0), target(10.0, 5.0)) == (1, 1)
    assert chunk_scales((10.0, 10.0), target(15.0, 5.0)) is None
    assert chunk_scales((10.0, 10.0), target(20.0, 15.0)) is None


def test_tiles_hold_whole_target_chunks_in_order() -> None:
    rng = np.random.default_rng(0)
    coords = np.unique(rng.integers(-9, 9, (150, 2)), axis=0)
    table = ChunkTable(coords, rng.integers(1, 50, len(coords)), exact=True)
    found = tiles_of(table, (2, 3), 120)
    owners = target_chunks(coords, (2, 3))
    assert sorted(np.concatenate([t.chunks for t in found]).tolist()) == list(range(len(coords)))
    filled = [sorted({tuple(o) for o in owners[t.chunks].tolist()}) for t in found]
    assert list(itertools.chain(*filled)) == sorted({tuple(o) for o in owners.tolist()})
    for tile, chunks in zip(found, filled, strict=True):
        assert tile.rows == table.counts[tile.chunks].sum()
        assert tile.rows <= 120 or len(chunks) == 1
        assert (np.diff(tile.chunks) > 0).all()


def test_rows_of_chunks() -> None:
    starts = np.array([0, 3, 3, 7, 12])
    assert rows_of(np.array([0, 2]), starts).tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert rows_of(np.array([3, 1]), starts).tolist() == [7, 8, 9, 10, 11]
    assert rows_of(np.zeros(0, np.int64), starts).tolist() == []


@pytest.mark.parametrize("exact", [0, 10_000])
def test_quantiles(exact: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quantiles, "EXACT", exact)
    rng = np.random.default_rng(1)
    values = np.concatenate([rng.lognormal(0, 3, 5000), np.zeros(500), [1e30, 1e-30]])
    rng.shuffle(values)
    tally = Quantiles()
    assert tally.percentiles((50, 95)) == [0.0, 0.0]
    for part in np.array_split(values, 9):
        tally.add(part)
    method = "linear" if exact else "lower"
    wanted = np.percentile(values.astype(np.float32), (5, 50, 95, 100), method=method)
    np.testing.assert_allclose(tally.percentiles((5, 50, 95, 100)), wanted, rtol=6e-4)
    assert tally.max == np.float32(1e30)
    assert tally.count == len(values)


def test_exact_percentiles_are_those_of_numpy() -> None:
    rng = np.random.default_rng(2)
    for count in (*range(1, 40), 1000, 70_001):
        for values in (rng.gamma(2, 2, count), rng.integers(0, 5, count), np.zeros(count)):
            distances = values.astype(np.float32)
            for wanted in ((50, 95), (0, 50, 100), (33.3, 33.3)):
                expected = np.percentile(distances, wanted).tolist()
                assert exact_percentiles(distances.copy(), wanted) == expected


def test_scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "SMALL", 100)
    with Scratch(tmp_path) as found:
        small, large = found.array((5,), np.int64), found.array((1000, 3), np.float32)
        assert not isinstance(small, np.memmap)
        assert isinstance(large, np.memmap)
        large[7] = 3
        rest(small)
        rest(large)
        assert large.sum() == 9
        assert len(list(tmp_path.iterdir())) == 1
    assert not list(tmp_path.iterdir())
