"""Which bin every object or vertex falls into: the leading component of its new chunk. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zarr_vectors.typing import AnyArray, IntArray

UNGROUPED = -1
"""Value of the bin of objects that are in no group, and of vertices that are in no object."""

MAX_BINS = 100_000


@dataclass(frozen=True, eq=False, slots=True)
class Partition:
    """Bins, and how values fall into them.

    Attributes:
        name: Name of the leading component of chunks.
        values: The value each bin stands for, ascending: a value itself, or the lower edge.
        edges: (B + 1,) edges the bins lie between, or None where each value has a bin.
    """

    name: str
    values: tuple[Any, ...]
    edges: AnyArray | None = None

    def bins_of(self, values: AnyArray) -> IntArray:
        """(n,) int64 bin of every value.

        Raises:
            ValueError: A value is in no bin.
        """
        if self.edges is not None:
            found = np.searchsorted(self.edges, values, side="right") - 1
            found[values == self.edges[-1]] = len(self.values) - 1
            outside = (found < 0) | (found >= len(self.values)) | (values != values)
        else:
            known = np.asarray(self.values)
            found = np.minimum(np.searchsorted(known, values), max(len(known) - 1, 0))
            outside = np.asarray(known[found] != values)
        if outside.any():
            wrong = values[np.flatnonzero(outside)[0]]
            raise ValueError(f"{self.name} has the value {wrong}, which is in none of the bins")
        return found.astype(np.int64)


def partition_of(
    name: str, values: AnyArray, edges: Sequence[float] | None, *, ungrouped: bool = False
) -> Partition:
    """Bins for some values: between edges, or one per value.

    Args:
        name: Name of the leading component.
        values: (n,) all values there are.
        edges: Ascending, both ends inclusive; None for a bin per value.
        ungrouped: Whether :data:`UNGROUPED` is a value as well.

    Raises:
        ValueError: Edges that do not ascend, values with several columns, or too many bins.
    """
    if values.ndim != 1:
        raise ValueError(f"{name} has several columns: chunks need one value each")
    if edges is not None:
        cuts = np.asarray(edges, np.float64)
        if cuts.ndim != 1 or len(cuts) < 2 or not (np.diff(cuts) > 0).all():
            raise ValueError(f"bins must be at least two ascending edges, not {list(edges)}")
        return Partition(name, tuple(float(x) for x in cuts[:-1]), cuts)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError(f"{name} has values that are not finite: give bins")
    known = np.unique(values)
    if ungrouped:
        known = np.union1d([UNGROUPED], known)
    if len(known) > MAX_BINS:
        raise ValueError(f"{name} has {len(known):,} values: give bins")
    return Partition(name, tuple(known.tolist()))
