"""Skeletons of neurons: a soma each, and branches that fork on their way."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from zarr_vectors.types.graphs import write_graph
from zv_viewer.samples.definition import EXTENT, Sample, inside

PER_NEURON = 500
"""Nodes of a skeleton."""

PER_BRANCH = 25
STEP = 6.0
KINDS = np.array(["basket", "chandelier", "Martinotti", "pyramidal"])
"""Of neurons: an object attribute, and a group each."""


def write_neurons(rng: np.random.Generator, sample: Sample, path: Path) -> None:
    """Skeletons with the radius of every node, and a kind and a soma's depth for every neuron."""
    neurons, branches = sample.vertices // PER_NEURON, PER_NEURON // PER_BRANCH
    places = np.zeros((neurons, branches, PER_BRANCH, sample.ndim))
    parent = np.zeros((branches, PER_BRANCH), np.int64)
    nodes = np.arange(PER_NEURON).reshape(branches, PER_BRANCH)
    soma = rng.uniform(0.1, 0.9, (neurons, sample.ndim)) * EXTENT
    for branch in range(branches):
        before = max((branch - 1) // 2, 0)
        start = places[:, before, -1] if branch > 2 else soma
        heading = rng.standard_normal((neurons, 1, sample.ndim))
        turns = np.cumsum(rng.standard_normal((neurons, PER_BRANCH, sample.ndim)) * 0.25, axis=1)
        course = heading + turns
        course /= np.linalg.norm(course, axis=2, keepdims=True)
        places[:, branch] = start[:, None] + np.cumsum(course, axis=1) * STEP
        parent[branch, 1:] = nodes[branch, :-1]
        parent[branch, 0] = nodes[before, -1] if branch > 2 else 0
    places[:, 0, 0] = soma
    first = np.arange(neurons)[:, None] * PER_NEURON
    child = np.arange(1, PER_NEURON)
    edges = np.stack([first + child, first + parent.ravel()[child]], axis=2).reshape(-1, 2)
    depth = np.repeat(np.floor(np.log2(np.arange(branches) + 1)), PER_BRANCH)
    radius = np.tile(3.0 / (1 + depth), neurons) * rng.uniform(0.8, 1.2, sample.vertices)
    radius[::PER_NEURON] = 8.0
    kind = rng.integers(0, len(KINDS), neurons)
    write_graph(
        str(path),
        inside(_folded(places.reshape(-1, sample.ndim))),
        edges,
        kind="skeleton",
        object_ids=np.repeat(np.arange(neurons), PER_NEURON),
        vertex_attributes={"radius": radius.astype(np.float32)},
        object_attributes={"kind": KINDS[kind], "depth": soma[:, -1].astype(np.float32)},
        groups={number: np.flatnonzero(kind == number) for number in range(len(KINDS))},
        **sample.grid,
    )


def _folded(places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Branches turn back at the walls."""
    return EXTENT - np.abs(EXTENT - np.mod(places, 2 * EXTENT))
