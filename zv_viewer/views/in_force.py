"""A view put into force in a window whose stores are open and were compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zv_viewer.session import StoreSession
from zv_viewer.state.document import LayerState, ViewFile
from zv_viewer.views.applying import (
    apply_canvas,
    apply_layer,
    apply_objects,
    apply_shapes,
    apply_sizes,
    apply_window,
    settings_of_layer,
)

SETTINGS = ("budget", "quality_px", "density_max", "level_lock")
"""What a view says of how levels are chosen."""


def put_in_force(
    viewer: Any,  # noqa: ANN401 - a napari viewer
    view: ViewFile,
    sessions: Sequence[StoreSession],
    *,
    automatic: bool,
) -> None:
    """Show what a view says; its layers stay hidden.

    Layers of the view lie over one another as they did, above those that were there.

    Args:
        viewer: The viewer.
        view: What to show.
        sessions: Of its layers, in its order; tables of objects are there where they are needed.
        automatic: Whether the budget follows the frames.

    Raises:
        InputError: A store lacks what the view names.
    """
    for session, layer in zip(sessions, view.layers, strict=True):
        settings = settings_of_layer(view, layer, session.settings)
        session.update_settings(**{name: getattr(settings, name) for name in SETTINGS})
        apply_layer(session, layer)
        if session.objects is not None:
            apply_objects(session.objects, layer)
        apply_sizes(session, layer)
        _shapes(session, layer)
        session.layer.name = layer.name
        viewer.layers.move(viewer.layers.index(session.layer), len(viewer.layers))
    sessions[0].automatic = automatic
    apply_window(viewer, view.view)
    apply_canvas(viewer, view.canvas)


def _shapes(session: StoreSession, layer: LayerState) -> None:
    """Parametric objects that are still being read follow."""
    if session.shapes is None:
        return
    if session.shapes.busy:
        session.shapes.loaded.connect(lambda: apply_shapes(session, layer))
    else:
        apply_shapes(session, layer)
