"""Clouds larger than memory: written from an iterator and made coarser within fixed bounds."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.once

PROGRAM = Path(__file__).with_name("large_cloud.py")
MOST_MIB = 1536
"""1.5 GB of resident memory, everything the process has loaded included."""


def run(
    place: Path, count: int, workers: int, version: str, links: str = "explicit"
) -> dict[str, Any]:
    shutil.rmtree(place, ignore_errors=True)
    done = subprocess.run(
        [sys.executable, str(PROGRAM), str(place), str(count), str(workers), version, links],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shutil.rmtree(place)
    return dict(json.loads(done.stdout))


def test_memory_does_not_grow_with_the_cloud(tmp_path: Path) -> None:
    small = run(tmp_path / "s", 250_000, 1, "0.9.2", "none")
    large = run(tmp_path / "s", 2_000_000, 1, "0.9.2", "none")
    # 28 bytes a row and what sorting them takes; all at once would take more than 100
    assert large["peak_mib"] - small["peak_mib"] < 1_750_000 * 100 / 2**20


@pytest.mark.slow
def test_fifty_million_points_in_one_and_a_half_gigabytes(tmp_path: Path, figures: Any) -> None:
    one = run(tmp_path / "s", 50_000_000, 1, "0.9.2")
    figures(
        f"50 M points: written in {one['write_s']:.0f} s, peak {one['write_peak_mib']:.0f} MiB; "
        f"5 levels {one['levels']} in {one['pyramid_s']:.0f} s, peak {one['peak_mib']:.0f} MiB"
    )
    assert one["peak_mib"] <= MOST_MIB
    two = run(tmp_path / "s", 50_000_000, 2, "0.9.2")
    figures(f"the same by two processes in {two['pyramid_s']:.0f} s: equal bytes")
    assert two["digest"] == one["digest"]
