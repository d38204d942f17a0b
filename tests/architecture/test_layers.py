"""The import contracts of ``.importlinter``, and that they can be broken."""

from __future__ import annotations

import configparser
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / ".importlinter"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", program, "--no-logo", "--no-cache", "--config", CONTRACTS.name],
        cwd=folder,
        env={"PYTHONPATH": str(folder), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_import_points_down() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("zarr_vectors/core/store.py", "import zv_viewer.model.camera"),
        ("zarr_vectors/core/keys.py", "import zarr_vectors.core.store"),
        ("zv_viewer/model/camera.py", "import zv_viewer.controller"),
        ("zv_viewer/planning/plan.py", "import zarr_vectors.core.store"),
        ("zv_viewer/planning/plan.py", "import napari"),
    ],
)
def test_a_wrong_import_is_caught(tmp_path: Path, module: str, statement: str) -> None:
    for package in ("zarr_vectors", "zv_viewer"):
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(CONTRACTS, tmp_path)
    edited = tmp_path / module
    edited.write_text(f"{edited.read_text()}\n{statement}\n")
    done = lint(tmp_path)
    assert done.returncode != 0, done.stdout
    assert "BROKEN" in done.stdout


def test_every_module_stands_in_a_layer() -> None:
    """A new module or package says where it belongs, or this fails."""
    parser = configparser.ConfigParser()
    parser.read(CONTRACTS)
    placed: set[str] = set()
    for contract in ("library", "viewer"):
        layers = parser[f"importlinter:contract:{contract}"]["layers"]
        for word in layers.replace("|", " ").replace(":", " ").split():
            placed.add(word.strip("()"))
    missing = []
    for package in ("zarr_vectors", "zv_viewer"):
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            if path.name == "__init__.py":
                continue  # re-exports; the modules behind it are placed
            if not any(name == layer or name.startswith(f"{layer}.") for layer in placed):
                missing.append(name)
    assert not missing


def test_contracts_name_modules_that_exist() -> None:
    """Layers may be announced before they are written; the packages that hold them are there."""
    for package in ("zarr_vectors", "zv_viewer"):
        assert importlib.util.find_spec(package) is not None
