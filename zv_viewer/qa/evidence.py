"""What a pass over a store found at one level, as plain arrays; the judge reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from zarr_vectors.typing import ChunkCoords, FloatArray, IntArray
from zv_viewer.qa.links import LinkKeys
from zv_viewer.qa.path_links import LostJoints
from zv_viewer.qa.report import AttributeDrift, Distances

COLUMNS: Final = ("expected", "common", "lost", "stray", "rows", "finest", "duplicates")
"""What is counted in every chunk: bins that should be occupied; of these, bins that are, and bins
that are not; others that are; vertices of the level; of level 0; and those that are there twice."""


@dataclass(frozen=True, eq=False, slots=True)
class Cells:
    """Counts in the chunks of a level, those without a vertex too.

    Attributes:
        coords: (K, D) int64 chunks.
        counts: name of :data:`COLUMNS` -> (K,) int64.
        error: (K, 3) float64 distance of level 0 to the level: 50 %, 95 %, largest; NaN for none.
        back: (K,) float64 95 % of the distances from the level to level 0.
    """

    coords: IntArray
    counts: dict[str, IntArray]
    error: FloatArray
    back: FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class LostBins:
    """Bins that level 0 occupies and the level does not.

    Attributes:
        keys: (n, 1 + D) int64 object and bin.
        crowding: (n,) float64 share of the occupied bins next to each that is lost too.
    """

    keys: IntArray
    crowding: FloatArray


@dataclass(frozen=True, eq=False, slots=True)
class WrongValues:
    """Bins whose values of an attribute no value of level 0 in them explains.

    Attributes:
        name: The attribute.
        chunks: (n, D) int64 chunk of each such bin.
        bins: (n, D) int64 the bins.
        checked: Bins looked at.
        what: What has the values: vertices, edges or faces.
    """

    name: str
    chunks: IntArray
    bins: IntArray
    checked: int
    what: str = "vertices"


@dataclass(frozen=True, eq=False, slots=True)
class Places:
    """Things at a place: degenerate faces, vertices that are there twice.

    Attributes:
        positions: (n, D) float64.
        objects: (n,) int64, -1 for none.
    """

    positions: FloatArray
    objects: IntArray


@dataclass(frozen=True, eq=False, slots=True)
class ObjectFacts:
    """What became of objects at a level.

    Attributes:
        parent: The level it was made from.
        sparsity: Share of the parent's objects the level says it keeps.
        here: (n,) int64 ids with vertices at the level.
        before: (m,) int64 ids with vertices at the parent.
        finest: (k,) int64 ids with vertices at level 0.
        lengths: (k,) float64 length of the objects at level 0, NaN where not known.
        groups: (n,) int64 members of every group.
        wrong: Object attribute -> (n,) int64 ids whose value differs from that at level 0.
        missing: Object attributes of level 0 that the level lacks.
    """

    parent: int
    sparsity: float
    here: IntArray
    before: IntArray
    finest: IntArray
    lengths: FloatArray
    groups: tuple[IntArray, ...] = ()
    wrong: dict[str, IntArray] = field(default_factory=dict)
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, slots=True)
class Far:
    """Vertices of level 0 that are too far from a level.

    Attributes:
        positions: (n, D) float64 world units.
        distances: (n,) float64 to the level.
        most: What the level says no vertex is farther than.
    """

    positions: FloatArray
    distances: FloatArray
    most: float


@dataclass(frozen=True, eq=False, slots=True)
class Evidence:
    """Everything found at one level.

    Attributes:
        level: Its number.
        vertices: Vertices read.
        recorded: Vertices its metadata says it has.
        bytes: Stored bytes, None where the place does not tell.
        chunk_shape: D floats.
        bin_shape: D floats.
        strict: Whether a vertex is promised in every bin level 0 occupies.
        cells: Counts by chunk.
        lost: Bins without a vertex.
        shift: (D,) how far the level lies beside level 0; None where it does not.
        to_level: Distances from level 0.
        to_finest: Distances to level 0.
        shape_to_level: Distances from level 0 to edges or faces; None where there are none.
        shape_to_finest: Distances from edges or faces to those of level 0.
        lost_links: Edges or faces that are missing; None where nothing joins vertices.
        degenerate: Faces without an area.
        duplicates: Vertices that are there twice.
        wrong: Values that cannot be.
        drift: Of every attribute.
        missing: Attributes of vertices and links of level 0 that the level lacks.
        damaged: Chunk -> what is wrong.
        troubles: Damage that is no chunk's.
        outside: Chunk -> vertices of it that lie elsewhere.
        miscounted: Chunk -> (vertices recorded, vertices there).
        objects: None at level 0 and where there are none.
        joints: Of paths, places where one leaves a chunk and no link says so.
        absent: Of the damaged chunks, those of which nothing is there.
        far: Vertices of level 0 that are farther from the level than it says that any is; None
            where it says nothing, or promises a vertex in every bin.
    """

    level: int
    vertices: int
    recorded: int
    bytes: int | None
    chunk_shape: tuple[float, ...]
    bin_shape: tuple[float, ...]
    strict: bool
    cells: Cells
    lost: LostBins
    shift: FloatArray | None = None
    to_level: Distances | None = None
    to_finest: Distances | None = None
    shape_to_level: Distances | None = None
    shape_to_finest: Distances | None = None
    lost_links: LinkKeys | None = None
    degenerate: Places | None = None
    duplicates: Places | None = None
    wrong: tuple[WrongValues, ...] = ()
    drift: tuple[AttributeDrift, ...] = ()
    missing: tuple[str, ...] = ()
    damaged: dict[ChunkCoords, str] = field(default_factory=dict)
    troubles: tuple[str, ...] = ()
    outside: dict[ChunkCoords, int] = field(default_factory=dict)
    miscounted: dict[ChunkCoords, tuple[int, int]] = field(default_factory=dict)
    objects: ObjectFacts | None = None
    joints: LostJoints | None = None
    absent: frozenset[ChunkCoords] = frozenset()
    far: Far | None = None
