"""The objects of a layer: their table, what a user made of them, and how each is drawn for that."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from functools import partial

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QObject, Signal

from zarr_vectors.exceptions import ZVError
from zv_viewer.errors import InputError
from zv_viewer.layers.object_states import rows_by_id
from zv_viewer.model.objects import Bool, Int, ObjectTable
from zv_viewer.model.scene import SceneInfo
from zv_viewer.objects import (
    ID,
    Answer,
    Filter,
    Question,
    Showing,
    TextSearch,
    answer,
)
from zv_viewer.objects.columns import numbers_of
from zv_viewer.objects.places import box_around
from zv_viewer.session.drawn_objects import DrawnObjects, ObjectLayer
from zv_viewer.session.latest import Latest
from zv_viewer.session.object_colours import ObjectColours
from zv_viewer.session.object_loading import ObjectLoading
from zv_viewer.sources.base import KnowsObjects, ObjectReader

log = logging.getLogger(__name__)


class ObjectsOfSession(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Filters, order, selection and looks of the objects of one layer; used in the GUI thread.

    Signals: ``loaded()`` when the table is there or tells more, ``changed()`` when the answer is
    another one, ``selected(ids)`` with (n,) int64 when the user selects,
    ``colours_changed()``, ``progress(text)`` while the table is read, empty at the end, and
    ``failed(message)``.

    Args:
        reader: Where the table comes from.
        ids: (R,) int64 ascending, the objects the layer knows.
        layer: What draws them; None where it cannot tell objects apart.
    """

    loaded = Signal()
    changed = Signal()
    selected = Signal(object)
    colours_changed = Signal()
    progress = Signal(str)
    failed = Signal(str)

    def __init__(self, reader: ObjectReader, ids: Int, layer: ObjectLayer | None) -> None:
        super().__init__()
        self._drawn = DrawnObjects(ids, layer)
        self._colours = ObjectColours(self._drawn, self.colours_changed.emit, self._fail)
        self._begun = self._anew = False
        self._loading = self._read_by(reader)
        self._answering = Latest("zv-objects-answers")
        self._question = Question()
        self._filters: tuple[Filter, ...] = ()
        self._search = ""
        self.table: ObjectTable | None = None
        self.answer: Answer | None = None

    # the table

    def load(self) -> None:
        """Begin to read the table, once; ``loaded`` tells when it is there."""
        if not self._begun:
            self._begun = True
            self._loading.begin()

    @property
    def busy(self) -> bool:
        """Whether something is being read or worked out."""
        return self._loading.busy or self._answering.busy or self._colours.busy

    @property
    def can_hide(self) -> bool:
        """Whether the layer draws objects one by one."""
        return self._drawn.one_by_one

    def use_layer(self, layer: object) -> None:
        """Another layer, which looks as the one before, draws the objects from now on."""
        self._drawn.use_layer(layer)

    def use_store(self, source: object, scene: SceneInfo, layer: object) -> None:
        """The store was read anew: its table is, too, where it was; what a user chose stays."""
        reader = source.objects() if isinstance(source, KnowsObjects) else None
        if reader is None:
            return
        self._drawn.use_store(scene.objects, drawn_by(scene, layer), self.table)
        self._loading.close()
        self._loading, self._anew = self._read_by(reader), True
        self._colours.choose_again()
        if self._begun:
            self._loading.begin()

    def _read_by(self, reader: ObjectReader) -> ObjectLoading:
        loading = ObjectLoading(reader)
        loading.have.connect(self._have)
        loading.progress.connect(self.progress)
        loading.failed.connect(self._fail)
        return loading

    def close(self) -> None:
        """Give up what is under way."""
        self._loading.close()
        self._answering.close()
        self._colours.close()
        self._drawn.close()

    # what a user asks

    @property
    def filters(self) -> tuple[Filter, ...]:
        """The filters in force, the search line aside."""
        return self._filters

    def set_filters(self, filters: Iterable[Filter]) -> None:
        """Use other filters: an object must meet all of them."""
        self._filters = tuple(filters)
        self._ask_filters()

    @property
    def search(self) -> str:
        """The text in the search line."""
        return self._search

    def set_search(self, text: str) -> None:
        """List and show objects that hold a text; an empty one is no search."""
        self._search = text.strip()
        self._ask_filters()

    def sort(self, key: str = ID, *, descending: bool = False) -> None:
        """List the objects in another order."""
        self._ask(replace(self._question, sort_by=key, descending=descending))

    # what a user selects

    @property
    def selected_rows(self) -> Int:
        """(n,) rows of the table that are selected, ascending."""
        mask = self._question.showing.selected
        return np.zeros(0, np.int64) if mask is None else np.flatnonzero(mask)

    @property
    def selected_ids(self) -> Int:
        """(n,) int64 ids of the objects selected, ascending."""
        return self._need_table().ids[self.selected_rows]

    def is_selected(self, row: int) -> bool:
        """Whether the object of a row is selected."""
        mask = self._question.showing.selected
        return mask is not None and bool(mask[row])

    def select(self, ids: npt.ArrayLike) -> None:
        """Select these objects and no others; unknown ids are passed over."""
        self.select_rows(self._need_table().rows_of(ids))

    def select_rows(self, rows: npt.ArrayLike, *, how: str = "only") -> None:
        """Select rows of the table.

        Args:
            rows: (n,) rows.
            how: ``only`` these, ``add`` them, or ``toggle`` each.
        """
        old = self._question.showing.selected
        mask = np.zeros(len(self._need_table()), np.bool_)
        if old is not None and how != "only":
            mask |= old
        chosen = np.asarray(rows, np.int64)
        mask[chosen] = ~mask[chosen] if how == "toggle" else True
        self._select(mask)

    def select_listed(self) -> None:
        """Select all objects that meet the filters."""
        if self.answer is not None:
            self._select(self.answer.passed.copy())

    def invert(self) -> None:
        """Of the objects listed, select those that were not."""
        if self.answer is not None:
            old = self._question.showing.selected
            self._select(self.answer.passed.copy() if old is None else self.answer.passed & ~old)

    # what a user shows

    def hide(self) -> None:
        """Hide the objects selected."""
        self._show(self.showing.hiding())

    def isolate(self) -> None:
        """Hide all but the objects selected."""
        self._show(self.showing.isolating())

    def ghost_rest(self) -> None:
        """Draw all but the objects selected faintly; without any, what filters leave out."""
        self._show(self.showing.ghosting())

    def show_all(self) -> None:
        """Undo hiding, isolating, ghosts and groups switched off; filters and selection stay."""
        self._show(self.showing.showing_all())

    @property
    def showing(self) -> Showing:
        """What is hidden, isolated and selected."""
        return self._question.showing

    def set_showing(self, showing: Showing) -> None:
        """Hide, isolate and select all at once; masks are of the rows of the table."""
        self._select_as(showing)

    def set_groups_off(self, groups: Iterable[int]) -> None:
        """Groups not to be seen, ``UNGROUPED`` for the objects in none."""
        self._show(replace(self._question.showing, groups_off=frozenset(groups)))

    # colours

    @property
    def coloured_by(self) -> str | None:
        """Key of the column that gives the objects their colours; None: something else does."""
        return self._colours.key

    @property
    def colours_along(self) -> tuple[str | None, tuple[float, float] | None]:
        """Colormap and limits asked for with that column; None for the usual ones."""
        return self._colours.along

    def colour_by(
        self,
        key: str | None,
        *,
        colormap: str | None = None,
        limits: tuple[float, float] | None = None,
    ) -> None:
        """Give each object a colour by a column, or give colours back to the rows (None).

        By ``ID`` needs no table: objects keep their colours, whatever else is in the store.
        """
        self._colours.choose(key, colormap, limits)

    def numbers_of_layer(self, key: str) -> npt.NDArray[np.float32]:
        """(R,) numbers of a column for the objects the layer knows; NaN where there is none.

        Raises:
            InputError: There is no such column, or it is no number.
            RuntimeError: The objects are not read yet.
        """
        table = self._need_table()
        return self._drawn.spread(table, numbers_of(table, key))

    @property
    def group_colours(self) -> npt.NDArray[np.uint8]:
        """(G, 3) uint8, of the groups."""
        return self._colours.groups

    def set_group_colour(self, group: int, colour: tuple[int, int, int]) -> None:
        """Another colour for a group, each part 0 to 255."""
        self._colours.set_group(group, colour)

    # going there

    def jump_box(self) -> npt.NDArray[np.float64] | None:
        """(2, D) box around the objects selected, world units; None where that is not known."""
        boxes = None if self.table is None else self.table.boxes
        rows = self.selected_rows
        if boxes is None or not len(rows):
            return None
        return box_around(boxes[rows])

    def why_no_jump(self) -> str:
        """Why nothing can be jumped to; empty where it can be tried."""
        if self.table is None or not self.showing.any_selected:
            return "select objects first"
        if self.table.boxes is None:
            still = self._loading.busy
            return "their places are being read" if still else "their places are not known"
        return ""

    # the rest

    def _have(self, table: ObjectTable) -> None:
        anew = self._anew
        if self.table is not None and (anew or len(self.table) != len(table)):
            rows = rows_by_id(self.table.ids, table.ids) if len(self.table) else None
            showing = Showing() if rows is None else self.showing.taken(rows)
            self._question, self.answer = replace(self._question, showing=showing), None
        self.table, self._anew = table, False
        self._drawn.use_table(table)
        self._colours.use_table(table)
        if anew:
            self._colours.choose_again()
        self.loaded.emit()
        self._ask(self._question)

    def _fail(self, error: Exception) -> None:
        if isinstance(error, ZVError | InputError | OSError):
            self.failed.emit(str(error))
            return
        log.error("a mistake in the program with the objects of a store", exc_info=error)
        self.failed.emit(f"a mistake in the program: {type(error).__name__}: {error}")

    def _ask_filters(self) -> None:
        found = (TextSearch(self._search),) if self._search else ()
        self._ask(replace(self._question, filters=(*self._filters, *found)))

    def _select(self, mask: Bool) -> None:
        self._select_as(replace(self._question.showing, selected=mask))

    def _select_as(self, showing: Showing) -> None:
        self._show(showing)
        self.selected.emit(self.selected_ids)

    def _show(self, showing: Showing) -> None:
        self._ask(replace(self._question, showing=showing))

    def _ask(self, question: Question) -> None:
        self._question = question
        table = self.table
        if table is not None:
            before = self.answer if self.answer and len(self.answer.passed) == len(table) else None
            task = partial(answer, table, question, before)
            then = partial(self._answered, table)
            self._answering.ask(task, then, self._fail, rows=len(table))

    def _answered(self, table: ObjectTable, found: Answer) -> None:
        if table is not self.table:
            return
        old = self.answer
        self.answer = found
        same = (
            old is not None
            and old.strangers == found.strangers
            and np.array_equal(old.looks, found.looks)
        )
        if not same:
            self._drawn.show_looks(found.looks, found.strangers)
        self.changed.emit()

    def _need_table(self) -> ObjectTable:
        if self.table is None:
            raise RuntimeError("the objects are not read yet; wait for the `loaded` signal")
        return self.table


def objects_of(source: object, scene: SceneInfo, layer: object) -> ObjectsOfSession | None:
    """The objects of a store just opened, not read yet; None where it has none."""
    reader = source.objects() if isinstance(source, KnowsObjects) else None
    if reader is None:
        return None
    return ObjectsOfSession(reader, scene.objects, drawn_by(scene, layer))


def drawn_by(scene: SceneInfo, layer: object) -> ObjectLayer | None:
    """The layer where it draws the objects of a store one by one."""
    return layer if scene.has_objects and isinstance(layer, ObjectLayer) else None
