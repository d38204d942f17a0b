"""Meshes of bodies: dented balls, closed surfaces each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from zarr_vectors.types.meshes import write_mesh
from zv_viewer.samples.definition import EXTENT, Sample, inside

RINGS, SECTORS = 24, 42
"""Of a body, between its poles."""

PER_BODY = RINGS * SECTORS + 2
"""Vertices of a body."""


def write_bodies(rng: np.random.Generator, sample: Sample, path: Path) -> None:
    """Bodies with the height of every vertex above their ball, and the size of every body."""
    bodies = max(sample.vertices // PER_BODY, 1)
    middle = rng.uniform(0.06, 0.94, (bodies, 1, 3)) * EXTENT
    size = rng.uniform(0.015, 0.045, bodies) * EXTENT
    ball = _ball()
    waves = rng.uniform(2, 6, (bodies, 3, 3)), rng.uniform(0, 2 * np.pi, (bodies, 1, 3))
    bumps = np.sin(np.einsum("vd,bdw->bvw", ball, waves[0]) + waves[1]).mean(axis=2)
    height = 0.25 * bumps
    places = middle + ball * (size[:, None] * (1 + height))[:, :, None]
    faces = (np.arange(bodies)[:, None, None] * PER_BODY + _faces()).reshape(-1, 3)
    write_mesh(
        str(path),
        inside(places.reshape(-1, 3)),
        faces,
        object_ids=np.repeat(np.arange(bodies), PER_BODY),
        vertex_attributes={"height": (height * size[:, None]).ravel().astype(np.float32)},
        object_attributes={"size": size.astype(np.float32)},
        **sample.grid,
    )


def _ball() -> npt.NDArray[np.float64]:
    """(PER_BODY, 3) on the unit ball: the rings from north to south, then the poles."""
    polar = np.pi * (np.arange(RINGS) + 1) / (RINGS + 1)
    around = 2 * np.pi * np.arange(SECTORS) / SECTORS
    ring = np.stack(
        [
            np.outer(np.sin(polar), np.cos(around)),
            np.outer(np.sin(polar), np.sin(around)),
            np.outer(np.cos(polar), np.ones(SECTORS)),
        ],
        axis=2,
    )
    return np.concatenate([ring.reshape(-1, 3), [[0, 0, 1.0], [0, 0, -1.0]]])


def _faces() -> npt.NDArray[np.int64]:
    """(F, 3) faces of a body, outward by the right hand."""
    here = np.arange(SECTORS)
    beside = (here + 1) % SECTORS
    rows = np.arange(RINGS - 1)[:, None] * SECTORS
    a, b = rows + here, rows + beside
    c, d = a + SECTORS, b + SECTORS
    sides = np.concatenate(
        [np.stack([a, c, b], axis=2).reshape(-1, 3), np.stack([b, c, d], axis=2).reshape(-1, 3)]
    )
    north, south, last = RINGS * SECTORS, RINGS * SECTORS + 1, (RINGS - 1) * SECTORS
    top = np.stack([np.full(SECTORS, north), here, beside], axis=1)
    bottom = np.stack([np.full(SECTORS, south), last + beside, last + here], axis=1)
    return np.concatenate([sides, top, bottom])
