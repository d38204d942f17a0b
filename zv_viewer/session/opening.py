"""Opening a store away from the GUI thread: source and scene, or the error that says why not."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module

from zv_viewer.model.cells import CellTree
from zv_viewer.model.scene import SceneInfo
from zv_viewer.planning import build_cells
from zv_viewer.sources.base import ChunkSource
from zv_viewer.sources.store import StoreSource


@dataclass(frozen=True, eq=False, slots=True)
class Opened:
    """A store whose metadata is read."""

    source: ChunkSource
    scene: SceneInfo
    tree: CellTree


class Opening:
    """A store being opened in a thread of its own.

    Args:
        path: Path or URL.
        make_source: What to open it with.
    """

    def __init__(self, path: str, make_source: Callable[[str], ChunkSource] = StoreSource) -> None:
        self.path = path
        self.started = time.perf_counter()
        pool = ThreadPoolExecutor(1, thread_name_prefix="zv-open")
        self._future: Future[Opened] = pool.submit(_open, path, make_source)
        pool.shutdown(wait=False)

    def done(self) -> bool:
        """Whether the outcome is known."""
        return self._future.done()

    def result(self, timeout: float | None = None) -> Opened:
        """The opened store; raises what opening raised, or TimeoutError."""
        return self._future.result(timeout)

    def cancel(self) -> None:
        """Give up; a store that still opens is closed again."""
        if not self._future.cancel():
            self._future.add_done_callback(_close)


def _open(path: str, make_source: Callable[[str], ChunkSource]) -> Opened:
    source = make_source(path)
    scene = source.describe()
    # napari imports it with its first layer, in the GUI thread: half a second and more.
    import_module("pandas")
    return Opened(source, scene, build_cells(scene))


def _close(future: Future[Opened]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().source.close()
