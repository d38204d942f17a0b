"""Attributes of faces: one row for each face inside one chunk, chunk after chunk."""

from __future__ import annotations

import numpy as np

from zarr_vectors.constants import FACE_ATTRIBUTES
from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.layouts.columns import read_columns
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.core.paths import join
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.reading import assemble
from zarr_vectors.typing import AnyArray, ChunkCoords, IntArray


def face_counts(layout: Layout, level: str) -> tuple[IntArray, IntArray]:
    """Chunks with faces inside them, and how many each has.

    Faces across chunks do not count: they have no attributes here.

    Args:
        layout: The store's layout.
        level: The level's path.

    Returns:
        (M, R) int64 chunks, ascending; (M,) int64 faces.
    """
    links = layout.get_links(level)
    if links is None:
        return np.zeros((0, 0), np.int64), np.zeros(0, np.int64)
    inside = (links.chunks == links.chunks[:, :1]).all(axis=(1, 2))
    chunks, counts = np.unique(links.chunks[inside, 0], axis=0, return_counts=True)
    return chunks, counts


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
    chunks, counts = face_counts(layout, level)
    keys: list[ChunkCoords] = [tuple(row) for row in chunks.tolist()]
    column = read_columns(layout, {path: keys})[path]
    found = assemble.row_counts(column, spec.row_bytes, path, url)
    assemble.same_counts(counts, found, keys, path, url)
    values = assemble.rows_of(column.data, spec.dtype, spec.row_shape)
    if spec.categories is not None and decode_categories:
        return assemble.categories_as_text(values, spec, path, url)
    return values


def face_attribute_names(layout: Layout, level: str) -> list[str]:
    """Names of a level's face attributes, ascending; StoreError where the place cannot list."""
    return layout.array_names(f"{level}/{FACE_ATTRIBUTES}")
