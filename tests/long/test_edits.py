"""Edits killed at a hundred moments; edits of more values than memory should hold."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from zarr_vectors.testing.kills import quick_processes
from zv_viewer.testing.edits import kill_once, replace, undo

pytestmark = [pytest.mark.once, pytest.mark.slow]

PROGRAM = Path(__file__).with_name("large_edit.py")
MOST_MIB = 1024
KILLS = 100


def test_killed_at_a_hundred_moments(tmp_path: Path, long_seed: int, figures: Any) -> None:
    draw = random.Random(long_seed)  # noqa: S311  a seed that can be given again
    stopped = 0
    with quick_processes() as context:
        for number in range(KILLS):
            version = ("0.7.0", "0.9.2")[number % 2]
            act = (replace, replace, undo)[number % 3]
            killed, wrong = kill_once(act, version, tmp_path, draw, context)
            assert wrong is None, f"seed {long_seed}, kill {number}, {act.__name__}: {wrong}"
            stopped += killed
    figures(f"edits: {KILLS} kills, {stopped} of them while at work: 0 wrong (seed {long_seed})")
    assert stopped > KILLS // 4


def run(*arguments: object) -> dict[str, Any]:
    words = [sys.executable, str(PROGRAM), *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_twenty_million_values(tmp_path: Path, version: str, figures: Any) -> None:
    place = tmp_path / "s"
    run("write", place, 20_000_000, version)
    for way in ("expression", "file", "lasso"):
        found = run("edit", place, tmp_path / "h", way)
        figures(
            f"20 M values from {way} ({version}): rehearsed in {found['rehearsed_s']:.0f} s, "
            f"written in {found['written_s']:.0f} s, undone in {found['undone_s']:.0f} s, "
            f"{found['keys']} keys, {found['bytes'] / 1e6:.0f} MB, peak {found['peak_mib']:.0f} MiB"
        )
        assert found["peak_mib"] <= MOST_MIB
