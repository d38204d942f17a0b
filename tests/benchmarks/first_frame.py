"""Does the first picture of a large store come as soon as that of a small one?

    python tests/benchmarks/first_frame.py [--rounds 5] [--small 100000] [--large 10000000]
    python tests/benchmarks/first_frame.py --start [--rounds 5] [--small 100000]

Makes two stores of the same kind, opens them in turn, each time in a fresh process with a window,
and compares the time from the call that opens the store to the first frame with data.

With ``--start``: seconds from the start of ``zv-view STORE`` to the first frame with data, for a
store of points and one of neurons, with the coarsest cells read while napari is imported and, in
turn, without. It needs a display.
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


START = """
import os, sys, time
import psutil
from zv_viewer import app, display
from zv_viewer.session import opening
store, ahead = sys.argv[1:]
if ahead == "0":
    opening.FIRST_CELLS = 0

def until_painted():
    import napari
    from qtpy.QtWidgets import QApplication
    from zv_viewer.session import sessions_in
    from zv_viewer.session.paint import PaintWatch
    viewer, painted = napari.current_viewer(), []

    def on_paint(seconds):
        stats = [session.stats() for session in sessions_in(viewer.layers)]
        if stats and all(one and one.vertices_drawn for one in stats):
            painted.append(time.time())

    watch = PaintWatch(viewer, on_paint)
    end = time.time() + 60
    while not painted and time.time() < end:
        QApplication.processEvents()
        time.sleep(0.001)
    print(painted[0] - psutil.Process().create_time(), flush=True)
    os._exit(0)

def run_by_us():
    import napari
    napari.run = until_painted
    return True

display.has_display = run_by_us
app.run([store])
"""


def start_up_s(store: Path, *, ahead: bool) -> float:
    """Seconds from the start of a process to its first frame with data."""
    command = [sys.executable, "-W", "ignore", "-c", START, str(store), str(int(ahead))]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(found.stdout.split()[-1])


def compare_starts(folder: Path, rounds: int, vertices: int) -> None:
    """Print medians with and without reading ahead, in turn."""
    made = {"points": sample_of(vertices), "neurons": samples()["neurons"]}
    for label, sample in made.items():
        store = folder / f"{label}.zarrvectors"
        make_sample(sample, store)
        pairs = [[start_up_s(store, ahead=ahead) for ahead in (False, True)] for _ in range(rounds)]
        without, ahead = (statistics.median(times) for times in zip(*pairs, strict=True))
        gain = statistics.median(before - after for before, after in pairs)
        print(f"{label}: {without:.2f} s, read ahead {ahead:.2f} s, gain {gain:.2f} s")


def main() -> None:
    """Print the medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--small", type=int, default=100_000)
    parser.add_argument("--large", type=int, default=10_000_000)
    parser.add_argument("--start", action="store_true")
    args = parser.parse_args()
    if args.start:
        with tempfile.TemporaryDirectory() as name:
            compare_starts(Path(name), args.rounds, args.small)
        return
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
