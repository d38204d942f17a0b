"""Reads at 50 ms a request, side by side with the published releases on the same stores.

``ZV_PEER_07`` and ``ZV_PEER_09`` name the interpreters of the published releases; without them this
library is measured alone. Prints a table: seconds and how many times faster.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.sharding.io import shard_store
from zarr_vectors.types.points import write_points

PROGRAM = Path(__file__).parent / "programs" / "read_slowly.py"
PEERS = {"0.7.0": ("0.2.0", "ZV_PEER_07"), "0.9.2": ("0.9.2", "ZV_PEER_09")}
CHUNKS = 10
"""Along each axis."""
LONGEST = 120.0
"""Seconds after which a read is given up."""


def make(folder: Path, version: str, points: int, *, shards: bool) -> Path:
    """A cloud in 1000 chunks with two attributes and two coarse levels."""
    place = folder / f"{version}{'-packed' if shards else ''}"
    positions = np.random.default_rng(1).uniform(0, CHUNKS, (points, 3)).astype(np.float32)
    values = {"a": positions[:, 0].copy(), "b": positions[:, 1].copy()}
    options = {"chunk_shape": (1.0,) * 3, "bin_shape": (0.5,) * 3, "format_version": version}
    write_points(place, positions, vertex_attributes=values, **options)
    build_pyramid(place, factors=[(2.0, 1.0)] * 2)
    if shards:
        shard_store(place)
    return place


def seconds(python: str, job: dict[str, object], repeats: int) -> tuple[float, int] | None:
    """(median seconds, vertices read); None where it took too long."""
    found = []
    for _ in range(repeats):
        command = [python, str(PROGRAM), json.dumps(job)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LONGEST, check=True
            )
        except subprocess.TimeoutExpired:
            return None
        found.append(json.loads(done.stdout))
    return statistics.median(time for time, _ in found), found[0][1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=20_000)
    parser.add_argument("--delay", type=float, default=0.05)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--alone", action="store_true", help="without the published releases")
    parser.add_argument("--formats", nargs="+", choices=PEERS, default=list(PEERS))
    args = parser.parse_args()
    edge = CHUNKS * 0.01 ** (1 / 3)
    low = (CHUNKS - edge) / 2
    box = [[low] * 3, [low + edge] * 3]
    reads = {"coarsest level": (2, None, []), "1 % box, 2 attributes": (0, box, ["a", "b"])}
    print("| format | call | read | here | published | faster |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for version in args.formats:
            release, variable = PEERS[version]
            peer = None if args.alone else os.environ.get(variable)
            for shards in (False, True):
                place = make(Path(folder), version, args.points, shards=shards)
                for way in ("eager", "lazy"):
                    for label, (level, part, columns) in reads.items():
                        job = {
                            "store": str(place),
                            "delay": args.delay,
                            "way": way,
                            "level": level,
                            "box": part,
                            "columns": columns,
                        }
                        ours = seconds(sys.executable, job, args.repeats)
                        theirs = None if peer is None else seconds(peer, job, 1)
                        kind = f"{version}{', packed' if shards else ''}"
                        print(line(kind, way, label, ours, theirs, release, peer), flush=True)


def line(
    kind: str,
    way: str,
    label: str,
    ours: tuple[float, int] | None,
    theirs: tuple[float, int] | None,
    release: str,
    peer: str | None,
) -> str:
    """A row of the table."""
    if ours is None:
        raise SystemExit(f"{label} of {kind} took longer than {LONGEST:g} s here")
    shown = f"| {kind} | {way} | {label} | {ours[0]:.2f} s |"
    if peer is None:
        return f"{shown} | |"
    if theirs is None:
        return f"{shown} {release}: > {LONGEST:g} s | > {LONGEST / ours[0]:.0f}x |"
    if ours[1] != theirs[1]:
        return f"{shown} {release}: {theirs[0]:.2f} s, {theirs[1]} of {ours[1]} vertices | |"
    return f"{shown} {release}: {theirs[0]:.2f} s | {theirs[0] / ours[0]:.1f}x |"


if __name__ == "__main__":
    main()
