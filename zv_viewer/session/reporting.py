"""The report on a pyramid in a window: run in a thread, opened from a file, gone through."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from zv_viewer.errors import InputError
from zv_viewer.layers.cells import CellLayer
from zv_viewer.model.scene import LevelInfo, SceneInfo
from zv_viewer.qa.inspect import inspect_store
from zv_viewer.qa.report import Finding, Report
from zv_viewer.session.background import Background, Progress
from zv_viewer.session.jumping import look_at
from zv_viewer.session.latest import Latest
from zv_viewer.sources.base import KnowsPlaces
from zv_viewer.sources.store import StoreSource

if TYPE_CHECKING:
    from zv_viewer.session.session import StoreSession

Float = npt.NDArray[np.float64]

AROUND = 4.0
"""Bins of the level on either side of a place that is gone to."""


class Reporting(Background):
    """The report on one store: made, or read from a file, and the way to what it found.

    Args:
        session: Open.
        viewer: Its viewer.
    """

    def __init__(self, session: StoreSession, viewer: Any) -> None:  # noqa: ANN401 - napari's
        super().__init__(session, viewer)
        self._places = Latest("zv-report-places")
        self.report: Report | None = None

    def run(self) -> None:
        """Look at the whole store, in the background.

        Raises:
            InputError: It is of a kind that cannot be looked at.
        """
        controller = self._session.controller
        source = None if controller is None else controller.source
        if not isinstance(source, StoreSource):
            raise InputError(f"{self._session.path} cannot be inspected")

        def work(progress: Progress, cancelled: Callable[[], bool]) -> Report:
            with source.opened_again() as store:
                return inspect_store(store, progress=progress, cancelled=cancelled)

        self.begin(work)

    def open(self, path: str | Path) -> None:
        """Read a report that was written as JSON, in the background."""
        self.begin(lambda progress, cancelled: read_report(Path(path)))

    def cancel(self) -> None:
        """Stop; what was found until then is shown."""
        self._stop.set()

    def close(self, *_: object) -> None:
        """The session is closed."""
        super().close()
        self._places.close()

    def take(self, answer: Report) -> None:
        """Keep a report."""
        self.report = answer

    def go_to(self, finding: Finding, *, lock: bool = True) -> None:
        """Move the camera to where a finding is.

        Args:
            finding: Of the report.
            lock: Show its level, whatever the view.
        """
        session, scene = self._session, self._session.scene
        controller = session.controller
        if scene is None or controller is None:
            return
        if lock and finding.level in [level.index for level in scene.levels]:
            session.update_settings(level_lock=finding.level)
        where = finding.where
        if isinstance(session.layer, CellLayer):
            session.layer.marked = where.position
        box = box_of(scene, finding)
        if box is not None:
            look_at(self._viewer, session.layer, box)
            return
        source = controller.source
        if where.object is None or not isinstance(source, KnowsPlaces):
            look_at(self._viewer, session.layer, scene.bounds)
            return
        if session.objects is not None and session.objects.table is not None:
            session.objects.select([where.object])
        task = partial(box_of_object, source, scene, where.object)
        self._places.ask(task, self._go, self.fail)

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return super().busy or self._places.busy

    def _go(self, box: Float | None) -> None:
        if box is None:
            self.failed.emit("the object has no vertices at the finest level")
        else:
            look_at(self._viewer, self._session.layer, box)


def read_report(path: Path) -> Report:
    """A report from a JSON file.

    Raises:
        InputError: It is none.
    """
    try:
        return Report.from_json(json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is no report: {type(error).__name__}: {error}") from error


def box_of(scene: SceneInfo, finding: Finding) -> Float | None:
    """(2, D) where a finding is, store units; None where only its object or level is known."""
    level = next((one for one in scene.levels if one.index == finding.level), scene.levels[0])
    where = finding.where
    if where.chunk is not None:
        return _box_of_chunks(scene, level, np.array([where.chunk]))
    if where.position is not None:
        reach = AROUND * level.bin_shape
        return np.array([where.position - reach, where.position + reach])
    return None


def box_of_object(source: KnowsPlaces, scene: SceneInfo, number: int) -> Float | None:
    """(2, D) the chunks of the finest level an object runs through; None where it has none."""
    _, _, chunks = source.chunks_of_objects(np.array([number]))
    return _box_of_chunks(scene, scene.levels[0], chunks) if len(chunks) else None


def _box_of_chunks(scene: SceneInfo, level: LevelInfo, chunks: npt.NDArray[np.int64]) -> Float:
    cells = chunks[:, -scene.ndim :]
    box = np.array([cells.min(axis=0), cells.max(axis=0) + 1]) * level.chunk_shape
    return np.clip(box, scene.bounds[0], scene.bounds[1])


def reporting_of(session: StoreSession, viewer: Any) -> Reporting:  # noqa: ANN401 - napari's
    """The report of a session's store; always the same one."""
    return Reporting.of(session, viewer)
