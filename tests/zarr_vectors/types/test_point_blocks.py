"""A cloud written block by block is byte for byte the cloud written at once."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.exceptions import ArrayError, MetadataError, StoreError, ZVError
from zarr_vectors.types.point_blocks import PointBlock, write_point_blocks
from zarr_vectors.types.points import write_points
from zarr_vectors.writing import spill

VERSIONS = ("0.7.0", "0.9.2")
CHUNK = (20.0, 20.0, 20.0)


def files(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def cloud(seed: int, count: int = 3000) -> tuple[Any, dict[str, Any], Any]:
    rng = np.random.default_rng(seed)
    positions = rng.normal(0, 15, (count, 3))
    attributes = {
        "gene": rng.choice(["b", "a", "zz", "c"], count).astype(object),
        "score": rng.normal(size=count).astype("float32"),
        "rgb": rng.integers(0, 255, (count, 3), dtype="uint8"),
    }
    return positions, attributes, rng.integers(0, 40, count)


def cut(seed: int, positions: Any, attributes: Any, ids: Any | None) -> Iterator[PointBlock]:
    rng = np.random.default_rng(seed)
    edges = [0, *sorted(rng.integers(0, len(positions), 6).tolist()), len(positions)]
    for a, b in itertools.pairwise(edges):
        part = {name: values[a:b] for name, values in attributes.items()}
        yield PointBlock(positions[a:b], part, None if ids is None else ids[a:b])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("with_ids", [False, True])
@pytest.mark.parametrize("max_bytes", [1, 60_000, 2**28])
def test_equal_to_one_write(tmp_path: Path, version: Any, with_ids: bool, max_bytes: int) -> None:
    positions, attributes, ids = cloud(1)
    if not with_ids:
        ids = None
    attributes["gene"][::7] = None
    options: dict[str, Any] = {"chunk_shape": CHUNK, "format_version": version}
    options |= {"bin_shape": (10.0, 10.0, 10.0), "attribute_units": {"score": "mV"}}
    if with_ids:
        options["object_attributes"] = {"size": np.arange(len(np.unique(ids)))}
    once = write_points(
        tmp_path / "x" / "store", positions, vertex_attributes=attributes, object_ids=ids, **options
    )
    blocks = cut(2, positions, attributes, ids)
    found = write_point_blocks(tmp_path / "y" / "store", blocks, max_bytes=max_bytes, **options)
    assert found == once
    assert files(tmp_path / "y") == files(tmp_path / "x")


@pytest.mark.parametrize("version", VERSIONS)
def test_buckets_too_large_are_dealt_again(
    tmp_path: Path, version: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spill, "BUCKETS", 2)
    positions, attributes, _ = cloud(3)
    options: dict[str, Any] = {"chunk_shape": CHUNK, "format_version": version}
    write_points(tmp_path / "x" / "store", positions, vertex_attributes=attributes, **options)
    sizes: list[int] = []
    kept = spill.Spill.batches

    def noted(self: spill.Spill, max_rows: int) -> Iterator[Any]:
        for batch in kept(self, max_rows):
            sizes.append(len(batch[0]))
            yield batch

    monkeypatch.setattr(spill.Spill, "batches", noted)
    blocks = cut(4, positions, attributes, None)
    write_point_blocks(tmp_path / "y" / "store", blocks, max_bytes=30_000, **options)
    assert files(tmp_path / "y") == files(tmp_path / "x")
    assert max(sizes) < len(positions) // 3


@pytest.mark.parametrize("policy", ["ignore", "expand"])
def test_out_of_bounds(tmp_path: Path, policy: str) -> None:
    positions, attributes, _ = cloud(5, 800)
    options: dict[str, Any] = {"chunk_shape": CHUNK, "out_of_bounds": policy}
    options["bounds"] = ([-20.0] * 3, [20.0] * 3)
    write_points(tmp_path / "x" / "store", positions, vertex_attributes=attributes, **options)
    write_point_blocks(tmp_path / "y" / "store", cut(6, positions, attributes, None), **options)
    assert files(tmp_path / "x") == files(tmp_path / "y")


def test_positions_alone_and_empty_blocks(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    blocks = [np.zeros((0, 2)), rng.random((50, 2)) * 30, np.zeros((0, 2)), rng.random((9, 2)) * 30]
    whole = np.concatenate(blocks)
    write_points(tmp_path / "x" / "s", whole, chunk_shape=(8.0, 8.0))
    write_point_blocks(tmp_path / "y" / "s", iter(blocks), chunk_shape=(8.0, 8.0))
    assert files(tmp_path / "x") == files(tmp_path / "y")


@pytest.mark.parametrize(
    ("blocks", "problem"),
    [
        ([], "no blocks"),
        ([np.zeros((2, 3)), np.zeros((2, 2))], "same axes"),
        ([PointBlock(np.zeros((1, 3)), {"a": [1]}), PointBlock(np.zeros((1, 3)))], "attributes"),
        (
            [PointBlock(np.zeros((1, 3)), {"a": [1]}), PointBlock(np.zeros((1, 3)), {"a": [1.5]})],
            "'a' changes its dtype",
        ),
        (
            [PointBlock(np.zeros((1, 3)), {"a": [1]}), PointBlock(np.zeros((1, 3)), {"a": ["x"]})],
            "'a' changes its dtype",
        ),
        ([PointBlock(np.zeros((1, 3)), {}, [1]), PointBlock(np.zeros((1, 3)))], "object_ids"),
    ],
)
def test_blocks_that_differ(tmp_path: Path, blocks: list[Any], problem: str) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(ArrayError, match=problem):
        write_point_blocks(tmp_path / "s", blocks, chunk_shape=CHUNK, scratch=scratch)
    assert not list(scratch.iterdir())
    assert not (tmp_path / "s").exists()


def test_refused_before_rows_are_sorted(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="out of bounds"):
        write_point_blocks(
            tmp_path / "s", [np.full((1, 3), 9.0)], chunk_shape=CHUNK, bounds=([0] * 3, [1] * 3)
        )
    write_points(tmp_path / "there", np.zeros((1, 3)), chunk_shape=CHUNK)
    with pytest.raises(StoreError, match="not empty"):
        write_point_blocks(tmp_path / "there", [np.zeros((1, 3))], chunk_shape=CHUNK)


def test_progress_and_cancel(tmp_path: Path) -> None:
    said: list[tuple[int, int | None]] = []
    blocks = [np.random.default_rng(i).random((10, 3)) * 40 for i in range(4)]

    def stop() -> bool:
        return len(said) > 2

    with pytest.raises(ZVError, match="cancelled"):
        write_point_blocks(
            tmp_path / "s",
            blocks,
            chunk_shape=CHUNK,
            progress=lambda done, total, text: said.append((done, total)),
            cancelled=stop,
        )
    assert said == [(10, None), (20, None), (30, None)]


def test_scratch_is_left_clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    write_point_blocks(tmp_path / "s", [np.zeros((3, 3))], chunk_shape=CHUNK)
    assert [p.name for p in tmp_path.iterdir()] == ["s"]
