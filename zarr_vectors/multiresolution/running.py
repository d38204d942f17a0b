"""Making tiles in other processes, here or on a Dask cluster: the bytes are the same."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

from zarr_vectors.core.backends import StoreLike, open_backend
from zarr_vectors.core.backends.icechunk_address import is_repository
from zarr_vectors.core.backends.urls import scheme_of
from zarr_vectors.core.group import group_at
from zarr_vectors.core.layouts.detect import layout_for
from zarr_vectors.core.root_meta import parse_level, read_root
from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.multiresolution.reducing import (
    Job,
    Result,
    Runner,
    TileJob,
    TileResult,
    read_tile,
    reduce_tile,
    serial,
)
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.level import describe_level


class Client(Protocol):
    """What is asked of a Dask client."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **options: Any) -> Any:  # noqa: ANN401
        """Call a function on the cluster; the answer has ``result()``."""
        ...


@contextmanager
def runner_for(
    place: StoreLike, backend: str | None, workers: int | None, client: Client | None
) -> Iterator[Runner]:
    """Who makes the tiles.

    Args:
        place: The store. Other processes open it by themselves where it is a path or an address
            whose changes they see at once; else they are sent what is read here, and need no
            credentials.
        backend: As given to whoever opened it.
        workers: Processes on this machine; None or 1 makes tiles in this one.
        client: A Dask client, or None.

    Raises:
        CoarseningError: Both are given, or fewer than 1 worker.
    """
    count = 1 if workers is None else workers
    if count < 1 or (count > 1 and client is not None):
        raise CoarseningError(f"workers must be at least 1 and not beside a client, not {workers}")
    if count == 1 and client is None:
        yield serial
        return
    make = partial(_reduce, os.fspath(place), backend) if _others_see(place) else None
    if client is not None:
        # results are large and each is used once: nothing is gained by asking for it twice
        yield _Ahead(partial(client.submit, pure=False), make, AHEAD_OF_CLUSTER)
        return
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=spawn) as pool:
        yield _Ahead(pool.submit, make, 2 * count)


AHEAD_OF_CLUSTER = 16
"""Parts a cluster is given before the first of them is written."""


class _Pending(Protocol):
    def result(self) -> Any:  # noqa: ANN401
        """Wait for the part."""
        ...


class _Ahead:
    """Keeps a few parts under way and hands them on in order."""

    def __init__(
        self,
        submit: Callable[..., _Pending],
        make: Callable[[TileJob], TileResult] | None,
        most: int,
    ) -> None:
        self._submit = submit
        self._make = make
        self._most = most

    def tiles(self, reader: LevelReader, jobs: Iterable[TileJob]) -> Iterator[TileResult]:
        """Tiles made coarser, in the order of the jobs; read here if others cannot read them."""
        if self._make is not None:
            return self.each(self._make, jobs)
        return self.each(reduce_tile, (read_tile(reader, job) for job in jobs))

    def each(self, work: Callable[[Job], Result], jobs: Iterable[Job]) -> Iterator[Result]:
        """Results in the order of the jobs."""
        waiting: deque[_Pending] = deque()
        for job in jobs:
            waiting.append(self._submit(work, job))
            if len(waiting) >= self._most:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _reduce(place: str, backend: str | None, job: TileJob) -> TileResult:
    """A tile in another process, which sees what the writer has written so far."""
    opened = open_backend(place, mode="r", backend=backend)
    root = read_root(opened)
    layout = layout_for(root.meta.zv_version, opened)
    # its level alone: the one being made may be there by half
    attributes = group_at(layout, str(job.level)).attrs.to_dict()
    level = parse_level(root, job.level, attributes, opened.url)
    arrays = describe_level(layout, root.meta, level)
    return reduce_tile(read_tile(LevelReader(layout, arrays), job))


def _others_see(place: StoreLike) -> bool:
    """Whether other processes can open a store by its name, and see what is written to it."""
    if not isinstance(place, str | os.PathLike):
        return False  # it may be in memory, or opened with credentials that are not theirs
    address = os.fspath(place)
    return not is_repository(address) and scheme_of(address) != "memory"
