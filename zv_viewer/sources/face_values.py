"""Attributes of faces as colours take them: each vertex has what the faces around it say.

Faces have no place of their own among what is drawn, which are vertices and the triangles between
them. A vertex gets the mean of the faces around it inside its chunk, or the most frequent category;
one without such a face has no value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import FACE_ATTRIBUTES
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.exceptions import ZVError
from zarr_vectors.lazy import ZVLevel
from zarr_vectors.reading.faces import rows_of_corners
from zv_viewer.model.scene import AttributeInfo

Int = npt.NDArray[np.int64]
Values = npt.NDArray[np.generic]

PREFIX = "face: "
"""Begins the name of such an attribute, beside those of vertices."""


class FaceValues:
    """The attributes of faces of a store that holds meshes.

    Args:
        levels: Its levels by number; the finest tells which attributes there are.
    """

    def __init__(self, levels: Mapping[int, ZVLevel]) -> None:
        self._levels = levels
        finest = levels[min(levels)]
        self._url = finest.described.url
        self._specs: dict[str, AttributeSpec] = {}
        self.trouble = ""
        """Why attributes of faces are not known; empty where they are."""
        try:
            self._specs = {face_title(n): spec for n, spec in finest.face_attribute_specs.items()}
        except ZVError as error:  # damage, or another program's where nothing can be listed
            self.trouble = f"attributes of faces are not known: {error}"

    @property
    def infos(self) -> tuple[AttributeInfo, ...]:
        """The attributes as those of vertices are told."""
        taken = self._levels[min(self._levels)].attribute_specs
        return tuple(
            AttributeInfo(
                name=title,
                dtype=str(spec.dtype) if spec.categories or spec.columns > 1 else "float64",
                columns=spec.columns,
                categories=None if spec.categories is None else tuple(spec.categories),
                unit=spec.unit,
                limits=spec.limits,
            )
            for title, spec in self._specs.items()
            if title not in taken
        )

    def __contains__(self, title: object) -> bool:
        return title in self._specs

    def names_of(self, level: int) -> frozenset[str]:
        """Which of them a level has."""
        recorded = self._levels[level].described.meta.arrays_present
        there = {face_title(name.split("/", 1)[1]) for name in recorded if _is_one(name)}
        return frozenset(there & self._specs.keys()) or frozenset(
            self._specs if FACE_ATTRIBUTES in recorded and not there else ()
        )

    def of(
        self, level: int, chunks: Int, counts: Sequence[int], titles: Sequence[str]
    ) -> dict[str, Values]:
        """Values of the vertices stored in some chunks, chunk after chunk.

        Args:
            level: Number of the level.
            chunks: (M, R) the chunks.
            counts: Vertices of each.
            titles: Names of attributes that the level has.

        Returns:
            Name -> (n,) or (n, C) float64, NaN where there is none; (n,) int32 codes of categories,
            below zero where there is none.

        Raises:
            ArrayError: A chunk is damaged.
        """
        names = {title: self._specs[title].name for title in titles}
        faces, values = self._levels[level].read_inner_faces(chunks, names.values())
        rows = {tuple(key): number for number, key in reversed(list(enumerate(chunks.tolist())))}
        own = np.array([rows[key] for key in faces.keys()], np.int64)  # noqa: SIM118  no dict
        first = np.array([0, *np.cumsum(counts)], np.int64)[own]
        stored = np.array(counts, np.int64)[own]
        corners = rows_of_corners(faces, first, stored, str(level), self._url)
        total = int(sum(counts))
        found: dict[str, Values] = {}
        for title, name in names.items():
            if self._specs[title].categories is not None:
                found[title] = most_around(values[name], corners, total)
            else:
                found[title] = mean_around(values[name], corners, total)
        return found


def face_title(name: str) -> str:
    """What an attribute of faces is called among those of vertices."""
    return f"{PREFIX}{name}"


def mean_around(values: Values, corners: Int, count: int) -> npt.NDArray[np.float64]:
    """(n,) or (n, C) mean of the faces around each of n vertices, NaN being no value.

    Args:
        values: (F,) or (F, C) numbers.
        corners: (F, W) vertices.
        count: n.
    """
    rows = corners.reshape(-1)
    columns = (values if values.ndim == 2 else values[:, None]).astype(np.float64)
    means = np.empty((count, columns.shape[1]))
    for column in range(columns.shape[1]):
        own = np.repeat(columns[:, column], corners.shape[1])
        known = ~np.isnan(own)
        times = np.bincount(rows[known], minlength=count)
        with np.errstate(invalid="ignore"):
            means[:, column] = np.bincount(rows[known], own[known], minlength=count) / times
    return means.reshape(count, *values.shape[1:])


def most_around(codes: Values, corners: Int, count: int) -> npt.NDArray[np.int32]:
    """(n,) most frequent code of the faces around each of n vertices; the least of equals.

    Args:
        codes: (F,) codes, below zero for none.
        corners: (F, W) vertices.
        count: n.
    """
    own = np.repeat(codes.astype(np.int64), corners.shape[1])
    rows, known = corners.reshape(-1), own >= 0
    pairs = np.stack([rows[known], own[known]], axis=1)
    distinct, times = np.unique(pairs, axis=0, return_counts=True)
    order = np.lexsort((-distinct[:, 1], times, distinct[:, 0]))  # the last of a row is written
    found = np.full(count, -1, np.int32)
    found[distinct[order, 0]] = distinct[order, 1]
    return found


def _is_one(name: str) -> bool:
    return name.startswith(f"{FACE_ATTRIBUTES}/")
