"""Streamlines in bundles, as tractography of a brain gives them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zarr_vectors.types.polylines import write_polylines
from zv_viewer.samples.definition import EXTENT, Sample, inside

PER_LINE = 50
"""Vertices of a streamline."""

BUNDLES = 24


def write_tracts(rng: np.random.Generator, sample: Sample, path: Path) -> None:
    """Bundles of streamlines around curves, with an anisotropy along them and a length each."""
    lines = sample.vertices // PER_LINE
    control = rng.uniform(0.08, 0.92, (BUNDLES, 4, sample.ndim)) * EXTENT
    weights = rng.dirichlet(np.full(BUNDLES, 1.5))
    bundle = np.sort(rng.choice(BUNDLES, lines, p=weights)).astype(np.int32)
    first, last = rng.uniform(0, 0.15, lines), rng.uniform(0.85, 1, lines)
    t = first[:, None] + (last - first)[:, None] * np.linspace(0, 1, PER_LINE)
    basis = np.stack([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3])
    middle = np.einsum("klt,lkd->ltd", basis, control[bundle])
    offset = rng.standard_normal((lines, 1, sample.ndim)) * 0.015 * EXTENT
    spread = 0.6 + 1.8 * (2 * t - 1)[:, :, None] ** 2
    phase = rng.uniform(0, 2 * np.pi, (lines, 1, sample.ndim))
    wave = np.sin(9 * t[:, :, None] + phase) * 0.004 * EXTENT
    places = inside(middle + offset * spread + wave)
    anisotropy = 0.75 - 0.9 * (t - 0.5) ** 2 + 0.05 * rng.standard_normal(t.shape)
    steps = np.linalg.norm(np.diff(places, axis=1), axis=2)
    write_polylines(
        str(path),
        list(places),
        vertex_attributes={"anisotropy": list(anisotropy.astype(np.float32))},
        object_attributes={"length": steps.sum(axis=1).astype(np.float32), "bundle": bundle},
        groups={number: np.flatnonzero(bundle == number) for number in range(BUNDLES)},
        **sample.grid,
    )
