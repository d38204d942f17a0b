"""Stores of every geometry with a pyramid of two levels, and the same with something left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.types.graphs import write_graph
from zarr_vectors.types.lines import write_lines
from zarr_vectors.types.meshes import write_mesh
from zarr_vectors.types.points import write_points
from zarr_vectors.types.polylines import write_polylines
from zarr_vectors.typing import AnyArray, FloatArray, IntArray

KINDS = ("points", "objects", "line", "streamline", "graph", "skeleton", "mesh")
"""``objects`` is a point cloud with objects."""
PATHS = ("line", "streamline")
EXTENT = 40.0
CHUNK, BIN = 10.0, 1.25
FACTORS = ((2.0, 1.0), (2.0, 1.0))


@dataclass(frozen=True, eq=False, slots=True)
class Scene:
    """What a store is written from.

    Attributes:
        kind: One of :data:`KINDS`.
        positions: (N, 3) float64.
        objects: (N,) int64 ascending; all 0 for plain points.
        links: (M, W) int64; none of points and paths.
        values: Vertex attribute -> (N,).
        about: Object attribute -> (O,).
        told: Link attribute -> (M,).
    """

    kind: str
    positions: FloatArray
    objects: IntArray
    links: IntArray | None = None
    values: Mapping[str, AnyArray] = field(default_factory=dict)
    about: Mapping[str, AnyArray] = field(default_factory=dict)
    told: Mapping[str, AnyArray] = field(default_factory=dict)

    def with_told(self) -> Scene:
        """The same with the attribute ``cost`` of links."""
        assert self.links is not None  # noqa: S101  what is joined has links
        rng = np.random.default_rng(5)
        cost = self.positions[self.links].mean(axis=1).sum(axis=1)
        return replace(self, told={"cost": (cost + rng.normal(0, 0.1, len(cost)))})

    def only(self, keep: AnyArray) -> Scene:
        """The vertices of a mask, and the links between them."""
        rows = np.flatnonzero(keep)
        place = np.full(len(self.positions), -1)
        place[rows] = np.arange(len(rows))
        links = None if self.links is None else place[self.links]
        live = np.ones(0, np.bool_) if links is None else (links >= 0).all(axis=1)
        return replace(
            self,
            positions=self.positions[rows],
            objects=self.objects[rows],
            links=None if links is None else links[live],
            told={name: values[live] for name, values in self.told.items()},
            values={name: values[rows] for name, values in self.values.items()},
        )


def a_scene(kind: str, seed: int = 0, size: float = 1.0) -> Scene:
    """Points in a cube, walks through it, trees, webs, or balls.

    Args:
        kind: One of :data:`KINDS`.
        seed: Other numbers, the same form.
        size: How many times as many vertices as by default.
    """
    rng = np.random.default_rng(seed)
    links: IntArray | None = None
    positions: FloatArray
    if kind in ("points", "objects"):
        positions = rng.uniform(0, EXTENT, (int(9000 * size), 3))
        objects = np.sort(rng.integers(0, 30, len(positions)))
        objects = objects if kind == "objects" else np.zeros(len(positions), np.int64)
    elif kind == "line":
        starts = rng.uniform(5, EXTENT - 5, (int(200 * size), 3))
        ends = np.clip(starts + rng.normal(0, 5, starts.shape), 0.1, EXTENT - 0.1)
        positions = np.stack([starts, ends], axis=1).reshape(-1, 3)
        objects = np.repeat(np.arange(len(starts)), 2)
    elif kind == "streamline":
        walks = [_walk(rng, 60 + 4 * i) for i in range(int(30 * size))]
        positions = np.concatenate(walks)
        objects = np.repeat(np.arange(len(walks)), [len(walk) for walk in walks])
    elif kind == "mesh":
        parts = [_ball(rng, i) for i in range(max(1, int(4 * size)))]
        positions, objects, links = _together(parts)
    else:
        parts = [_tree(rng, webbed=kind == "graph") for _ in range(max(1, int(6 * size)))]
        positions, objects, links = _together(parts)
    many = int(objects.max()) + 1
    values = {
        "height": (positions[:, 2] + rng.normal(0, 0.1, len(positions))).astype(np.float32),
        "kind": np.floor(positions[:, 0] / 7).astype(np.int64).astype(str),
    }
    lengths = np.array([np.ptp(positions[objects == oid], axis=0).max() for oid in range(many)])
    weights = rng.normal(size=many).astype(np.float32)
    about = {
        "weight": weights,
        "lightness": -weights,
        "shortness": (-lengths).astype(np.float32),
    }
    return Scene(kind, positions, objects, links, values, about)


def write_scene(scene: Scene, place: Path, format_version: str) -> None:
    """Write level 0."""
    values: dict[str, Any] = dict(scene.values)
    common: dict[str, Any] = {
        "chunk_shape": (CHUNK,) * 3,
        "bounds": ([0.0] * 3, [EXTENT] * 3),
        "format_version": format_version,
    }
    about = dict(scene.about)
    kind, store = scene.kind, str(place)
    if kind == "line":
        ends = scene.positions.reshape(-1, 2, 3)
        write_lines(store, ends, object_attributes=about, **common)
        return
    common["bin_shape"] = (BIN,) * 3
    if kind == "points":
        write_points(store, scene.positions, vertex_attributes=values, **common)
        return
    common["object_attributes"] = about
    if kind == "streamline":
        cuts = np.flatnonzero(np.diff(scene.objects)) + 1
        walks = np.split(scene.positions, cuts)
        columns = {name: np.split(column, cuts) for name, column in values.items()}
        write_polylines(store, walks, vertex_attributes=columns, geometry_type=kind, **common)
        return
    common |= {"object_ids": scene.objects, "vertex_attributes": values}
    if kind == "objects":
        write_points(store, scene.positions, **common)
    elif scene.links is not None:
        if kind == "mesh":
            common["face_attributes"] = dict(scene.told) or None
            write_mesh(store, scene.positions, scene.links, **common)
        else:
            common["link_attributes"] = dict(scene.told) or None
            write_graph(store, scene.positions, scene.links, kind=kind, **common)


def make_pyramid(scene: Scene, place: Path, format_version: str, **options: Any) -> None:  # noqa: ANN401  those of build_pyramid
    """Write a store with its levels."""
    write_scene(scene, place, format_version)
    options = {"factors": FACTORS, **options}
    build_pyramid(str(place), **options)


def _walk(rng: np.random.Generator, count: int) -> FloatArray:
    steps = np.cumsum(rng.normal(0, 0.25, (count, 3)), axis=0)
    steps = 0.5 * steps / np.maximum(np.linalg.norm(steps, axis=1, keepdims=True), 1e-9)
    walk = rng.uniform(10, EXTENT - 10, 3) + np.cumsum(steps, axis=0)
    return _folded(walk)


def _folded(walk: FloatArray) -> FloatArray:
    """Reflected into the cube."""
    span = EXTENT - 0.2
    folded: FloatArray = 0.1 + span - np.abs((walk - 0.1) % (2 * span) - span)
    return folded


def _tree(rng: np.random.Generator, *, webbed: bool) -> tuple[FloatArray, IntArray]:
    """(positions, (child, parent)) of branches grown in the cube."""
    points: list[FloatArray] = [rng.uniform(12, EXTENT - 12, 3)]
    links = []
    for _ in range(8):
        at = int(rng.integers(0, len(points)))
        way = rng.normal(size=3)
        for _ in range(30):
            way += rng.normal(0, 0.2, 3)
            way /= np.linalg.norm(way)
            links.append((len(points), at))
            at = len(points)
            points.append(_folded(points[links[-1][1]] + 0.5 * way))
    found = np.array(links, np.int64)
    if webbed:
        extra = np.stack(
            [np.arange(20, len(points), 20), np.arange(0, len(points) - 20, 20)], axis=1
        )
        found = np.concatenate([found, extra])
    return np.array(points), found


def _ball(rng: np.random.Generator, number: int) -> tuple[FloatArray, IntArray]:
    """(vertices, triangles) of a closed bumpy ball."""
    rows, around = 24, 36
    tilt = np.linspace(0, np.pi, rows + 1)[1:-1]
    turn = np.arange(around) * 2 * np.pi / around
    a, b = np.meshgrid(tilt, turn, indexing="ij")
    way = np.stack([np.sin(a) * np.cos(b), np.sin(a) * np.sin(b), np.cos(a)], axis=-1)
    middle = 15 + 14 * np.array([number & 1, number >> 1 & 1, number >> 2 & 1])
    ring = (middle + way.reshape(-1, 3) * rng.uniform(6.5, 7.5)).reshape(-1, 3)
    poles = middle + np.array([[0, 0, 7.0], [0, 0, -7.0]])
    faces = []
    for i in range(rows - 2):
        for j in range(around):
            p, q = i * around + j, i * around + (j + 1) % around
            faces += [(p, p + around, q), (q, p + around, q + around)]
    top, bottom = len(ring), len(ring) + 1
    last = (rows - 2) * around
    for j in range(around):
        faces += [(top, j, (j + 1) % around), (bottom, last + (j + 1) % around, last + j)]
    return np.concatenate([ring, poles]), np.array(faces, np.int64)


def _together(parts: list[tuple[FloatArray, IntArray]]) -> tuple[FloatArray, IntArray, IntArray]:
    starts = np.cumsum([0, *(len(points) for points, _ in parts)])
    positions = np.concatenate([points for points, _ in parts])
    links = np.concatenate([own + start for (_, own), start in zip(parts, starts, strict=False)])
    return positions, np.repeat(np.arange(len(parts)), np.diff(starts)), links
