"""Reads the points of a store in a process of its own; prints the peak over the result's bytes."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from zarr_vectors.types.points import read_points


def resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


if __name__ == "__main__":
    small, large = sys.argv[1:]
    read_points(small, attribute_names=["a"])  # what is loaded once is loaded
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = resident("VmRSS")
    found = read_points(large, attribute_names=["a"])
    peak = resident("VmHWM") - before
    print(peak / (found.positions.nbytes + found.vertex_attributes["a"].nbytes))
