"""Write operations in processes of their own, killed at a random time, checked by fresh ones.

Their store is in a folder, or in a bucket, whose credentials they take over from this process.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import numpy as np

from zarr_vectors.core.backends import open_backend
from zarr_vectors.core.backends.icechunk_backend import make_icechunk_session
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


def replace_and_commit(address: str, options: dict[str, Any], name: str) -> None:
    """An attribute of a repository replaced by its row numbers and 100, and committed."""
    session, store = make_icechunk_session(address, **options)
    level = open_zv(store)[0]
    with level.writer() as writer:
        writer.add_attribute_sync(name, np.arange(level.vertex_count) + 100.0)
    session.commit("replaced")


KILLED: dict[str, tuple[Act | None, Act]] = {
    "write points": (None, write_many),
    "add attribute": (write_many, add_values),
    "replace attribute": (write_many, replace_values),
    "append": (write_many, append_many),
    "build pyramid": (write_many, lambda p, v: build_pyramid(p, factors=[(2.0, 1.0)] * 2)),
    "shrink bounds": (write_cloud, OPERATIONS["shrink bounds"].act),
}
"""What a store starts from, and what is done to it."""

FAR: dict[str, tuple[Act | None, Act]] = {
    f"few vertices: {name}": (OPERATIONS[name].start, OPERATIONS[name].act)
    for name in ("write points", "replace attribute", "append", "build pyramid")
}
"""The same for buckets, where each key takes its time."""

_CREDENTIALS = ("AWS_", "AZURE_", "GOOGLE_")


def kill_once(
    name: str, version: str, folder: Path | str, draw: random.Random, context: BaseContext
) -> tuple[bool, str | None]:
    """Kill an operation at a random time.

    Args:
        name: A row of :data:`KILLED` or :data:`FAR`.
        version: Format version.
        folder: An empty folder, or its address in a bucket.
        draw: Where the time comes from.
        context: Starts processes.

    Returns:
        Whether it was killed before it ended, and what is wrong afterwards, or None.
    """
    before, after, length = _expected(name, version, f"{folder}/clean", context)
    place = f"{folder}/store"  # the name is stored
    if before is not None:
        _in_process(context, _prepare, name, version, place)
    started = context.Event()
    child = context.Process(  # type: ignore[attr-defined]
        target=_alone, args=(_credentials(), _act, (name, version, place, started))
    )
    child.start()
    started.wait(60)
    time.sleep(draw.uniform(0, length * 1.05))
    child.kill()
    child.join()
    ended = child.exitcode == 0
    seen = _in_process(context, _digest, place)
    if seen not in (before, after):
        return not ended, f"{name} {version}: neither as before nor as after"
    if ended and seen != after:
        return False, f"{name} {version}: ended, and is not there"
    if seen == before:
        _in_process(context, _act, name, version, place, None)
    if _in_process(context, _digest, place) != after:
        return not ended, f"{name} {version}: the next run does not finish the job"
    return not ended, None


@contextmanager
def quick_processes() -> Iterator[BaseContext]:
    """Processes that start from one that has imported the library and done nothing else."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["zarr_vectors.testing.kills", "zarr_vectors.core.backends.buckets"]
    )
    yield context


_known: dict[tuple[str, str], tuple[str | None, str | None, float]] = {}


def _row(name: str) -> tuple[Act | None, Act]:
    return (KILLED | FAR)[name]


def _expected(
    name: str, version: str, folder: str, context: BaseContext
) -> tuple[str | None, str | None, float]:
    """Digests before and after, and how long the operation takes."""
    if (name, version) not in _known:
        place = f"{folder}/store"
        before = None
        if _row(name)[0] is not None:
            _in_process(context, _prepare, name, version, place)
            before = _in_process(context, _digest, place)
        length = float(_in_process(context, _act, name, version, place, None) or 0)
        _known[name, version] = before, _in_process(context, _digest, place), length
    return _known[name, version]


def _prepare(name: str, version: str, place: str) -> None:
    start = _row(name)[0]
    if start is not None:
        start(place, version)


def _act(name: str, version: str, place: str, started: Any) -> float:  # noqa: ANN401
    begun = time.perf_counter()
    if started is not None:
        started.set()
    _row(name)[1](place, version)
    return time.perf_counter() - begun


def _digest(place: str) -> str | None:
    """Of all that a reader sees, by the bytes and by reading; None where there is no store."""
    if "://" not in place and not Path(place).exists():
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
    child = context.Process(target=_alone, args=(_credentials(), _answer, (there, work, arguments)))  # type: ignore[attr-defined]
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


def _credentials() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith(_CREDENTIALS)}


def _alone(credentials: dict[str, str], work: Any, arguments: tuple[Any, ...]) -> None:  # noqa: ANN401
    """Where a process begins: what it came from may have begun with other credentials."""
    os.environ.update(credentials)
    work(*arguments)


def _answer(pipe: Any, work: Any, arguments: tuple[Any, ...]) -> None:  # noqa: ANN401
    try:
        pipe.send(work(*arguments))
    except Exception as error:  # noqa: BLE001 - told to the process that asked
        pipe.send(f"failed: {type(error).__name__}: {error}")
    pipe.close()
