"""Meshes (PLY, OBJ, STL, ...) as one store: ``python meshes.py out.zarrvectors a.ply b.obj``."""

import sys

import numpy as np
import trimesh

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.types.meshes import write_mesh

VOXEL = 8.0
"""Nanometres."""


def convert(store: str, *files: str) -> None:
    """Write several meshes, one object per file, and a pyramid above them."""
    meshes = [trimesh.load_mesh(file, process=False) for file in files]
    counts = [len(mesh.vertices) for mesh in meshes]
    first = np.cumsum([0, *counts[:-1]])
    write_mesh(
        store,
        np.concatenate([mesh.vertices for mesh in meshes]) * VOXEL,
        np.concatenate([mesh.faces + row for mesh, row in zip(meshes, first, strict=True)]),
        chunk_shape=(32_000.0,) * 3,
        bin_shape=(1000.0,) * 3,
        axis_units=("nanometer",) * 3,
        object_ids=np.repeat(np.arange(len(meshes)), counts),
        object_attributes={"area": np.array([mesh.area for mesh in meshes]) * VOXEL**2},
    )
    build_pyramid(store, factors=[(1, 1), (2, 1), (2, 1)])


if __name__ == "__main__":
    convert(*sys.argv[1:])
