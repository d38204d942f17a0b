"""A loop whose time passes by itself whenever nothing is left to do: hours in no time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any

import pytest


class _Leaping(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise AssertionError("everything waits for something that does not come")
        self.now += timeout
        return super().select(0)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.leaping = _Leaping()
        super().__init__(self.leaping)

    def time(self) -> float:
        return self.leaping.now


class Simulation:
    """Runs coroutines in simulated time."""

    def __init__(self) -> None:
        self._loop = _Loop()

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Result of ``work``; fails where it leaves a task behind."""
        result = self._loop.run_until_complete(work)
        assert not asyncio.all_tasks(self._loop)
        return result

    def now(self) -> float:
        return self._loop.time()

    def close(self) -> None:
        self._loop.close()


@pytest.fixture
def simulation():
    found = Simulation()
    yield found
    assert not asyncio.all_tasks(found._loop)
    found.close()
