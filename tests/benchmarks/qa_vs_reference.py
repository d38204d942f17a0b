"""``zv-view qa`` against the least that a report takes: each level read once, a k-d tree by blocks.

    python tests/benchmarks/qa_vs_reference.py [VERTICES]

Makes a cloud with an attribute and its pyramid, then measures both, each in a process of its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CHUNK = 20.0
BLOCK = 1_000_000
SEED = 5


def make(place: str, count: int) -> None:
    """A clumped cloud in a cube whose chunks hold some 10,000 vertices, and its levels."""
    from zarr_vectors.multiresolution.coarsen import build_pyramid
    from zarr_vectors.types.points import write_points

    rng = np.random.default_rng(SEED)
    edge = CHUNK * max(2, round((count / 10_000) ** (1 / 3)))
    middles = rng.uniform(0, edge, (max(count // 20_000, 1), 3))
    positions = middles[rng.integers(0, len(middles), count // 2)]
    positions = np.mod(positions + rng.normal(0, edge / 30, positions.shape), edge)
    positions = np.concatenate([positions, rng.uniform(0, edge, (count - len(positions), 3))])
    write_points(
        place,
        positions.astype(np.float32),
        vertex_attributes={"height": positions[:, 2].astype(np.float32)},
        chunk_shape=(CHUNK,) * 3,
        bin_shape=(CHUNK / 16,) * 3,
        format_version="0.9.2",
    )
    build_pyramid(place, factors=[2.0, 2.0, 2.0, 2.0], cross_level_storage="none")


def reference(place: str) -> None:
    """Every level read once; of every block, distances from level 0 to each level."""
    from scipy.spatial import cKDTree

    from zarr_vectors.lazy import open_zv

    with open_zv(place) as store:
        above = {}
        for number in store.levels[1:]:
            level = store[number]
            rows = level.read_chunks(level.chunk_table.coords, ["height"])
            above[number] = np.concatenate([chunk.positions for chunk in rows.values()])
        finest = store[0]
        table = finest.chunk_table
        distances = {number: [] for number in above}
        ends = np.cumsum(table.counts)
        first = 0
        while first < len(ends):
            done = ends[first - 1] if first else 0
            last = max(first + 1, int(np.searchsorted(ends, done + BLOCK, side="right")))
            rows = finest.read_chunks(table.coords[first:last], ["height"])
            block = np.concatenate([chunk.positions for chunk in rows.values()])
            low, high = block.min(axis=0), block.max(axis=0)
            for number, points in above.items():
                reach = 2 * np.linalg.norm(store.bin_shape_at(number))
                near = points[((points >= low - reach) & (points <= high + reach)).all(axis=1)]
                distances[number].append(cKDTree(near).query(block)[0])
            first = last
        for number, found in distances.items():
            p50, p95 = np.percentile(np.concatenate(found), (50, 95))
            print(f"  reference: level {number}: {p50:.4g} {p95:.4g}", file=sys.stderr)


def qa(place: str) -> None:
    """The report."""
    from zarr_vectors.lazy import open_zv
    from zv_viewer.qa.inspect import inspect_store

    with open_zv(place) as store:
        report = inspect_store(store)
    assert not report.alarms, report.alarms[:3]
    for level in report.levels[1:]:
        print(
            f"  qa: level {level.level}: {level.error_p50:.4g} {level.error_p95:.4g}",
            file=sys.stderr,
        )


def measured(what: str, place: str) -> dict[str, float]:
    """Seconds of the clock and of the processor, and the peak of memory in MB, of one of them."""
    command = [sys.executable, __file__, what, place]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    sys.stderr.write(done.stderr)
    done.check_returncode()
    return dict(json.loads(done.stdout))


def main(words: list[str]) -> None:
    if len(words) == 2 and words[0] in ("reference", "qa"):
        begun, work = time.perf_counter(), time.process_time()
        {"reference": reference, "qa": qa}[words[0]](words[1])
        unit = 1 << 20 if sys.platform == "darwin" else 1024
        told = {
            "seconds": round(time.perf_counter() - begun, 2),
            "cpu": round(time.process_time() - work, 2),
            "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit),
        }
        print(json.dumps(told))
        return
    if len(words) == 3 and words[0] == "make":
        make(words[1], int(words[2]))
        return
    count = int(words[0]) if words else 20_000_000
    with tempfile.TemporaryDirectory() as folder:
        place = str(Path(folder) / "cloud.zarrvectors")
        # in a process of its own: those that follow would count its memory as theirs
        subprocess.run([sys.executable, __file__, "make", place, str(count)], check=True)
        found = {what: measured(what, place) for what in ("reference", "qa")}
    ratio = found["qa"]["cpu"] / found["reference"]["cpu"]
    print(json.dumps({"vertices": count, **found, "ratio": round(ratio, 2)}, indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
