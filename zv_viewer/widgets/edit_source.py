"""Where the values of a new attribute come from, as a user says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from magicgui.widgets import CheckBox, ComboBox, FileEdit, LineEdit, PushButton
from magicgui.widgets.bases import Widget

from zv_viewer.edits.sources import (
    FromExpression,
    FromFeatures,
    FromFile,
    FromObjects,
    FromRule,
    Source,
)
from zv_viewer.edits.tables import column_names
from zv_viewer.errors import InputError
from zv_viewer.layers.camera import camera_of
from zv_viewer.model.scene import SceneInfo
from zv_viewer.rows import InOutline, RowFilter, RowRule
from zv_viewer.rows.rules import Bool, rows_of
from zv_viewer.session import StoreSession
from zv_viewer.session.filtering import filtering_of
from zv_viewer.session.latest import Latest
from zv_viewer.widgets.edit_outcome import as_tip
from zv_viewer.widgets.lasso import Lasso, canvas_of

EXPRESSION, FILE, OBJECTS = "expression", "file", "selected objects"
LASSO, FILTERS, FEATURES = "lasso", "filters", "features of a layer"
WAYS = (EXPRESSION, FILE, OBJECTS, LASSO, FILTERS, FEATURES)
BY: tuple[str, str] = ("row", "object id")
TABLES = "*.csv *.tsv *.txt *.parquet *.pq *.npy"


class SourceForm:
    """The rows of a form that belong to each way.

    Args:
        viewer: Whose layers and canvas are meant.
        session: Gives the store chosen, None without one.
        said: Called with a sentence for the user.
        asked: Called when the user says something else.

    Attributes:
        rows: The widgets, in order.
    """

    def __init__(
        self,
        viewer: Any,  # noqa: ANN401 - a napari viewer
        session: Callable[[], StoreSession | None],
        said: Callable[[str], None],
        asked: Callable[[], None],
    ) -> None:
        self._viewer, self._session = viewer, session
        self._said, self._asked = said, asked
        self._outline: InOutline | None = None
        self.lasso: Lasso | None = None
        self._lane = Latest("zv-table-columns")
        self._of_file: list[str] = []
        self.way = ComboBox(label="values", choices=WAYS, name="way")
        self.expression = LineEdit(label="expression", name="expression")
        self.expression.native.setPlaceholderText("sqrt(x**2 + y**2), where(kind == 'a', 1, 0)")
        self.file = FileEdit(label="file", mode="r", filter=TABLES, name="file", nullable=True)
        self.layer = ComboBox(label="layer", choices=self._layers, name="layer")
        self.column = ComboBox(label="column", choices=self._columns, name="column")
        self.by = ComboBox(label="joined by", choices=BY, name="by")
        self.ids = ComboBox(label="ids in", choices=self._columns, name="ids")
        self.lax = CheckBox(text="leave what does not match without a value", name="lax")
        self.draw = PushButton(text="Draw a lasso", name="draw")
        self.inside = LineEdit(label="inside", name="inside", tooltip="empty: true and false")
        self.outside = LineEdit(label="outside", name="outside", tooltip="empty: true and false")
        self.inside.native.setPlaceholderText("true")
        self.outside.native.setPlaceholderText("false")
        first = (self.way, self.expression, self.file, self.layer, self.column, self.by, self.ids)
        self.rows: tuple[Widget, ...] = (*first, self.lax, self.draw, self.inside, self.outside)
        self.way.changed.connect(self.show_rows)
        self.by.changed.connect(self.show_rows)
        self.file.changed.connect(self._on_file)
        self.layer.changed.connect(self._on_table)
        self.draw.changed.connect(self._draw)
        for widget in self.rows:
            if widget is not self.draw:
                widget.changed.connect(lambda *_: self._asked())

    def offer_names(self, names: Sequence[str]) -> None:
        """Tell what an expression may name."""
        told = f"names: {', '.join(names)}" if names else ""
        self.expression.tooltip = as_tip(told)

    def show_rows(self, *_: object) -> None:
        """Show the rows of the way chosen."""
        way, joined = self.way.value, self.by.value == BY[1]
        table = way in (FILE, FEATURES)
        shown = {
            self.expression: way == EXPRESSION,
            self.file: way == FILE,
            self.layer: way == FEATURES,
            self.column: table,
            self.by: table,
            self.ids: table and joined,
            self.lax: table and joined,
            self.draw: way == LASSO,
            self.inside: way in (OBJECTS, LASSO, FILTERS),
            self.outside: way in (OBJECTS, LASSO, FILTERS),
        }
        for widget, on in shown.items():
            widget.visible = on
        if way == FEATURES:
            self.layer.reset_choices()
        if table:
            self._on_table()

    def source(self) -> Source:
        """What was said.

        Raises:
            InputError: Something is missing; the sentence says what.
        """
        way = self.way.value
        if way == EXPRESSION:
            text = self.expression.value.strip()
            if not text:
                raise InputError("write an expression, such as sqrt(x**2 + y**2)")
            return FromExpression(text)
        if way in (FILE, FEATURES):
            return self._of_table()
        session = self._session()
        if session is None or session.scene is None:
            raise InputError("open a store first")
        labels = self._labels()
        if way == OBJECTS:
            objects = session.objects
            if objects is None or objects.table is None or not len(objects.selected_rows):
                raise InputError("select objects first, in the objects dock or by a click")
            return FromObjects(np.array(objects.selected_ids), labels)
        rules: tuple[RowRule, ...] = filtering_of(session).rules
        words = f"{len(rules)} filters"
        if way == LASSO:
            if self._outline is None:
                raise InputError("draw a lasso first")
            rules, words = (self._outline,), f"a lasso of {len(self._outline.outline)} corners"
        if not rules:
            raise InputError("set filters first, in the filters dock")
        kept_by = RowFilter(rules)
        return FromRule(partial(_keeps, session.scene, kept_by), kept_by.attributes, words, labels)

    def _of_table(self) -> Source:
        by: Literal["row", "object"] = "object" if self.by.value == BY[1] else "row"
        column, ids = self.column.value, self.ids.value or ""
        if column is None:
            raise InputError("choose a file and a column, or a layer that has features")
        if by == "object" and not ids:
            raise InputError("choose the column of object ids")
        strict = not self.lax.value
        if self.way.value == FILE:
            return FromFile(Path(self.file.value), column, by, ids, strict)
        layer = self._viewer.layers[self.layer.value]
        return FromFeatures(layer.name, dict(layer.features), column, by, ids, strict)

    def _labels(self) -> tuple[str, str] | None:
        inside, outside = self.inside.value.strip(), self.outside.value.strip()
        if not inside and not outside:
            return None
        if not inside or not outside:
            raise InputError("give both labels, or none for true and false")
        return inside, outside

    def _layers(self, *_: object) -> list[str]:
        layers = self._viewer.layers
        return [one.name for one in layers if len(getattr(one, "features", ()))]

    def close(self) -> None:
        """Nothing is asked for any more."""
        self._lane.close()

    def _columns(self, *_: object) -> list[str]:
        if self.way.value == FILE:
            return self._of_file
        if self.way.value == FEATURES and self.layer.value is not None:
            return [str(name) for name in self._viewer.layers[self.layer.value].features]
        return []

    def _on_file(self, *_: object) -> None:
        """The names of its columns are read in a thread."""
        self._of_file = []
        self._on_table()
        if self.file.value:
            task = partial(_columns_of, Path(self.file.value))
            self._lane.ask(task, self._on_columns, lambda error: self._said(str(error)))

    def _on_columns(self, names: list[str]) -> None:
        self._of_file = names
        self._on_table()

    def _on_table(self, *_: object) -> None:
        self.column.reset_choices()
        self.ids.reset_choices()

    def _draw(self, *_: object) -> None:
        session = self._session()
        if session is None or self.lasso is not None:
            return
        self.lasso = Lasso(canvas_of(self._viewer))

        def done(corners: Any) -> None:  # noqa: ANN401 - an array, through a signal
            self.lasso = None
            viewer = getattr(self._viewer, "__wrapped__", self._viewer)
            self._outline = InOutline.of(camera_of(viewer, session.layer), corners)
            self.draw.text = f"Lasso of {len(corners)} corners: draw again"
            self._asked()

        def given_up() -> None:
            self.lasso = None

        self.lasso.drawn.connect(done)
        self.lasso.given_up.connect(given_up)


def _columns_of(path: Path) -> list[str]:
    """None of a name that is not typed to its end."""
    return column_names(path) if path.is_file() else []


def _keeps(scene: SceneInfo, kept_by: RowFilter, positions: Any, values: Mapping[str, Any]) -> Bool:  # noqa: ANN401
    return kept_by.keeps(rows_of(scene, positions, values))
