"""Runs a script for every line that comes in, one after the other: importing napari takes longer.

A line is the script and its words as JSON; the answer is what went wrong, if anything did, and
what was printed, as JSON.
"""

from __future__ import annotations

import io
import json
import runpy
import sys
import traceback
from contextlib import redirect_stdout
from pathlib import Path


def run(script: str, *words: str) -> dict[str, str]:
    """What a script leaves."""
    out, wrong = io.StringIO(), ""
    sys.argv = [script, *words]
    sys.path[0] = str(Path(script).parent)
    with redirect_stdout(out):
        try:
            runpy.run_path(script, run_name="__main__")
        except SystemExit as stopped:
            wrong = f"it ended with {stopped.code}" if stopped.code else ""
        except Exception:  # noqa: BLE001 - told to who asked
            wrong = traceback.format_exc()
    return {"wrong": wrong, "stdout": out.getvalue()}


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(run(*json.loads(line))), flush=True)
