"""Notices that somebody else wrote to a store that is open."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qtpy.QtCore import QFileSystemWatcher, QObject, QTimer, Signal

from zarr_vectors.exceptions import ZVError
from zv_viewer.session.latest import Latest
from zv_viewer.sources.base import News, Watched

POLL_MS = 30_000
"""How often a store is looked at where nothing tells of a change."""

SETTLE_MS = 300
"""A folder that changes is looked at when it has been quiet for so long."""

AGAIN_MS = 1_500
"""While a writer is at work, or where the store could not be read, another look comes soon."""

LOST_MS = 5_000
"""A store that is gone or damaged is looked for this often."""

LOOKS = 2
"""How often in a row a store cannot be read before that is told: a writer may be half way."""


class StoreWatch(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Looks at a store's metadata in a worker, when its folder changes and now and then.

    ``changed()`` when a writer has committed, ``lost(message)`` when the store is gone or damaged,
    ``back()`` when it can be read again.

    Args:
        source: The store.
    """

    changed = Signal()
    lost = Signal(str)
    back = Signal()

    def __init__(self, source: Watched) -> None:
        super().__init__()
        self._source = source
        self._lane = Latest("zv-watch")
        self._failures = 0
        self._files = QFileSystemWatcher()
        self._files.directoryChanged.connect(self._soon)
        self._delay = QTimer()
        self._delay.setSingleShot(True)
        self._delay.timeout.connect(self.look)
        self._poll = QTimer()
        self._poll.setInterval(POLL_MS)
        self._poll.timeout.connect(self.look)
        self._poll.start()
        self._follow(source.folders())

    def use(self, source: Watched) -> None:
        """Watch the store as it was read anew."""
        self._source = source
        self._follow(source.folders())

    def look(self) -> None:
        """Look now; what was found is told when it is known."""
        source = self._source

        def seen(news: News) -> None:
            if source is self._source:
                self._seen(news)

        self._lane.ask(source.news, seen, self._failed)

    def close(self) -> None:
        """Look no more."""
        self._poll.stop()
        self._delay.stop()
        self._files.directoryChanged.disconnect(self._soon)
        self._follow(())
        self._lane.close()

    def _follow(self, folders: Iterable[str]) -> None:
        wanted, watched = set(folders), set(self._files.directories())
        if watched - wanted:
            self._files.removePaths(sorted(watched - wanted))
        if wanted - watched:
            self._files.addPaths(sorted(wanted - watched))

    def _soon(self, *_: Any) -> None:  # noqa: ANN401 - a path, through a signal
        self._delay.start(SETTLE_MS)

    def _seen(self, news: News) -> None:
        if self._failures >= LOOKS:
            self.back.emit()
        self._failures = 0
        if news.being_written:
            self._delay.start(AGAIN_MS)
        elif news.changed:
            self.changed.emit()

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, ZVError | OSError):
            raise error
        self._failures += 1
        self._delay.start(AGAIN_MS if self._failures < LOOKS else LOST_MS)
        if self._failures == LOOKS:
            self.lost.emit(str(error))
