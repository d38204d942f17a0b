"""Synapse tables (CSV) as one store: ``python synapses.py out.zarrvectors a.csv b.csv``."""

import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.types.points import write_points

VOXEL = 8.0
"""Nanometres."""


def convert(store: str, *tables: str) -> None:
    """Write the synapses of several neurons, one object per neuron, and a pyramid above them."""
    rows = [pyarrow.csv.read_csv(table) for table in tables]
    owner = np.repeat(np.arange(len(rows)), [len(table) for table in rows])
    table = pa.concat_tables(rows, promote_options="permissive")
    voxels = np.column_stack([table[axis].to_numpy() for axis in "xyz"])
    write_points(
        store,
        voxels * VOXEL,
        chunk_shape=(16_384.0,) * 3,
        bin_shape=(1024.0,) * 3,
        axis_units=("nanometer",) * 3,
        object_ids=owner,
        object_attributes={"neuron": np.array([int(Path(name).stem) for name in tables])},
        vertex_attributes={
            "type": np.array(table["type"].to_pylist(), dtype=str),
            "roi": np.array([name or "none" for name in table["roi"].to_pylist()], dtype=str),
            "confidence": table["confidence"].to_numpy().astype(np.float32),
        },
    )
    build_pyramid(store, factors=[(1, 1), (2, 1), (2, 1), (2, 1)])


if __name__ == "__main__":
    convert(*sys.argv[1:])
