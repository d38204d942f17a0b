"""LiDAR returns (LAS or LAZ) as a store: ``python lidar.py in.laz out.zarrvectors``."""

import sys

import laspy
import numpy as np

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.types.points import write_points

CLASSES = {1: "unclassified", 2: "ground", 5: "high vegetation", 6: "building"}


def convert(source: str, store: str) -> None:
    """Write every return with its colour, class, intensity and time, and a pyramid above it."""
    cloud = laspy.read(source)
    rgb = np.column_stack([cloud.red, cloud.green, cloud.blue])
    names = [CLASSES.get(int(code), f"class {int(code)}") for code in cloud.classification]
    wkt = [record.string for record in cloud.header.vlrs.get("WktCoordinateSystemVlr")]
    write_points(
        store,
        np.column_stack([cloud.x, cloud.y, cloud.z]),
        dtype="float64",  # float32 has no digits left for centimetres at 849,000
        chunk_shape=(80.0, 80.0, 80.0),
        bin_shape=(5.0, 5.0, 20.0),
        axis_units=("foot", "foot", "foot"),
        crs={"wkt": wkt[0]} if wkt else None,  # north is then up in the viewer
        vertex_attributes={
            "rgb": (rgb if rgb.max() < 256 else rgb // 256).astype(np.uint8),
            "intensity": np.asarray(cloud.intensity),
            "gps_time": np.asarray(cloud.gps_time),
            "class": np.array(names),
        },
    )
    build_pyramid(store, factors=[(1, 1), (2, 1), (2, 1), (2, 1)])


if __name__ == "__main__":
    convert(*sys.argv[1:3])
