"""Hostile Draco bitstreams, decoded in a child with limits: a named error or what was declared.

The parser is another's, in C++: what it could do wrong ends a child, and is told by how it ended.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest

from zarr_vectors.encoding import draco
from zarr_vectors.exceptions import DracoError

PROGRAM = """
import resource, sys, time
import numpy as np
import DracoPy
from zarr_vectors.encoding import draco
from zarr_vectors.testing.feeding import Decoder, Tally, run_block

resource.setrlimit(resource.RLIMIT_CPU, (600, 600))
rng = np.random.default_rng(0)
valid = []
for count, faces in ((200, 300), (50, 0), (500, 900)):
    ends = rng.integers(0, count, (faces, 3))
    apart = (ends != np.roll(ends, 1, axis=1)).all(axis=1)
    valid.append(draco.encode(rng.uniform(0, 10, (count, 3)), ends[apart], 11))
x, y = np.divmod(np.arange(400), 20)
corners = np.flatnonzero((x < 19) & (y < 19))
valid.append(
    DracoPy.encode(
        np.stack([x, y, x * y], 1).astype("f4"),
        np.stack([corners, corners + 1, corners + 20], 1).astype("u4"),
    )
)
counts = {draco.declared(blob)[0] for blob in valid}

def look(blob):
    count = draco.declared(blob)[0]
    rows, faces = draco.decode(blob, count if count in counts else 200)
    assert rows.shape == (count, 3) and np.isfinite(rows).all()
    assert not len(faces) or 0 <= faces.min() <= faces.max() < count

for blob in valid:
    look(blob)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, used + 2**28))
seed, seconds, tally = int(sys.argv[1]), float(sys.argv[2]), Tally()
begun = time.monotonic()
block = 0
while not block or time.monotonic() - begun < seconds:
    run_block(Decoder("draco", valid, look), seed + block, tally, closely=False)
    block += 1
assert 0 < tally.refused < tally.inputs
print(tally)
"""


def in_a_child(seed: int, seconds: float) -> str:
    """What a child says that decodes for some seconds."""
    pytest.importorskip("DracoPy")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(seed), str(seconds)],
        capture_output=True,
        text=True,
        timeout=seconds + 120,
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, (
        f"ZV_SEED={seed}, ended with {done.returncode}: {done.stderr[-3000:]}"
    )
    return done.stdout


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are of Linux")
def test_some_mutated_bitstreams(short_seed: int) -> None:
    assert "inputs" in in_a_child(short_seed, 0)


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits are of Linux")
def test_many_mutated_bitstreams(long_seed: int, long_seconds: float, figures: Any) -> None:
    figures(f"seed {long_seed}, {in_a_child(long_seed, long_seconds)}")


@pytest.mark.parametrize("size", [2**31 - 1, 2**32 - 1])
def test_what_a_bitstream_declares_is_not_believed(size: int) -> None:
    cloud = b"DRACO" + bytes([2, 3, 0, 0, 0, 0]) + size.to_bytes(4, "little")
    with pytest.raises(DracoError, match="declares"):
        draco.decode(cloud, 10)
    with pytest.raises(DracoError, match="declares"):
        draco.decode(cloud, size)
