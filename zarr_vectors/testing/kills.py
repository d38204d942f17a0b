"""Write operations in processes of their own, killed at a random time, checked by fresh ones."""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import numpy as np

from zarr_vectors.core.backends import open_backend
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.crash_runs import OPERATIONS, Act, cloud_of, contents, write_cloud
from zarr_vectors.types.points import write_points

COUNT = 1000
"""Vertices of the stores that are killed."""


def write_many(place: Any, version: str) -> None:  # noqa: ANN401
    """A store that takes a while to write."""
    positions, attributes = cloud_of(COUNT)
    write_points(
        place,
        positions * 10,
        chunk_shape=(50.0,) * 3,
        bin_shape=(25.0,) * 3,
        vertex_attributes=attributes,
        format_version=version,
    )


def append_many(place: Any, version: str) -> None:  # noqa: ANN401
    """Vertices in most chunks, and beyond the bounds."""
    positions, attributes = cloud_of(300, seed=9)
    with open_zv(place)[0].writer() as writer:
        writer.append_vertices_sync(positions * 11, attributes=attributes)


def add_values(place: Any, version: str) -> None:  # noqa: ANN401
    """A new attribute."""
    with open_zv(place)[0].writer() as writer:
        writer.add_attribute_sync("new", np.arange(COUNT))


def replace_values(place: Any, version: str) -> None:  # noqa: ANN401
    """An attribute in place of one that is there."""
    with open_zv(place)[0].writer() as writer:
        writer.add_attribute_sync("value", np.arange(COUNT))


KILLED: dict[str, tuple[Act | None, Act]] = {
    "write points": (None, write_many),
    "add attribute": (write_many, add_values),
    "replace attribute": (write_many, replace_values),
    "append": (write_many, append_many),
    "build pyramid": (write_many, lambda p, v: build_pyramid(p, factors=[(2.0, 1.0)] * 2)),
    "shrink bounds": (write_cloud, OPERATIONS["shrink bounds"].act),
}
"""What a store starts from, and what is done to it."""


def kill_once(
    name: str, version: str, folder: Path, draw: random.Random, context: BaseContext
) -> tuple[bool, str | None]:
    """Kill an operation at a random time.

    Args:
        name: A row of :data:`KILLED`.
        version: Format version.
        folder: An empty folder.
        draw: Where the time comes from.
        context: Starts processes.

    Returns:
        Whether it was killed before it ended, and what is wrong afterwards, or None.
    """
    before, after, length = _expected(name, version, folder / "clean", context)
    place = folder / "store"  # the name is stored
    if before is not None:
        _in_process(context, _prepare, name, version, str(place))
    started = context.Event()
    child = context.Process(target=_act, args=(name, version, str(place), started))  # type: ignore[attr-defined]
    child.start()
    started.wait(60)
    time.sleep(draw.uniform(0, length * 1.05))
    child.kill()
    child.join()
    ended = child.exitcode == 0
    seen = _in_process(context, _digest, str(place))
    if seen not in (before, after):
        return not ended, f"{name} {version}: neither as before nor as after"
    if ended and seen != after:
        return False, f"{name} {version}: ended, and is not there"
    if seen == before:
        _in_process(context, _act, name, version, str(place), None)
    if _in_process(context, _digest, str(place)) != after:
        return not ended, f"{name} {version}: the next run does not finish the job"
    return not ended, None


@contextmanager
def quick_processes() -> Iterator[BaseContext]:
    """Processes that start from one that has imported the library and done nothing else."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["zarr_vectors.testing.kills"])
    yield context


_known: dict[tuple[str, str], tuple[str | None, str | None, float]] = {}


def _expected(
    name: str, version: str, folder: Path, context: BaseContext
) -> tuple[str | None, str | None, float]:
    """Digests before and after, and how long the operation takes."""
    if (name, version) not in _known:
        place = str(folder / "store")
        before = None
        if KILLED[name][0] is not None:
            _in_process(context, _prepare, name, version, place)
            before = _in_process(context, _digest, place)
        length = float(_in_process(context, _act, name, version, place, None) or 0)
        _known[name, version] = before, _in_process(context, _digest, place), length
    return _known[name, version]


def _prepare(name: str, version: str, place: str) -> None:
    start = KILLED[name][0]
    if start is not None:
        start(place, version)


def _act(name: str, version: str, place: str, started: Any) -> float:  # noqa: ANN401
    begun = time.perf_counter()
    if started is not None:
        started.set()
    KILLED[name][1](place, version)
    return time.perf_counter() - begun


def _digest(place: str) -> str | None:
    """Of all that a reader sees, by the bytes and by reading; None where there is no store."""
    if not Path(place).exists():
        return None
    found = contents(open_backend(place))
    if not found:
        return None
    sums = hashlib.sha256(repr(sorted(found.items())).encode())
    store = open_zv(place)
    for number in store.levels:
        level = store[number]
        sums.update(level.vertices.compute().tobytes())
        for name in level.attributes:
            sums.update(repr(level.attributes[name].compute().tolist()).encode())
        sums.update(repr(level.present_oids.tolist()).encode())
    return sums.hexdigest()


def _in_process(context: BaseContext, work: Any, *arguments: Any) -> Any:  # noqa: ANN401
    """What a fresh process answers."""
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(there, work, arguments))  # type: ignore[attr-defined]
    child.start()
    there.close()
    try:
        found = here.recv()
    except EOFError:
        raise AssertionError(f"{work.__name__} ended without an answer") from None
    finally:
        child.join()
    if isinstance(found, str) and found.startswith("failed: "):
        raise AssertionError(f"{work.__name__}{arguments}: {found}")
    return found


def _answer(pipe: Any, work: Any, arguments: tuple[Any, ...]) -> None:  # noqa: ANN401
    try:
        pipe.send(work(*arguments))
    except Exception as error:  # noqa: BLE001 - told to the process that asked
        pipe.send(f"failed: {type(error).__name__}: {error}")
    pipe.close()
