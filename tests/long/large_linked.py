"""A program of its own, whose memory can be measured: writes linked objects or builds their levels.

Prints one JSON object: vertices, seconds and peak memory, and a hash of every byte stored.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.types.graphs import write_graph
from zarr_vectors.types.meshes import write_mesh
from zarr_vectors.types.polylines import write_polylines

LENGTH = 100
SIDE = 10
SHAPES: dict[str, Any] = {"chunk_shape": (100.0,) * 3, "bin_shape": (5.0,) * 3}


def walks(count: int) -> np.ndarray:
    """(count / LENGTH, LENGTH, 3) lines that wander through the box."""
    rng = np.random.default_rng(count)
    objects = count // LENGTH
    steps = rng.normal(0, 1.2, (objects, LENGTH, 3)).astype("float32")
    steps[:, 0] = rng.uniform(0, 1000, (objects, 3))
    return steps.cumsum(axis=1, dtype="float32")


def sheets(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of square sheets of SIDE by SIDE, and their triangles."""
    rng = np.random.default_rng(count)
    objects = count // SIDE**2
    at = np.stack(np.meshgrid(*[np.arange(SIDE)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    positions = rng.uniform(0, 1000, (objects, 1, 3)).repeat(SIDE**2, axis=1)
    positions[:, :, :2] += at * 2.0
    corner = (np.arange(SIDE - 1)[:, None] * SIDE + np.arange(SIDE - 1)).reshape(-1)
    first = np.column_stack([corner, corner + SIDE, corner + 1])
    second = np.column_stack([corner + 1, corner + SIDE, corner + SIDE + 1])
    faces = np.concatenate([first, second]) + (np.arange(objects) * SIDE**2)[:, None, None]
    return positions.reshape(-1, 3).astype("float32"), faces.reshape(-1, 3)


def write(place: Path, kind: str, count: int, version: str) -> None:
    options: dict[str, Any] = {**SHAPES, "format_version": version}
    if kind == "mesh":
        positions, faces = sheets(count)
        ids = np.repeat(np.arange(len(positions) // SIDE**2), SIDE**2)
        write_mesh(place, positions, faces, object_ids=ids, **options)
        return
    lines = walks(count)
    values = np.random.default_rng(0).random(lines.shape[:2], dtype="float32")
    if kind == "streamline":
        named = {"speed": list(values)}
        write_polylines(place, list(lines), geometry_type=kind, vertex_attributes=named, **options)
        return
    rows = np.arange(lines.shape[0] * LENGTH).reshape(-1, LENGTH)
    edges = np.stack([rows[:, 1:], rows[:, :-1]], axis=2).reshape(-1, 2)
    ids = np.repeat(np.arange(len(lines)), LENGTH)
    named = {"radius": values.reshape(-1)}
    points = lines.reshape(-1, 3)
    write_graph(place, points, edges, kind=kind, object_ids=ids, vertex_attributes=named, **options)


def digest(root: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        found.update(str(path.relative_to(root)).encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def main(task: str, place: str, *rest: str) -> None:
    root, started = Path(place), time.perf_counter()
    levels: list[int] = []
    if task == "write":
        write(root, rest[0], int(rest[1]), rest[2])
    else:
        steps = [(1.0, 1.0), (2.0, 1.0), (2.0, 2.0)]
        options: dict[str, Any] = {"workers": int(rest[0]), "sparsity_seed": 1}
        built = build_pyramid(root, factors=steps, cross_level_storage="none", **options)
        levels = [spec["vertex_count"] for spec in built["level_specs"]]
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found = {"levels": levels, "seconds": seconds, "peak_mib": peak, "digest": digest(root)}
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
