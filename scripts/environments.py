"""Make the environments the chores run in, from lock files; ready ones are left alone.

Usage: python scripts/environments.py make [--python PYTHON] NAME ...
       python scripts/environments.py list
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tools import REQUIREMENTS, ROOT, ChoreError, find_python, find_uv, run, works


@dataclass(frozen=True)
class Environment:
    """A venv: where it is, what is locked for it, and whether the project is installed in it."""

    folder: str
    lock: str
    version: str | None = None
    project: bool = True


# PyQt5 has no build for Linux on arm64; there PyQt6 is the default.
_DEFAULT = "dev-qt6" if platform.machine() == "aarch64" else "dev"

ENVIRONMENTS = {
    "main": Environment(".venv", _DEFAULT),
    "py311": Environment(".venv-py311", _DEFAULT, version="3.11"),
    "py313": Environment(".venv-py313", _DEFAULT, version="3.13"),
    "qt6": Environment(".venv-qt6", "dev-qt6"),
    "peer07": Environment(".venv-peer-0.2.0", "peer-0.2.0", project=False),
    "peer09": Environment(".venv-peer-0.9.2", "peer-0.9.2", project=False),
    "docs": Environment(".venv-docs", "docs", project=False),
}


def fingerprint(environment: Environment, python: Path) -> str:
    """Changes when what an environment is made of changes."""
    parts = [(REQUIREMENTS / f"{environment.lock}.txt").read_bytes(), str(python).encode()]
    if environment.project:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        built_from = [project["build-system"], project["project"], project["tool"]["hatch"]]
        parts += [json.dumps(built_from, sort_keys=True).encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def make(name: str, default_python: Path) -> bool:
    """Make one environment; False where its Python is not on this machine."""
    environment = ENVIRONMENTS[name]
    python = default_python
    if environment.version is not None:
        found = find_python(environment.version)
        if found is None:
            return False
        python = found
    folder = ROOT / environment.folder
    stamp = folder / "made-from"
    wanted = fingerprint(environment, python)
    current = stamp.exists() and stamp.read_text() == wanted
    if current and works(folder / "bin" / "python", "-c", ""):
        return True
    uv = find_uv()
    print(f"Making {environment.folder} ({environment.lock}, {python})", flush=True)
    stamp.unlink(missing_ok=True)
    run(uv, "venv", "--quiet", "--clear", "--no-project", "--python", python, folder)
    into = ("--python", folder / "bin" / "python")
    lock = REQUIREMENTS / f"{environment.lock}.txt"
    run(uv, "pip", "sync", "--quiet", *into, "--require-hashes", "--only-binary", ":all:", lock)
    if environment.project:
        plain = ("--no-deps", "--no-build-isolation")
        run(uv, "pip", "install", "--quiet", *into, *plain, "--editable", ROOT)
    stamp.write_text(wanted)
    return True


def main() -> int:
    """Parse and make."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make", help="make these environments")
    making.add_argument("--python", type=Path, default=Path(sys.executable))
    making.add_argument("names", nargs="+", choices=sorted(ENVIRONMENTS), metavar="NAME")
    commands.add_parser("list", help="names and folders")
    chosen = parser.parse_args()
    if chosen.command == "list":
        for name, environment in ENVIRONMENTS.items():
            print(f"{name:8} {environment.folder}")
        return 0
    for name in chosen.names:
        if not make(name, chosen.python):
            raise ChoreError(
                f"the environment {name} needs Python {ENVIRONMENTS[name].version}, "
                "which this machine does not have"
            )
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ChoreError as error:
        sys.exit(f"error: {error}")
