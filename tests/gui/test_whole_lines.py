"""Lines in the window are whole: each is one unbroken curve of one level while levels change.

Judged by what the layer has put on the card: its rows, the links between them, and the table of
objects.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

import zv_viewer
from zv_viewer import samples
from zv_viewer.drawing.joints import JointChanges, Joints
from zv_viewer.flight.path import Flight, Leg
from zv_viewer.layers.view import apply_view
from zv_viewer.model.objects import Look
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.session import Opening
from zv_viewer.sources.base import RawCell
from zv_viewer.sources.store import StoreSource
from zv_viewer.testing.linked_oracle import Pictures, torn_objects, truth_of_store

pytestmark = [pytest.mark.gui, pytest.mark.once]

FLIGHT = Flight(
    (
        Leg("overview", 1),
        Leg("zoom", 8, extent_fraction=0.1),
        Leg("pan", 5, extent_fraction=0.1),
        Leg("orbit", 4, extent_fraction=0.5),
        Leg("back", 6),
    )
)


class SlowSource(StoreSource):
    """A store a network away."""

    def read(self, level: int, chunks: np.ndarray, attributes: Sequence[str] = ()) -> RawCell:
        time.sleep(0.02)
        return super().read(level, chunks, attributes)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("lines") / "lines.zarrvectors"
    samples.make_sample(
        samples.Sample("l", "l", "tracts", 3, 16_000, 5, 250.0, 31.25, 4, "0.9.2"), place
    )
    return place


class Card:
    """A copy of the links a layer writes to the card."""

    def __init__(self, drawer) -> None:
        self.links = np.zeros((0, 2), np.int64)
        self.used = np.zeros(0, np.int64)
        self._write, drawer.write_links = drawer.write_links, self.write

    def write(self, writes, used) -> None:
        self._write(writes, used)
        size = max([len(self.links), *(write.stop for write in writes)])
        grown = np.zeros((size, 2), np.int64)
        grown[: len(self.links)] = self.links
        for write in writes:
            grown[write.start : write.stop] = write.links
        self.links = grown


class Eyes:
    """What the layer draws, as rows and links of the store."""

    def __init__(self, session) -> None:
        scene, self.layer = session.scene, session.layer
        self.controller = session.controller
        tree = self.controller.tree
        with_source = StoreSource(scene.url)
        self.truth = truth_of_store(with_source, scene, tree)
        with_source.close()
        self.pictures = Pictures(self.truth, tree)
        self.card = Card(self.layer._drawer)
        self.layer.set_capacity(self.layer.capacity)  # all is put on the card again
        self.controller.forget_layer()
        session._pulse.wake()
        assert session.wait(20)
        self.everything = [np.ones(len(level.objects), bool) for level in self.truth]

    def torn(self) -> dict[int, str]:
        """Objects in view that are not whole."""
        layer, states = self.layer, self.layer._objects
        cache = self.controller._stock.cache
        drawn = [item.cell for item in layer._items]
        held = {cell: cache[cell] for cell in drawn}
        cells, rows = np.full(layer.capacity, -1), np.full(layer.capacity, -1)
        shown_rows = {}
        for cell, arrays in held.items():
            places = [np.arange(first, first + n) for first, n in layer._slots.rows(cell).tolist()]
            places = np.concatenate(places)
            cells[places], rows[places] = cell, np.arange(len(arrays))
            levels = np.full(len(arrays), arrays.links.level, np.uint8)
            shown_rows[cell] = states.drawn(arrays.links.objects, levels)
        links = self.card.links[(self.card.links[:, 0] != self.card.links[:, 1])]
        owner, row = cells[links], rows[links]
        whole = np.array(
            [
                all(shown_rows[c][r] for c, r in zip(owns, ends, strict=True))
                for owns, ends in zip(owner.tolist(), row.tolist(), strict=True)
            ],
            bool,
        ).reshape(-1)
        shown = self.pictures.shown(
            held,
            drawn,
            shown_rows,
            (owner[whole], row[whole]),
            states.levels,
            states.looks == Look.HIDDEN,
        )
        seen = self.controller._planner.plan.visible
        return torn_objects(self.truth, shown, seen, self.everything)


def fly(viewer, session, *, to_the_end: bool) -> tuple[int, set[int]]:
    """How many steps showed a torn object, and the levels objects were seen at.

    The flight ends with the first torn object unless it goes on ``to_the_end``.
    """
    eyes, torn, seen = Eyes(session), 0, set()
    height, width = viewer.canvas.size
    for step, view in enumerate(FLIGHT.steps_for(session.scene, (width, height))):
        apply_view(viewer, view)
        if step % 5 == 4:
            looks = np.full(len(session.scene.objects), Look.NORMAL, np.uint8)
            looks[step % 3 :: 3] = [Look.HIDDEN, Look.GHOST, Look.SELECTED][step % 3]
            session.layer.set_object_looks(looks)
        for _ in range(3):
            QApplication.processEvents()
            time.sleep(0.01)
            torn += bool(eyes.torn())
            seen |= set(np.unique(session.layer._objects.levels).tolist())
            if torn and not to_the_end:
                return torn, seen
    return torn, seen


@pytest.mark.parametrize("honest", [True, False])
def test_each_line_is_one_curve_of_one_level(
    make_napari_viewer: Callable, lines: Path, monkeypatch: pytest.MonkeyPatch, honest: bool
) -> None:
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(800, 600)
    settings = LodSettings(Budget(vertices=12_000, bytes=6_000_000))
    opening = Opening(str(lines), SlowSource)
    session = zv_viewer.open_store(viewer, lines, settings=settings, opening=opening)
    assert session.wait(20)
    if not honest:
        update = Joints.update

        def all_but_one(self: Joints, drawn) -> JointChanges:
            found = update(self, drawn)
            return JointChanges(found.removed, found.added[1:])

        monkeypatch.setattr(Joints, "update", all_but_one)
    torn, levels = fly(viewer, session, to_the_end=honest)
    assert len(levels) > 2 or not honest
    assert (torn == 0) is honest
