"""A program of its own, whose memory can be measured: writes a cloud and builds its levels.

Prints one JSON object: seconds and peak memory of each half, and a hash of every byte stored.
"""

from __future__ import annotations

import hashlib
import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.types.point_blocks import PointBlock, write_point_blocks

BLOCK = 500_000


def blocks(count: int) -> Iterator[PointBlock]:
    for start in range(0, count, BLOCK):
        rng = np.random.default_rng(start)
        n = min(BLOCK, count - start)
        positions = rng.random((n, 3), dtype="float32") * 1000
        kind = rng.choice(["red", "green", "blue"], n)
        yield PointBlock(positions, {"value": rng.random(n, dtype="float32"), "kind": kind})


def peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def digest(root: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        found.update(str(path.relative_to(root)).encode())
        found.update(path.read_bytes())
    return found.hexdigest()


def main(place: str, count: int, workers: int, version: str, links: str) -> None:
    root = Path(place)
    started = time.perf_counter()
    write_point_blocks(
        root,
        blocks(count),
        chunk_shape=(50.0,) * 3,
        bin_shape=(6.25,) * 3,
        format_version=version,  # type: ignore[arg-type]
    )
    written, write_peak = time.perf_counter(), peak_mib()
    steps = [(1.0, 1.0), *[(2.0, 1.0)] * 4]
    built = build_pyramid(root, factors=steps, workers=workers, cross_level_storage=links)
    print(
        json.dumps(
            {
                "levels": [spec["vertex_count"] for spec in built["level_specs"]],
                "write_s": written - started,
                "pyramid_s": time.perf_counter() - written,
                "write_peak_mib": write_peak,
                "peak_mib": peak_mib(),
                "digest": digest(root),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:6])
