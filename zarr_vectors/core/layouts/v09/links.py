"""Links of 0.9: an array per set of relative chunks in each family, a cell per source chunk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zarr_vectors.core.backends.joined import ByteArray
from zarr_vectors.core.layouts import ends
from zarr_vectors.core.layouts.base import LinkRecords
from zarr_vectors.core.layouts.columns import Column
from zarr_vectors.core.layouts.linked import Cell, keys_of
from zarr_vectors.core.layouts.placed import PlacedLinks, room_for
from zarr_vectors.core.layouts.v09.cells import Cells09
from zarr_vectors.core.layouts.v09.families import (
    Families09,
    Family,
    Part,
    Ratio,
    attribute_path,
    family_path,
    scale_paths,
    stored_ratio,
)
from zarr_vectors.core.layouts.v09.grids import Grid
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import AnyArray, ChunkCoords, IntArray

_MOST_ARRAYS = 2**20


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Cells to read of one array."""

    part: Part
    cells: IntArray
    """(n, R) chunks, ascending."""
    turned: bool
    """A first column says in which order ends were given."""
    keys: list[ChunkCoords]
    """The same chunks."""


@dataclass(frozen=True, eq=False, slots=True)
class _Table:
    """Links of one array.

    Attributes:
        rows: (M, W) int64, row of every end, in the order ends were given.
        order: (M, W) int64, stored place of every end; None where they lie in order.
        counts: (n,) int64 links of every cell.
    """

    rows: IntArray
    order: IntArray | None
    counts: IntArray


class ReadsLinks09(Cells09, Families09):
    """Reading links and their attributes."""

    def get_links(
        self,
        level: str,
        *,
        delta: int = 0,
        within: Iterable[ChunkCoords] | None = None,
        starting: bool = False,
        attributes: Iterable[str] = (),
    ) -> LinkRecords | None:
        """Links of a level, or None where it has none of that delta.

        Links with no offset come first, then the other arrays of offsets in ascending order;
        within each, chunks ascending, then stored order.

        Args:
            level: The level's path.
            delta: Levels up.
            within: Only links whose endpoints at this level all lie in these chunks.
            starting: It is enough that the first endpoint does.
            attributes: Names of link attributes to read along.

        Raises:
            ArrayError: There is no such attribute, or links are damaged.
        """
        names = list(dict.fromkeys(attributes))
        path = family_path(level, delta)
        scales = scale_paths(level, delta)
        groups = {name: attribute_path(level, name, delta) for name in names}
        found = self.get_attrs([path, *groups.values(), *scales])
        if path not in found:
            self.check_absent(path)
            return None
        family = self.family(level, delta, found[path])
        for name, group in groups.items():
            if group not in found:
                raise ArrayError(
                    f"{path} in {self.backend.url} has no attribute {name[:60]!r}", array=group
                )
        with self.blaming(path):
            ratio = family.ratio or stored_ratio(found, scales)
            wanted = None if within is None else ends.ChunkSet(within, family.rank)
        parts, grids = self.parts_of(family, names, None if starting else wanted)
        chosen = self._chosen(family, parts, grids, wanted, starting=starting)
        whole = wanted is None
        rows, order, counts, blobs = self._rows(family, chosen, grids, names, whole=whole)
        values = {
            name: self._values(family, name, chosen, blobs, counts, grids, found[groups[name]])
            for name in names
        }
        with self.blaming(path):
            places = _places(family, chosen, ratio)
        links = PlacedLinks(places, counts, order, rows, values)
        if wanted is None and len(links.rows) != family.count:
            raise self.damaged(path, f"it has {len(links.rows)} links of {family.count}")
        if wanted is not None and starting:
            held = wanted.holds(links.places.reshape(-1, family.rank))
            links = links.kept(links.spread(held.reshape(-1, family.width))[:, 0])
        return links

    def parts_of(
        self, family: Family, names: Sequence[str], wanted: ends.ChunkSet | None
    ) -> tuple[list[Part], dict[str, Grid]]:
        """Arrays that may hold links asked for; the grids of them and of their attributes."""
        listed = family.segments
        if listed is not None:
            parts, grids = self._parts_among(family, listed, names, wanted)
            if all(part.path in grids for part in parts):
                return parts, grids
        listed = tuple(self.children(family.path))
        parts, grids = self._parts_among(family, listed, names, wanted)
        lost = next((part for part in parts if part.path not in grids), None)
        if lost is not None:
            raise self.damaged(lost.path, "it is no array")
        return parts, grids

    def _parts_among(
        self,
        family: Family,
        segments: Sequence[str],
        names: Sequence[str],
        wanted: ends.ChunkSet | None,
    ) -> tuple[list[Part], dict[str, Grid]]:
        if len(segments) > _MOST_ARRAYS:
            raise self.damaged(family.path, f"it has {len(segments)} arrays")
        parts = [self.part(family, segment) for segment in segments]
        if family.duplicate and not family.delta:
            # of the copies of a link, the one in the least of its chunks is read
            parts = [part for part in parts if part.leads]
        # the first array of an attribute says its dtype, also where nothing else is read of it
        about = [f"{family.attribute(name)}/{part.segment}" for name in names for part in parts[:1]]
        if wanted is not None and not family.delta:
            parts = [part for part in parts if part.sources(wanted, family.rank)]
        about += [f"{family.attribute(name)}/{part.segment}" for name in names for part in parts]
        grids = self.grids(dict.fromkeys([*(part.path for part in parts), *about]))
        return sorted(parts, key=lambda part: part.order), grids

    def _chosen(
        self,
        family: Family,
        parts: Iterable[Part],
        grids: Mapping[str, Grid],
        wanted: ends.ChunkSet | None,
        *,
        starting: bool,
    ) -> list[_Chosen]:
        chosen = []
        for part in parts:
            grid = grids[part.path]
            turned = self.is_turned(family, part, grid)
            stored = self.list_cells(part.path) if grid.stored is None else grid.listed
            cells, keys = np.array(stored, np.int64).reshape(-1, family.rank), list(stored)
            if wanted is not None:
                touched = part.touch if starting else part.reach
                kept = wanted.holds(cells) if family.delta else touched(cells, wanted)
                cells = cells[kept]
                keys = keys_of(cells)
            if len(cells):
                chosen.append(_Chosen(part, cells, turned, keys))
        return sorted(chosen, key=lambda one: one.turned)

    def is_turned(self, family: Family, part: Part, grid: Grid) -> bool:
        """Whether a first column of an array says in which order ends were given.

        Raises:
            ArrayError: The array's document does not fit its family.
        """
        width = grid.node.attributes.get("link_width", family.width)
        if len(grid.shape) != family.rank or width != family.width:
            raise self.damaged(
                part.path,
                f"it has {len(grid.shape)} axes and links of {width!s:.20} ends, expected "
                f"{family.rank} and {family.width}",
            )
        turned = grid.node.attributes.get("has_perm", False)
        if type(turned) is not bool:
            raise self.damaged(part.path, "its has_perm is malformed")
        return turned

    def _fetch(
        self,
        family: Family,
        chosen: Sequence[_Chosen],
        grids: Mapping[str, Grid],
        names: Sequence[str],
        rooms: Mapping[str, ByteArray],
    ) -> dict[str, Column]:
        request = {}
        for one in chosen:
            request[one.part.path] = one.keys
            for name in names:
                path = f"{family.attribute(name)}/{one.part.segment}"
                if path not in grids:
                    raise self.damaged(path, f"it is missing beside {one.part.path}")
                request[path] = one.keys
        found = self.get_columns(request, rooms)
        for path, column in found.items():
            if len(column.keys) and not column.sizes.min():
                lost = column.keys[int(column.sizes.argmin())]
                raise self.damaged(path, "it is empty or missing", lost)
        return found

    def _rows(
        self,
        family: Family,
        chosen: Sequence[_Chosen],
        grids: Mapping[str, Grid],
        names: Sequence[str],
        *,
        whole: bool,
    ) -> tuple[IntArray, IntArray, IntArray, dict[str, Column]]:
        """Rows of all links, the order of their ends, links of every cell, and attributes' cells.

        All is fetched in one batch; from a disk, where that is no faster, array after array into
        the place of its rows: the last first, so that the most, those inside chunks, come when
        nothing else is held.
        """
        batches = [[one] for one in chosen]
        if self.backend.local_path is None and chosen:
            batches = [list(chosen)]
        room = room_for(family.count if whole else 0, family.width)
        orders, counts = [np.zeros((0, family.width), np.int8)], [np.zeros(0, np.int64)]
        parts: list[IntArray] = []
        blobs: dict[str, Column] = {}
        end = len(room)
        for batch in reversed(batches):
            rooms = {}
            plain = batch[0].part.inside and not (batch[0].turned or family.delta)
            if plain and len(batch) == 1 and end:
                rooms[batch[0].part.path] = room[:end].reshape(-1).view(np.uint8)
            found = self._fetch(family, batch, grids, names, rooms)
            for one in reversed(batch):
                table = self._table(family, one, found.pop(one.part.path))
                counts.append(table.counts)
                if table.order is not None:
                    orders.append(table.order.astype(np.int8))
                begin = end - len(table.rows)
                if begin < 0:  # some cells alone, or more links than recorded
                    parts += [room[end:], table.rows]
                    room, end = room[:0], 0
                    continue
                if begin or not np.may_share_memory(room[:end], table.rows):
                    room[begin:end] = table.rows
                end = begin
            blobs |= found
        rows = np.concatenate([room[end:], *reversed(parts)]) if parts else room[end:]
        return rows, np.concatenate(orders[::-1]), np.concatenate(counts[::-1]), blobs

    def _table(self, family: Family, one: _Chosen, column: Column) -> _Table:
        path = one.part.path
        if family.delta or not one.part.inside:
            column = self.headless(column, path)
        rows, counts = self.column_rows(column, path, family.width + one.turned)
        if not one.turned:
            return _Table(rows, None, counts)
        with self.blaming(family.path):
            order = ends.decode_places(rows[:, 0], family.width)
        return _Table(np.take_along_axis(rows[:, 1:], order, axis=1), order, counts)

    def _values(
        self,
        family: Family,
        name: str,
        chosen: Sequence[_Chosen],
        blobs: Mapping[str, Column],
        counts: IntArray,
        grids: Mapping[str, Grid],
        attrs: Mapping[str, Any],
    ) -> AnyArray:
        group = family.attribute(name)
        known = [path for path in grids if path.startswith(f"{group}/")]
        metas: dict[str, Mapping[str, Any]] = {path: grids[path].node.attributes for path in known}
        metas = metas or {group: attrs}
        specs = {path: self.attribute_spec(path, name, meta) for path, meta in metas.items()}
        first, spec = next(iter(specs.items()))
        for path, other in specs.items():
            if (other.dtype, other.row_shape) != (spec.dtype, spec.row_shape):
                raise self.damaged(path, f"its rows are of another type than those of {first}")
        cells = [
            Cell(path, key, data)
            for path in (f"{group}/{one.part.segment}" for one in chosen)
            for key, data in blobs[path].cells().items()
        ]
        return self.attribute_rows(cells, counts, spec)


def _places(family: Family, chosen: Sequence[_Chosen], ratio: Ratio | None) -> IntArray:
    """(K, W, R) chunks of the ends of every cell's links, as stored."""
    if not chosen:
        return np.zeros((0, family.width, family.rank), np.int64)
    sources = np.concatenate([one.cells for one in chosen])
    numbers = np.repeat(np.arange(len(chosen)), [len(one.cells) for one in chosen])
    offsets = np.stack([one.part.offsets for one in chosen])[numbers]
    others = ends.anchors(sources, ratio)[:, None] + offsets
    return np.concatenate([sources[:, None], others], axis=1)
