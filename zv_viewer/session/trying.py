"""Another pyramid tried for a part of an open store, beside the one it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zv_viewer.errors import InputError
from zv_viewer.layers.camera import camera_of
from zv_viewer.session.background import Background, Progress
from zv_viewer.session.looking import middle_of, view_middle
from zv_viewer.sources.store import StoreSource
from zv_viewer.what_if import BoxLevel, Question, Trial, box_around, levels_now, try_pyramid

if TYPE_CHECKING:
    from zv_viewer.session.session import StoreSession


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a question, and what the store has in the same box.

    Args:
        now: Its levels.
        trial: Those tried.
        zoom: Canvas pixels per unit of the view that the switches' factors are of.
    """

    now: tuple[BoxLevel, ...]
    trial: Trial
    zoom: float


class Trying(Background):
    """Tries pyramids for what lies around the middle of the view.

    Args:
        session: Open.
        viewer: Its viewer.
    """

    tells: ClassVar = (*Background.tells, ValueError)

    def __init__(self, session: StoreSession, viewer: Any) -> None:  # noqa: ANN401 - napari's
        super().__init__(session, viewer)
        self.tried: Tried | None = None

    @property
    def level_numbers(self) -> tuple[int, ...]:
        """Levels the store has now."""
        scene = self._session.scene
        return (0,) if scene is None else tuple(level.index for level in scene.levels)

    def ask(self, question: Question, most: int) -> None:
        """Try a pyramid for the chunks around the middle of the view.

        Args:
            question: The pyramid.
            most: Vertices of level 0 to try it with, about.

        Raises:
            InputError: The store is of a kind that cannot be read so.
        """
        session, controller = self._session, self._session.controller
        source = None if controller is None else controller.source
        if not isinstance(source, StoreSource) or session.scene is None:
            raise InputError(f"{session.path} cannot be read for this")
        camera = camera_of(self._viewer, session.layer)
        middle = view_middle(self._viewer, session.layer)
        hidden = np.isnan(middle)
        middle[hidden] = middle_of(session.scene, camera)[hidden]
        zoom = float(self._viewer.scene.camera.zoom)
        scene, settings = session.scene, session.settings

        def work(progress: Progress, cancelled: Callable[[], bool]) -> Tried:
            with source.opened_again() as store:
                box = box_around(store, middle, most)
                progress(0, 1, "looking at the levels there are")
                now = levels_now(store, scene, box, camera, settings, cancelled=cancelled)
                trial = try_pyramid(
                    store,
                    box,
                    question,
                    camera,
                    settings,
                    progress=progress,
                    cancelled=cancelled,
                )
                return Tried(now, trial, zoom)

        self.begin(work)

    def take(self, answer: Tried) -> None:
        """Keep what was tried."""
        self.tried = answer


def trying_of(session: StoreSession, viewer: Any) -> Trying:  # noqa: ANN401 - a napari viewer
    """What tries pyramids for a session's store; always the same one."""
    return Trying.of(session, viewer)
