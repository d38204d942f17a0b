"""Where requests wait until there is room for them."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress

from zarr_vectors.core.backends.requests.concurrency import Window


class Gate:
    """Lets as many through as the window says, in the order they came."""

    def __init__(self, window: Window) -> None:
        self.window = window
        self.under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def enter(self) -> None:
        """Wait for room."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:  # a child process has a loop of its own
            self._loop, self.under_way = loop, 0
            self._waiting.clear()
        if self.under_way < self.window.size and not self._waiting:
            self.under_way += 1
            return
        turn = loop.create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()
            with suppress(ValueError):
                self._waiting.remove(turn)
            raise

    def leave(self) -> None:
        """Make room, and let those in who fit."""
        self.under_way -= 1
        while self._waiting and self.under_way < self.window.size:
            turn = self._waiting.popleft()
            if not turn.done():
                self.under_way += 1
                turn.set_result(None)
