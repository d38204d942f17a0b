"""A damaged store in the window: a notification, and the rest of the store stays usable."""

from collections.abc import Callable
from pathlib import Path

import pytest
from napari.utils.notifications import notification_manager

from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import cloud, points_store
from zv_viewer.widgets.show_store import show_store

pytestmark = [pytest.mark.gui, pytest.mark.once]


def test_the_rest_is_drawn_and_the_chunk_is_named(
    make_napari_viewer: Callable, qtbot, tmp_path: Path
) -> None:
    store = tmp_path / "s"
    points_store(store, cloud(1000), chunk=25.0)
    chunk = (1, -2, 0)
    with open_zv(store) as opened:
        keys = opened[0].chunk_keys
        lost = int(opened[0].chunk_table.counts[keys.index(chunk)])
    (store / "0" / "vertices" / "1.-2.0" / "c" / "0").unlink()
    viewer = make_napari_viewer(show=True)
    notices = len(notification_manager.records)
    session = show_store(viewer, store)
    assert session.wait(20)
    stats = session.stats()
    assert stats.vertices_drawn == 1000 - lost
    assert stats.failed == 1
    (record,) = notification_manager.records[notices:]
    message = record.message
    for word in (str(chunk), "0/vertices", store.as_uri()):
        assert word in message
    session.color_by("value")
    assert session.wait(20)
    assert session.stats().vertices_drawn == 1000 - lost
