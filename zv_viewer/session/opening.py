"""Opening a store away from the GUI thread: source and scene, or the error that says why not."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from zarr_vectors.core.backends import CancelScope, StoreLike
from zarr_vectors.exceptions import StoreUnreachable, ZVError
from zv_viewer.addresses import safe_address
from zv_viewer.controller.reading import CellReader, Loaded
from zv_viewer.controller.stats import trouble_text
from zv_viewer.drawing.first_look import first_look
from zv_viewer.drawing.shape_scenes import around_shapes
from zv_viewer.errors import InputError
from zv_viewer.loading.queue import Job
from zv_viewer.loading.scheduler import Outcome
from zv_viewer.model.cells import CellTree
from zv_viewer.model.plan import Tier
from zv_viewer.model.scene import SceneInfo
from zv_viewer.planning import build_cells
from zv_viewer.sources.at_once import at_once
from zv_viewer.sources.base import ChunkSource, KnowsShapes
from zv_viewer.sources.store import StoreSource

FIRST_BYTES = 16 << 20
"""The coarsest cells are read at opening as far as they take so much memory."""

FIRST_CELLS = 64
"""And so many of them."""


@dataclass(frozen=True, eq=False, slots=True)
class Opened:
    """A store whose metadata is read."""

    source: ChunkSource
    scene: SceneInfo
    tree: CellTree
    coarsest: tuple[Outcome[Loaded], ...] = ()
    """Cells of the coarsest level that were read already, with what they are coloured by first."""


class Opening:
    """A store being opened in a thread of its own.

    Args:
        place: Path, URL, Zarr store or obstore store.
        make_source: What to open it with.
        first: Read some of the coarsest cells, too.
        options: Passed on; not kept, as they may hold credentials.

    Attributes:
        path: The place in words, without user info or query.
        started: When, by ``time.perf_counter``.
    """

    def __init__(
        self,
        place: StoreLike,
        make_source: Callable[..., ChunkSource] = StoreSource,
        *,
        first: bool = False,
        **options: Any,  # noqa: ANN401 - each kind of place has options of its own
    ) -> None:
        is_address = isinstance(place, str | os.PathLike)
        self.path = safe_address(os.fspath(place)) if is_address else type(place).__name__
        self.started = time.perf_counter()
        self._scope = CancelScope()
        pool = ThreadPoolExecutor(1, thread_name_prefix="zv-open")
        make = partial(make_source, os.fspath(place) if is_address else place, **options)
        self._future: Future[Opened] = pool.submit(_open, make, self._scope, first)
        pool.shutdown(wait=False)

    def done(self) -> bool:
        """Whether the outcome is known."""
        return self._future.done()

    def result(self, timeout: float | None = None) -> Opened:
        """The opened store; raises what opening raised, or TimeoutError."""
        return self._future.result(timeout)

    def cancel(self) -> None:
        """Give up; a store that still opens is closed again."""
        self._scope.cancel()
        if not self._future.cancel():
            self._future.add_done_callback(_close)


def why_not_open(path: str, error: Exception) -> str:
    """Why a store cannot be opened, a sentence."""
    if isinstance(error, StoreUnreachable):
        return f"{path} cannot be reached: {trouble_text(error.trouble)}; {error}"
    if is_expected(error):
        return f"{path} cannot be opened: {error}" if isinstance(error, OSError) else str(error)
    what = f"{type(error).__name__}: {error}"
    return f"{path} cannot be opened by a mistake in the program: {what}"


def is_expected(error: Exception) -> bool:
    """Whether an error is the store's, the place's or the user's, and not one of the program."""
    return isinstance(error, ZVError | InputError | OSError)


def _open(make_source: Callable[[], ChunkSource], scope: CancelScope, first: bool) -> Opened:
    with scope:
        source = make_source()
        scene = framed(source, source.describe())
        tree = build_cells(scene)
        coarsest = read_coarsest(source, scene, tree) if first else ()
    # napari imports it with its first layer, in the GUI thread: half a second and more.
    import_module("pandas")
    return Opened(source, scene, tree, coarsest)


def framed(source: ChunkSource, scene: SceneInfo) -> SceneInfo:
    """A store of parametric objects alone, with bounds in which these are seen; others as told."""
    if not isinstance(source, KnowsShapes) or any(level.vertex_count for level in scene.levels):
        return scene
    try:
        return around_shapes(scene, source.shapes())
    except ZVError:  # what reads them for the window says so
        return scene


def read_coarsest(
    source: ChunkSource, scene: SceneInfo, tree: CellTree
) -> tuple[Outcome[Loaded], ...]:
    """The coarsest cells, in order, while they are few and the store answers."""
    roots = np.flatnonzero(tree.parent < 0)
    roots = roots[np.cumsum(tree.nbytes[roots]) <= FIRST_BYTES][:FIRST_CELLS]
    reader, attribute = CellReader(source, scene, tree), first_look(scene).attribute

    def read(cell: int) -> Outcome[Loaded] | None:
        job = Job(cell, Tier.HOLE, attribute)
        try:
            return Outcome(job, reader(job), None, wanted=True)
        except (ZVError, OSError):  # the controller asks for it again, and says so
            return None

    found = at_once(read, roots.tolist())
    return tuple(outcome for outcome in found if outcome is not None)


def _close(future: Future[Opened]) -> None:
    if not future.cancelled() and future.exception() is None:
        future.result().source.close()
