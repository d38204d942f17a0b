"""What strategies ask about the objects of a level that is set aside in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from zarr_vectors.multiresolution.carried import Carried, KnownObjects
from zarr_vectors.multiresolution.linked_reduce import joined_rows
from zarr_vectors.multiresolution.shelf import Shelf
from zarr_vectors.typing import AnyArray, FloatArray
from zarr_vectors.writing.order import distinct


class ShelfFacts:
    """Facts of all objects that have rows, ascending by id.

    Args:
        shelf: The level.
        carried: Attributes of objects.
        kind: Geometry type.
        offset: D floats near the data: sums are taken from here.
    """

    def __init__(self, shelf: Shelf, carried: Carried, kind: str, offset: Sequence[float]) -> None:
        self._shelf = shelf
        self._carried = carried
        self._kind = kind
        self._offset = tuple(offset)

    def centers(self) -> FloatArray:
        """(O, D) mean position, world units."""
        return self._each(lambda facts: facts.centers())

    def lengths(self) -> FloatArray:
        """(O,) sum of the lengths of edges; of meshes the diagonal of the box; world units."""
        return self._each(lambda facts: facts.lengths())

    def attribute(self, name: str) -> AnyArray:
        """(O,) values of an object attribute.

        Raises:
            CoarseningError: There is no such attribute, or it has several columns.
        """
        return self._carried.values_of(name, self._shelf.ids())

    def _each(self, ask: Callable[[KnownObjects], FloatArray]) -> FloatArray:
        parts = []
        for number in range(self._shelf.batches):
            rows = self._shelf.batch(number)
            if rows.members is None or not len(rows.members.objects):
                continue
            ids = distinct(rows.members.objects)
            links = None if self._kind == "mesh" else joined_rows(rows, self._kind)
            parts.append(
                ask(
                    KnownObjects(
                        ids, rows.members, rows.positions, self._carried, links, self._offset
                    )
                )
            )
            self._shelf.rest()
        return np.concatenate(parts)
