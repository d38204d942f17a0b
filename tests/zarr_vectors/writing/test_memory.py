"""A write holds its input and little more."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

import pytest

from zarr_vectors.testing.large import BOX, WRITERS, large, write_large
from zarr_vectors.testing.memory import asked_by, bytes_of, printed

PROGRAM = Path(__file__).with_name("write_program.py")
MOST = {"points": 1.15, "streamlines": 1.6, "graph": 1.35, "skeleton": 1.55, "mesh": 1.45}
"""Memory asked for over the input's bytes, of some 15 MB; much of it is what is put at once."""
MOST_OF_LARGE = {"points": 0.7, "streamlines": 1.4, "graph": 0.9, "skeleton": 1.5, "mesh": 0.7}
"""Memory the system gives, of some 60 MB: what is put at once weighs less beside more."""

pytestmark = pytest.mark.once


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", MOST)
def test_a_write_adds_little_to_its_input(tmp_path: Path, kind: str, version: str) -> None:
    write_large(kind, tmp_path / "small", version, 0.01)  # what is loaded once is loaded
    arrays, named = large(kind, 0.25)
    place = tmp_path / "large"
    write = partial(WRITERS[kind], place, *arrays, format_version=version, **named, **BOX)
    assert asked_by(write) < MOST[kind] * bytes_of([arrays, named])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", MOST_OF_LARGE)
def test_to_a_large_input_that_is_less(tmp_path: Path, kind: str, version: str) -> None:
    assert printed(PROGRAM, kind, version, tmp_path) < MOST_OF_LARGE[kind]
