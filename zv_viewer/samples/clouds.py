"""Clouds of points: cells of a tissue block, transcripts of a slice."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zarr_vectors.types.points import write_points
from zv_viewer.samples.definition import EXTENT, Sample, inside


def write_cells(rng: np.random.Generator, sample: Sample, path: Path) -> None:
    """Cells in clusters, with a kind, a cluster and an intensity."""
    count, ndim = sample.vertices, sample.ndim
    clusters = 60
    middles = rng.uniform(0.12, 0.88, (clusters, ndim)) * EXTENT
    widths = rng.uniform(0.015, 0.07, (clusters, ndim)) * EXTENT
    weights = rng.dirichlet(np.full(clusters, 1.2))
    owner = rng.choice(clusters, count, p=weights).astype(np.int32)
    places = middles[owner] + rng.standard_normal((count, ndim)) * widths[owner]
    loose = rng.random(count) < 0.03
    places[loose] = rng.uniform(0, EXTENT, (int(loose.sum()), ndim))
    owner[loose] = -1
    positions = inside(places)
    kinds = np.array(["astrocyte", "endothelial", "microglia", "neuron", "oligodendrocyte"])
    kind = kinds[np.where(loose, rng.integers(0, 5, count), owner % 5)]
    depth = positions[:, 0] / EXTENT
    intensity = (0.2 + depth + 0.15 * rng.standard_normal(count)).astype(np.float32)
    attributes = {"intensity": intensity, "cluster": owner, "cell_type": kind}
    write_points(str(path), positions, vertex_attributes=attributes, **sample.grid)


def write_transcripts(rng: np.random.Generator, sample: Sample, path: Path) -> None:
    """Transcripts around cells, in bands, with a gene and a quality."""
    count, ndim = sample.vertices, sample.ndim
    cells = 6000
    middles = rng.uniform(0, EXTENT, (cells, ndim))
    band = np.sin(middles[:, -1] / EXTENT * 9) + middles[:, 0] / EXTENT
    weights = np.exp(band)
    owner = rng.choice(cells, count, p=weights / weights.sum()).astype(np.int32)
    positions = inside(middles[owner] + rng.standard_normal((count, ndim)) * 4.0)
    genes = np.array([f"Gene{number:02d}" for number in range(40)])
    gene = genes[(owner * 7 + rng.geometric(0.25, count)) % len(genes)]
    quality = rng.beta(6, 2, count).astype(np.float32) * 40
    attributes = {"gene": gene, "quality": quality, "cell": owner}
    write_points(str(path), positions, vertex_attributes=attributes, **sample.grid)
