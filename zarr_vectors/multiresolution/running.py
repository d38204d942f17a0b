"""Making tiles in other processes, here or on a Dask cluster: the bytes are the same."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, Protocol

from zarr_vectors.core.backends import StoreLike, open_backend
from zarr_vectors.core.handle import handle_at
from zarr_vectors.core.layouts.detect import layout_for
from zarr_vectors.core.root_meta import read_root
from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.multiresolution.reducing import (
    Job,
    Result,
    Runner,
    TileJob,
    TileResult,
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
        place: The store; other processes open it by themselves.
        backend: As given to whoever opened it.
        workers: Processes on this machine; None or 1 makes tiles in this one.
        client: A Dask client, or None.

    Raises:
        CoarseningError: Both are given, fewer than 1 worker, or a place that only this process
            knows.
    """
    count = 1 if workers is None else workers
    if count < 1 or (count > 1 and client is not None):
        raise CoarseningError(f"workers must be at least 1 and not beside a client, not {workers}")
    if count == 1 and client is None:
        yield serial
        return
    where = str(place)
    if not isinstance(place, str) and not hasattr(place, "__fspath__"):
        raise CoarseningError(
            "other processes need the store's path or address, not a store object"
        )
    make = partial(_reduce, where, backend)
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
        make: Callable[[TileJob], TileResult],
        most: int,
    ) -> None:
        self._submit = submit
        self._make = make
        self._most = most

    def tiles(self, reader: LevelReader, jobs: Iterable[TileJob]) -> Iterator[TileResult]:
        """Tiles made coarser by whoever opens the store themselves, in the order of the jobs."""
        return self.each(self._make, jobs)

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
    handle = handle_at(layout_for(read_root(opened).meta.zv_version, opened))
    arrays = describe_level(handle.layout, handle.meta, handle.level(job.level))
    return reduce_tile(LevelReader(handle.layout, arrays), job)
