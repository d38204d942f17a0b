"""The filter of vertices of one layer: what is drawn for it, and how many it keeps."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from threading import Event
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, Signal

from zarr_vectors.exceptions import Cancelled
from zv_viewer.controller.counting import Counted, count_rows, lacking_levels, quick_level
from zv_viewer.model.cells import CellTree
from zv_viewer.model.objects import Look
from zv_viewer.rows import RowFilter, RowRule
from zv_viewer.rows.worth import cells_of_objects
from zv_viewer.session.latest import Latest

if TYPE_CHECKING:
    from zv_viewer.session.session import StoreSession

Bool = npt.NDArray[np.bool_]


class Filtering(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Rules about vertices, all of which one must meet to be drawn; used in the GUI thread.

    Cells in which nothing is drawn, by these rules or as all objects in them are hidden, are not
    read. Signals: ``changed()`` when the rules are others or a count is there, ``progress(share)``
    from 0 to 1 while level 0 is counted, ``failed(message)``.

    Args:
        session: Of the layer; open.
    """

    changed = Signal()
    progress = Signal(float)
    failed = Signal(str)

    def __init__(self, session: StoreSession) -> None:
        super().__init__()
        self._session = session
        self._lane, self._worth_lane = Latest("zv-filters"), Latest("zv-filters-worth")
        self._rules: tuple[RowRule, ...] = ()
        self._worth: Bool | None = None
        self._looks: npt.NDArray[np.uint8] | None = None
        self._stop = Event()
        self.counted: Counted | None = None
        self.exactly = False
        """Whether level 0 is being counted by request."""
        self.lacking: dict[int, tuple[str, ...]] = {}
        """Levels that lack attributes the rules look at, and these: nothing of them is drawn."""
        session.closed.connect(self.close)
        session.reloaded.connect(self._on_reloaded)
        if session.objects is not None and session.objects.can_hide:
            session.objects.changed.connect(self._on_objects)

    @property
    def rules(self) -> tuple[RowRule, ...]:
        """The rules in force."""
        return self._rules

    @property
    def busy(self) -> bool:
        """Whether something is being counted or worked out."""
        return self._lane.busy or self._worth_lane.busy

    def set_rules(self, rules: Iterable[RowRule]) -> None:
        """Draw only vertices that meet all of these."""
        self._rules = tuple(rules)
        self._apply()

    def count_exactly(self) -> None:
        """Count on level 0, however long it takes."""
        self._count(0)

    def cancel(self) -> None:
        """Give up counting."""
        self._stop.set()
        self.exactly = False
        self.changed.emit()

    def close(self, *_: object) -> None:
        """The session is closed."""
        self._stop.set()
        self._lane.close()
        self._worth_lane.close()
        _known.pop(self._session, None)

    def _apply(self) -> None:
        kept_by = RowFilter(self._rules) if self._rules else None
        controller = self._session.controller
        if self._worth is not None and (
            controller is None or len(self._worth) != len(controller.tree)
        ):
            self._worth = None  # of the store before it was read anew
        self._session.set_filter(kept_by, self._worth)
        self._stop.set()
        self.counted, self.exactly, self.lacking = None, False, {}
        if kept_by is not None and self._session.scene is not None:
            self._count(quick_level(self._session.scene))
        self.changed.emit()

    def _count(self, position: int) -> None:
        session, scene = self._session, self._session.scene
        if scene is None or session.controller is None or not self._rules:
            return
        self._stop.set()
        self._stop = stop = Event()
        self.exactly = position == 0
        looks = session.layer.object_looks if scene.by_object else None
        shown = None if looks is None else looks != Look.HIDDEN

        def progress(share: float) -> None:
            if stop.is_set():
                raise Cancelled("counting was given up")
            self.progress.emit(share)

        source, kept_by = session.controller.source, RowFilter(self._rules)

        def task() -> tuple[Counted, dict[int, tuple[str, ...]]]:
            lacking = lacking_levels(source, scene, kept_by)
            return count_rows(source, scene, position, kept_by, shown, progress), lacking

        self._lane.ask(task, partial(self._have, stop), partial(self._fail, stop))
        self.changed.emit()

    def _have(self, stop: Event, found: tuple[Counted, dict[int, tuple[str, ...]]]) -> None:
        counted, lacking = found
        if not stop.is_set():
            self.counted, self.exactly = counted, False
            self.lacking = lacking
            self.changed.emit()

    def _fail(self, stop: Event, error: Exception) -> None:
        if not stop.is_set():
            self.exactly = False
            self.failed.emit(str(error))
            self.changed.emit()

    def _on_reloaded(self, *_: object) -> None:
        """The store is another one: rules about what it has no more go, other cells are told."""
        scene = self._session.scene
        names = set() if scene is None else {info.name for info in scene.attributes}
        self._rules = tuple(rule for rule in self._rules if names.issuperset(rule.attributes))
        self._worth = self._looks = None
        if self._rules:
            self._apply()
        self._on_objects()

    def _on_objects(self) -> None:
        """Objects are hidden or shown: other cells are worth reading."""
        session = self._session
        objects, controller = session.objects, session.controller
        if objects is None or controller is None or objects.table is None or not objects.answer:
            return
        looks = objects.answer.looks
        if self._looks is not None and np.array_equal(looks, self._looks):
            return
        self._looks = looks
        tree = controller.tree
        shown = looks != Look.HIDDEN
        strangers = objects.answer.strangers != Look.HIDDEN
        boxes = None if strangers else objects.table.boxes
        task = partial(cells_of_objects, tree.lo, tree.hi, boxes, shown)
        then = partial(self._use_worth, tree)
        self._worth_lane.ask(task, then, lambda error: self.failed.emit(str(error)))

    def _use_worth(self, tree: CellTree, worth: Bool | None) -> None:
        controller = self._session.controller
        if controller is None or len(controller.tree) != len(tree):
            return
        if worth is not None or self._worth is not None or self._rules:
            self._worth = worth
            self._apply()


_known: WeakKeyDictionary[StoreSession, Filtering] = WeakKeyDictionary()


def filtering_of(session: StoreSession) -> Filtering:
    """The filter of a session that is open; always the same one."""
    if session not in _known:
        _known[session] = Filtering(session)
    return _known[session]
