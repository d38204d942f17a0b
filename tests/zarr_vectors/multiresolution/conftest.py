"""Small stores of every geometry whose vertices are linked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.pyramids import Network, merged_lines, merged_network, vertices_of
from zarr_vectors.types.graphs import read_graph, write_graph
from zarr_vectors.types.lines import read_lines, write_lines
from zarr_vectors.types.meshes import read_mesh, write_mesh
from zarr_vectors.types.polylines import read_polylines, write_polylines

CHUNK, BIN = 48.0, 6.0
OBJECTS = 6


@dataclass
class Sample:
    """What was written, and how it is read back."""

    kind: str
    ndim: int
    positions: np.ndarray
    ids: np.ndarray
    attributes: dict[str, np.ndarray]
    lines: list[np.ndarray]
    links: np.ndarray
    place: Any = None

    def read(self, level, names=(), **options):
        """Positions, links and attributes of a level; rows of lines lie line after line."""
        if self.kind == "line":
            found = read_lines(self.place, level=level, attribute_names=names, **options)
            flat = found.endpoints.reshape(-1, self.ndim)
            values = {
                k: v.reshape(len(flat), *v.shape[2:]) for k, v in found.vertex_attributes.items()
            }
            links = np.arange(len(flat)).reshape(-1, 2)
            return flat, links, values
        if self.kind in ("polyline", "streamline"):
            found = read_polylines(self.place, level=level, attribute_names=names, **options)
            starts = np.zeros(found.vertex_count + 1, bool)
            starts[found.offsets] = True
            at = np.flatnonzero(~starts[1:-1]) if found.vertex_count else np.zeros(0, int)
            return found.positions, np.column_stack([at, at + 1]), found.vertex_attributes
        if self.kind == "mesh":
            found = read_mesh(self.place, level=level, attribute_names=names, **options)
            return found.vertices, found.faces, found.vertex_attributes
        found = read_graph(self.place, level=level, attribute_names=names, **options)
        return found.positions, found.edges, found.vertex_attributes

    def slowly(self, bins):
        """Vertices and links of each level by plain loops, level 0 first."""
        if self.lines:
            levels, first = [[]], 0
            for line in self.lines:
                levels[0].append(vertices_of(line.astype(np.float32), first))
                first += len(line)
            for size in bins:
                levels.append(merged_lines(levels[-1], (size,) * self.ndim))
            return [_of_lines(level) for level in levels]
        whole = vertices_of(self.positions.astype(np.float32))
        levels = [Network(whole, self.ids.tolist(), [tuple(x) for x in self.links.tolist()])]
        for size in bins:
            cell = (size,) * self.ndim
            levels.append(merged_network(levels[-1], cell, connected=self.kind != "mesh"))
        return levels


def _of_lines(lines):
    vertices = [vertex for line in lines for vertex in line]
    owners = [number for number, line in enumerate(lines) for _ in line]
    links = [(i, i + 1) for i in range(len(owners) - 1) if owners[i] == owners[i + 1]]
    return Network(vertices, owners, links)


def walks(rng, ndim, count, length):
    """Lines that wander about 0."""
    start = rng.uniform(-60, 60, (count, 1, ndim))
    return start + rng.normal(0, 2.5, (count, length, ndim)).cumsum(axis=1)


def sheet(rng, ndim, side):
    """A bumpy square sheet of triangles."""
    at = np.stack(np.meshgrid(*[np.arange(side)] * 2, indexing="ij"), axis=-1).reshape(-1, 2)
    positions = np.zeros((side * side, ndim))
    positions[:, :2] = at * 2.0 + rng.uniform(-40, 40, 2)
    positions += rng.normal(0, 0.3, positions.shape)
    corner = (np.arange(side - 1)[:, None] * side + np.arange(side - 1)).reshape(-1)
    first = np.column_stack([corner, corner + side, corner + 1])
    second = np.column_stack([corner + 1, corner + side, corner + side + 1])
    return positions, np.concatenate([first, second])


def sample(kind, ndim=3, seed=0):
    """A few objects of one geometry type, with attributes of every scope."""
    rng = np.random.default_rng(seed)
    lines, links = [], np.zeros((0, 2), int)
    if kind in ("line", "polyline", "streamline"):
        size = 2 if kind == "line" else 40
        lines = list(walks(rng, ndim, OBJECTS, size))
        if kind == "line":
            lines = [line * [[1.0], [1.0]] + [[0.0] * ndim, [9.0] * ndim] for line in lines]
        else:
            lines[1] = lines[1][:1]
            lines[2] = lines[2][:3] * 0.01 + 1.0
        positions = np.concatenate(lines)
        ids = np.repeat(np.arange(OBJECTS), [len(line) for line in lines])
    elif kind == "mesh":
        parts, faces, first = [], [], 0
        for _ in range(OBJECTS):
            own, own_faces = sheet(rng, ndim, 9)
            parts.append(own)
            faces.append(own_faces + first)
            first += len(own)
        positions, links = np.concatenate(parts), np.concatenate(faces)
        ids = np.repeat(np.arange(OBJECTS), [len(part) for part in parts])
    else:
        size = 60
        count = OBJECTS * size
        ids = np.repeat(np.arange(OBJECTS), size)
        parents = np.full(count, -1)
        positions = rng.uniform(-50, 50, (count, ndim))
        for row in range(count):
            own = row % size
            if own and not (own == 30 and row < 2 * size):  # two objects of two trees
                parents[row] = row - own + rng.integers(max(0, own - 4), own)
                positions[row] = positions[parents[row]] + rng.normal(0, 3, ndim)
        links = np.column_stack([np.arange(count), parents])[parents >= 0]
        if kind == "graph":
            more = rng.integers(0, size, (40, 2)) + rng.integers(0, OBJECTS, 40)[:, None] * size
            links = np.concatenate([links, more[more[:, 0] != more[:, 1]]])
    count = len(positions)
    attributes = {
        "value": rng.normal(size=count).astype(np.float32),
        "row": np.arange(count, dtype=np.int32),
        "rgb": rng.integers(0, 255, (count, 3)).astype(np.uint8),
        "kind": np.array(["axon", "dendrite", "soma"])[rng.integers(0, 3, count)],
    }
    return Sample(kind, ndim, positions, ids, attributes, lines, links)


def write(place, data, version, *, link_values=False, **options):
    """Write a sample as level 0; links with the attributes ``size`` and ``code`` where asked."""
    if link_values:
        count = len(data.links)
        name = "face_attributes" if data.kind == "mesh" else "link_attributes"
        sizes, codes = np.arange(count, dtype=np.float64), np.arange(count, dtype=np.int16) % 5
        options[name] = {"size": sizes, "code": codes}
    common = {
        "chunk_shape": (CHUNK,) * data.ndim,
        "bin_shape": (BIN,) * data.ndim,
        "object_attributes": {
            "weight": np.arange(OBJECTS) * 2.5,
            "pair": np.arange(OBJECTS * 2, dtype=np.int16).reshape(OBJECTS, 2),
        },
        "format_version": version,
    }
    grouped = {
        "groups": {0: [0, 1], 1: [4]},
        "group_attributes": {"rank": np.array([3, 1], np.int32)},
    }
    cuts = np.cumsum([len(line) for line in data.lines])[:-1]
    if data.kind == "line":
        ends = np.stack(data.lines)
        values = {k: v.reshape(OBJECTS, 2, *v.shape[1:]) for k, v in data.attributes.items()}
        write_lines(place, ends, vertex_attributes=values, **common)
    elif data.lines:
        values = {k: np.split(v, cuts) for k, v in data.attributes.items()}
        write_polylines(
            place,
            data.lines,
            vertex_attributes=values,
            geometry_type=data.kind,
            **common,
            **grouped,
            **options,
        )
    elif data.kind == "mesh":
        write_mesh(
            place,
            data.positions,
            data.links,
            vertex_attributes=data.attributes,
            object_ids=data.ids,
            **common,
            **grouped,
            **options,
        )
    else:
        write_graph(
            place,
            data.positions,
            data.links,
            kind=data.kind,
            vertex_attributes=data.attributes,
            object_ids=data.ids,
            **common,
            **grouped,
            **options,
        )
    data.place = place
    return data


@pytest.fixture(scope="module", params=["0.7.0", "0.9.2"])
def version(request):
    return request.param


@pytest.fixture(
    scope="module", params=["line", "polyline", "streamline", "graph", "skeleton", "mesh"]
)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def pyramid(tmp_path_factory, kind, version):
    """A sample of every kind in every format with three coarse levels, bins 6, 12 and 24."""
    data = write(tmp_path_factory.mktemp("pyramid") / "s", sample(kind), version)
    build_pyramid(data.place, factors=[(1, 1), (2, 1), (2, 1)], cross_level_storage="none")
    return data


@pytest.fixture
def linked(tmp_path, kind, version):
    """A sample of every kind in every format, written."""
    return write(tmp_path / "s", sample(kind), version)


@pytest.fixture
def store_of(tmp_path):
    """Writes a sample as asked."""

    def make(kind, version="0.9.2", *, ndim=3, **options):
        return write(tmp_path / f"{kind}-{version}", sample(kind, ndim), version, **options)

    return make
