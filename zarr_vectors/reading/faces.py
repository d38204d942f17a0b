"""Attributes of faces: one row for each face inside one chunk, chunk after chunk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from zarr_vectors.constants import FACE_ATTRIBUTES, LINKS
from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.layouts.columns import read_columns
from zarr_vectors.core.layouts.placed import PlacedLinks
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.core.paths import join
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading import assemble
from zarr_vectors.typing import AnyArray, ChunkCoords, IntArray


@dataclass(frozen=True, eq=False, slots=True)
class InnerFaces:
    """Faces that lie inside one chunk, chunk after chunk.

    Attributes:
        chunks: (M, R) int64 chunks that hold such faces, ascending.
        counts: (M,) int64 faces of each.
        corners: (F, W) int64, row of every corner among all rows of its chunk.
        across: Faces that were met and reach from one chunk to another: they have no attributes
            here.
    """

    chunks: IntArray
    counts: IntArray
    corners: IntArray
    across: int = 0

    def keys(self) -> list[ChunkCoords]:
        """The chunks as tuples."""
        return [tuple(row) for row in self.chunks.tolist()]


def inner_faces(
    layout: Layout, level: str, within: Iterable[ChunkCoords] | None = None
) -> InnerFaces:
    """The faces inside chunks, as their attributes number them.

    Args:
        layout: The store's layout.
        level: The level's path.
        within: Of these chunks only.
    """
    links = layout.get_links(level, within=within)
    if links is None:
        none = np.zeros((0, 0), np.int64)
        return InnerFaces(none, np.zeros(0, np.int64), none)
    if isinstance(links, PlacedLinks):  # where ends are is told once per cell
        places, cell = links.places, np.repeat(np.arange(len(links.counts)), links.counts)
    else:
        places, cell = links.chunks, np.arange(len(links.rows))
    own = (places == places[:, :1]).all(axis=(1, 2))
    inside = own[cell]
    chunks, which = np.unique(places[own, 0].astype(np.int64), axis=0, return_inverse=True)
    number = np.full(len(places), -1, np.int64)
    number[own] = which.reshape(-1)
    counts = np.bincount(number[cell[inside]], minlength=len(chunks))
    kept = counts > 0
    across = int(np.count_nonzero(~inside))
    return InnerFaces(chunks[kept], counts[kept], links.rows[inside], across)


def rows_of_corners(
    faces: InnerFaces, first: IntArray, counts: IntArray, level: str, url: str
) -> IntArray:
    """(F, W) int64 rows of all corners, vertices of several chunks counted through.

    Args:
        faces: The faces.
        first: (M,) int64 first row of each chunk of theirs.
        counts: (M,) int64 vertices of each.
        level: The level's path, for messages.
        url: The store, likewise.

    Raises:
        ArrayError: A corner is none of its chunk's vertices.
    """
    start, most = (np.repeat(one, faces.counts)[:, None] for one in (first, counts))
    if ((faces.corners < 0) | (faces.corners >= most)).any():
        path = join(level, LINKS)
        raise ArrayError(f"{path} in {url} joins vertices that are not there", array=path)
    return np.asarray(faces.corners + start)


def face_counts(layout: Layout, level: str) -> tuple[IntArray, IntArray]:
    """Chunks with faces inside them, and how many each has.

    Faces across chunks do not count: they have no attributes here.

    Args:
        layout: The store's layout.
        level: The level's path.

    Returns:
        (M, R) int64 chunks, ascending; (M,) int64 faces.
    """
    found = inner_faces(layout, level)
    return found.chunks, found.counts


def face_values(layout: Layout, level: str, spec: AttributeSpec, faces: InnerFaces) -> AnyArray:
    """An attribute of faces inside chunks, categories as codes.

    Args:
        layout: The store's layout.
        level: The level's path.
        spec: The attribute.
        faces: The faces, all of each chunk.

    Returns:
        (F,) or (F, C) in the stored dtype.

    Raises:
        ArrayError: It is damaged, or has another number of rows than there are faces.
    """
    path, url, keys = join(level, FACE_ATTRIBUTES, spec.name), layout.backend.url, faces.keys()
    column = read_columns(layout, {path: keys})[path]
    found = assemble.row_counts(column, spec.row_bytes, path, url)
    assemble.same_counts(faces.counts, found, keys, path, url)
    return assemble.rows_of(column.data, spec.dtype, spec.row_shape)


def read_face_attribute(
    layout: Layout, level: str, name: str, *, decode_categories: bool = True
) -> AnyArray:
    """An attribute of the faces that lie inside one chunk, in chunk order.

    Args:
        layout: The store's layout.
        level: The level's path.
        name: The attribute.
        decode_categories: Categories as strings; False for their codes.

    Returns:
        (F,) or (F, C) in the stored dtype, rows as :func:`face_counts` numbers them.

    Raises:
        ArrayError: There is no such attribute, or it is damaged.
    """
    path = join(level, FACE_ATTRIBUTES, name)
    meta = layout.array_metas([path]).get(path)
    url = layout.backend.url
    if meta is None:
        raise ArrayError(f"there is no {path} in {url}", array=path)
    spec = AttributeSpec.from_meta(name, meta)
    values = face_values(layout, level, spec, inner_faces(layout, level))
    if spec.categories is not None and decode_categories:
        return assemble.categories_as_text(values, spec, path, url)
    return values


def face_attribute_names(layout: Layout, level: str) -> list[str]:
    """Names of a level's face attributes, ascending; StoreError where the place cannot list."""
    return layout.array_names(f"{level}/{FACE_ATTRIBUTES}")


def face_attribute_specs(
    layout: Layout, level: str, recorded: Iterable[str]
) -> dict[str, AttributeSpec]:
    """What is known of the face attributes of a level from metadata.

    Args:
        layout: The store's layout.
        level: The level's path.
        recorded: Names of arrays that the level says it has; names of face attributes are listed
            where it says that there are some and not which.

    Raises:
        StoreError: They must be listed, and the place cannot list.
    """
    told = [name.split("/") for name in recorded]
    names = sorted(name[1] for name in told if name[0] == FACE_ATTRIBUTES and len(name) == 2)
    if not names and [FACE_ATTRIBUTES] in told:
        names = face_attribute_names(layout, level)
    paths = {join(level, FACE_ATTRIBUTES, name): name for name in names}
    metas = layout.array_metas(paths) if paths else {}
    return {paths[path]: AttributeSpec.from_meta(paths[path], metas[path]) for path in metas}
