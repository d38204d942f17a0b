"""The objects dock as a user has it: type, click, sort, hide; and what the layer is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QColor, QMouseEvent
from qtpy.QtWidgets import QApplication, QColorDialog

from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.kinds import make_store
from zv_viewer.model.objects import Look, ObjectColumn, ObjectTable, category_column
from zv_viewer.objects import GROUP, ID, UNGROUPED, AttributeRange
from zv_viewer.session.objects import ObjectsOfSession
from zv_viewer.sources.object_places import StoreObjects
from zv_viewer.widgets.objects import AS_ROWS, ObjectsPanel

pytestmark = pytest.mark.gui

LEFT = Qt.MouseButton.LeftButton
CONTROL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
KEY_OF_NONE = -1


class RecordingLayer:
    """What a layer was told last."""

    looks: list[int]
    colours: list[list[int]] | None = None

    def set_object_looks(self, looks: np.ndarray) -> None:
        self.looks = looks.tolist()

    def set_object_colours(self, colours: np.ndarray | None) -> None:
        self.colours = None if colours is None else np.rint(colours * 255).astype(int).tolist()


class Desk:
    """A panel on a store, and a pair of hands."""

    def __init__(self, qtbot, objects: ObjectsOfSession, layer: RecordingLayer) -> None:
        self.bot, self.objects, self.layer = qtbot, objects, layer
        self.panel = ObjectsPanel()
        qtbot.addWidget(self.panel)
        self.panel.resize(500, 900)
        self.panel.set_objects(objects)
        self.panel.show()
        objects.load()
        qtbot.waitUntil(lambda: not objects.busy, timeout=20_000)

    def listed(self) -> list[int]:
        """Ids in the table as they stand there."""
        model = self.panel.model
        return [int(model.index(row, 0).data()) for row in range(model.rowCount())]

    def cell(self, row: int, title: str) -> str:
        model = self.panel.model
        titles = [
            model.headerData(k, Qt.Orientation.Horizontal) for k in range(model.columnCount())
        ]
        return model.index(row, titles.index(title)).data()

    def click(self, row: int, modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier):
        view = self.panel.view
        where = view.visualRect(self.panel.model.index(row, 0)).center()
        self.bot.mouseClick(view.viewport(), LEFT, modifiers, where)

    def press(self, name: str) -> None:
        button = getattr(self.panel, name)
        assert button.isEnabled(), name
        self.bot.mouseClick(button, LEFT)

    def sort(self, column: int) -> None:
        header = self.panel.view.horizontalHeader()
        at = header.sectionViewportPosition(column) + header.sectionSize(column) // 2
        self.bot.mouseClick(header.viewport(), LEFT, pos=QPoint(at, header.height() // 2))

    def add_filter(self, key: str):
        self.press_add()
        line = self.panel.filters.lines[-1]
        line.target.setCurrentIndex(line.target.findData(key))
        return line

    def press_add(self) -> None:
        self.bot.mouseClick(self.panel.filters.add, LEFT)

    def selected(self) -> list[int]:
        return self.objects.selected_ids.tolist()


@pytest.fixture(scope="module")
def neurons(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("objects") / "s"
    wide = {"chunk_shape": (60.0,) * 3, "bin_shape": (30.0,) * 3}
    make_store("skeleton", place, format_version="0.9.2", **wide)
    with open_zv(place) as store, store[0].writer() as writer:
        names = np.array(["alpha", "beta", "Alpha 2", "gamma", "beta 2", "delta"])
        writer.add_object_attribute_sync("name", names)
        writer.add_object_attribute_sync("kind", np.array(["in", "out", "in", "out", "in", "mid"]))
    return place


@pytest.fixture
def desk(qtbot, neurons: Path) -> Iterator[Desk]:
    with open_zv(neurons) as store:
        layer = RecordingLayer()
        known = np.array([KEY_OF_NONE, *store.object_ids.tolist()])
        objects = ObjectsOfSession(StoreObjects(store), known, layer)
        yield Desk(qtbot, objects, layer)
        objects.close()


def test_the_table_says_what_the_store_holds(desk: Desk) -> None:
    assert desk.listed() == [0, 1, 2, 3, 4, 5]
    assert desk.panel.counts.text() == "6 objects"
    assert desk.cell(2, "groups") == "group 0"
    assert desk.cell(2, "size") == "3"
    assert desk.cell(2, "name") == "Alpha 2"
    assert desk.cell(2, "levels") == "0"
    assert int(desk.cell(2, "vertices")) > 0
    assert desk.layer.looks == [Look.NORMAL] * 7
    assert not desk.panel.doing.isVisible()
    assert not desk.panel.trouble.isVisible()


def test_typing_searches(desk: Desk) -> None:
    desk.bot.keyClicks(desk.panel.search, "ALPHA")
    assert desk.listed() == [0, 2]
    assert desk.panel.counts.text() == "2 of 6 objects, filter on attributes of level 0"
    assert desk.layer.looks == [0, 2, 0, 2, 0, 0, 0]
    desk.panel.search.clear()
    assert desk.listed() == [0, 1, 2, 3, 4, 5]
    assert desk.layer.looks == [2] * 7


def test_filters_are_added_met_together_and_taken_away(desk: Desk) -> None:
    size = desk.add_filter("size")
    assert desk.listed() == [0, 1, 2, 3, 4, 5]
    assert size.editor.low.placeholderText() == "0"
    desk.bot.keyClicks(size.editor.low, "1.5")
    desk.bot.keyClicks(size.editor.high, "6")
    assert desk.listed() == [1, 2, 3, 4]
    kind = desk.add_filter("kind")
    item = kind.editor.list.findItems("in", Qt.MatchFlag.MatchExactly)[0]
    item.setCheckState(Qt.CheckState.Checked)
    assert desk.listed() == [2, 4]
    kind.way.setCurrentText("exclude")
    assert desk.listed() == [1, 3]
    desk.bot.mouseClick(kind.remove, LEFT)
    assert desk.listed() == [1, 2, 3, 4]
    desk.bot.keyClicks(size.editor.low, "x")
    assert desk.listed() == [0, 1, 2, 3, 4, 5]
    size.target.setCurrentIndex(size.target.findData(ID))
    desk.bot.keyClicks(size.editor.edit, "5, 3 what")
    assert desk.listed() == [3, 5]
    size.target.setCurrentIndex(size.target.findData(GROUP))
    size.editor.list.item(0).setCheckState(Qt.CheckState.Checked)
    assert desk.listed() == [0, 2]
    size.target.setCurrentIndex(size.target.findText("random share"))
    size.editor.percent.setValue(50)
    some = set(desk.listed())
    size.editor.percent.setValue(90)
    assert some <= set(desk.listed())
    desk.bot.mouseClick(size.remove, LEFT)
    assert desk.panel.counts.text() == "6 objects"


def test_many_names_are_typed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zv_viewer.widgets.filter_lines.MOST_CHECKED", 2)
    line = desk.add_filter("name")
    desk.bot.keyClicks(line.editor.edit, "beta, gamma,")
    assert desk.listed() == [1, 3]
    line.target.setCurrentIndex(line.target.findData(GROUP))
    assert desk.listed() == [0, 1, 2, 3, 4, 5]
    desk.bot.keyClicks(line.editor.edit, "group 1, group 0")
    assert desk.listed() == [0, 2, 5]
    line.editor.edit.setText("group 1, group")
    assert desk.listed() == [5]


def test_a_header_sorts_and_sorts_back(desk: Desk) -> None:
    column = [desk.panel.model.key(k) for k in range(desk.panel.model.columnCount())].index("kind")
    desk.panel.view.scrollTo(desk.panel.model.index(0, column))
    desk.sort(column)
    up = desk.listed()
    desk.sort(column)
    assert {tuple(up), tuple(desk.listed())} == {(0, 2, 4, 5, 1, 3), (1, 3, 5, 0, 2, 4)}
    desk.bot.keyClicks(desk.panel.search, "beta")
    assert set(desk.listed()) == {1, 4}


def test_rows_are_picked_as_in_any_list(desk: Desk) -> None:
    told = []
    desk.objects.selected.connect(lambda ids: told.append(ids.tolist()))
    desk.click(1)
    assert desk.selected() == [1]
    desk.click(4, SHIFT)
    assert desk.selected() == [1, 2, 3, 4]
    desk.click(2, CONTROL)
    assert desk.selected() == [1, 3, 4]
    assert desk.panel.counts.text() == "6 objects; 3 selected"
    assert desk.layer.looks == [2, 2, 3, 2, 3, 3, 2]
    desk.press("invert")
    assert desk.selected() == [0, 2, 5]
    desk.bot.keyClick(desk.panel.view, Qt.Key.Key_A, CONTROL)
    assert desk.selected() == [0, 1, 2, 3, 4, 5]
    desk.click(3)
    desk.bot.keyClick(desk.panel.view, Qt.Key.Key_Down)
    assert desk.selected() == [4]
    desk.bot.keyClick(desk.panel.view, Qt.Key.Key_Up, SHIFT)
    assert desk.selected() == [3, 4]
    desk.bot.keyClick(desk.panel.view, Qt.Key.Key_Space)
    assert desk.selected() == [4]
    assert told[0] == [1]
    assert told[-1] == [4]


def test_a_drag_picks_all_rows_on_the_way(desk: Desk) -> None:
    view, model = desk.panel.view, desk.panel.model
    first, last = (view.visualRect(model.index(row, 0)).center() for row in (1, 3))
    desk.bot.mousePress(view.viewport(), LEFT, pos=first)
    where, on_screen = QPointF(last), QPointF(view.viewport().mapToGlobal(last))
    none = Qt.KeyboardModifier.NoModifier
    move = QMouseEvent(QEvent.Type.MouseMove, where, on_screen, LEFT, LEFT, none)
    QApplication.sendEvent(view.viewport(), move)
    desk.bot.mouseRelease(view.viewport(), LEFT, pos=last)
    assert desk.selected() == [1, 2, 3]


def test_what_is_selected_is_drawn_so_in_the_table(desk: Desk) -> None:
    def colour(row: int) -> QColor:
        picture = desk.panel.view.viewport().grab().toImage()
        box = desk.panel.view.visualRect(desk.panel.model.index(row, 1))
        return picture.pixelColor(box.right() - 3, box.top() + 3)

    before = colour(2)
    desk.click(2)
    assert colour(2) != before
    assert colour(4) == before


def test_hide_isolate_ghost_and_show_all(desk: Desk) -> None:
    for name in ("hide_button", "isolate", "jump"):
        assert not getattr(desk.panel, name).isEnabled()
    desk.click(1)
    desk.press("hide_button")
    assert desk.layer.looks == [2, 2, 0, 2, 2, 2, 2]
    assert "5 drawn, the rest hidden" in desk.panel.counts.text()
    desk.click(0)
    desk.click(2, CONTROL)
    desk.press("isolate")
    assert desk.layer.looks == [0, 3, 0, 3, 0, 0, 0]
    desk.press("ghost")
    assert desk.layer.looks == [1, 3, 1, 3, 1, 1, 1]
    assert "the rest as ghosts" in desk.panel.counts.text()
    desk.press("show_all")
    assert desk.layer.looks == [2, 3, 2, 3, 2, 2, 2]
    assert desk.selected() == [0, 2]


def test_groups_are_switched_and_coloured(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    model = desk.panel.groups_model
    texts = [model.index(row).data() for row in range(model.rowCount())]
    assert texts == ["group 0 (2)", "group 1 (1)", "group 2 (0)", "in no group"]
    assert desk.panel.groups.isVisible()
    view = desk.panel.groups
    box = view.visualRect(model.index(0))
    desk.bot.mouseClick(view.viewport(), LEFT, pos=QPoint(box.left() + 9, box.center().y()))
    assert desk.objects.showing.groups_off == {0}
    assert desk.layer.looks == [2, 0, 2, 0, 2, 2, 2]
    off = Qt.CheckState.Unchecked
    model.setData(model.index(3), off, Qt.ItemDataRole.CheckStateRole)
    assert desk.objects.showing.groups_off == {0, UNGROUPED}
    assert desk.layer.looks == [0, 0, 0, 0, 0, 0, 2]
    desk.press("show_all")
    assert model.index(0).data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
    desk.panel.colour_by.setCurrentIndex(desk.panel.colour_by.findData(GROUP))
    own = model.index(0).data(Qt.ItemDataRole.DecorationRole).getRgb()[:3]
    assert desk.layer.colours[1] == desk.layer.colours[3] == list(own)
    monkeypatch.setattr(QColorDialog, "open", lambda self: self.colorSelected.emit(QColor(1, 2, 3)))
    view.doubleClicked.emit(model.index(0))
    assert desk.layer.colours[1] == [1, 2, 3]
    assert model.index(0).data(Qt.ItemDataRole.DecorationRole) == QColor(1, 2, 3)
    desk.panel.colour_by.setCurrentText(AS_ROWS)
    assert desk.layer.colours is None


def test_colours_by_a_number(desk: Desk) -> None:
    desk.panel.colour_by.setCurrentText("size")
    colours = desk.layer.colours
    assert colours[0] == [255, 255, 255]
    assert len({tuple(colour) for colour in colours[1:]}) == 6


def test_jump_goes_to_the_box_of_what_is_selected(desk: Desk, neurons: Path) -> None:
    asked = []
    desk.panel.jump_asked.connect(asked.append)
    assert desk.panel.jump.toolTip() == "select objects first"
    desk.click(2)
    desk.press("jump")
    with open_zv(neurons) as store:
        inside = store[0].filter(object_ids=[2]).read().positions
        low, high = store.bounding_box
    (box,) = asked
    assert (inside >= box[0]).all()
    assert (inside <= box[1]).all()
    assert (box[0] >= low - 1e-3).all()
    assert (box[1] <= high + 1e-3).all()
    view = desk.panel.view
    where = view.visualRect(desk.panel.model.index(5, 0)).center()
    desk.bot.mouseDClick(view.viewport(), LEFT, pos=where)
    assert desk.selected() == [5]
    assert len(asked) == 2


def test_objects_selected_elsewhere_are_marked(desk: Desk) -> None:
    desk.objects.select([3, 99])
    assert desk.selected() == [3]
    assert desk.panel.jump.isEnabled()
    assert "1 selected" in desk.panel.counts.text()


def test_a_filter_the_table_cannot_answer_is_said(desk: Desk) -> None:
    desk.objects.set_filters([AttributeRange("weight", 1.0)])
    assert "objects have no 'weight'" in desk.panel.trouble.text()
    assert desk.panel.trouble.isVisible()
    assert desk.listed() == [0, 1, 2, 3, 4, 5]


class FakeReader:
    """Objects out of thin air; ``complete`` leaves one in three out."""

    def __init__(self, objects: int) -> None:
        codes = np.arange(objects) % 3
        size = ObjectColumn("size", np.arange(objects)[::-1].astype(np.float32))
        kind = category_column("kind", codes, ["x", "y", "z"])
        self.table = ObjectTable(np.arange(objects) * 2, (size, kind))

    def read(self, progress: Callable[[str], None]) -> ObjectTable:
        progress("reading")
        return self.table

    def complete(self, table: ObjectTable, progress: Callable[[str], None]) -> ObjectTable:
        return table.taken(np.flatnonzero(np.arange(len(table)) % 3 != 1))


def test_many_objects_are_answered_in_a_thread(qtbot) -> None:
    reader, layer = FakeReader(30_000), RecordingLayer()
    objects = ObjectsOfSession(reader, reader.table.ids, layer)
    desk = Desk(qtbot, objects, layer)
    assert desk.panel.model.rowCount() == 20_000
    objects.select([0, 4, 2])
    desk.bot.keyClicks(desk.panel.search, "z")
    qtbot.waitUntil(lambda: not objects.busy, timeout=20_000)
    assert desk.panel.model.rowCount() == 10_000
    assert desk.selected() == [0, 4]
    assert np.bincount(layer.looks, minlength=4).tolist() == [20_000, 0, 9_999, 1]
    objects.sort("size")
    qtbot.waitUntil(lambda: not objects.busy, timeout=20_000)
    assert desk.listed()[:2] == [59_998, 59_992]
    objects.close()


def test_a_layer_that_is_not_drawn_by_object_says_so(qtbot) -> None:
    reader = FakeReader(30)
    objects = ObjectsOfSession(reader, reader.table.ids, None)
    desk = Desk(qtbot, objects, RecordingLayer())
    desk.click(0)
    assert not desk.panel.hide_button.isEnabled()
    assert desk.panel.hide_button.toolTip() == "this layer is not drawn object by object"
    assert desk.panel.jump.toolTip() == "their places are not known"
    assert desk.panel.invert.isEnabled()
    desk.panel.set_objects(None)
    assert desk.panel.counts.text() == "no objects to show"
    assert desk.panel.model.rowCount() == 0
    objects.close()


def test_what_cannot_be_read_is_said(qtbot) -> None:
    class Broken(FakeReader):
        def read(self, progress: Callable[[str], None]) -> ObjectTable:
            raise OSError("the disk is gone")

    objects = ObjectsOfSession(Broken(3), np.arange(3), None)
    desk = Desk(qtbot, objects, RecordingLayer())
    assert desk.panel.trouble.text() == "the disk is gone"
    objects.close()
