"""A read holds its result and little more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.types.graphs import write_graph
from zarr_vectors.types.meshes import write_mesh
from zarr_vectors.types.points import write_points
from zarr_vectors.types.polylines import write_polylines

PROGRAM = Path(__file__).with_name("read_program.py")
POINTS = 3_000_000
MOST = {"points": 1.1, "streamlines": 1.2, "graph": 1.2, "skeleton": 1.2, "mesh": 1.2}
"""Of some 60 MB; what is fetched at once weighs less beside more."""
MOST_OF_LARGE = 1.15
GIVE_BACK = {"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}
"""Memory that is freed goes back to the system: what is measured is what is held."""
BOX: dict[str, Any] = {"chunk_shape": (10.0,) * 3, "bounds": ([0] * 3, [100] * 3)}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")


def walks(count: int, steps: int) -> np.ndarray:
    """(count, steps, 3) float32: about ten vertices in every chunk a line passes."""
    rng = np.random.default_rng(5)
    moves = rng.normal(0, 0.4, (count, steps, 3)).cumsum(axis=1)
    lines: np.ndarray = np.clip(rng.random((count, 1, 3)) * 100 + moves, 0, 100)
    return lines.astype(np.float32)


def write(kind: str, place: Path, part: float, version: str) -> None:
    if kind == "points":
        count = int(POINTS * part)
        positions = np.random.default_rng(5).random((count, 3), np.float32) * 100
        values = {"a": np.arange(count, dtype=np.float32)}
        write_points(place, positions, vertex_attributes=values, format_version=version, **BOX)
    elif kind == "streamlines":
        write_polylines(place, list(walks(int(9000 * part), 500)), format_version=version, **BOX)
    elif kind == "mesh":
        vertices, faces = sheet(int(1000 * part**0.5))
        ids = (vertices[:, 0] // 25).astype(np.int64)
        write_mesh(place, vertices, faces, object_ids=ids, format_version=version, **BOX)
    else:
        lines = walks(int(2000 * part), 1000)
        rows = np.arange(lines[..., 0].size).reshape(lines.shape[:2])
        edges = np.stack([rows[:, 1:], rows[:, :-1]], axis=-1).reshape(-1, 2)
        ids = np.repeat(np.arange(len(lines)), lines.shape[1])
        write_graph(
            place,
            lines.reshape(-1, 3),
            edges,
            kind=kind,
            object_ids=ids,
            format_version=version,
            **BOX,
        )


def sheet(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and triangles of a wavy sheet."""
    line = np.linspace(0, 100, side)
    x, y = (axis.reshape(-1) for axis in np.meshgrid(line, line, indexing="ij"))
    vertices = np.column_stack([x, y, 50 + 30 * np.sin(x / 9) * np.cos(y / 7)]).astype(np.float32)
    rows = np.arange(side * side).reshape(side, side)
    a, b, c, d = (
        part.reshape(-1) for part in (rows[:-1, :-1], rows[:-1, 1:], rows[1:, :-1], rows[1:, 1:])
    )
    return vertices, np.concatenate([np.column_stack([a, b, c]), np.column_stack([b, d, c])])


def measured(folder: Path, kind: str, part: float, version: str) -> float:
    """The peak of a read over the bytes of its result."""
    for name, size in (("small", 0.01), ("large", part)):
        write(kind, folder / name, size, version)
    done = subprocess.run(
        [sys.executable, str(PROGRAM), kind, str(folder / "small"), str(folder / "large")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **GIVE_BACK},
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", MOST)
def test_a_read_takes_little_more_than_its_result(tmp_path: Path, kind: str, version: str) -> None:
    assert measured(tmp_path, kind, 1.0, version) < MOST[kind]


@pytest.mark.slow
@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", MOST)
def test_of_a_large_read_that_is_less(tmp_path: Path, kind: str, version: str) -> None:
    assert measured(tmp_path, kind, 5.0, version) < MOST_OF_LARGE
