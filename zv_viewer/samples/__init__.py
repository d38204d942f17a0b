"""Synthetic stores to try things on: the same bytes from the same name, made on first use."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zv_viewer.errors import InputError
from zv_viewer.samples.bodies import write_bodies
from zv_viewer.samples.clouds import write_cells, write_transcripts
from zv_viewer.samples.definition import EXTENT, Sample
from zv_viewer.samples.neurons import write_neurons
from zv_viewer.samples.tracts import write_tracts

__all__ = ["EXTENT", "REVISION", "Sample", "make_sample", "sample_store", "samples"]

REVISION = 3
"""Part of the folder name: a change of the generators makes new stores."""


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
    _WRITERS[sample.kind](np.random.default_rng(sample.seed), sample, path)
    steps = [(1.0, 1.0)] + [(2.0, sample.thin)] * (sample.levels - 2)
    build_pyramid(str(path), factors=steps, sparsity_seed=sample.seed, cross_level_storage="none")


_WRITERS: dict[str, Callable[[np.random.Generator, Sample, Path], None]] = {
    "cells": write_cells,
    "transcripts": write_transcripts,
    "tracts": write_tracts,
    "neurons": write_neurons,
    "bodies": write_bodies,
}
