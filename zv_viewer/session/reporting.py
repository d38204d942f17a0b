"""The report on a pyramid in a window: run in a thread, opened from a file, gone through."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, Signal

from zarr_vectors.exceptions import ZVError
from zv_viewer.errors import InputError
from zv_viewer.layers.cells import CellLayer
from zv_viewer.model.scene import LevelInfo, SceneInfo
from zv_viewer.qa.inspect import inspect_store
from zv_viewer.qa.report import Finding, Report
from zv_viewer.session.jumping import look_at
from zv_viewer.session.latest import Latest
from zv_viewer.sources.base import KnowsPlaces
from zv_viewer.sources.store import StoreSource

if TYPE_CHECKING:
    from zv_viewer.session.session import StoreSession

Float = npt.NDArray[np.float64]

AROUND = 4.0
"""Bins of the level on either side of a place that is gone to."""


class Reporting(QObject):  # type: ignore[misc]  # qtpy is untyped
    """The report on one store; used in the GUI thread.

    Signals: ``changed()`` when there is another report, or work begins or ends,
    ``progress(done, total, text)``, ``failed(message)``.

    Args:
        session: Open.
        viewer: Its viewer.
    """

    changed = Signal()
    progress = Signal(int, int, str)
    failed = Signal(str)

    def __init__(self, session: StoreSession, viewer: Any) -> None:  # noqa: ANN401 - napari's
        super().__init__()
        self._session = session
        self._viewer = getattr(viewer, "__wrapped__", viewer)
        self._lane, self._places = Latest("zv-report"), Latest("zv-report-places")
        self._stop = Event()
        self.report: Report | None = None
        self.running = False
        """Whether a report is being made or opened."""
        session.closed.connect(self.close)

    def run(self) -> None:
        """Look at the whole store, in the background.

        Raises:
            InputError: It is of a kind that cannot be looked at.
        """
        controller = self._session.controller
        source = None if controller is None else controller.source
        if not isinstance(source, StoreSource):
            raise InputError(f"{self._session.path} cannot be inspected")
        self._stop.set()
        self._stop = stop = Event()

        def told(done: int, total: int, text: str) -> None:
            if not stop.is_set():
                self.progress.emit(done, total, text)

        def task() -> Report:
            with source.opened_again() as store:
                return inspect_store(store, progress=told, cancelled=stop.is_set)

        self._begin(task, stop)

    def open(self, path: str | Path) -> None:
        """Read a report that was written as JSON, in the background."""
        self._stop.set()
        self._stop = stop = Event()
        self._begin(partial(read_report, Path(path)), stop)

    def cancel(self) -> None:
        """Stop; what was found until then is shown."""
        self._stop.set()

    def close(self, *_: object) -> None:
        """The session is closed."""
        self._stop.set()
        self._lane.close()
        self._places.close()
        _known.pop(self._session, None)

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
        self._places.ask(task, self._go, self._fail)

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self.running or self._places.busy

    def _begin(self, task: Any, stop: Event) -> None:  # noqa: ANN401 - what makes a report
        self.running = True
        self._lane.ask(task, partial(self._have, stop), partial(self._give_up, stop))
        self.changed.emit()

    def _have(self, stop: Event, report: Report) -> None:
        if stop is self._stop:
            self.report, self.running = report, False
            self.changed.emit()

    def _give_up(self, stop: Event, error: Exception) -> None:
        if stop is self._stop:
            self.running = False
            self.changed.emit()
            self._fail(error)

    def _go(self, box: Float | None) -> None:
        if box is None:
            self.failed.emit("the object has no vertices at the finest level")
        else:
            look_at(self._viewer, self._session.layer, box)

    def _fail(self, error: Exception) -> None:
        self.failed.emit(str(error))
        if not isinstance(error, ZVError | InputError | OSError):
            raise error


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


_known: WeakKeyDictionary[Any, Reporting] = WeakKeyDictionary()


def reporting_of(session: StoreSession, viewer: Any) -> Reporting:  # noqa: ANN401 - napari's
    """The report of a session's store; always the same one."""
    if session not in _known:
        _known[session] = Reporting(session, viewer)
    return _known[session]
