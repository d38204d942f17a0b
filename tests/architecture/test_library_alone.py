"""With numpy, zarr and obstore alone: the library and ``zv-view info`` work; the rest says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WITHOUT_THE_EXTRA = """
import sys
for name in ("napari npe2 qtpy PyQt5 PyQt6 vispy magicgui superqt psygnal pydantic platformdirs scipy "
             "psutil tqdm pandas skimage dask pyarrow laspy fsspec icechunk").split():
    sys.modules[name] = None  # an import of it is an ImportError
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_EXTRA + code, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def zv_view(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run("from zv_viewer.cli import main\nsys.exit(main(sys.argv[1:]))", *arguments)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
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


def test_info_works(store: Path) -> None:
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
    store: Path, tmp_path: Path, monkeypatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = [str(store) if word == "STORE" else word for word in arguments]
    done = zv_view(*words)
    assert done.returncode == 2, done.stderr
    assert "pip install 'zv-viewer[viewer]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
