"""Every benchmark script still runs, at the smallest size that exercises all of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
PROGRAM = FOLDER / "programs" / "run_scripts.py"

SMALL = {
    "first_frame": "--rounds 1 --small 2000 --large 5000",
    "latency": "--points 300 --delay 0.002 --repeats 1 --alone --formats 0.9.2",
    "objects_table": "--objects 2000",
    "plan_times": "--cells 4 --chunks 6 --steps 3",
    "pyramids_vs_published": "--alone --scenes --size 0.3 --formats 0.9.2",
    "qa_vs_reference": "20000",
    "lines_vs_stock": "--lines 50 --faces 500 --cells 2 --rounds 1",
    "screen_error": "--points 1000000 --views 2",
    "slots_vs_stock": "--points 2000 --cells 4 --rounds 1",
}


@pytest.fixture(scope="module")
def run() -> Iterator[Callable[..., dict[str, str]]]:
    """Runs a script, all of them in one process."""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        given, told = process.stdin, process.stdout

        def one(*words: str) -> dict[str, str]:
            given.write(json.dumps(words) + "\n")
            given.flush()
            answer = told.readline()
            assert answer, "the process is gone"
            found: dict[str, str] = json.loads(answer)
            return found

        yield one


def test_every_script_is_run_here() -> None:
    scripts = {path.stem for path in FOLDER.glob("*.py") if not path.stem.startswith("test_")}
    assert set(SMALL) == scripts


@pytest.mark.gui
@pytest.mark.parametrize("name", SMALL)
def test_a_script_runs(run: Callable[..., dict[str, str]], name: str) -> None:
    done = run(str(FOLDER / f"{name}.py"), *SMALL[name].split())
    assert not done["wrong"], done["wrong"]
    assert done["stdout"].strip()
