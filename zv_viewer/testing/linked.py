"""Curves, trees, graphs and surfaces in memory that behave as stores do, over several levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from zv_viewer.model.links import NO_OBJECT, RawLinks
from zv_viewer.sources.base import RawCell
from zv_viewer.sources.drawable import link_width, with_direction
from zv_viewer.testing.shapes import Shapes, make_shapes
from zv_viewer.testing.sources import CloudLevel, CloudSource, cloud_level, cloud_scene

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False, slots=True)
class JoinedLevel:
    """What joins the rows of a level, which lie chunk after chunk, those of a chunk by object.

    Args:
        start: (M + 1,) first row of each chunk.
        stored: (N,) row of the :class:`CloudLevel`; copies of an object share theirs.
        objects: (N,) id of the object of each row.
        links: (L, W) rows.
    """

    start: Int
    stored: Int
    objects: Int
    links: Int


@dataclass(eq=False)
class LinkedCloud(CloudSource):
    """A ``CloudSource`` whose rows are joined."""

    joined: dict[int, JoinedLevel] = field(default_factory=dict)

    def read(self, level: int, chunks: Int, attributes: Sequence[str] = ()) -> RawCell:
        """Chunks, chunk after chunk, and their links."""
        raw = super().read(level, chunks, attributes)
        here, known = self.joined[level], self.levels[level].info.chunks.tolist()
        asked = [known.index(chunk) for chunk in chunks.tolist()]
        parts = [np.arange(here.start[chunk], here.start[chunk + 1]) for chunk in asked]
        rows = np.concatenate([np.empty(0, np.int64), *parts])
        ends = _places(rows, len(here.objects))[here.links]
        whole = (ends >= 0).all(axis=1)
        reaches = np.flatnonzero((ends >= 0).any(axis=1) & ~whole)
        links = here.links[reaches]
        chunk = np.searchsorted(here.start, links, side="right") - 1
        base = self._rows(level, chunks)
        stored = _places(base, len(self.levels[level].positions))[here.stored[rows]]
        return replace(
            raw,
            positions=raw.positions[stored],
            values={name: column[stored] for name, column in raw.values.items()},
            links=RawLinks(
                objects=here.objects[rows],
                inner=ends[whole],
                open_rows=ends[reaches],
                open_ends=chunk << 32 | links - here.start[chunk],
                open_objects=here.objects[links[:, 0]],
                stored=stored,
                stored_count=len(base),
            ),
        )


def make_linked_cloud(
    kind: str = "streamline",
    objects: int = 30,
    length: int = 60,
    levels: int = 3,
    seed: int = 0,
    *,
    ndim: int = 3,
    chunks: int = 8,
    bins_per_chunk: int = 4,
    growth: float = 2.0,
    size: float = 64.0,
    sparsity: float = 1.0,
    copies: int = 0,
    loose: int = 0,
    counts_exact: bool = True,
    limits: bool = True,
) -> LinkedCloud:
    """Objects that cross chunks, and their pyramid.

    Each coarser level joins the vertices of an object within one bin; what joined them before
    joins them still.

    Args:
        kind: ``line``, ``polyline``, ``streamline``, ``skeleton``, ``graph`` or ``mesh``.
        objects: How many.
        length: Vertices of each, about.
        levels: Levels; each has bins twice as large as the one before.
        seed: Of everything.
        ndim: Axes.
        chunks: Chunks per axis at level 0.
        bins_per_chunk: Bins per chunk and axis at level 0.
        growth: How much larger the chunks of each level are than those of the next finer one.
        size: Edge of the cube.
        sparsity: Share of the objects of a level that the next coarser one keeps.
        copies: Objects that share the stored rows of another.
        loose: Vertices that belong to no object.
        counts_exact: Whether the scene says how many vertices each chunk has, or only the mean.
        limits: Whether the scene records the range of the attribute.
    """
    rng = np.random.default_rng(seed)
    shapes = make_shapes(rng, kind, objects, length, ndim, size)
    shapes = shapes.with_loose(rng.random((loose, ndim)) * size)
    values: dict[str, npt.NDArray[np.generic]] = {
        "height": shapes.positions.sum(axis=1).astype(np.float32),
        "kind": rng.integers(0, 3, len(shapes.positions)).astype(np.int16),
    }
    admitted = rng.permutation(objects)
    chunk = np.full(ndim, size / chunks)
    bins = chunk / bins_per_chunk
    built: dict[int, CloudLevel] = {}
    joined: dict[int, JoinedLevel] = {}
    finest, parent = shapes.positions, np.arange(len(shapes.positions))
    for number in range(levels):
        if number:
            bins, chunk = bins * 2, chunk * growth
            kept = np.sort(admitted[: max(1, round(objects * sparsity**number))])
            shapes, rows, owner = shapes.coarser(bins, kept)
            values = {name: column[rows] for name, column in values.items()}
            parent = np.where(parent >= 0, owner[parent], -1)
        away = np.linalg.norm(finest - shapes.positions[parent], axis=1)[parent >= 0]
        error = float(np.percentile(away, 95)) if number and len(away) else 0.0
        index = np.unique(np.floor(shapes.positions / chunk), axis=0, return_inverse=True)[1]
        home = index.reshape(-1)
        order = np.lexsort((shapes.objects, home))
        ordered = {name: column[order] for name, column in values.items()}
        built[number] = cloud_level(
            number, shapes.positions[order], ordered, chunk, bins, error, counts_exact
        )
        joined[number] = _joined(shapes, order, home[order], objects, copies)
    scene = cloud_scene(f"{kind}s-{seed}", built, size, limits=limits)
    scene = replace(
        scene,
        geometry=kind,
        attributes=with_direction(kind, scene.attributes),
        link_width=link_width(kind),
        links_per_vertex=len(joined[0].links) / max(len(joined[0].objects), 1),
        objects=np.concatenate([[NO_OBJECT], np.arange(objects + copies)]),
    )
    return LinkedCloud(scene, built, joined=joined)


def _joined(shapes: Shapes, order: Int, home: Int, objects: int, copies: int) -> JoinedLevel:
    """Rows and links of a level.

    Args:
        shapes: Its objects.
        order: (S,) their row that each stored row is.
        home: (S,) the chunk of each stored row, ascending.
        objects: Objects of all levels.
        copies: How many more are copies of the first of them.
    """
    base = shapes.objects[order]
    links = _places(order, len(order))[shapes.links]
    owner = base[links[:, 0]]
    stored, ids, ends = [np.arange(len(order))], [base], [links]
    for number in range(copies):
        original = np.flatnonzero(base == number % objects)
        place = _places(original, len(order)) + sum(map(len, stored))
        ends.append(place[links[owner == number % objects]])
        stored.append(original)
        ids.append(np.full(len(original), objects + number))
    rows, of = np.concatenate(stored), np.concatenate(ids)
    turn = np.lexsort((of, home[rows]))
    return JoinedLevel(
        start=np.searchsorted(home[rows[turn]], np.arange(home[-1] + 2)),
        stored=rows[turn],
        objects=of[turn],
        links=_places(turn, len(turn))[np.concatenate(ends)],
    )


def _places(rows: Int, count: int) -> Int:
    """(count,) where among ``rows`` each number is, -1 where it is not."""
    places = np.full(count, -1, np.int64)
    places[rows] = np.arange(len(rows))
    return places
