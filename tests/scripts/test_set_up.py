"""The chores: what they say where they may not install, and when they find their work done."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def machine(tmp_path: Path):
    """Run a shell script with stand-ins for some of the machine's programs."""

    def run(script: str, **programs: str) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        for name, body in programs.items():
            program = folder / name.replace("_", "-")
            program.write_text(f"#!/bin/sh\n{body}\n")
            program.chmod(0o755)
        return subprocess.run(
            ["/bin/sh", str(ROOT / script)],
            env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


def test_without_permission_it_prints_the_command_and_stops(machine) -> None:
    done = machine(
        "scripts/bootstrap.sh", ldconfig="true", id="echo 1000", sudo="exit 1", apt_get="exit 9"
    )
    assert done.returncode == 1
    command = done.stderr.strip().splitlines()[-1].strip()
    assert command.startswith("apt-get update && apt-get install -y --no-install-recommends ")
    assert {"libgl1", "libegl1", "libxcb-cursor0", "libdbus-1-3"} <= set(command.split())


def test_a_failed_installation_shows_its_output_and_the_command(machine) -> None:
    done = machine(
        "scripts/bootstrap.sh",
        ldconfig="true",
        id="echo 0",
        apt_get="echo E: no such package; exit 100",
    )
    assert done.returncode == 1
    assert "E: no such package" in done.stderr
    assert "apt-get install" in done.stderr.strip().splitlines()[-1]


def checkout(folder: Path) -> Path:
    """Enough of a checkout for the lock files to be compared."""
    for name in ("scripts", "requirements"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def check_locks(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(folder / "scripts" / "lock.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_lock_files_are_current() -> None:
    done = check_locks(ROOT)
    assert done.returncode == 0, done.stderr


def test_a_changed_dependency_makes_a_lock_file_stale(tmp_path: Path) -> None:
    folder = checkout(tmp_path)
    project = folder / "pyproject.toml"
    project.write_text(project.read_text().replace('"numpy>=2.0"', '"numpy>=2.1"'))
    done = check_locks(folder)
    assert done.returncode == 1
    assert "out of date" in done.stderr
    assert "dev" in done.stderr


@pytest.mark.parametrize(
    "path", sorted((ROOT / "requirements").glob("*.txt")), ids=lambda p: p.stem
)
def test_a_lock_file_pins_with_hashes_and_names_no_index(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    pinned = [line for line in text.splitlines() if "==" in line and not line.startswith(" ")]
    assert pinned
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text


def install_azurite(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(folder / "scripts" / "azurite.py")],
        env={**os.environ, "npm_config_offline": "true", "npm_config_cache": str(folder / "npm")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_azurite_is_installed_once_from_its_lock_file(tmp_path: Path) -> None:
    """Without a network, so that it shows when it is asked for."""
    folder = checkout(tmp_path)
    files = [folder / "requirements" / "azurite" / n for n in ("package.json", "package-lock.json")]
    whole = b"\0".join(path.read_bytes() for path in files)
    stamp = folder / ".cache" / "azurite" / "made-from"
    stamp.parent.mkdir(parents=True)
    stamp.write_text(hashlib.sha256(whole).hexdigest())
    done = install_azurite(folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    files[1].write_text(files[1].read_text() + "\n")
    done = install_azurite(folder)
    assert done.returncode == 1
    assert "could not install Azurite" in done.stderr
    assert not stamp.exists()


def test_every_package_of_azurite_is_pinned_with_its_hash() -> None:
    lock = json.loads((ROOT / "requirements" / "azurite" / "package-lock.json").read_text())
    packages = [entry for name, entry in lock["packages"].items() if name]
    assert len(packages) > 300
    assert all({"version", "integrity"} <= set(entry) for entry in packages)
    assert not any("resolved" in entry for entry in packages)
