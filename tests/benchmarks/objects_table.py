"""How long the window stands still while a table of a million objects is worked with.

A timer that should fire every 2 ms tells: the longest time between two of its turns is the stall.
What other programs take meanwhile is left out: no turn counts for more than the processor time of
all threads in it. The panel is used as a person does; each step waits for its answer.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication

from zv_viewer.model.objects import ObjectColumn, ObjectGroups, ObjectTable, category_column
from zv_viewer.model.texts import TextIndex
from zv_viewer.objects import GROUP, LENGTH, AttributeRange, RandomShare, evaluate
from zv_viewer.session.objects import ObjectsOfSession
from zv_viewer.sources.base import Progress
from zv_viewer.widgets.objects import ObjectsPanel

BETWEEN_MS = 2


def make_table(objects: int) -> ObjectTable:
    """A table with numbers, names that are all different, categories and groups."""
    rng = np.random.default_rng(0)
    ids = np.arange(objects, dtype=np.int64) * 3 + 7
    kinds = [f"type {k}" for k in range(40)]
    names = [f"neuron-{k}-{k % 977}" for k in range(objects)]
    columns = (
        ObjectColumn("size", rng.random(objects).astype(np.float32), "um"),
        ObjectColumn("synapses", rng.integers(0, 9999, objects)),
        category_column("type", rng.integers(-1, len(kinds), objects), kinds),
        category_column("name", rng.permutation(objects), names),
    )
    members = [rng.integers(0, objects, objects // 50) for _ in range(50)]
    return ObjectTable(
        ids,
        columns,
        ObjectGroups.of([f"tract {k}" for k in range(50)], members),
        length=rng.random(objects) * 100,
        id_text=TextIndex.of(ids.tolist()),
    )


class Made:
    """A table that is there already, as a reader."""

    def __init__(self, table: ObjectTable) -> None:
        self._table = table

    def read(self, progress: Progress) -> ObjectTable:
        """The table."""
        return self._table

    def complete(self, table: ObjectTable, progress: Progress) -> ObjectTable:
        """With what is found out later."""
        rng = np.random.default_rng(1)
        boxes = rng.random((len(table), 2, 3), np.float32)
        levels = rng.integers(1, 16, len(table)).astype(np.uint64)
        vertices = rng.integers(1, 4000, len(table))
        known = {"boxes": boxes, "levels": levels, "vertices": vertices}
        return replace(table, level_numbers=(0, 1, 2, 3), **known)


class Layer:
    """Takes what a layer takes, and copies it as one would."""

    def set_object_looks(self, looks: np.ndarray) -> None:
        """Looks of objects."""
        self.looks = looks.copy()

    def set_object_colours(self, colours: np.ndarray | None) -> None:
        """Colours of objects."""
        self.colours = None if colours is None else colours.copy()


class Stalls:
    """Times the turns of the event loop."""

    def __init__(self) -> None:
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(BETWEEN_MS)
        self._timer.timeout.connect(self._turn)
        self._timer.start()
        self.begin()

    def begin(self) -> None:
        """Measure from now on."""
        self._last, self.longest_s = (time.perf_counter(), time.process_time()), 0.0

    def _turn(self) -> None:
        now = time.perf_counter(), time.process_time()
        took = min(now[0] - self._last[0], now[1] - self._last[1])
        self.longest_s = max(self.longest_s, took)
        self._last = now


def measure(objects: int) -> dict[str, dict[str, float]]:
    """Longest stall and time to the answer of each step, milliseconds."""
    app = QApplication.instance() or QApplication([])
    table, layer = make_table(objects), Layer()
    session = ObjectsOfSession(Made(table), table.ids, layer)
    panel, stalls = ObjectsPanel(), Stalls()
    panel.resize(500, 900)
    panel.set_objects(session)
    panel.show()
    found: dict[str, dict[str, float]] = {}

    def step(name: str, do: Callable[[], object]) -> None:
        settle()
        stalls.begin()
        begun = time.perf_counter()
        do()
        while session.busy:
            app.processEvents()
        answered = time.perf_counter() - begun
        settle()
        found[name] = {
            "stall_ms": round(stalls.longest_s * 1e3, 1),
            "answer_ms": round(answered * 1e3, 1),
        }

    def settle() -> None:
        end = time.perf_counter() + 0.1
        while time.perf_counter() < end:
            app.processEvents()

    def tick(key: str, place: int) -> None:
        panel.filters.add_line()
        line = panel.filters.lines[-1]
        line.target.setCurrentIndex(line.target.findData(key))
        line.editor.list.item(place).setCheckState(Qt.CheckState.Checked)

    def column(key: str) -> int:
        model = panel.model
        return [model.key(k) for k in range(model.columnCount())].index(key)

    def sort(key: str, order: Qt.SortOrder = Qt.SortOrder.DescendingOrder) -> Callable[[], None]:
        return lambda: panel.view.horizontalHeader().setSortIndicator(column(key), order)

    bar = panel.view.verticalScrollBar
    step("load", session.load)
    for key in ("size", "name", GROUP, LENGTH):
        step(f"sort by {key}", sort(key))
    for text in ("neuron-77", "7", "no such name", ""):
        step(f"search {text!r}", lambda text=text: panel.search.setText(text))
    step("select all", session.select_listed)
    step("filter on a type", lambda: tick("type", 3))
    step("filter on a group", lambda: tick(GROUP, 5))
    step("no filters", lambda: session.set_filters([]))
    step("filter on half", lambda: session.set_filters([RandomShare(0.5)]))
    step("select none", lambda: session.select_rows([]))
    step("invert", session.invert)
    step("isolate", session.isolate)
    step("ghost the rest", session.ghost_rest)
    step("jump", session.jump_box)
    step("show all", session.show_all)
    step("switch a group off", lambda: session.set_groups_off([3]))
    step("colour by groups", lambda: session.colour_by(GROUP))
    step("colour by size", lambda: session.colour_by("size"))
    step("scroll to the end", lambda: bar().setValue(bar().maximum()))
    step("pick one", lambda: session.select_rows(panel.model.rows[-1:]))
    panel.close()
    session.close()
    filters = [AttributeRange("size", 0.2, 0.4), RandomShare(0.3)]
    begun = time.thread_time()
    evaluate(table, filters)
    found["two filters alone"] = {"answer_ms": round((time.thread_time() - begun) * 1e3, 1)}
    return found


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--objects", type=int, default=1_000_000)
    print(json.dumps(measure(parser.parse_args().objects), indent=1))


if __name__ == "__main__":
    main()
