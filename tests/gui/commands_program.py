"""Runs ``zv-view`` once for every line that comes in, one after the other in one process.

A line is the words as JSON; the answer is the exit code and what was printed, as JSON.
"""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout

from zv_viewer.cli import main


def run(words: list[str]) -> dict[str, object]:
    """What the command leaves."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code: object = main(words)
        except SystemExit as stopped:
            code = stopped.code
    return {"returncode": code, "stdout": out.getvalue(), "stderr": err.getvalue()}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(json.loads(line))), flush=True)
