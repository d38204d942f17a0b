"""Does the first picture of a large store come as soon as that of a small one?

    python tests/benchmarks/first_frame.py [--rounds 5] [--small 100000] [--large 10000000]

Makes two stores of the same kind, opens them in turn, each time in a fresh process with a window,
and compares the time from the call that opens the store to the first frame with data.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from zv_viewer.samples import Sample, make_sample, samples

GOAL = 1.5


def sample_of(vertices: int) -> Sample:
    """The 3-D sample with so many vertices, in chunks of about as many as in the large one."""
    large = samples()["cells-10m"]
    if vertices >= 1_000_000:
        return replace(large, vertices=vertices)
    return replace(large, vertices=vertices, chunk=250.0, bin=31.25, levels=4)


def first_frame_s(store: Path, folder: Path) -> float:
    """One opening in a process of its own."""
    stats = folder / "stats.json"
    subprocess.run(
        [
            *(sys.executable, "-W", "ignore", "-m", "zv_viewer", "render", store),
            *("--out", folder / "p.png", "--stats", stats, "--size", "800x600"),
            *("--max-vertices", "500000", "--max-bytes", "128MB"),
        ],
        check=True,
        capture_output=True,
    )
    return float(json.loads(stats.read_text())["time_to_first_frame_s"])


def main() -> None:
    """Print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=10_000_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        stores = {}
        for label, vertices in (("small", args.small), ("large", args.large)):
            stores[label] = folder / f"{label}.zarrvectors"
            make_sample(sample_of(vertices), stores[label])
        times: dict[str, list[float]] = {label: [] for label in stores}
        for _ in range(args.rounds):
            for label, store in stores.items():
                times[label].append(first_frame_s(store, folder))
    small, large = (statistics.median(times[label]) for label in ("small", "large"))
    ratio = statistics.median(b / a for a, b in zip(*times.values(), strict=True))
    print(f"{args.small:,} vertices: {small:.2f} s, {args.large:,} vertices: {large:.2f} s")
    print(f"ratio {ratio:.2f} (goal: at most {GOAL})")


if __name__ == "__main__":
    main()
