"""A read holds its result and little more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.types.points import write_points

PROGRAM = Path(__file__).with_name("read_program.py")
COUNT = 3_000_000
MOST = 1.1


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
def test_points_take_a_tenth_more_than_their_bytes(tmp_path: Path, version: str) -> None:
    rng = np.random.default_rng(5)
    for name, count in (("small", 1000), ("large", COUNT)):
        write_points(
            tmp_path / name,
            rng.random((count, 3), np.float32) * 100,
            chunk_shape=(10.0,) * 3,
            vertex_attributes={"a": np.arange(count, dtype=np.float32)},
            format_version=version,
        )
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(tmp_path / "small"), str(tmp_path / "large")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < MOST
