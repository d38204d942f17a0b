"""Stores of the published releases in a window: drawn where their finest level is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zv_viewer.session import open_store
from zv_viewer.testing.pictures import ends_of, lit, pixels_of, places_on, share_lit

pytestmark = [
    pytest.mark.gui,
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore::zarr_vectors.exceptions.ZVWarning"),
]

MANY, LONG = 7, 40


def write_all(peer: Any, folder: Path) -> list[str]:
    """A store of every kind, with a pyramid of theirs."""
    rng = np.random.default_rng(8)
    start = rng.uniform(-40, 40, (MANY, 1, 3))
    walks = (start + rng.normal(0, 3, (MANY, LONG, 3)).cumsum(1)).astype(np.float32)
    rows = np.arange(MANY * LONG).reshape(MANY, LONG)
    edges = np.column_stack([rows[:, 1:].reshape(-1), rows[:, :-1].reshape(-1)])
    faces = np.column_stack([edges, edges[:, 1] - 1])[edges[:, 1] % LONG > 0]
    flat, ids = walks.reshape(-1, 3), np.repeat(np.arange(MANY), LONG)
    sizes = {"chunk_shape": [24.0] * 3}
    binned = {**sizes, "bin_shape": [6.0] * 3}

    def call(action: str, name: str, **given: Any) -> None:
        peer.call(action, store=str(folder / name), **given)

    call("write", "points", positions=flat, pyramid=1, **binned)
    call("write_paths", "line", kind="lines", endpoints=walks[:, :: LONG - 1], **sizes)
    for kind in ("polyline", "streamline"):
        cut = {"positions": flat, "starts": np.arange(MANY + 1) * LONG, "geometry_type": kind}
        call("write_paths", kind, kind="polylines", pyramid=True, **cut, **binned)
    for kind, links in (("graph", edges), ("skeleton", edges), ("mesh", faces)):
        old = peer.version == "0.7.0"
        given = {"is_tree": kind == "skeleton"} if old else {"kind": kind}
        form = {"form": "mesh"} if kind == "mesh" else {"form": "graph", **given}
        cloud = {"positions": flat, "links": links, "object_ids": ids}
        call("write_linked", kind, pyramid=1, **form, **cloud, **sizes)
    return ["points", "line", "polyline", "streamline", "graph", "skeleton", "mesh"]


def test_theirs_is_drawn_where_it_is(
    peer: Any, make_napari_viewer: Callable, qtbot: Any, tmp_path: Path
) -> None:
    viewer = make_napari_viewer(show=True)
    for kind in write_all(peer, tmp_path):
        session = open_store(viewer, tmp_path / kind)
        assert session.wait(20), kind
        session.update_settings(level_lock=0)
        assert session.wait(20), kind
        pixels = pixels_of(viewer, session.layer, places_on(ends_of(tmp_path / kind)))
        picture = lit(viewer)
        assert share_lit(picture, pixels) > 0.98, kind
        bright = np.argwhere(picture)
        assert ((bright > pixels.min(axis=0) - 8) & (bright < pixels.max(axis=0) + 8)).all(), kind
        viewer.layers.remove(session.layer)
