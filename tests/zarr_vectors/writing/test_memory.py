"""A write holds its input and little more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from zarr_vectors.testing.memory import printed

PROGRAM = Path(__file__).with_name("write_program.py")
MOST = {"points": 1.4, "streamlines": 1.6, "graph": 1.5, "skeleton": 1.6, "mesh": 1.4}
"""Memory added over the input's bytes, of some 15 MB; much of it is what is put at once."""
MOST_OF_LARGE = {"points": 0.7, "streamlines": 1.4, "graph": 0.9, "skeleton": 1.5, "mesh": 0.7}
"""Of some 60 MB: what is put at once weighs less beside more."""

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc"),
]


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", MOST)
def test_a_write_adds_little_to_its_input(tmp_path: Path, kind: str, version: str) -> None:
    assert printed(PROGRAM, kind, version, tmp_path, 0.25) < MOST[kind]


@pytest.mark.slow
@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", MOST_OF_LARGE)
def test_to_a_large_input_that_is_less(tmp_path: Path, kind: str, version: str) -> None:
    assert printed(PROGRAM, kind, version, tmp_path, 1.0) < MOST_OF_LARGE[kind]
