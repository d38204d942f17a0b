"""What of a store can be told without reading data, gathered piece by piece past any damage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from zarr_vectors.constants import (
    FACE_ATTRIBUTES,
    FRAGMENT_ATTRIBUTES,
    GROUP_ATTRIBUTES,
    GROUPS,
    OBJECT_ATTRIBUTES,
    OBJECT_INDEX,
    VERTEX_ATTRIBUTES,
    VERTEX_FRAGMENTS,
    VERTICES,
)
from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.metadata import AttributeSpec, VertexSpec
from zarr_vectors.core.root_meta import LevelDocument, RootDocument
from zarr_vectors.typing import ChunkCoords

CHUNKED = (VERTEX_ATTRIBUTES, FACE_ATTRIBUTES, FRAGMENT_ATTRIBUTES)
"""Families of arrays with a blob per chunk."""
WHOLE = (OBJECT_ATTRIBUTES, GROUP_ATTRIBUTES)
"""Families of small whole arrays."""


@dataclass(eq=False, slots=True)
class LevelSurvey:
    """One level, as far as it can be told.

    Attributes:
        number: Its number.
        document: Its attributes, None where they are damaged.
        arrays: Logical names below the level that exist, such as ``vertex_attributes/gene``.
        cells: array -> its chunks; arrays whose chunks cannot be told are left out.
        vertices: Element type of positions, None where it cannot be told.
        specs: array -> element type of vertex and fragment attributes.
        counts: chunk -> vertices; filled when chunks are read. Damaged ones are left out.
        fragments: chunk -> fragments; filled when chunks are read.
        faces: face attribute -> chunk -> rows; filled when chunks are read.
    """

    number: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    document: LevelDocument | None = None
    arrays: list[str] = field(default_factory=list)
    cells: dict[str, frozenset[ChunkCoords]] = field(default_factory=dict)
    vertices: VertexSpec | None = None
    specs: dict[str, AttributeSpec] = field(default_factory=dict)
    counts: dict[ChunkCoords, int] = field(default_factory=dict)
    fragments: dict[ChunkCoords, int] = field(default_factory=dict)
    faces: dict[str, dict[ChunkCoords, int]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """Path of the level."""
        return str(self.number)

    def at(self, name: str) -> str:
        """Logical path of an array of the level."""
        return f"{self.number}/{name}"

    def below(self, family: str) -> list[str]:
        """Names of the arrays of a family, ``family/`` and all."""
        return [name for name in self.arrays if name.startswith(f"{family}/")]

    def damaged_vertices(self) -> frozenset[ChunkCoords]:
        """Chunks whose vertices cannot be counted."""
        return self.cells.get(VERTICES, frozenset()) - self.counts.keys()

    def damaged_fragments(self) -> frozenset[ChunkCoords]:
        """Chunks that have a fragment table which cannot be read."""
        return self.cells.get(VERTEX_FRAGMENTS, frozenset()) - self.fragments.keys()

    def chunked(self) -> list[str]:
        """Arrays with a blob per chunk."""
        own = [name for name in (VERTICES, VERTEX_FRAGMENTS) if name in self.arrays]
        return own + [name for family in CHUNKED for name in self.below(family)]

    def whole(self) -> list[str]:
        """Small whole arrays."""
        return [name for family in WHOLE for name in self.below(family)]


@dataclass(eq=False, slots=True)
class Survey:
    """A store, as far as it can be told.

    Attributes:
        layout: Where it is.
        root: Its metadata, None where it is damaged.
        attributes: The root's attributes.
        levels: Its levels, ascending.
    """

    layout: Layout
    attributes: Mapping[str, Any] = field(default_factory=dict)
    root: RootDocument | None = None
    levels: dict[int, LevelSurvey] = field(default_factory=dict)

    @property
    def ndim(self) -> int:
        """Number of axes; 0 where the root is damaged."""
        return 0 if self.root is None else self.root.meta.ndim

    def rank(self, level: LevelSurvey) -> int:
        """Components of a chunk of a level."""
        led = level.document is not None and level.document.meta.chunked_by_attribute
        return self.ndim + led

    def chunk_shape(self, level: LevelSurvey) -> tuple[float, ...]:
        """Edges of a chunk of a level, world units; ``()`` where the root is damaged."""
        if self.root is None:
            return ()
        own = None if level.document is None else level.document.meta.chunk_shape
        return own or self.root.meta.chunk_shape


SINGLE = (VERTICES, VERTEX_FRAGMENTS, OBJECT_INDEX, GROUPS)
"""Arrays that stand by themselves."""
FAMILIES = (*CHUNKED, *WHOLE)
"""Groups of arrays of one kind."""
