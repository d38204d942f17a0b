"""Links of 0.9 by any of their ends: the cells that hold them are known from their offsets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from zarr_vectors.core.layouts import ends
from zarr_vectors.core.layouts.linked import Cell
from zarr_vectors.core.layouts.placed import PlacedLinks
from zarr_vectors.core.layouts.v09.families import Family, Part, family_path
from zarr_vectors.core.layouts.v09.links import ReadsLinks09
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
        sources: Their arrays, those whose ends are in another order than given last.
    """

    def __init__(self, layout: ReadsLinks09, family: Family, sources: list[_Source]) -> None:
        self._layout, self._family, self._sources = layout, family, sources
        self.width = family.width

    @property
    def nbytes(self) -> int:
        """Nothing but what the layout keeps of documents."""
        return 0

    def read(self, chunks: Iterable[ChunkCoords]) -> PlacedLinks:
        """Links with at least one end in these chunks: those inside one chunk first."""
        layout, width, rank = self._layout, self.width, self._family.rank
        wanted = list(chunks)
        chosen = [(source, source.cells(wanted)) for source in self._sources]
        chosen = [(source, keys) for source, keys in chosen if keys]
        found = layout.get_cells({source.part.path: keys for source, keys in chosen})
        cells: dict[bool, list[Cell]] = {False: [], True: []}
        places = []
        for source, keys in chosen:
            path = source.part.path
            lost = next((key for key in keys if key not in found[path]), None)
            if lost is not None:
                raise layout.damaged(path, "it is empty or missing", lost)
            own = [Cell(path, key, found[path][key]) for key in keys]
            cells[source.turned] += own if source.part.inside else layout.without_heads(own)
            offsets = np.concatenate([np.zeros((1, rank), np.int64), source.part.offsets])
            places.append(np.array(keys, np.int64)[:, None] + offsets)
        plain, counts = layout.link_rows(cells[False], width)
        turned, more = layout.link_rows(cells[True], width + 1)
        with layout.blaming(self._family.path):
            order = ends.decode_places(turned[:, 0], width)
        rows = np.concatenate([plain, np.take_along_axis(turned[:, 1:], order, axis=1)])
        none = np.zeros((0, width, rank), np.int64)
        counts = np.concatenate([counts, more])
        return PlacedLinks(np.concatenate([none, *places]), counts, order, rows)


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
        return Touching09(self, family, sources)
