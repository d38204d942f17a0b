"""Resolve the lock files (``requirements/*.txt``), or check that they are up to date.

``python scripts/lock.py`` resolves what is out of date, ``--upgrade`` everything, and ``--check``
only compares, without a network.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tools import REQUIREMENTS, ROOT, ChoreError, find_uv

FIRST_LINE = "# Locked by scripts/lock.py from "


@dataclass(frozen=True)
class Lock:
    """A lock file: extras and groups of pyproject.toml, or requirements of its own."""

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    python: str = "3.11"


FILES = ("dask", "draco", "icechunk", "lidar", "mesh", "tables", "tracts")
"""Extras that tests of files and of other processes need."""

LOCKS = {
    "dev": Lock(extras=("viewer", *FILES), groups=("dev",)),
    "dev-qt6": Lock(extras=("viewer-qt6", *FILES), groups=("dev",)),
    "docs": Lock(groups=("docs",)),
    "peer-0.2.0": Lock(requirements=("zarr-vectors==0.2.0",)),
    "peer-0.9.2": Lock(requirements=("zarr-vectors==0.9.2",)),
    "uv": Lock(requirements=("uv>=0.8",), python="3.11"),
}


def inputs(lock: Lock) -> str:
    """A hash of all that a resolution of ``lock`` depends on, the day it is made aside."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if lock.requirements:
        asked: object = lock.requirements
    else:
        table = project["project"]
        extras = table["optional-dependencies"] if lock.extras else {}
        asked = [table["dependencies"], extras, project["dependency-groups"], project["tool"]["uv"]]
    described = json.dumps([lock.extras, lock.groups, lock.python, asked], sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()


def path_of(name: str) -> Path:
    """Where a lock file is."""
    return REQUIREMENTS / f"{name}.txt"


def resolve(name: str, lock: Lock, *, upgrade: bool) -> None:
    """Write one lock file."""
    path = path_of(name)
    command: list[str | Path] = [find_uv(), "pip", "compile", "--quiet", "--universal"]
    command += ["--python-version", lock.python, "--generate-hashes", "--no-header"]
    command += ["--upgrade"] if upgrade else []
    command += ["--output-file", path]
    for extra in lock.extras:
        command += ["--extra", extra]
    for group in lock.groups:
        command += ["--group", group]
    command += ["-"] if lock.requirements else ["pyproject.toml"]
    text = "\n".join(lock.requirements) if lock.requirements else None
    words = [str(word) for word in command]
    done = subprocess.run(words, input=text, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise ChoreError(f"{name} could not be resolved")
    path.write_text(f"{FIRST_LINE}{inputs(lock)}\n{path.read_text()}")
    print(f"resolved {path.relative_to(ROOT)}")


def is_current(name: str, lock: Lock) -> bool:
    """Whether a lock file was made from what pyproject.toml asks for now."""
    path = path_of(name)
    return path.exists() and path.read_text().startswith(f"{FIRST_LINE}{inputs(lock)}\n")


def main() -> int:
    """Parse and lock, or check."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument(
        "--upgrade", action="store_true", help="newest versions, not the locked ones"
    )
    parser.add_argument("--check", action="store_true", help="fail if a lock file is out of date")
    chosen = parser.parse_args()
    stale = [name for name, lock in LOCKS.items() if chosen.upgrade or not is_current(name, lock)]
    if chosen.check:
        if stale:
            raise ChoreError(f"out of date: {', '.join(stale)}; run `make lock`")
        return 0
    for name in stale:
        resolve(name, LOCKS[name], upgrade=chosen.upgrade)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ChoreError as error:
        sys.exit(f"error: {error}")
