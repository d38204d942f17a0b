"""Links of 0.9 by any of their ends: the cells that hold them are known from their offsets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from zarr_vectors.core.layouts.placed import PlacedLinks
from zarr_vectors.core.layouts.v09.families import Family, Part, family_path
from zarr_vectors.core.layouts.v09.grids import Grid
from zarr_vectors.core.layouts.v09.links import Chosen, ReadsLinks09, places_of
from zarr_vectors.typing import ChunkCoords


@dataclass(frozen=True, eq=False, slots=True)
class _Source:
    """An array of links.

    Attributes:
        part: Which.
        turned: A first column says in which order ends were given.
        stored: Chunks it has cells of.
        shifts: From the chunk of a cell to those of the ends of its links, each once.
    """

    part: Part
    turned: bool
    stored: frozenset[ChunkCoords]
    shifts: tuple[ChunkCoords, ...]

    def cells(self, chunks: Iterable[ChunkCoords]) -> list[ChunkCoords]:
        """Cells that hold links with an end in some chunks, ascending."""
        found = {
            cell
            for chunk in chunks
            for shift in self.shifts
            if (cell := tuple(a - b for a, b in zip(chunk, shift, strict=True))) in self.stored
        }
        return sorted(found)


class Touching09:
    """The links of a level, read by any of their ends.

    Args:
        layout: Where they are.
        family: What they are.
        sources: Their arrays.
        grids: Documents of the arrays.
    """

    def __init__(
        self,
        layout: ReadsLinks09,
        family: Family,
        sources: list[_Source],
        grids: dict[str, Grid],
    ) -> None:
        self._layout, self._family, self._sources, self._grids = layout, family, sources, grids
        self.width = family.width

    @property
    def nbytes(self) -> int:
        """Nothing but what the layout keeps of documents."""
        return 0

    def read(self, chunks: Iterable[ChunkCoords]) -> PlacedLinks:
        """Links with at least one end in these chunks: those inside one chunk first."""
        wanted, chosen = list(chunks), []
        for source in self._sources:
            keys = source.cells(wanted)
            if keys:
                cells = np.array(keys, np.int64)
                chosen.append(Chosen(source.part, cells, source.turned, keys))
        layout, family = self._layout, self._family
        rows, order, counts, _ = layout.rows_of(family, chosen, self._grids, (), whole=False)
        return PlacedLinks(places_of(family, chosen, None), counts, order, rows)


class TouchingLinks09(ReadsLinks09):
    """Finding links by any of their ends."""

    def touching_links(self, level: str) -> Touching09 | None:
        """The links of a level, made ready to be read by chunk; None where there are none."""
        path = family_path(level, 0)
        found = self.get_attrs([path])
        if path not in found:
            self.check_absent(path)
            return None
        family = self.family(level, 0, found[path])
        parts, grids = self.parts_of(family, (), None)
        sources = []
        for part in parts:
            turned = self.is_turned(family, part, grids[part.path])
            stored = grids[part.path].stored
            if stored is None:
                stored = frozenset(self.list_cells(part.path))
            zero = (0,) * family.rank
            shifts = dict.fromkeys([zero, *map(tuple, part.offsets.tolist())])
            sources.append(_Source(part, turned, stored, tuple(shifts)))
        sources.sort(key=lambda source: source.turned)
        return Touching09(self, family, sources, grids)
