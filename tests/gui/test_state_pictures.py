"""One view-state file, two processes, one picture; a store that has changed is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.kinds import make_store
from zv_viewer.rows import InBox
from zv_viewer.sources.store import StoreSource
from zv_viewer.state import ViewFile
from zv_viewer.state.document import (
    CanvasState,
    CapsState,
    ColoursState,
    LayerState,
    LodState,
    LookState,
    WindowView,
)
from zv_viewer.views.files import write_view

pytestmark = [pytest.mark.gui, pytest.mark.once, pytest.mark.timeout(900)]


def view_of(place: Path, url: str) -> ViewFile:
    """A slice of a store, coloured and filtered."""
    source = StoreSource(str(place))
    printed = source.fingerprint()
    source.close()
    thick = (12.0, 0.0, 0.0)
    return ViewFile(
        CanvasState((320, 240), (0.1, 0.0, 0.2), scale_bar=False, axes=False),
        WindowView(
            2,
            (5.0, 0.0, 0.0),
            2.5,
            (0.0, 0.0, 90.0),
            0.0,
            (0, 1, 2),
            thick,
            thick,
            ("towards", "down", "right"),
        ),
        CapsState(100_000, 1 << 26, 1 << 26, automatic=False),
        (
            LayerState(
                url=url,
                fingerprint=printed,
                name="lines",
                kind="auto",
                visible=True,
                opacity=0.6,
                blending="translucent",
                place=None,
                colours=ColoursState("age", "magma", (0.0, 60.0), (1.0, 1.0, 1.0)),
                object_colours=None,
                look=LookState(line_width=1.0),
                sizes=None,
                planes=(),
                filters=(InBox((-60.0,) * 3, (60.0, 60.0, 40.0)),),
                objects=None,
                shapes_hidden=(),
                lod=LodState(1.0, 1.0, None, 1.0),
            ),
        ),
    )


def render(*words: str | Path) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ)
    environment.pop("DISPLAY", None)
    environment.pop("QT_QPA_PLATFORM", None)
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "zv_viewer", "render", *map(str, words)],
        capture_output=True,
        text=True,
        env=environment,
        timeout=280,
        check=False,
    )


def test_one_view_is_one_picture(tmp_path: Path) -> None:
    """The second process is told by its own sentence that the store was changed in between."""
    place, state, out = tmp_path / "lines", tmp_path / "view.json", tmp_path / "p.png"
    make_store("streamline", place, chunk_shape=(40.0,) * 3, bin_shape=(20.0,) * 3)
    write_view(view_of(place, str(place)), state)
    assert json.loads(state.read_text())["layers"][0]["url"] == "lines"
    first = render("--state", state, "-o", out)
    assert first.returncode == 0, first.stderr
    picture, made = out.read_bytes(), json.loads((tmp_path / "p.png.json").read_text())
    assert made["picture"]["size"] == [320, 240]
    assert made["stores"][0]["url"] == str(place)
    rows = [one["rows"] for one in made["stores"][0]["chunks"]]
    positions = open_zv(place)[0].vertices.compute()
    kept = positions[:, 2] <= 40
    seen = kept & (np.abs(positions[:, 0] - 5.0) <= 12)
    assert 0 < seen.sum() <= sum(rows) <= kept.sum()

    level = open_zv(place)[0]
    with level.writer() as writer:
        writer.add_attribute_sync("weight", np.arange(level.vertex_count, dtype="f4"))
    second = render("--state", state, "-o", out, "--force")
    assert second.returncode == 0, second.stderr
    assert "the attribute 'weight' is new" in second.stderr
    assert out.read_bytes() == picture
    again = json.loads((tmp_path / "p.png.json").read_text())
    assert again["state_sha256"] == made["state_sha256"]
    assert [one["digest"] for one in again["stores"][0]["chunks"]] == [
        one["digest"] for one in made["stores"][0]["chunks"]
    ]
    assert "weight" in again["notes"][0]
