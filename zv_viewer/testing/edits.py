"""Edits of a store in processes that are killed, and what must hold afterwards."""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import numpy as np

from zarr_vectors.core.backends import StoreLike, open_backend
from zarr_vectors.core.handle import open_handle
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.crash_runs import Files, contents
from zarr_vectors.types.points import write_points
from zv_viewer.edits.dry_run import rehearse
from zv_viewer.edits.history import History
from zv_viewer.edits.request import Request
from zv_viewer.edits.sources import FromExpression

Act = Callable[[str, str], None]
"""What is done: (place, folder of the history)."""


def make(place: StoreLike, version: str, count: int = 600) -> None:
    """A cloud in many chunks, with a coarser level."""
    rng = np.random.default_rng(5)
    write_points(
        place,
        rng.uniform(-100, 100, (count, 3)),
        chunk_shape=(50.0,) * 3,
        bin_shape=(12.5,) * 3,
        vertex_attributes={"value": rng.standard_normal(count).astype("f4")},
        format_version=version,
    )
    build_pyramid(place, factors=[(2.0, 1.0)])


def replace(place: str, history: str) -> None:
    """Replace an attribute of every level."""
    handle = open_handle(place)
    request = Request("value", "vertex", FromExpression("value * 2"), replace=True)
    with rehearse(handle, request) as dry:
        History(Path(history)).write(handle, dry)


def undo(place: str, history: str) -> None:
    """Take the last edit back."""
    handle, kept = open_handle(place), History(Path(history))
    edit = kept.can_undo(handle)
    if edit is not None:
        kept.undo(handle, edit)


def seen(place: str) -> Files:
    """All keys and values that a reader sees."""
    return contents(open_backend(place))


def kill_once(
    act: Act, version: str, folder: Path, draw: random.Random, context: BaseContext
) -> tuple[bool, str | None]:
    """Kill an act at a random time.

    Args:
        act: What is done: :func:`replace`, or :func:`undo` of that.
        version: Format version.
        folder: A folder, which may be used again.
        draw: Where the time comes from.
        context: Starts processes.

    Returns:
        Whether it was killed before it ended, and what is wrong afterwards, or None.
    """
    place, kept = _begun(act, version, folder)
    before = seen(str(place))
    begun, whole = context.Event(), context.Value("d", 0.0)
    child = context.Process(  # type: ignore[attr-defined]
        target=_run, args=(act, str(place), str(kept), begun, whole)
    )
    child.start()
    while child.is_alive() and not begun.wait(0.1):
        pass
    time.sleep(draw.uniform(0, _known.get(act.__name__, 1.0)))
    child.kill()
    child.join()
    ended = child.exitcode == 0
    if ended:
        _known[act.__name__] = max(float(whole.value), 0.01)
    now = seen(str(place))
    open_handle(str(place), "r+")  # the next writer puts back what was half done
    if seen(str(place)) != now:
        return not ended, "a writer sees another store than a reader"
    handle, history_now = open_handle(str(place)), History(kept)
    if now == before:
        act(str(place), str(kept))
        return not ended, None if seen(str(place)) != before else "the next run does nothing"
    undo_first = act is not undo
    edit = history_now.can_undo(handle) if undo_first else history_now.can_redo(handle)
    if edit is None:
        return not ended, "neither as before nor as afterwards"
    (history_now.undo if undo_first else history_now.redo)(handle, edit)
    if seen(str(place)) != before:
        return not ended, "what was done cannot be taken back byte by byte"
    return not ended, None


def _begun(act: Act, version: str, folder: Path) -> tuple[Path, Path]:
    """The store and the history an act starts from; undo goes by the address of the store."""
    saved = folder / f"{act.__name__}-{version}"
    at = [folder / name for name in ("store", "history")]
    for one in at:
        shutil.rmtree(one, ignore_errors=True)
    if not saved.exists():
        make(str(at[0]), version)
        at[1].mkdir()
        if act is undo:
            replace(str(at[0]), str(at[1]))
        for one in at:
            shutil.copytree(one, saved / one.name)
        return at[0], at[1]
    for one in at:
        shutil.copytree(saved / one.name, one)
    return at[0], at[1]


_known: dict[str, float] = {}
"""Seconds an act took when it was let go on."""


def _run(act: Act, place: str, history: str, begun: Any, whole: Any) -> None:  # noqa: ANN401
    begun.set()
    start = time.perf_counter()
    act(place, history)
    whole.value = time.perf_counter() - start
