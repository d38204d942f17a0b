"""Write operations that die at every call in every way, and 200 processes killed."""

from __future__ import annotations

import random
import sys
from pathlib import Path
from typing import Any

import pytest

from zarr_vectors.testing.crash_runs import OPERATIONS, clean_run, fault_in, points_of_failure
from zarr_vectors.testing.crashes import WAYS
from zarr_vectors.testing.kills import KILLED, kill_once, quick_processes

VERSIONS = ["0.7.0", "0.9.2"]
KILLS = 200

pytestmark = pytest.mark.slow


def test_operations_die_at_every_call_in_every_way(figures: Any) -> None:
    tried, wrong = 0, []
    for version in VERSIONS:
        for name in OPERATIONS:
            run = clean_run(name, version)
            for at, way in points_of_failure(run, WAYS):
                fault = fault_in(run, at, way)
                wrong += [f"{name} {version}: {fault}"] if fault else []
                tried += 1
    figures(f"{tried} points of failure, {len(wrong)} bad")
    assert not wrong


@pytest.mark.skipif(sys.platform == "win32", reason="processes start too slowly")
def test_processes_are_killed(tmp_path: Path, long_seed: int, figures: Any) -> None:
    draw = random.Random(long_seed)  # noqa: S311
    wrong, killed = [], 0
    with quick_processes() as context:
        for number in range(KILLS):
            name = list(KILLED)[number % len(KILLED)]
            version = VERSIONS[number // len(KILLED) % 2]
            hit, fault = kill_once(name, version, tmp_path / str(number), draw, context)
            killed += hit
            wrong += [fault] if fault else []
    figures(f"seed {long_seed}: {KILLS} runs, {killed} killed at work, {len(wrong)} bad")
    assert not wrong, f"ZV_SEED={long_seed}"
