"""Building coarser levels: every level keeps the vertex attributes and measures its own error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.multiresolution.clouds import METHOD, CloudBuilder, Progress
from zarr_vectors.multiresolution.running import Client, runner_for
from zarr_vectors.multiresolution.steps import (
    Step,
    check_step,
    check_steps,
)


def build_pyramid(
    store_path: StoreLike,
    *,
    factors: Sequence[tuple[float, float] | float] | None = None,
    chunk_scale_factors: Sequence[int | Sequence[int]] | None = None,
    sparsity_strategy: str = "random",
    sparsity_seed: int | None = None,
    cross_level_depth: int = 1,
    cross_level_storage: str = "none",
    attribute_aggregation: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    backend: str | None = None,
    workers: int | None = None,
    client: Client | None = None,
) -> dict[str, Any]:
    """Build levels 1, 2, ... of a point cloud, each from the one before.

    A vertex of the next level is the mean of the vertices of one bin, each weighted by the level-0
    vertices it stands for. Every level keeps the vertex attributes and the object ids, and
    records the distance from each level-0 vertex to the vertex that stands for it.

    Args:
        store_path: The store.
        factors: One (coarsen, sparsity) per level: how much larger its bins are than those of the
            level before, and how many times fewer objects it keeps. By default bins double until
            a level is a few thousand vertices or stops shrinking.
        chunk_scale_factors: One per level: integers (or one per axis) that chunks grow by; chosen
            so that chunks keep about as many bins by default.
        sparsity_strategy: ``random``.
        sparsity_seed: Makes the choice of objects repeatable.
        cross_level_depth: Recorded in the metadata; -1 for all, else at least 0.
        cross_level_storage: ``none``: links between levels are not written for points.
        attribute_aggregation: name -> ``mean`` (numbers, by default), ``mode`` (categories and
            bool, by default), ``min``, ``max`` or ``first``.
        progress: Called with (steps done, steps in all, text).
        cancelled: Asked between batches; True stops with a CoarseningError and leaves whole levels.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        workers: Processes that make parts of a level side by side; the store is the same for any
            number. Scripts need the usual ``__main__`` guard.
        client: A Dask client, to do so on a cluster that can open ``store_path``.

    Returns:
        ``levels_created``, ``level_specs`` (one dict per level), ``method``, ``cross_level_depth``,
        ``cross_level_storage``.

    Raises:
        ValueError: Malformed factors, storage, or depth below -1.
        CoarseningError: Levels that cannot be built as asked, or the work was cancelled.
        StoreError: No such store, not writable, or a level is there already.
    """
    _check_links(cross_level_depth, cross_level_storage)
    opened = open_handle(store_path, "r+", backend=backend)
    ndim = opened.meta.ndim
    steps = None if factors is None else check_steps(factors, chunk_scale_factors, ndim)
    specs: list[dict[str, Any]] = []
    stopped: CoarseningError | None = None
    with (
        runner_for(store_path, backend, workers, client) as runner,
        opened.transaction("build the pyramid") as handle,
        closing(
            CloudBuilder(handle, attribute_aggregation or {}, progress, cancelled, runner)
        ) as work,
    ):
        work.load(0)
        choice = (sparsity_strategy, sparsity_seed)
        number = 0
        try:
            while steps is None or number < len(steps):
                step = Step(2.0) if steps is None else steps[number]
                if steps is None and work.is_coarse(number):
                    break
                rest = (len(steps) if steps is not None else number + 1) - number
                number += 1
                with handle.transaction(f"build level {number}", fresh=[str(number)]):
                    specs.append(work.build(number - 1, number, step, choice, rest))
            work.stamp(cross_level_depth, cross_level_storage)
        except CoarseningError as error:
            if cancelled is None or not cancelled():
                raise
            stopped = error  # the levels that are whole stay
    if stopped is not None:
        raise stopped
    return {
        "levels_created": len(specs),
        "level_specs": specs,
        "method": METHOD,
        "cross_level_depth": cross_level_depth,
        "cross_level_storage": cross_level_storage,
    }


def coarsen_level(
    store_path: StoreLike,
    source_level: int,
    target_level: int,
    *,
    coarsen_factor: float = 1.0,
    sparsity_factor: float = 1.0,
    chunk_scale_factor: int | Sequence[int] = 1,
    sparsity_strategy: str = "random",
    sparsity_seed: int | None = None,
    cross_level_storage: str = "none",
    attribute_aggregation: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    backend: str | None = None,
    workers: int | None = None,
    client: Client | None = None,
) -> dict[str, Any]:
    """Build one level from another; as one step of :func:`build_pyramid`.

    Vertices of the source level count alike, and the error is measured against the source level.

    Args:
        store_path: The store.
        source_level: An existing level.
        target_level: The level to make, above the source.
        coarsen_factor: How much larger the target's bins are.
        sparsity_factor: How many times fewer objects the target keeps.
        chunk_scale_factor: Integer (or one per axis) that chunks grow by.
        sparsity_strategy: ``random``.
        sparsity_seed: Makes the choice of objects repeatable.
        cross_level_storage: ``none``.
        attribute_aggregation: As in :func:`build_pyramid`.
        progress: As in :func:`build_pyramid`.
        cancelled: As in :func:`build_pyramid`.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        workers: As in :func:`build_pyramid`.
        client: As in :func:`build_pyramid`.

    Returns:
        ``vertex_count``, ``object_count``, ``objects_kept``, ``source_objects``, ``method``,
        ``preserves_object_ids``, ``shared_fragments``.
    """
    _check_links(1, cross_level_storage)
    if target_level <= source_level:
        raise CoarseningError(f"level {target_level} cannot be coarser than level {source_level}")
    opened = open_handle(store_path, "r+", backend=backend)
    step = check_step(coarsen_factor, sparsity_factor, chunk_scale_factor, opened.meta.ndim)
    with (
        runner_for(store_path, backend, workers, client) as runner,
        opened.transaction(f"build level {target_level}", fresh=[str(target_level)]) as handle,
        closing(
            CloudBuilder(handle, attribute_aggregation or {}, progress, cancelled, runner)
        ) as work,
    ):
        work.load(source_level)
        spec = work.build(source_level, target_level, step, (sparsity_strategy, sparsity_seed), 1)
        work.stamp(handle.meta.cross_level_depth, cross_level_storage)
    return spec


def _check_links(depth: int, storage: str) -> None:
    if depth < -1:
        raise ValueError(f"cross_level_depth must be -1 or more, not {depth}")
    if storage not in ("none", "implicit", "explicit"):
        raise ValueError(f"cross_level_storage must be none, implicit or explicit, not {storage!r}")
    if storage != "none":
        raise CoarseningError(
            f"cross_level_storage {storage!r}: links between levels are not written for points"
        )
