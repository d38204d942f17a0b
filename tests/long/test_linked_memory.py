"""Levels of more lines, trees and meshes than memory should hold, within fixed bounds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.once

PROGRAM = Path(__file__).with_name("large_linked.py")
MOST_MIB = 1536
"""1.5 GB of resident memory, everything the process has loaded included."""


def run(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(PROGRAM), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


def built(place: Path, kind: str, count: int, workers: int = 1) -> dict[str, Any]:
    shutil.rmtree(place, ignore_errors=True)
    run("write", str(place), kind, str(count), "0.9.2")
    found = run("build", str(place), str(workers))
    shutil.rmtree(place)
    return found


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("streamline", marks=pytest.mark.slow),
        pytest.param("skeleton", marks=pytest.mark.slow),
        "mesh",
    ],
)
def test_memory_does_not_grow_with_the_objects(tmp_path: Path, kind: str) -> None:
    small, large = (built(tmp_path / "s", kind, count) for count in (1_000_000, 3_000_000))
    # all at once would take some 400 bytes a vertex
    assert large["peak_mib"] - small["peak_mib"] < 2_000_000 * 160 / 2**20


@pytest.mark.slow
def test_forty_million_vertices_of_lines(tmp_path: Path, figures: Any) -> None:
    one = built(tmp_path / "s", "streamline", 40_000_000)
    figures(
        f"40 M vertices of lines: levels {one['levels']} in {one['seconds']:.0f} s, "
        f"peak {one['peak_mib']:.0f} MiB"
    )
    assert one["peak_mib"] <= MOST_MIB
    two = built(tmp_path / "s", "streamline", 40_000_000, workers=2)
    figures(f"the same by two processes in {two['seconds']:.0f} s: equal bytes")
    assert two["digest"] == one["digest"]
