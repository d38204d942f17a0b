"""The stores of a viewer, one of which a dock shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QWidget

from zv_viewer.session import StoreSession, registry, sessions_in


def every(_: StoreSession) -> bool:
    """All stores are listed."""
    return True


class StoreChoice(QComboBox):
    """Lists the stores of a viewer; ``chosen(session)`` when it lists anew and when a user chooses.

    A store that comes is chosen; else the choice stays while its store is there. None is emitted
    where there is no store. Begins with the first ``list_stores()``.

    Args:
        viewer: The napari viewer, or its public proxy.
        lists: Which sessions are listed.
        keeps: The choice stays when another store comes.
        hides: Hide the list where there is nothing to choose.
    """

    chosen = Signal(object)

    def __init__(
        self,
        viewer: Any,  # noqa: ANN401 - a viewer or its public proxy
        *,
        lists: Callable[[StoreSession], bool] = every,
        keeps: bool = False,
        hides: bool = True,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._lists, self._keeps, self._hides = viewer, lists, keeps, hides
        self.currentIndexChanged.connect(self._on_index)
        registry.signals.added.connect(self.list_stores)
        registry.signals.removed.connect(self.list_stores)

    @property
    def session(self) -> StoreSession | None:
        """The one chosen."""
        session: StoreSession | None = self.currentData()
        return session

    @property
    def sessions(self) -> list[StoreSession]:
        """All that are listed, in the order of their layers."""
        return [self.itemData(place) for place in range(self.count())]

    def list_stores(self, *_: object) -> None:
        """List the stores anew."""
        before, old = self.sessions, self.session
        found = [one for one in sessions_in(self._viewer.layers) if self._lists(one)]
        came = [one for one in found if one not in before]
        stays = old in found and (self._keeps or not came)
        session = old if stays else next(reversed(came or found), None)
        self.blockSignals(True)
        self.clear()
        for one in found:
            self.addItem(one.layer.name, one)
        self.setCurrentIndex(found.index(session) if session is not None else -1)
        self.blockSignals(False)
        self.setVisible(not self._hides or len(found) > 1)
        self.chosen.emit(session)

    def _on_index(self) -> None:
        self.chosen.emit(self.session)
