"""Run a Python program where windows can open: on the machine's display, or on one in memory."""

from __future__ import annotations

import subprocess
import sys

from zv_viewer.display import a_display

if __name__ == "__main__":
    with a_display(1400, 1000):
        sys.exit(subprocess.run([sys.executable, *sys.argv[1:]], check=False).returncode)
