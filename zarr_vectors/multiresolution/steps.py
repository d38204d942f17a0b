"""What a pyramid is made of, as values: steps asked for, grids, which objects stay. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from zarr_vectors.core.metadata import LevelMetadata, RootMetadata
from zarr_vectors.exceptions import ChunkingError, CoarseningError
from zarr_vectors.spatial.chunking import bins_per_chunk
from zarr_vectors.typing import IntArray
from zarr_vectors.writing.order import stable_order
from zarr_vectors.writing.route import Manifests, Route

Progress = Callable[[int, int, str], None]
"""Called with (steps done, steps in all, what is being done)."""

METHOD = "per_object"
"""How levels are made, as they record it: a vertex for each bin."""
COLLAPSE = "edge_collapse"
"""How levels are made that have so many vertices, whatever the bins: edges become one vertex."""


@dataclass(frozen=True, slots=True)
class Step:
    """How one level follows from the level before it."""

    coarsen: float
    sparsity: float = 1.0
    chunk_scale: tuple[int, ...] | None = None
    """None: chosen so that chunks keep about as many bins."""
    vertices: int | None = None
    """About how many the level is to have; ``coarsen`` is then not looked at."""


@dataclass(frozen=True, slots=True)
class Target:
    """The grids of a level to be built."""

    level: int
    bin_shape: tuple[float, ...]
    bin_ratio: tuple[float, ...]
    chunk_shape: tuple[float, ...]

    @property
    def fragment_bins(self) -> tuple[float, ...]:
        """Bins that divide the chunk: the level's own, or the chunk where they do not."""
        try:
            bins_per_chunk(self.chunk_shape, self.bin_shape)
        except ChunkingError:
            return self.chunk_shape
        return self.bin_shape


@dataclass(frozen=True, eq=False, slots=True)
class Members:
    """Which vertices belong to which objects: pairs in object order.

    Attributes:
        objects: (P,) int64 object ids, ascending.
        rows: (P,) int64 stored rows.
    """

    objects: IntArray
    rows: IntArray


def check_steps(
    factors: Sequence[tuple[float, float] | float],
    chunk_scale_factors: Sequence[int | Sequence[int]] | None,
    ndim: int,
) -> list[Step]:
    """The steps of a pyramid.

    Raises:
        ValueError: ``factors`` is not a list of (coarsen, sparsity), each at least 1.
        CoarseningError: Chunk scales that are not positive integers, or not one per level.
    """
    scales: list[int | Sequence[int] | None] = [None] * len(factors)
    if chunk_scale_factors is not None:
        scales = list(chunk_scale_factors)
    if len(scales) != len(factors):
        raise CoarseningError(
            f"{len(scales)} chunk_scale_factors are given for {len(factors)} levels"
        )
    return [
        check_step(*_pair(factor), scale, ndim)
        for factor, scale in zip(factors, scales, strict=True)
    ]


def check_step(
    coarsen: float, sparsity: float, scale: int | Sequence[int] | None, ndim: int
) -> Step:
    """One step.

    Raises:
        ValueError: A factor below 1.
        CoarseningError: A chunk scale that is not positive integers.
    """
    for name, factor in (("coarsen", coarsen), ("sparsity", sparsity)):
        if not (isfinite(factor) and factor >= 1):
            raise ValueError(f"the {name} factor must be at least 1, not {factor}")
    if scale is None:
        return Step(float(coarsen), float(sparsity))
    given: tuple[object, ...]
    given = (scale,) * ndim if isinstance(scale, int | np.integer) else tuple(scale)
    numbers = tuple(int(n) for n in given if isinstance(n, int | np.integer) and n >= 1)
    if len(given) != ndim or len(numbers) != ndim:
        raise CoarseningError(f"chunk_scale_factor must be integers of at least 1, not {scale}")
    return Step(float(coarsen), float(sparsity), numbers)


def sized_steps(
    vertices: Sequence[int], chunk_scale_factors: Sequence[int | Sequence[int]] | None
) -> list[Step]:
    """The steps of a pyramid whose levels have about so many vertices each.

    Raises:
        ValueError: Numbers below 1 or that do not fall, or chunk scales beside them.
    """
    given: Sequence[object] = vertices
    numbers = [int(n) if isinstance(n, int | np.integer) and n >= 1 else 0 for n in given]
    if not all(numbers) or any(b >= a for a, b in itertools.pairwise(numbers)):
        raise ValueError(f"vertices must be falling integers of at least 1, not {vertices!r}")
    if chunk_scale_factors is not None:
        raise ValueError("chunk_scale_factors are chosen where vertices are given")
    return [Step(1.0, vertices=n) for n in numbers]


def target_of(root: RootMetadata, source: LevelMetadata, level: int, step: Step) -> Target:
    """Grids of the next level: bins ``coarsen`` times the source's, chunks scaled to go along.

    Without a scale given, chunks grow by the smallest integer not below ``coarsen`` for which they
    hold whole bins, or by ``coarsen`` rounded where none does.
    """
    source_bins = source.bin_shape or root.bin_shape
    source_chunk = source.chunk_shape or root.chunk_shape
    bins = tuple(edge * step.coarsen for edge in source_bins)
    scale = step.chunk_scale or (_scale(source_chunk, bins, step.coarsen),) * root.ndim
    return Target(
        level=level,
        bin_shape=bins,
        bin_ratio=tuple(a / b for a, b in zip(bins, root.bin_shape, strict=True)),
        chunk_shape=tuple(edge * n for edge, n in zip(source_chunk, scale, strict=True)),
    )


def kept_members(members: Members, kept: IntArray) -> Members:
    """The pairs of the kept objects."""
    keep = np.isin(members.objects, kept)
    return Members(members.objects[keep], members.rows[keep])


def carried_members(members: Members, parents: IntArray, count: int) -> Members:
    """The pairs one level up: each object's target rows, each once, ascending."""
    rows = parents[members.rows]
    there = rows >= 0
    known, dense = np.unique(members.objects[there], return_inverse=True)
    keys = dense.astype(np.int64) * count + rows[there]
    order = stable_order(keys, max(len(known) * count, 1))
    ordered = keys[order]
    new = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    unique = ordered[new]
    return Members(known[unique // max(count, 1)], unique % max(count, 1))


def moved_members(members: Members, stored: IntArray) -> Members:
    """The pairs with rows renumbered by ``stored[row]``, ascending inside each object."""
    rows = stored[members.rows]
    order = np.lexsort((rows, members.objects))
    return Members(members.objects[order], rows[order])


def manifests_of_members(members: Members, route: Route, slots: IntArray) -> Manifests:
    """Manifests of every object slot where each stored row is a fragment; those left out are empty.

    Args:
        members: Pairs in object order, rows as stored.
        route: Where rows are.
        slots: (O,) int64 ids of all objects, ascending.
    """
    chunk = np.searchsorted(route.chunk_rows, members.rows, side="right") - 1
    starts = np.append(np.searchsorted(members.objects, slots), len(members.objects))
    return Manifests(slots, starts, route.chunks[chunk], members.rows - route.chunk_rows[chunk])


def _pair(factor: object) -> tuple[float, float]:
    if isinstance(factor, int | float):
        return float(factor), 1.0
    if isinstance(factor, Sequence) and len(factor) == 2:
        return float(factor[0]), float(factor[1])
    raise ValueError(f"factors must be (coarsen, sparsity) pairs, not {factor!r}")


def _scale(chunk: Sequence[float], bins: Sequence[float], coarsen: float) -> int:
    nearest = max(1, round(coarsen))
    for scale in range(max(1, int(np.ceil(coarsen))), 4 * nearest + 1):
        try:
            bins_per_chunk([edge * scale for edge in chunk], bins)
        except ChunkingError:
            continue
        return scale
    return nearest
