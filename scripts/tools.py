"""What the chores share: folders, uv, and the Pythons of this machine. Standard library only."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements"
UV_FOLDER = ROOT / ".cache" / "uv"


class ChoreError(RuntimeError):
    """Something is missing; the message says what to do about it."""


def run(*command: str | Path) -> None:
    """Run a command in the project's root; an error ends the chore with the command's words."""
    words = [str(word) for word in command]
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(words, cwd=ROOT, env=environment, check=False)
    if done.returncode:
        raise ChoreError(f"this command failed ({done.returncode}): {' '.join(words)}")


def works(*command: str | Path) -> bool:
    """Whether a command is there and ends well."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def find_uv() -> Path:
    """uv: the one on PATH, else one of our own, installed from the lock file on first use."""
    own = UV_FOLDER / "bin" / "uv"
    for candidate in (shutil.which("uv"), Path.home() / ".local" / "bin" / "uv", own):
        if candidate is not None and works(candidate, "--version"):
            return Path(candidate)
    print("Installing uv", flush=True)
    lock = REQUIREMENTS / "uv.txt"
    install = ("install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r", lock)
    if works(sys.executable, "-c", "import ensurepip, venv"):
        run(sys.executable, "-m", "venv", "--clear", UV_FOLDER)
        run(UV_FOLDER / "bin" / "python", "-m", "pip", *install)
    elif works(sys.executable, "-m", "pip", "--version"):
        shutil.rmtree(UV_FOLDER, ignore_errors=True)
        run(sys.executable, "-m", "pip", *install, "--target", UV_FOLDER)
    else:
        raise ChoreError(
            "there is no uv, and neither pip nor venv to install it with; "
            "on Debian or Ubuntu: apt-get install python3-venv"
        )
    return own


def find_python(version: str) -> Path | None:
    """A working interpreter of a minor version (``3.13``), wherever it is kept; else None."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    managed = Path.home() / ".local" / "share" / "uv" / "python"
    kept = [
        *sorted(pyenv.glob(f"{version}*/bin/python{version}")),
        *sorted(managed.glob(f"cpython-{version}*/bin/python{version}")),
    ]
    on_path = shutil.which(f"python{version}")
    check = f"import sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '{version}')"
    for candidate in ([Path(on_path)] if on_path else []) + kept:
        if works(candidate, "-c", check):
            return candidate
    return None
