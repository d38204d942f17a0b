"""A display to draw on where the machine has none: an X server in memory while it is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from zv_viewer.errors import DisplayError


def has_display() -> bool:
    """Whether windows can be opened here."""
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextmanager
def a_display(width: int, height: int) -> Iterator[None]:
    """Use the machine's display, or an in-memory one of at least this size where there is none."""
    if has_display():
        yield
        return
    server = shutil.which("Xvfb")
    if server is None:
        raise DisplayError(
            "there is no display and no Xvfb to draw on; install it "
            "(Debian, Ubuntu: apt-get install xvfb)"
        )
    read_end, write_end = os.pipe()
    screen = f"{max(width, 640)}x{max(height, 480)}x24"
    command = [server, "-displayfd", str(write_end), "-screen", "0", screen, "-nolisten", "tcp"]
    process = subprocess.Popen(  # noqa: S603 - a fixed program with numbers as arguments
        [*command, "+extension", "GLX"], pass_fds=(write_end,), stderr=subprocess.DEVNULL
    )
    os.close(write_end)
    try:
        with os.fdopen(read_end) as answer:
            number = answer.readline().strip()
        if not number:
            raise DisplayError("the in-memory display (Xvfb) did not start")
        before = {name: os.environ.get(name) for name in ("DISPLAY", "QT_QPA_PLATFORM")}
        os.environ.update(DISPLAY=f":{number}", QT_QPA_PLATFORM="xcb")
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
    finally:
        process.terminate()
        process.wait()
