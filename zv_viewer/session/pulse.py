"""A timer that asks for a turn again and again, until there is nothing to do."""

from __future__ import annotations

from collections.abc import Callable

from qtpy.QtCore import QObject, Qt, QTimer, Signal

TICK_MS = 16


class _Posted(QObject):  # type: ignore[misc]  # qtpy has no types
    """What is emitted comes once the present call has returned, before the next paint."""

    due = Signal()


class Pulse:
    """Calls ``turn`` every few milliseconds from the start on.

    Args:
        turn: Called in the GUI thread.
        before_paint: Likewise, after :meth:`look`.
    """

    def __init__(self, turn: Callable[[], None], before_paint: Callable[[], None]) -> None:
        self._turn, self._before_paint = turn, before_paint
        self._posted = _Posted()
        self._posted.due.connect(self._on_due, Qt.ConnectionType.QueuedConnection)
        self._is_posted = False
        self._timer: QTimer | None = QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(turn)
        self._timer.start()

    @property
    def closed(self) -> bool:
        """Whether there are no more turns."""
        return self._timer is None

    def wake(self, *_: object) -> None:
        """There is something to do again."""
        if self._timer is not None and not self._timer.isActive():
            self._timer.start(TICK_MS)

    def look(self) -> None:
        """There is something to do, some of it before the window paints again."""
        self.wake()
        if not self._is_posted:
            self._is_posted = True
            self._posted.due.emit()

    def _on_due(self) -> None:
        self._is_posted = False
        if self._timer is not None:
            self._before_paint()

    def rest(self) -> None:
        """There is nothing to do."""
        if self._timer is not None:
            self._timer.stop()

    def pace(self, seconds: float) -> None:
        """Turns are as far apart as a layer needs to be filled and the window to answer."""
        pause = max(TICK_MS, round(1e3 * seconds))
        if self._timer is not None and self._timer.interval() != pause:
            self._timer.setInterval(pause)

    def close(self) -> None:
        """No more turns."""
        if self._timer is not None:
            self._timer.stop()
            self._timer.timeout.disconnect(self._turn)
            self._timer = None
