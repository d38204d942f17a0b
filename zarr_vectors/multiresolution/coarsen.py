"""Building coarser levels: every level keeps the vertex attributes and measures its own error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from typing import Any

from zarr_vectors.core.backends import StoreLike
from zarr_vectors.core.handle import StoreHandle, open_handle
from zarr_vectors.exceptions import CoarseningError, StoreError
from zarr_vectors.multiresolution.clouds import CloudBuilder
from zarr_vectors.multiresolution.cross_level import CrossLevel, forget_lost_levels
from zarr_vectors.multiresolution.linked import LinkedBuilder
from zarr_vectors.multiresolution.object_selection import check_strategy
from zarr_vectors.multiresolution.reducing import Runner
from zarr_vectors.multiresolution.running import Client, runner_for
from zarr_vectors.multiresolution.stale import without_stale
from zarr_vectors.multiresolution.steps import (
    METHOD,
    Progress,
    check_step,
    check_steps,
    sized_steps,
)

MOST_LINKED = 1 << 22
"""Vertices a level may have to be linked with the levels above it."""


def build_pyramid(
    store_path: StoreLike,
    *,
    factors: Sequence[tuple[float, float] | float] | None = None,
    vertices: Sequence[int] | None = None,
    chunk_scale_factors: Sequence[int | Sequence[int]] | None = None,
    sparsity_strategy: str = "random",
    sparsity_seed: int | None = None,
    cross_level_depth: int = 1,
    cross_level_storage: str = "explicit",
    attribute_aggregation: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    backend: str | None = None,
    workers: int | None = None,
    client: Client | None = None,
) -> dict[str, Any]:
    """Build levels 1, 2, ... of a store, each from the one before.

    A vertex of the next level is the mean of vertices of one bin, each weighted by the level-0
    vertices it stands for: of a point cloud all of them; of lines each run of consecutive vertices
    (a line inside one bin keeps its two ends); of a graph or skeleton those of one object that are
    connected inside the bin; of a mesh those of one object. Objects of these are never merged with
    one another. Edges and faces follow: what is connected stays so, a tree stays a tree, no face
    loses a corner or is there twice; faces of four corners and more become triangles.

    With ``vertices`` levels have about so many, and are as near to level 0 as that allows. Bins of
    a point cloud are sized for it, and each vertex moves inside its bin to where it is nearest to
    those around. Of lines, graphs and meshes edges collapse one after the other where the shape
    changes least: bins say nothing about them then. No line, part of a graph or edge of a mesh
    comes apart or meets another object's; lines keep two vertices, parts of graphs too. Where that
    leaves more, or an object would have fewer than four, fewer objects stay.

    Every level keeps the attributes of vertices, links and objects, the groups and the object ids,
    and records the distance from each level-0 vertex to the vertex that stands for it, or with
    ``vertices`` to the lines or faces around that one (``zarr_vectors_error``), and how closely
    vertices lie (``zarr_vectors_density``). Levels that an append has made stale are replaced. A
    failure or a kill leaves the store as it was.

    Args:
        store_path: The store.
        factors: One (coarsen, sparsity) per level: how much larger its bins are than those of the
            level before, and how many times fewer objects it keeps. By default bins double until
            a level is a few thousand vertices or stops shrinking; where lines, graphs and meshes
            have little left to merge, every fourth object stays.
        vertices: Instead of ``factors``: about how many vertices each level is to have, falling.
            Counts of clouds come within a few per cent, where bins allow; others are met but for
            what keeps parts whole.
        chunk_scale_factors: One per level: integers (or one per axis) that chunks grow by; chosen
            so that chunks keep about as many bins by default.
        sparsity_strategy: Which objects stay, always among those of the level before: ``random``,
            ``spatial_coverage`` (as evenly over space as can be), ``length`` (the longest) or
            ``attribute:<name>`` (the largest values of an object attribute).
        sparsity_seed: Makes a choice by chance repeatable.
        cross_level_depth: How many levels up each vertex is linked with the vertex that stands for
            it; -1 for all.
        cross_level_storage: ``explicit``: links are kept with both levels; ``implicit``: with the
            finer one; ``none``: not written, which is also what is done, with a warning, where
            level 0 has more than :data:`MOST_LINKED` vertices.
        attribute_aggregation: name -> ``mean`` (numbers, by default), ``mode`` (categories and
            bool, by default), ``min``, ``max`` or ``first``.
        progress: Called with (steps done, steps in all, text).
        cancelled: Asked between batches; True stops with a CoarseningError and leaves whole levels.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.
        workers: Processes that make parts of a level side by side: tiles of a point cloud, batches
            of whole objects of other geometry. The store is the same for any number. Processes
            open a path or an address with the credentials of the environment; of any other store
            (a store object, a repository) they are sent what is read here. Scripts need the usual
            ``__main__`` guard.
        client: A Dask client, to do so on a cluster; as with ``workers``, a path or an address
            must be one the cluster can open.

    Returns:
        ``levels_created``, ``level_specs`` (one dict per level), ``method``, ``cross_level_depth``,
        ``cross_level_storage``.

    Raises:
        ValueError: Malformed factors, vertices, storage, or depth below -1.
        CoarseningError: Levels that cannot be built as asked, or the work was cancelled.
        StoreError: No such store, not writable, or a level is there already.

    Warns:
        ZVWarning: Links between levels were asked for and are too many; or the level has attributes
            of faces beside those of its links, which are not carried.
    """
    cross = CrossLevel(cross_level_depth, cross_level_storage, MOST_LINKED)
    check_strategy(sparsity_strategy)
    opened = open_handle(store_path, "r+", backend=backend)
    ndim = opened.meta.ndim
    if factors is not None and vertices is not None:
        raise ValueError("factors and vertices are two ways to say the same: give one")
    steps = None if factors is None else check_steps(factors, chunk_scale_factors, ndim)
    if vertices is not None:
        steps = sized_steps(vertices, chunk_scale_factors)
    specs: list[dict[str, Any]] = []
    stopped: CoarseningError | None = None
    with (
        runner_for(store_path, backend, workers, client) as runner,
        opened.transaction("build the pyramid") as handle,
        closing(
            _builder(
                without_stale(handle),
                attribute_aggregation or {},
                progress,
                cancelled,
                runner,
                cross,
            )
        ) as work,
    ):
        _refuse_levels(work.handle, 1 if steps is None else len(steps))
        work.load(0)
        choice = (sparsity_strategy, sparsity_seed)
        number = 0
        try:
            while steps is None or number < len(steps):
                if steps is None and work.is_coarse(number):
                    break
                step = work.next_step() if steps is None else steps[number]
                rest = (len(steps) if steps is not None else number + 1) - number
                number += 1
                with handle.transaction(f"build level {number}", fresh=[str(number)]):
                    specs.append(work.build(number - 1, number, step, choice, rest))
        except CoarseningError as error:
            if cancelled is None or not cancelled():
                raise
            stopped = error  # the levels that are whole stay
        work.stamp()
    if stopped is not None:
        raise stopped
    return {
        "levels_created": len(specs),
        "level_specs": specs,
        "method": specs[-1]["method"] if specs else METHOD,
        "cross_level_depth": cross.depth,
        "cross_level_storage": cross.storage,
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
        sparsity_strategy: As in :func:`build_pyramid`.
        sparsity_seed: As in :func:`build_pyramid`.
        cross_level_storage: As in :func:`build_pyramid`, but ``none`` by default.
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
    cross = CrossLevel(1, cross_level_storage, MOST_LINKED)
    check_strategy(sparsity_strategy)
    if target_level <= source_level:
        raise CoarseningError(f"level {target_level} cannot be coarser than level {source_level}")
    opened = open_handle(store_path, "r+", backend=backend)
    step = check_step(coarsen_factor, sparsity_factor, chunk_scale_factor, opened.meta.ndim)
    with (
        runner_for(store_path, backend, workers, client) as runner,
        opened.transaction(f"build level {target_level}", fresh=[str(target_level)]) as handle,
        closing(
            _builder(handle, attribute_aggregation or {}, progress, cancelled, runner, cross)
        ) as work,
    ):
        work.load(source_level)
        spec = work.build(source_level, target_level, step, (sparsity_strategy, sparsity_seed), 1)
        work.stamp(record=cross.wanted)
    return spec


def _refuse_levels(handle: StoreHandle, count: int) -> None:
    """Check that none of the levels to make is there.

    Raises:
        StoreError: One is.
    """
    there = next((number for number in range(1, count + 1) if number in handle.levels), None)
    if there is not None:
        raise StoreError(
            f"{handle.backend.url} has a level {there} already: remove it first "
            "(remove_resolution_level)"
        )


def _builder(
    handle: StoreHandle,
    aggregation: Mapping[str, str],
    progress: Progress | None,
    cancelled: Callable[[], bool] | None,
    runner: Runner,
    cross: CrossLevel,
) -> CloudBuilder | LinkedBuilder:
    """Who builds the levels of a store, inside a transaction."""
    forget_lost_levels(handle)
    if handle.meta.geometry_types == ("point_cloud",):
        return CloudBuilder(handle, aggregation, progress, cancelled, runner, cross)
    return LinkedBuilder(handle, aggregation, progress, cancelled, runner, cross)
