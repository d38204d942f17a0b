"""`render` and `bench` as a user runs them: files and figures out.

One has a process of its own; the others share one, as starting napari takes longer than they do.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from imageio.v3 import imread

from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import cloud, points_store

pytestmark = pytest.mark.gui

RENDER_KEYS = """format_version geometry warnings levels_drawn vertices_drawn
vertices_in_view_level0 cells_in_view holes tau_px bytes_read requests wasted_bytes
refused_by_budget failed time_to_first_frame_s time_to_settled_s peak_rss_bytes settled""".split()
BENCH_KEYS = """frames frame_ms_p50 frame_ms_p95 frame_ms_p95_loading gui_stall_ms_p99
gui_stall_ms_max hole_frames oscillations plan_ms_p95""".split()


PROGRAM = Path(__file__).with_name("commands_program.py")


@pytest.fixture(scope="module")
def zv_view() -> Iterator[Callable[..., SimpleNamespace]]:
    """Runs a command with all others of this file in one process."""
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        given, told = process.stdin, process.stdout

        def run(*words: str | Path) -> SimpleNamespace:
            given.write(json.dumps([str(word) for word in words]) + "\n")
            given.flush()
            answer = told.readline()
            assert answer, "the process is gone"
            return SimpleNamespace(**json.loads(answer))

        yield run


def in_a_process_without_a_display(*words: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {n: v for n, v in os.environ.items() if n not in ("DISPLAY", "QT_QPA_PLATFORM")}
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "zv_viewer", *map(str, words)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=240,
        check=False,
    )


def test_render_without_a_display(small_store: Path, tmp_path: Path) -> None:
    out, stats = tmp_path / "p.png", tmp_path / "s.json"
    done = in_a_process_without_a_display(
        *("render", small_store, "--out", out, "--size", "500x400", "--stats", stats),
        *("--color-by", "cell_type"),
    )
    assert done.returncode == 0, done.stderr
    picture = imread(out)[..., :3]
    assert picture.shape == (400, 500, 3)
    lit = picture.max(axis=-1) > 60
    assert lit.mean() > 0.02
    assert len(np.unique(picture[lit].reshape(-1, 3), axis=0)) >= 5
    figures = json.loads(stats.read_text())
    assert set(RENDER_KEYS) <= set(figures)
    assert figures["settled"] is True
    assert figures["holes"] == figures["failed"] == figures["refused_by_budget"] == 0
    assert figures["vertices_in_view_level0"] == 5000
    assert figures["bytes_read"] > 0
    assert figures["warnings"] == []
    for key in ("holes", "failed", "requests", "refused_by_budget", "wasted_bytes"):
        assert isinstance(figures[key], int)


@pytest.mark.once
def test_a_locked_level_is_the_one_drawn(
    zv_view: Callable, small_store: Path, tmp_path: Path
) -> None:
    stats = tmp_path / "s.json"
    for level in (0, 2):
        done = zv_view(
            *("render", small_store, "--out", tmp_path / "p.png", "--stats", stats),
            *("--level", level, "--size", "400x300"),
        )
        assert done.returncode == 0, done.stderr
        drawn = json.loads(stats.read_text())["levels_drawn"]
        assert max(drawn, key=drawn.get) == str(level)


@pytest.mark.once
def test_a_thick_slab_shows_what_is_in_it(
    zv_view: Callable, small_store: Path, tmp_path: Path
) -> None:
    lit = []
    for slab in ("1", "50", "10000"):
        out = tmp_path / "p.png"
        done = zv_view(
            *("render", small_store, "--out", out, "--ndisplay", "2"),
            *("--slab", slab, "--size", "400x300"),
        )
        assert done.returncode == 0, done.stderr
        picture = imread(out)[..., :3]
        assert picture.shape[:2] == (300, 400)
        lit.append(float((picture.max(axis=-1) > 60).mean()))
    assert 0 < 1.2 * lit[0] < lit[1]
    assert 1.2 * lit[1] < lit[2]


@pytest.mark.once
def test_bench_writes_its_figures(zv_view: Callable, small_store: Path, tmp_path: Path) -> None:
    flight, stats, flown = (tmp_path / name for name in ("f.json", "s.json", "flown.json"))
    legs = [{"name": "zoom", "steps": 12, "extent_fraction": 0.1}, {"name": "back", "steps": 8}]
    flight.write_text(json.dumps({"version": 1, "legs": legs}))
    done = zv_view(
        *("bench", small_store, "--path", flight, "--record", flown, "--stats", stats),
        *("--size", "400x300", "--max-vertices", "3000", "--max-bytes", "1MB"),
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(stats.read_text())
    assert set(RENDER_KEYS + BENCH_KEYS) <= set(figures)
    assert figures["steps"] == 20
    assert figures["frames"] >= 10
    assert figures["hole_frames"] == 0
    assert figures["vertices_drawn"] <= 3000
    assert len(json.loads(flown.read_text())["views"]) == 20
    again = zv_view("bench", small_store, "--path", flown, "--size", "400x300")
    assert again.returncode == 0, again.stderr


@pytest.mark.once
def test_two_stores_in_one_picture(zv_view: Callable, small_store: Path, tmp_path: Path) -> None:
    beside, stats = tmp_path / "beside.zarrvectors", tmp_path / "s.json"
    points_store(beside, cloud(700), format_version="0.9.2")
    done = zv_view(
        *("render", small_store, beside, "--out", tmp_path / "p.png", "--stats", stats),
        *("--size", "400x300"),
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(stats.read_text())
    assert [Path(one["url"]).name for one in figures["stores"]] == [small_store.name, beside.name]
    assert figures["settled"]
    assert all(one["settled"] for one in figures["stores"])
    each = [one["vertices_drawn"] for one in figures["stores"]]
    assert figures["vertices_drawn"] == sum(each)
    assert min(each) > 0


@pytest.mark.once
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--color-by", "nothing"), "no vertex attribute 'nothing'; it has"),
        (("--level", "9"), "no level 9; it has 0, 1, 2"),
        (("--center", "1", "2"), "takes 3 numbers"),
    ],
)
def test_bad_requests_are_one_sentence(
    zv_view: Callable, small_store: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = zv_view("render", small_store, "--out", tmp_path / "p.png", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "p.png").exists()


@pytest.mark.once
@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_a_damaged_store_is_drawn_and_its_damage_told(
    zv_view: Callable, tmp_path: Path, version: str
) -> None:
    store, out, stats = tmp_path / "s", tmp_path / "p.png", tmp_path / "s.json"
    points_store(store, cloud(2000), chunk=25.0, format_version=version)
    harmed = {}
    for array, chunk in (("vertices", (1, -2, 0)), ("vertex_attributes/kind", (0, 0, -1))):
        if version == "0.7.0":
            file = store / "0" / array / ".".join(map(str, chunk)) / "c" / "0"
        else:
            file = Path(store / "0" / array / "c", *(str(c + 2) for c in chunk))
        file.write_bytes(file.read_bytes()[:-1])
        harmed[array] = chunk
    with open_zv(store) as opened:
        lost = dict(zip(opened[0].chunk_keys, opened[0].chunk_table.counts.tolist(), strict=True))
    done = zv_view(
        *("render", store, "--out", out, "--stats", stats, "--size", "500x400"),
        *("--color-by", "kind"),
    )
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if line.startswith("zv-view: ")]
    assert len(said) == 2
    assert "Traceback" not in done.stderr
    for array, chunk in harmed.items():
        (line,) = [line for line in said if array in line]
        assert str(chunk) in line
        assert store.as_uri() in line
    figures = json.loads(stats.read_text())
    assert figures["failed"] >= 2
    assert figures["settled"] is True
    assert figures["vertices_drawn"] == 2000 - lost[harmed["vertices"]]
    assert (imread(out)[..., :3].max(axis=-1) > 60).mean() > 0.02
