"""What is known of a store before any vertex is read: levels, chunks, errors, attributes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

Float = npt.NDArray[np.float64]
Int = npt.NDArray[np.int64]


TIME_NAMES = frozenset({"t", "time"})
"""What axes of time are called."""
TIME_UNITS = frozenset(
    prefix + unit
    for unit in ("second", "seconds", "s")
    for prefix in ("", "nano", "micro", "milli", "n", "u", "m")
) | {"min", "minute", "minutes", "h", "hour", "hours", "day", "days"}
"""Units they have."""


@dataclass(frozen=True, slots=True)
class AttributeInfo:
    """A vertex attribute.

    ``categories`` are the strings behind its codes, else None. ``limits`` is (min, max) over level
    0 as recorded by the writer, or None where nobody recorded it. A ``computed`` one is in no
    store: its values come from the positions and links of a cell.
    """

    name: str
    dtype: str
    columns: int = 1
    categories: tuple[str, ...] | None = None
    unit: str | None = None
    limits: tuple[float, float] | None = None
    computed: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class LevelInfo:
    """One level of a store.

    Args:
        index: The level's number in the store, 0 finest.
        chunk_shape: (D,) world units.
        bin_shape: (D,) world units; the size of what one vertex of this level stands for.
        chunks: (M, R) int64 chunk coordinates that hold data, R = D, or D + 1 with a leading
            attribute bin.
        counts: (M,) int64 vertices per chunk.
        counts_exact: False where counts are the level's mean (older stores do not record them).
        error: World distance within which this level represents level 0; 0 for level 0, NaN where
            nobody stored it (planning then estimates it).
        error_source: ``stored`` by the pyramid builder (p95), or estimated from ``density``.
        object_share: Part of the objects of level 0 that the level keeps, as recorded.
    """

    index: int
    chunk_shape: Float
    bin_shape: Float
    chunks: Int
    counts: Int
    counts_exact: bool
    error: float
    error_source: Literal["stored", "density"]
    object_share: float = 1.0

    @property
    def vertex_count(self) -> int:
        """Vertices of the level."""
        return int(self.counts.sum())


@dataclass(frozen=True, eq=False, slots=True)
class SceneInfo:
    """A store as the viewer sees it. ``levels[0]`` is the finest; ``bounds`` is (2, D)."""

    url: str
    name: str
    format_version: str
    geometry: str
    axis_names: tuple[str, ...]
    axis_units: tuple[str | None, ...]
    bounds: Float
    levels: tuple[LevelInfo, ...]
    attributes: tuple[AttributeInfo, ...]
    bytes_per_vertex: float
    """Bytes to fetch for one vertex, positions and fragment index, without attributes."""
    warnings: tuple[str, ...] = ()
    is_map: bool = False
    """Whether the store names a coordinate reference system."""
    link_width: int = 0
    """Ends of a link: 2 for edges, 3 for faces, 0 where nothing is joined."""
    links_per_vertex: float = 0.0
    """About how many links there are for one vertex."""
    objects: Int = field(default_factory=lambda: np.zeros(1, np.int64))
    """(O,) ascending ids of the objects that rows belong to; at least one, that of no object."""

    @property
    def has_objects(self) -> bool:
        """Whether rows can be told apart by the objects they belong to."""
        return self.by_object or len(self.objects) > 1

    @property
    def by_object(self) -> bool:
        """Whether levels are chosen for whole objects, not for cells."""
        return self.link_width > 0

    @property
    def north_up(self) -> bool:
        """Whether y is to run up the canvas: it is north, on a map with axes x and y."""
        return self.is_map and {"x", "y"} <= {name.lower() for name in self.axis_names}

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return int(self.bounds.shape[1])

    @property
    def origin(self) -> Float:
        """(D,) the point positions are drawn relative to, so that float32 keeps its digits."""
        return np.asarray(self.bounds.mean(axis=0))

    @property
    def display_order(self) -> tuple[int, ...]:
        """Axes from the outermost slider to the canvas' horizontal axis.

        Axes called z, y and x come last in that order, so that x runs across the canvas whichever
        way the store lists them; other names keep the store's order.
        """
        rank = {"z": 1, "y": 2, "x": 3}
        names = [name.lower() for name in self.axis_names]
        if "x" not in names or "y" not in names or len(set(names)) != len(names):
            return tuple(range(self.ndim))
        return tuple(sorted(range(self.ndim), key=lambda axis: rank.get(names[axis], 0)))

    @property
    def time_axes(self) -> tuple[int, ...]:
        """Axes that are time, by their names or units; they get a slider, not the canvas."""
        return tuple(
            axis
            for axis, (name, unit) in enumerate(zip(self.axis_names, self.axis_units, strict=True))
            if name.lower() in TIME_NAMES or (unit or "").lower() in TIME_UNITS
        )

    def attribute(self, name: str) -> AttributeInfo:
        """The attribute called ``name``; KeyError when there is none."""
        for info in self.attributes:
            if info.name == name:
                return info
        raise KeyError(name)
