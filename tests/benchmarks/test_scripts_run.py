"""Every benchmark script still runs, at the smallest size that exercises all of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent

SMALL = {
    "first_frame": ("--rounds", "1", "--small", "20000", "--large", "50000"),
    "latency": (*"--points 4000 --delay 0.002 --repeats 1 --alone --formats 0.9.2".split(),),
    "objects_table": ("--objects", "30000"),
    "qa_vs_reference": ("200000",),
    "lines_vs_stock": ("--lines", "500", "--faces", "5000", "--cells", "3", "--rounds", "1"),
    "screen_error": ("--points", "1000000", "--views", "2"),
    "slots_vs_stock": ("--points", "20000", "--cells", "10", "--rounds", "1"),
}


def test_every_script_is_run_here() -> None:
    scripts = {path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("test_")}
    assert set(SMALL) == scripts


@pytest.mark.gui
@pytest.mark.parametrize("name", SMALL)
def test_a_script_runs(name: str) -> None:
    done = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), *SMALL[name]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
