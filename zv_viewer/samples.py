"""Synthetic stores to try things on: the same bytes from the same name, made on first use."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from platformdirs import user_cache_path

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.types.points import write_points
from zv_viewer.errors import InputError

EXTENT = 1000.0
"""Edge of every sample, micrometres."""

REVISION = 2
"""Part of the folder name: a change of the generators makes new stores."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample's definition, as in ``resources/samples.json``."""

    name: str
    title: str
    kind: str
    ndim: int
    vertices: int
    seed: int
    chunk: float
    bin: float
    levels: int
    format_version: str


def samples() -> dict[str, Sample]:
    """All definitions by name."""
    text = files("zv_viewer").joinpath("resources/samples.json").read_text(encoding="utf-8")
    raw: dict[str, dict[str, Any]] = json.loads(text)
    return {name: Sample(name=name, **fields) for name, fields in raw.items()}


def sample_store(name: str, progress: Callable[[str], None] = lambda text: None) -> Path:
    """Path of the sample ``name``, made if it is not there yet.

    Raises:
        InputError: There is no such sample.
    """
    known = samples()
    if name not in known:
        raise InputError(f"there is no sample {name!r}; there are {', '.join(known)}")
    folder = Path(os.environ.get("ZV_VIEWER_CACHE") or user_cache_path("zv-viewer")) / "samples"
    path = folder / f"{name}-{REVISION}.zarrvectors"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    progress(f"making the sample {name} ({known[name].vertices:,} vertices) in {folder}")
    unfinished = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
    try:
        made = unfinished / "store.zarrvectors"
        make_sample(known[name], made)
        os.replace(made, path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return path


def make_sample(sample: Sample, path: Path) -> None:
    """Write a sample with its pyramid to ``path``."""
    rng = np.random.default_rng(sample.seed)
    positions, attributes = _KINDS[sample.kind](rng, sample.vertices, sample.ndim)
    write_points(
        str(path),
        positions,
        chunk_shape=(sample.chunk,) * sample.ndim,
        bin_shape=(sample.bin,) * sample.ndim,
        bounds=([0.0] * sample.ndim, [EXTENT] * sample.ndim),
        vertex_attributes=attributes,
        axis_units=("micrometer",) * sample.ndim,
        format_version=sample.format_version,
    )
    steps = [(1.0, 1.0)] + [(2.0, 1.0)] * (sample.levels - 2)
    build_pyramid(str(path), factors=steps, cross_level_storage="none")


Made = tuple[npt.NDArray[np.float32], dict[str, npt.NDArray[np.generic]]]


def _cells(rng: np.random.Generator, count: int, ndim: int) -> Made:
    clusters = 60
    middles = rng.uniform(0.12, 0.88, (clusters, ndim)) * EXTENT
    widths = rng.uniform(0.015, 0.07, (clusters, ndim)) * EXTENT
    weights = rng.dirichlet(np.full(clusters, 1.2))
    owner = rng.choice(clusters, count, p=weights).astype(np.int32)
    places = middles[owner] + rng.standard_normal((count, ndim)) * widths[owner]
    loose = rng.random(count) < 0.03
    places[loose] = rng.uniform(0, EXTENT, (int(loose.sum()), ndim))
    owner[loose] = -1
    positions = _inside(places)
    kinds = np.array(["astrocyte", "endothelial", "microglia", "neuron", "oligodendrocyte"])
    kind = kinds[np.where(loose, rng.integers(0, 5, count), owner % 5)]
    depth = positions[:, 0] / EXTENT
    intensity = (0.2 + depth + 0.15 * rng.standard_normal(count)).astype(np.float32)
    return positions, {"intensity": intensity, "cluster": owner, "cell_type": kind}


def _transcripts(rng: np.random.Generator, count: int, ndim: int) -> Made:
    cells = 6000
    middles = rng.uniform(0, EXTENT, (cells, ndim))
    band = np.sin(middles[:, -1] / EXTENT * 9) + middles[:, 0] / EXTENT
    weights = np.exp(band)
    owner = rng.choice(cells, count, p=weights / weights.sum()).astype(np.int32)
    positions = _inside(middles[owner] + rng.standard_normal((count, ndim)) * 4.0)
    genes = np.array([f"Gene{number:02d}" for number in range(40)])
    gene = genes[(owner * 7 + rng.geometric(0.25, count)) % len(genes)]
    quality = rng.beta(6, 2, count).astype(np.float32) * 40
    return positions, {"gene": gene, "quality": quality, "cell": owner}


def _inside(places: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    positions: npt.NDArray[np.float32] = np.clip(places, 0, EXTENT).astype(np.float32)
    return positions


_KINDS: dict[str, Callable[[np.random.Generator, int, int], Made]] = {
    "cells": _cells,
    "transcripts": _transcripts,
}
