"""Streamlines (TRK or TCK) as a store: ``python tracts.py in.trk out.zarrvectors``."""

import sys

import nibabel
import numpy as np

from zarr_vectors.headers import HeaderRegistry
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.types.polylines import read_polylines, write_polylines

KEPT = ("voxel_to_rasmm", "dimensions", "voxel_sizes")


def convert(source: str, store: str) -> None:
    """Write every streamline with its values and its length, and a pyramid above them."""
    file = nibabel.streamlines.load(source)
    lines = [np.asarray(line) for line in file.streamlines]
    lengths = [np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in lines]
    of_points, of_lines = file.tractogram.data_per_point, file.tractogram.data_per_streamline
    write_polylines(
        store,
        lines,
        chunk_shape=(16.0,) * 3,
        bin_shape=(2.0,) * 3,
        axis_units=("millimeter",) * 3,
        vertex_attributes={name: list(values) for name, values in of_points.items()},
        object_attributes={"length": np.array(lengths), **of_lines},
    )
    header = {key: file.header[key] for key in KEPT if key in file.header}
    HeaderRegistry(store).add("trk", header)
    build_pyramid(store, factors=[(1, 1), (2, 2), (2, 2)], sparsity_strategy="spatial_coverage")


def export(store: str, target: str, level: int = 0) -> None:
    """Write the streamlines of a level as a TRK file."""
    header = HeaderRegistry(store).get("trk")
    lines = read_polylines(store, level=level).lines
    tractogram = nibabel.streamlines.Tractogram(lines, affine_to_rasmm=np.eye(4))
    nibabel.streamlines.save(tractogram, target, header=header)


if __name__ == "__main__":
    convert(*sys.argv[1:3])
