"""Coarse levels made the slow, obvious way: vertex by vertex, in plain loops."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from zarr_vectors.typing import FloatArray


@dataclass(slots=True)
class Vertex:
    """A vertex of a level, and the vertices of level 0 that it stands for."""

    position: npt.NDArray[Any]
    sources: list[int]


Line: TypeAlias = list[Vertex]


@dataclass(slots=True)
class Network:
    """Vertices, the object of each, and links between them as tuples of their numbers."""

    vertices: list[Vertex]
    owners: list[int]
    links: list[tuple[int, ...]] = field(default_factory=list)


def vertices_of(positions: FloatArray, first: int = 0) -> list[Vertex]:
    """Vertices of level 0, numbered from ``first``.

    Args:
        positions: (N, D) float in the stored dtype.
        first: Number of the first.
    """
    return [Vertex(row, [first + i]) for i, row in enumerate(positions)]


def merged_lines(lines: Iterable[Line], bin_shape: Sequence[float]) -> list[Line]:
    """Each run of consecutive vertices in one bin as its mean; a line in one bin as its ends."""
    found = []
    for line in lines:
        runs: list[Line] = []
        last = None
        for vertex in line:
            bin_ = _bin(vertex, bin_shape)
            if bin_ != last:
                runs.append([])
            runs[-1].append(vertex)
            last = bin_
        if len(runs) == 1 and (line[0].position != line[-1].position).any():
            half = (len(line) + 1) // 2
            first, second = _mean(line[:half]), _mean(line[half:])
            first.position, second.position = line[0].position, line[-1].position
            found.append([first, second])
        else:
            found.append([_mean(run) for run in runs])
    return found


def merged_network(network: Network, bin_shape: Sequence[float], *, connected: bool) -> Network:
    """Vertices of one object and one bin as their mean.

    Args:
        network: The level.
        bin_shape: D floats.
        connected: Merge only what links inside the bin connect.
    """
    cells = [
        (owner, *_bin(vertex, bin_shape))
        for owner, vertex in zip(network.owners, network.vertices, strict=True)
    ]
    above = list(range(len(cells)))

    def top(row: int) -> int:
        while above[row] != row:
            row = above[row]
        return row

    if connected:
        for a, b in network.links:
            if cells[a] == cells[b]:
                above[top(a)] = top(b)
    else:
        first: dict[tuple[int, ...], int] = {}
        for row, cell in enumerate(cells):
            above[row] = first.setdefault(cell, row)
    members: dict[int, list[int]] = {}
    for row in range(len(cells)):
        members.setdefault(top(row), []).append(row)
    number = {row: i for i, rows in enumerate(members.values()) for row in rows}
    vertices = [_mean([network.vertices[row] for row in rows]) for rows in members.values()]
    owners = [network.owners[rows[0]] for rows in members.values()]
    links: dict[frozenset[int], tuple[int, ...]] = {}
    for link in network.links:
        ends = tuple(number[row] for row in link)
        if len(set(ends)) == len(ends):
            links.setdefault(frozenset(ends), ends)
    return Network(vertices, owners, list(links.values()))


def parts_of(count: int, links: Iterable[Sequence[int]]) -> list[int]:
    """The smallest row that each row is connected with."""
    near: list[list[int]] = [[] for _ in range(count)]
    for link in links:
        for a, b in itertools.pairwise(link):
            near[a].append(b)
            near[b].append(a)
    found = [-1] * count
    for start in range(count):
        todo = [start] if found[start] < 0 else []
        while todo:
            row = todo.pop()
            if found[row] < 0:
                found[row] = start
                todo += near[row]
    return found


def distances(vertices: Iterable[Vertex], reference: FloatArray) -> npt.NDArray[np.float64]:
    """(n,) distance of every vertex of level 0 to the vertex that stands for it, world units.

    Args:
        vertices: Those of a level.
        reference: (N, D) positions of level 0.
    """
    found = [
        float(np.linalg.norm(reference[row].astype(np.float64) - vertex.position))
        for vertex in vertices
        for row in vertex.sources
    ]
    return np.array(found, np.float64)


def nearest(reference: FloatArray, positions: FloatArray) -> npt.NDArray[np.float64]:
    """(N,) distance of every vertex of level 0 to the nearest vertex of a level, world units."""
    found = np.empty(len(reference), np.float64)
    block = max(1, 4_000_000 // max(len(positions), 1))
    for start in range(0, len(reference), block):
        part = reference[start : start + block].astype(np.float64)
        squares = ((part[:, None] - positions[None]) ** 2).sum(axis=2)
        found[start : start + block] = np.sqrt(squares.min(axis=1))
    return found


def _bin(vertex: Vertex, bin_shape: Sequence[float]) -> tuple[int, ...]:
    cell = np.floor(vertex.position.astype(np.float64) / np.asarray(bin_shape))
    return tuple(int(x) for x in cell)


def _mean(vertices: Sequence[Vertex]) -> Vertex:
    """The mean, each vertex counted as often as it stands for one of level 0."""
    if len(vertices) == 1:
        return vertices[0]
    origin = vertices[0].position.astype(np.float64)
    total = np.zeros(len(origin))
    sources: list[int] = []
    for vertex in vertices:
        total += (vertex.position.astype(np.float64) - origin) * len(vertex.sources)
        sources += vertex.sources
    position = (origin + total / len(sources)).astype(vertices[0].position.dtype)
    return Vertex(position, sources)
