"""Links of a store chunk by chunk, put together, and as the whole readers give them."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from zarr_vectors.core.backends import StoreLike
from zarr_vectors.lazy import ZVLevel, open_zv
from zarr_vectors.reading.linked_chunks import LinkedChunks
from zarr_vectors.reading.paths import PATH_KINDS
from zarr_vectors.types.graphs import read_graph, write_graph
from zarr_vectors.types.lines import write_lines
from zarr_vectors.types.meshes import read_mesh, write_mesh
from zarr_vectors.types.polylines import read_polylines, write_polylines
from zarr_vectors.typing import AnyArray

MANY, LONG = 6, 40
"""Walks, and vertices of each."""

Links = Counter[tuple[int, tuple[tuple[float, ...], ...]]]
"""How often there is a link of an object between positions, ends in the order they are stored."""


def walks_store(
    kind: str,
    place: StoreLike,
    format_version: str,
    *,
    ndim: int = 3,
    seed: int = 0,
    corners: int = 3,
    **options: Any,  # noqa: ANN401  those of the writer
) -> None:
    """Write walks through many chunks on both sides of the origin, with links along them.

    Six objects of forty vertices. Some edges of graphs and faces of meshes join different objects,
    whose ids are then not consecutive.

    Args:
        kind: ``line``, ``polyline``, ``streamline``, ``graph``, ``skeleton`` or ``mesh``.
        place: Where.
        format_version: ``0.7.0`` or ``0.9.2``.
        ndim: Axes.
        seed: Other numbers, the same form.
        corners: Of the faces of a mesh.
        options: Passed to the writer.
    """
    rng = np.random.default_rng(seed)
    walks = rng.uniform(-30, 30, (MANY, 1, ndim)) + rng.normal(0, 4, (MANY, LONG, ndim)).cumsum(1)
    options = {"chunk_shape": (16.0,) * ndim, "format_version": format_version, **options}
    if kind == "line":
        write_lines(place, walks[:, ::20], **options)
        return
    options.setdefault("bin_shape", (8.0,) * ndim)
    ages = rng.integers(0, 99, MANY * LONG).astype(np.int16)
    if kind in ("polyline", "streamline"):
        values: dict[str, Any] = {"age": list(ages.reshape(MANY, LONG))}
        write_polylines(place, list(walks), geometry_type=kind, vertex_attributes=values, **options)
        return
    rows = np.arange(MANY * LONG).reshape(MANY, LONG)
    options |= {
        "object_ids": np.repeat(np.arange(MANY) * 3 + 1, LONG),
        "vertex_attributes": {"age": ages},
    }
    flat = walks.reshape(-1, ndim)
    if kind == "mesh":
        runs = [rows[:, i : LONG - corners + 1 + i].reshape(-1) for i in range(corners)]
        across = rng.choice(rows.size, (9, corners), replace=False)
        faces = np.concatenate([np.stack(runs, axis=1), across])
        write_mesh(place, flat, rng.permutation(faces), **options)
        return
    edges = np.stack([rows[:, 1:].reshape(-1), rows[:, :-1].reshape(-1)], axis=1)
    if kind == "skeleton":
        side = edges[:, 0] % 7 == 3
        edges[side, 1] -= np.minimum(edges[side, 0] % LONG - 1, 2)
    else:
        edges = np.concatenate([edges, rng.integers(0, rows.size, (30, 2))])
    write_graph(place, flat, rng.permutation(edges), kind=kind, **options)


def whole_links(store: StoreLike, level: int) -> Links:
    """Links of a level by the readers of whole stores, quadrangles cut in two.

    A link between vertices of several objects is of the object of its first end. Vertices of
    different objects must be at different positions.

    Args:
        store: The store.
        level: The level.
    """
    opened = open_zv(store)
    kinds = set(opened.geometry_types)
    found: Links = Counter()
    if kinds & set(PATH_KINDS):
        lines = read_polylines(store, level=level)
        for oid, line in zip(lines.object_ids.tolist(), lines.lines, strict=True):
            points = _tuples(line)
            found.update((oid, pair) for pair in itertools.pairwise(points))
        return found
    ids = opened.object_ids.tolist()
    owner: dict[tuple[float, ...], int] = {}
    if "mesh" in kinds:
        mesh = read_mesh(store, level=level)
        positions, links = mesh.vertices, mesh.faces
        of: Any = read_mesh(store, level=level, object_ids=ids)
        rows = of.vertices
    else:
        graph = read_graph(store, level=level)
        positions, links = graph.positions, graph.edges
        of = read_graph(store, level=level, object_ids=ids)
        rows = of.positions
    owner.update(zip(_tuples(rows), of.object_ids.tolist(), strict=True))
    if links.shape[1] == 4:
        links = links[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)
    ends = [tuple(_tuples(link)) for link in positions[links]]
    found.update((owner.get(link[0], -1), link) for link in ends)
    return found


def by_chunk(
    level: ZVLevel,
    step: int,
    rng: np.random.Generator | None = None,
    attributes: Iterable[str] = (),
) -> list[LinkedChunks]:
    """All chunks of a level, some at a time, each once.

    Args:
        level: The level.
        step: Chunks at a time.
        rng: For their order; ascending where None.
        attributes: Names of attributes.
    """
    keys, names = level.chunk_keys, list(attributes)
    if rng is not None:
        keys = [keys[i] for i in rng.permutation(len(keys)).tolist()]
    starts = range(0, len(keys), step)
    return [level.read_linked_chunks(keys[at : at + step], names) for at in starts]


def joined(parts: Iterable[LinkedChunks]) -> Links:
    """All links of some chunks read in parts, each from all of its ends.

    Raises:
        AssertionError: An end of a link was not seen from its own chunk, or links seen from
            several chunks are not seen as often from each.
    """
    found: Links = Counter()
    seen: dict[tuple[int, ...], dict[int, list[tuple[float, ...]]]] = {}
    for part in parts:
        points = _tuples(part.positions)
        owners = part.objects[part.links[:, :1]].reshape(-1).tolist()
        rows = part.links.tolist()
        found.update(
            (oid, tuple(points[row] for row in link))
            for oid, link in zip(owners, rows, strict=True)
        )
        table = zip(
            part.open_objects.tolist(),
            part.open_ends.tolist(),
            part.open_rows.tolist(),
            strict=True,
        )
        for oid, ends, link in table:
            own = seen.setdefault((oid, *ends), {})
            for column, row in enumerate(link):
                if row >= 0:
                    own.setdefault(column, []).append(points[row])
    for (oid, *ends), columns in seen.items():
        times = {len(rows) for rows in columns.values()}
        if len(columns) != len(ends) or len(times) != 1:
            raise AssertionError(f"ends of a link of object {oid} were not all seen: {columns}")
        for i in range(times.pop()):
            found[oid, tuple(columns[column][i] for column in range(len(ends)))] += 1
    return found


def _tuples(rows: AnyArray) -> list[tuple[float, ...]]:
    return list(map(tuple, rows.tolist()))
