"""A write holds its input and little more."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("write_program.py")
MOST = {"points": 1.6, "streamlines": 3.2, "graph": 2.0, "skeleton": 2.0, "mesh": 2.0}
"""Memory added over the input's bytes, of some 15 MB; much of it is what is put at once."""
MOST_OF_LARGE = {"points": 0.8, "streamlines": 2.5, "graph": 1.0, "skeleton": 1.5, "mesh": 0.8}
"""Of some 60 MB: what is put at once weighs less beside more."""
GIVE_BACK = {"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}
"""Memory that is freed goes back to the system: what is measured is what is held."""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")


def measured(folder: Path, kind: str, part: float, version: str) -> float:
    """The peak a write adds over the bytes of its input."""
    done = subprocess.run(
        [sys.executable, str(PROGRAM), kind, version, str(folder), str(part)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **GIVE_BACK},
    )
    assert done.returncode == 0, done.stderr
    return float(done.stdout)


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", MOST)
def test_a_write_adds_little_to_its_input(tmp_path: Path, kind: str, version: str) -> None:
    assert measured(tmp_path, kind, 0.25, version) < MOST[kind]


@pytest.mark.slow
@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", MOST)
def test_to_a_large_input_that_is_less(tmp_path: Path, kind: str, version: str) -> None:
    assert measured(tmp_path, kind, 1.0, version) < MOST_OF_LARGE[kind]
