"""What an import brings along, seen in fresh interpreters."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

LIST_MODULES = "import json, sys; print(json.dumps(list(sys.modules)))"


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that ``statement`` loads in a fresh interpreter, stdlib left out."""
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\n{LIST_MODULES}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tops = {name.partition(".")[0] for name in json.loads(done.stdout)}
    return tops - sys.stdlib_module_names


@pytest.mark.parametrize(
    ("statement", "may_load", "ours"),
    [
        ("import zarr_vectors", "import numpy, zarr", {"zarr_vectors"}),
        ("from zarr_vectors import open_zv", "import numpy, zarr", {"zarr_vectors"}),
        ("import zarr_vectors.core.store", "import numpy, zarr", {"zarr_vectors"}),
        ("import zarr_vectors.types.points", "import numpy, zarr", {"zarr_vectors"}),
        (
            "import zarr_vectors.types.graphs, zarr_vectors.types.meshes",
            "import numpy, zarr",
            {"zarr_vectors"},
        ),
        ("import zarr_vectors.multiresolution.coarsen", "import numpy, zarr", {"zarr_vectors"}),
        ("import zv_viewer", "pass", {"zv_viewer"}),
        ("import zv_viewer.model", "import numpy", {"zv_viewer"}),
        ("import zv_viewer.planning", "import numpy", {"zv_viewer"}),
        ("import zv_viewer.planning.plan", "import numpy", {"zv_viewer"}),
        ("import zv_viewer.drawing", "import numpy", {"zv_viewer"}),
        ("import zv_viewer.controller", "import numpy", {"zv_viewer", "zarr_vectors"}),
        ("import zv_viewer.plugin", "import numpy", {"zv_viewer"}),
        ("import zv_viewer.cli", "import numpy, zarr", {"zv_viewer", "zarr_vectors"}),
        (
            "import zv_viewer.commands.info",
            "import numpy, zarr",
            {"zv_viewer", "zarr_vectors"},
        ),
        ("import zv_viewer.sources.store", "import numpy, zarr", {"zv_viewer", "zarr_vectors"}),
        ("import zv_viewer.loading", "import numpy", {"zv_viewer"}),
    ],
)
def test_an_import_costs_no_more_than_this(statement: str, may_load: str, ours: set[str]) -> None:
    assert loaded_by(statement) - loaded_by(may_load) <= ours


def test_info_and_help_load_no_window() -> None:
    statement = (
        "from zv_viewer.cli import main\n"
        "import contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "    main(['--help'])\n"
        "with contextlib.redirect_stderr(io.StringIO()):\n"
        "    code = main(['info', 'there/is/no/such.zarrvectors'])\n"
        "assert code == 2, code\n"
    )
    loaded = loaded_by(statement)
    assert not loaded & {"napari", "qtpy", "PyQt5", "PyQt6", "vispy", "magicgui", "superqt"}
