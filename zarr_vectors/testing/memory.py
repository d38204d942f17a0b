"""How much memory a call adds: its peak above what was held before.

What the system gives is measured in a process of its own; it depends on the kernel and the cores.
What Python and NumPy ask for is the same everywhere, and counts what is reserved and not touched.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

GIVE_BACK = {"MALLOC_TRIM_THRESHOLD_": "131072", "MALLOC_MMAP_THRESHOLD_": "131072"}
"""Memory that is freed goes back to the system: what is measured is what is held."""

_Found = TypeVar("_Found")


def printed(program: Path, *arguments: object) -> float:
    """The number that a Python program prints, run with :data:`GIVE_BACK`.

    Raises:
        AssertionError: It fails.
    """
    done = subprocess.run(  # noqa: S603  our own program
        [sys.executable, str(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **GIVE_BACK},
    )
    assert done.returncode == 0, done.stderr  # noqa: S101
    return float(done.stdout)


def peak_of(call: Callable[[], _Found]) -> tuple[_Found, int]:
    """What a call gives, and the bytes of memory it adds at its peak; on Linux alone."""
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = _resident("VmRSS")
    found = call()
    return found, _resident("VmHWM") - before


def asked_by(call: Callable[[], object]) -> int:
    """The bytes a call asks for and holds at its peak, those of NumPy counted too."""
    gc.collect()
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def bytes_of(found: Any) -> int:  # noqa: ANN401  results of every kind
    """Bytes of the arrays in an array, a list, a dictionary or a dataclass."""
    if isinstance(found, np.ndarray):
        return found.nbytes
    if is_dataclass(found):  # results of reads are dictionaries too
        return sum(bytes_of(getattr(found, each.name)) for each in fields(found))
    if isinstance(found, dict):
        return sum(map(bytes_of, found.values()))
    if isinstance(found, list | tuple):
        return sum(map(bytes_of, found))
    return 0


def _resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
