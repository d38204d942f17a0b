"""Vertices of graphs as points beside their edges; those without an edge are never lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from zarr_vectors.testing.kinds import make_store
from zarr_vectors.types.graphs import write_graph
from zv_viewer.layers.camera import camera_of
from zv_viewer.rows.aim import Aim
from zv_viewer.session.sizing import sizing_of
from zv_viewer.widgets.appearance import APPEARANCE_DOCK
from zv_viewer.widgets.look import BY_ATTRIBUTE, FIXED
from zv_viewer.widgets.show_store import show_store

pytestmark = pytest.mark.gui

WIDE = {"chunk_shape": (60.0,) * 3, "bin_shape": (30.0,) * 3}


def picture(viewer, session) -> np.ndarray:
    for _ in range(4):
        QApplication.processEvents()
    assert session.wait(20)
    return viewer.screenshot(canvas_only=True, flash=False)[..., :3].max(axis=-1)


def lit_at(viewer, session, image: np.ndarray, lone: bool) -> np.ndarray:
    """Brightest pixel at each vertex, of those without an edge or of all."""
    layer = session.layer
    camera = camera_of(viewer, layer)
    aim = Aim(session.scene, camera, (0.0, 0.0), 1.0)
    rows = [
        cell.positions[cell.links.lone] if lone else cell.positions
        for cell in session.controller.drawn.cells
    ]
    at, _ = aim.project(np.concatenate(rows))
    column, row = np.rint(at * image.shape[1] / camera.viewport[0]).astype(int).T
    return np.array(
        [image[r - 1 : r + 2, c - 1 : c + 2].max() for r, c in zip(row, column, strict=True)]
    )


def test_nodes_of_a_graph_are_points_of_a_size(make_napari_viewer: Callable, tmp_path: Path):
    make_store("graph", tmp_path / "store", **WIDE)
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, tmp_path / "store")
    assert session.wait(20)
    viewer.canvas.overlays.scale_bar.visible = False
    layer, look = session.layer, viewer.window.dock_widgets[APPEARANCE_DOCK].look
    assert layer.nodes
    assert look.nodes.isVisibleTo(look)
    session.color_by(None)
    both = picture(viewer, session)
    assert (lit_at(viewer, session, both, lone=False) > 100).all()
    look.sizes.setCurrentText(FIXED)
    look.least.setValue(12.0)
    large = picture(viewer, session)
    assert (large > 20).sum() > 1.2 * (both > 20).sum()
    look.sizes.setCurrentText(BY_ATTRIBUTE)
    look.least.setValue(2.0)
    look.most.setValue(16.0)
    look.size_by.attribute.setCurrentText("age")
    by_age = picture(viewer, session)
    assert sizing_of(session).spec.key == "age"
    assert (both > 20).sum() < (by_age > 20).sum()
    sizing_of(session).clear()
    look.nodes.setChecked(False)
    assert not layer.nodes
    few = picture(viewer, session)
    assert (few > 20).sum() < (both > 20).sum()
    alone = lit_at(viewer, session, few, lone=True)
    assert len(alone) > 5
    assert (alone > 100).all(), "a vertex without an edge is drawn whatever is chosen"


def test_a_vertex_without_an_edge_is_seen_at_every_level(
    make_napari_viewer: Callable, tmp_path: Path
) -> None:
    positions = np.array([[0, 0, 0], [20, 30, 40], [50, 80, 90.0]])
    write_graph(
        tmp_path / "store",
        positions,
        np.array([[1, 0]]),
        kind="skeleton",
        object_ids=np.array([0, 0, 1]),
        chunk_shape=(100.0,) * 3,
        bin_shape=(50.0,) * 3,
    )
    viewer = make_napari_viewer(show=True)
    session = show_store(viewer, tmp_path / "store")
    assert session.wait(20)
    assert not session.layer.nodes
    image = picture(viewer, session)
    assert (lit_at(viewer, session, image, lone=True) > 60).all()
    session.objects.load()
