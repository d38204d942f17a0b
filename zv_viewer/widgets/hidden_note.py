"""A line on the canvas that says what a filter hides only because a level lacks an attribute."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from zv_viewer.session import StoreSession
from zv_viewer.session.filtering import Filtering


class HiddenNotes:
    """Lines about the stores of one viewer, in its text overlay while nobody else uses that.

    Args:
        viewer: A napari viewer.
    """

    def __init__(self, viewer: Any) -> None:  # noqa: ANN401 - a viewer or its public proxy
        self._overlay = viewer.canvas.overlays["text"]
        self._lines: WeakKeyDictionary[StoreSession, str] = WeakKeyDictionary()
        self._said = ""

    def listen(self, session: StoreSession, filtering: Filtering) -> None:
        """Say what is hidden of a store from now on, until it is closed."""

        def look(*_: object) -> None:
            self._say(session, hidden_words(session, filtering))

        session.changed.connect(look)
        filtering.changed.connect(look)
        session.closed.connect(lambda _: self._say(session, ""))

    def _say(self, session: StoreSession, line: str) -> None:
        if line == self._lines.get(session, ""):
            return
        self._lines[session] = line
        text = "\n".join(filter(None, self._lines.values()))
        if self._overlay.visible and self._overlay.text != self._said:
            return  # somebody else's
        self._overlay.text, self._overlay.visible, self._said = text, bool(text), text


def hidden_words(session: StoreSession, filtering: Filtering) -> str:
    """What is not drawn of a store for want of an attribute, and why; empty where nothing is."""
    controller, scene = session.controller, session.scene
    if not filtering.lacking or controller is None or scene is None or controller.plan is None:
        return ""
    planned = np.unique(controller.tree.level[controller.plan.target]).tolist()
    numbers = [scene.levels[position].index for position in planned]
    hidden = [number for number in numbers if number in filtering.lacking]
    if not hidden:
        return ""
    names = ", ".join(repr(name) for name in filtering.lacking[hidden[0]])
    if len(hidden) == 1:
        what = f"level {hidden[0]} has no {names} to filter by and is not drawn"
    else:
        what = f"levels {hidden[0]} to {hidden[-1]} have no {names} to filter by and are not drawn"
    return f"{session.layer.name}: {what}; come closer to see level {scene.levels[0].index}"
