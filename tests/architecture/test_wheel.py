"""What is in a wheel, built from the checkout and from the source archive, and imported from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

pytest.importorskip("hatchling", reason="building needs the lint group")

LOOK = """
import json
from importlib.metadata import distribution, entry_points
from importlib.resources import files
import zarr_vectors, zv_viewer

root = files("zv_viewer")
scripts = {e.name: e.value for e in entry_points(group="console_scripts")}
print(json.dumps({
    "from": [zv_viewer.__file__, zarr_vectors.__file__],
    "version": distribution("zv-viewer").version,
    "script": scripts["zv-view"],
    "manifest": root.joinpath("napari.yaml").read_text(),
    "resources": sorted(p.name for p in root.joinpath("resources").iterdir()),
    "typed": [files(p).joinpath("py.typed").is_file() for p in ("zv_viewer", "zarr_vectors")],
}))
"""


def build(source: Path, target: str, out: Path) -> Path:
    out.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(out)],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (made,) = out.iterdir()
    return made


def install(wheel: Path, site: Path) -> dict[str, object]:
    """Unpack a wheel and look at it from a fresh interpreter."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    done = subprocess.run(
        [sys.executable, "-c", LOOK],
        cwd=site.parent,
        env={**os.environ, "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def source_archive(tmp_path_factory) -> Path:
    return build(ROOT, "sdist", tmp_path_factory.mktemp("sdist") / "out")


@pytest.mark.parametrize("start", ["checkout", "source archive"])
def test_a_wheel_holds_all_that_is_needed(start: str, tmp_path: Path, source_archive: Path) -> None:
    source = ROOT
    if start == "source archive":
        with tarfile.open(source_archive) as archive:
            # Python 3.11.2 of Debian 12 knows no filters; the archive is our own
            safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            archive.extractall(tmp_path / "source", **safe)  # type: ignore[arg-type]
        (source,) = (tmp_path / "source").iterdir()
    site = tmp_path / "site"
    seen = install(build(source, "wheel", tmp_path / "out"), site)
    assert all(str(path).startswith(str(site)) for path in seen["from"])
    assert seen["script"] == "zv_viewer.cli:main"
    assert seen["manifest"] == (ROOT / "napari.yaml").read_text(encoding="utf-8")
    assert seen["resources"] == sorted(path.name for path in (ROOT / "resources").iterdir())
    assert seen["typed"] == [True, True]


def test_a_wheel_holds_nothing_else(tmp_path: Path) -> None:
    wheel = build(ROOT, "wheel", tmp_path / "out")
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"zarr_vectors", "zv_viewer"}
