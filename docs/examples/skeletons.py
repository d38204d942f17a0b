"""Neurons (SWC) as one store: ``python skeletons.py out.zarrvectors a.swc b.swc``."""

import sys
from pathlib import Path

import numpy as np

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.types.graphs import write_graph

VOXEL = 8.0
"""Nanometres."""


def convert(store: str, *files: str) -> None:
    """Write the skeletons of several neurons, one object per neuron, and a pyramid above them."""
    tables = [np.loadtxt(file, comments="#") for file in files]
    owner = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
    edges, first = [], 0
    for table in tables:
        row_of = {number: row for row, number in enumerate(table[:, 0], first)}
        pairs = zip(table[:, 0], table[:, 6], strict=True)
        edges += [(row_of[child], row_of[parent]) for child, parent in pairs if parent in row_of]
        first += len(table)
    nodes = np.concatenate(tables)
    write_graph(
        store,
        nodes[:, 2:5] * VOXEL,
        edges,  # (child, parent)
        kind="skeleton",
        chunk_shape=(32_000.0,) * 3,
        bin_shape=(1000.0,) * 3,
        axis_units=("nanometer",) * 3,
        object_ids=owner,
        object_attributes={"neuron": np.array([int(Path(name).stem) for name in files])},
        vertex_attributes={
            "radius": (nodes[:, 5] * VOXEL).astype(np.float32),
            "label": nodes[:, 1].astype(np.uint8),
        },
        attribute_units={"radius": "nanometer"},
    )
    build_pyramid(
        store,
        factors=[(1, 1), (2, 1), (2, 1)],
        attribute_aggregation={"radius": "max", "label": "mode"},
    )


if __name__ == "__main__":
    convert(*sys.argv[1:])
