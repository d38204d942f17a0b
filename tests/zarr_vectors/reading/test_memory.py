"""A read holds its result and little more."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from zarr_vectors.testing.large import WRITERS, write_large
from zarr_vectors.testing.memory import printed

PROGRAM = Path(__file__).with_name("read_program.py")
MOST = 1.12
"""Memory added over the bytes of the result, of some 60 MB."""

pytestmark = [
    pytest.mark.once,
    pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc"),
]


def measured(folder: Path, kind: str, part: float, version: str) -> float:
    """The peak of a read over the bytes of its result."""
    for name, size in (("small", 0.01), ("large", part)):
        write_large(kind, folder / name, version, size)
    return printed(PROGRAM, kind, folder / "small", folder / "large")


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", WRITERS)
def test_a_read_takes_little_more_than_its_result(tmp_path: Path, kind: str, version: str) -> None:
    assert measured(tmp_path, kind, 1.0, version) < MOST


@pytest.mark.slow
@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", WRITERS)
def test_so_does_a_large_read(tmp_path: Path, kind: str, version: str) -> None:
    assert measured(tmp_path, kind, 5.0, version) < MOST
