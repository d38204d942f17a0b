"""With numpy, zarr and obstore alone: the library and ``zv-view info`` work; the rest says so."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


def needed_by(name: str, found: dict[str, object]) -> dict[str, object]:
    """Distributions that ``name`` brings along without extras, itself included, by name."""
    if name not in found:
        found[name] = distribution(name)
        for line in found[name].requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                needed_by(requirement.name.lower(), found)
    return found


@pytest.fixture(scope="module")
def bare_site(tmp_path_factory) -> Path:
    """A folder of links to the base dependencies only, in place of site-packages."""
    site = tmp_path_factory.mktemp("site")
    for one in needed_by("zv-viewer", {}).values():
        for top in {path.parts[0] for path in one.files or ()} - {"..", "__pycache__"}:
            target = Path(one.locate_file(top))
            if target.name != "_zv_viewer.pth" and not (site / top).exists():
                (site / top).symlink_to(target)
    return site


@pytest.fixture(scope="module")
def run(bare_site: Path):
    def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-S", "-c", f"import sys\n{code}", *arguments],
            env={**os.environ, "PYTHONPATH": f"{bare_site}{os.pathsep}{ROOT}"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def zv_view(run):
    def zv_view(*arguments: str) -> subprocess.CompletedProcess[str]:
        return run("from zv_viewer.cli import main\nsys.exit(main(sys.argv[1:]))", *arguments)

    return zv_view


@pytest.fixture(scope="module")
def store(run, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("alone") / "points.zarrvectors"
    done = run(
        "import numpy as np\n"
        "from zarr_vectors.types.points import read_points, write_points\n"
        "from zarr_vectors.multiresolution.coarsen import build_pyramid\n"
        "positions = np.random.default_rng(0).uniform(0, 100, (500, 3)).astype('float32')\n"
        "write_points(sys.argv[1], positions, chunk_shape=(50.0,) * 3, bin_shape=(5.0,) * 3,\n"
        "             vertex_attributes={'name': np.where(positions[:, 0] > 50, 'a', 'b')})\n"
        "build_pyramid(sys.argv[1], factors=[(2, 1)])\n"
        "assert read_points(sys.argv[1])['vertex_count'] == 500\n",
        str(path),
    )
    assert done.returncode == 0, done.stderr
    return path


def test_info_works(zv_view, store: Path) -> None:
    done = zv_view("info", str(store))
    assert done.returncode == 0, done.stderr
    assert "500" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("STORE",),
        ("--sample", "cells"),
        ("--sample", "cells", "--make-only"),
        ("render", "STORE", "--out", "picture.png"),
        ("bench", "STORE"),
    ],
)
def test_a_command_that_needs_a_window_says_what_to_install(
    zv_view, store: Path, tmp_path: Path, monkeypatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [str(store) if word == "STORE" else word for word in arguments]
    done = zv_view(*words)
    assert done.returncode == 2, done.stderr
    assert "pip install 'zv-viewer[viewer]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_nothing_else_is_there(run) -> None:
    """The other tests mean something only if the window's libraries cannot be found."""
    done = run(
        "from importlib.util import find_spec\n"
        "names = ('napari', 'qtpy', 'scipy', 'psutil', 'platformdirs')\n"
        "there = [name for name in names if find_spec(name)]\n"
        "assert not there, there\n"
        "import numpy, zarr, obstore, zarr_vectors, zv_viewer\n"
    )
    assert done.returncode == 0, done.stderr
