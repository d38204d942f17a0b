"""Links of 0.7: those inside a chunk in its cell, all others in one list of whole records."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zarr_vectors.constants import (
    CROSS_CHUNK_LINKS,
    LEVEL_KEY,
    LINK_ATTRIBUTES,
    LINKS,
    ROOT_KEY,
)
from zarr_vectors.core import paths
from zarr_vectors.core.layouts import ends
from zarr_vectors.core.layouts.base import LinkFamily, LinkRecords
from zarr_vectors.core.layouts.columns import column_of
from zarr_vectors.core.layouts.linked import FAMILY_KEY, Cell, LinkTree
from zarr_vectors.core.layouts.meta import absent_value, count_of, rank_of
from zarr_vectors.core.layouts.placed import PlacedLinks, narrow, room_for
from zarr_vectors.core.layouts.v07.cells import Cells07
from zarr_vectors.core.metadata.tables import ChunkTable
from zarr_vectors.encoding.ragged import decode_rows
from zarr_vectors.exceptions import ArrayError, MetadataError, ZVWarning
from zarr_vectors.typing import AnyArray, ChunkCoords, IntArray

CROSS_ATTRIBUTES = "cross_chunk_link_attributes"


@dataclass(frozen=True, slots=True)
class Family:
    """Links of a level as their documents describe them."""

    level: str
    delta: int
    width: int
    rank: int | None
    """Components of a chunk, None where no document says."""
    across: int
    """Links in the list of records."""
    table: ChunkTable | None
    """Chunks with links inside and their number in each, None where they must be listed."""
    attributes: tuple[str, ...] | None
    """Names of attributes, None where they must be listed."""

    @property
    def inner(self) -> str:
        """Path of the links inside chunks."""
        return inner_path(self.level, self.delta)

    @property
    def outer(self) -> str:
        """Path of the list of records."""
        return outer_path(self.level, self.delta)


class ReadsLinks07(Cells07, LinkTree):
    """Reading links and their attributes."""

    def link_families(self, level: str, deltas: Iterable[int] = (0,)) -> dict[int, LinkFamily]:
        """What the links of those deltas are, where there are any, in one batch."""
        wanted = {delta: (inner_path(level, delta), outer_path(level, delta)) for delta in deltas}
        found = self.get_attrs(path for pair in wanted.values() for path in pair)
        families = {}
        for delta in wanted:
            family = self.family(level, delta, found)
            if family is not None:
                count = None
                if family.table is not None:
                    count = int(family.table.counts.sum()) + family.across
                names = self.attribute_names(family)
                families[delta] = LinkFamily(family.width, count, names)
        return families

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

        Links inside a chunk come first, then the list of records as it is stored.

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
        inside = {name: inner_path(level, delta, name) for name in names}
        across = {name: outer_path(level, delta, name) for name in names}
        groups = [inner_path(level, delta), outer_path(level, delta)]
        found = self.get_attrs([*groups, *inside.values(), *across.values()])
        family = self.family(level, delta, found)
        if family is None:
            return None
        for name in names:
            if inside[name] not in found and across[name] not in found:
                raise ArrayError(
                    f"{family.inner} in {self.backend.url} has no attribute {name[:60]!r}",
                    array=inside[name],
                )
        wanted = None if within is None else frozenset(within)
        keys = self._keys(family, wanted, inner_path(level, delta) in found)
        if wanted is None and not (names or delta) and self.backend.local_path is not None:
            return self._all_links(family, keys)
        lists = [family.outer, *across.values()] if family.across else []
        request = {path: keys for path in (family.inner, *inside.values()) if path in found}
        blobs, slots = self.get_cells_and_slots(request, lists)
        cells = self._inner(family, keys, blobs.get(family.inner, {}))
        rank = self._rank(family, cells, wanted)
        rows, counts = self.link_rows(cells, family.width)
        places = np.array([cell.chunk for cell in cells], np.int64).reshape(-1, 1, rank)
        chunks = np.repeat(np.repeat(places, family.width, axis=1), counts, axis=0)
        others = self._outer(family, rank, slots.get(family.outer))
        kept: IntArray | slice = slice(None)
        if wanted is not None and len(others):
            with self.blaming(family.outer):
                chosen = ends.ChunkSet(wanted, rank)
            own = np.ascontiguousarray(others[:, : 1 if delta or starting else family.width, :-1])
            held = chosen.holds(own.reshape(-1, rank)).reshape(own.shape[:2])
            kept = np.flatnonzero(held.all(axis=1))
        values = {}
        for name in names:
            first = self._inner_values(
                name, inside[name], cells, counts, blobs.get(inside[name]), found
            )
            second = self._outer_values(family, name, across[name], slots, found)
            values[name] = self._both(family, name, first, second, len(rows), kept)
        return LinkRecords(
            np.concatenate([chunks, others[kept, :, :-1]]),
            np.concatenate([rows, others[kept, :, -1]]),
            values,
        )

    def _all_links(self, family: Family, keys: Sequence[ChunkCoords]) -> PlacedLinks:
        """All links within a level, from a disk: each list is read into its own rows."""
        width, inner = family.width, family.inner
        rank = self._rank(family, [Cell(inner, key, b"") for key in keys], None)
        others = self.outer_ends(family, rank)
        far = narrow(others[:, :, :-1])
        count = 0 if family.table is None else int(family.table.counts.sum())
        room = room_for(count + len(far), width)
        far_rows = room[count:]
        if len(room):
            far_rows[:] = others[:, :, -1]
        else:
            far_rows = others[:, :, -1].copy()
        del others  # much larger
        request, rooms = {inner: keys}, {inner: room[:count].reshape(-1).view(np.uint8)}
        column = self.get_columns(request if keys else {}, rooms if count else {}).get(inner)
        if column is None:
            column = column_of({}, ())
        sizes = dict(zip(column.keys, column.sizes.tolist(), strict=True))
        recorded = () if family.table is None else family.table.keys()
        lost = next((key for key in recorded if not sizes.get(key)), None)
        if lost is not None:
            raise self.damaged(inner, "it is recorded but missing", lost)
        near, counts = self.column_rows(column, inner, width)
        if len(near) == count and len(room):
            if not np.may_share_memory(room, near):
                room[:count] = near
            rows = room
        else:  # not as many as recorded
            rows = np.concatenate([near, far_rows])
        own = narrow(np.array(keys, np.int64).reshape(-1, 1, rank))
        places = np.concatenate([np.repeat(own, width, axis=1), far])
        counts = np.concatenate([counts.astype(np.int32), np.ones(len(far), np.int32)])
        return PlacedLinks(places, counts, np.zeros((0, width), np.int8), rows)

    def family(
        self, level: str, delta: int, found: Mapping[str, Mapping[str, Any]]
    ) -> Family | None:
        """Links of a level from the attributes of their groups; None where there are neither.

        Raises:
            ArrayError: They are malformed, contradict each other, or are recorded and not there.
        """
        inner, outer = inner_path(level, delta), outer_path(level, delta)
        for path in (inner, outer):
            if path not in found:
                self.check_absent(path)
        if inner not in found and outer not in found:
            return None
        own, other = found.get(inner, {}), found.get(outer, {})
        across, width, rank = 0, None, None
        if other.get("num_links"):
            with self.blaming(outer):
                across = count_of(other, "num_links")
                width, rank = _width_of(other), rank_of(other)
        table, names = None, None
        with self.blaming(inner):
            if inner in found:
                given = _width_of(own)
                if width not in {None, given}:
                    raise ArrayError(f"its links have {given} ends, those of {outer} have {width}")
                width = given
            record = self.record_in(own)
            if record is not None:
                names = self.names_of(inner, record.get("attributes"))
                rank = rank_of(record, "rank")
                if record.get("chunks") is not None:
                    try:
                        table = ChunkTable.from_dict(record["chunks"])
                    except MetadataError as error:
                        raise ArrayError(f"its {FAMILY_KEY} is malformed: {error}") from error
        if width is None:
            with self.blaming(outer):
                width = _width_of(other)
        return Family(level, delta, width, rank, across, table, names)

    def attribute_names(self, family: Family) -> tuple[str, ...]:
        """Names of attributes of links, sorted; listed where they are not recorded."""
        if family.attributes is not None:
            return family.attributes
        names = {
            name
            for kind in (LINK_ATTRIBUTES, CROSS_ATTRIBUTES)
            for name in self.array_names(f"{family.level}/{kind}")
        }
        places = {
            path(family.level, family.delta, name): name
            for name in names
            for path in (inner_path, outer_path)
        }
        return tuple(sorted({places[path] for path in self.get_attrs(places)}))

    def inner_cells(
        self, family: Family, chunks: Sequence[ChunkCoords], *, there: bool
    ) -> list[Cell]:
        """Links inside some chunks, ascending, where there are any.

        Args:
            family: What they are.
            chunks: The chunks, ascending.
            there: There is an array of them.

        Raises:
            ArrayError: Links of a chunk are recorded and not there.
        """
        keys = self._keys(family, frozenset(chunks), there)
        blobs = self.get_cells({family.inner: keys})[family.inner] if keys else {}
        return self._inner(family, keys, blobs)

    def outer_ends(self, family: Family, rank: int) -> IntArray:
        """(n, W, R + 1) int64 chunk and row of every end of the links between chunks.

        Raises:
            ArrayError: They are damaged.
        """
        slots: dict[str, bytes] = {}
        if family.across:
            slots = self.get_cells_and_slots({}, [family.outer])[1]
        return self._outer(family, rank, slots.get(family.outer))

    def _keys(
        self, family: Family, wanted: frozenset[ChunkCoords] | None, there: bool
    ) -> list[ChunkCoords]:
        """Chunks to ask for links inside them, ascending."""
        if not there:
            return []
        # another program may have added chunks and left the record as it was: a listing tells
        if family.table is not None and self.backend.local_path is None:
            known = family.table.keys()
            return known if wanted is None else [key for key in known if key in wanted]
        if wanted is None:
            recorded = set() if family.table is None else set(family.table.keys())
            return sorted(recorded.union(self.list_cells(family.inner)))
        return sorted(wanted)

    def _inner(
        self, family: Family, keys: Iterable[ChunkCoords], blobs: Mapping[ChunkCoords, bytes]
    ) -> list[Cell]:
        if family.table is not None:
            recorded = set(family.table.keys())
            lost = next((key for key in keys if key in recorded and key not in blobs), None)
            if lost is not None:
                raise self.damaged(family.inner, "it is recorded but missing", lost)
        cells = [Cell(family.inner, key, blobs[key]) for key in keys if key in blobs]
        return self.without_heads(cells) if family.delta else cells

    def _outer(self, family: Family, rank: int, blob: bytes | None) -> IntArray:
        """(n, W, R + 1) chunk and row of every end."""
        if family.across == 0:
            return np.zeros((0, family.width, rank + 1), np.int64)
        size = 8 * family.width * (rank + 1) * family.across
        if blob is None or len(blob) != size:
            held = "no" if blob is None else len(blob)
            raise self.damaged(
                family.outer, f"it has {held} bytes for {family.across} links, expected {size}"
            )
        found: IntArray = decode_rows(blob, "<i8").reshape(-1, family.width, rank + 1)
        return found

    def _rank(
        self, family: Family, cells: Sequence[Cell], wanted: frozenset[ChunkCoords] | None
    ) -> int:
        rank = family.rank or next((len(cell.chunk) for cell in cells), None)
        if rank is None and wanted:
            rank = len(next(iter(wanted)))
        if rank is None:
            rank = self.level_rank(family)
        for cell in cells:
            if len(cell.chunk) != rank:
                raise self.damaged(cell.path, f"its chunks have {rank} components", cell.chunk)
        return rank

    def level_rank(self, family: Family) -> int:
        """Components of the chunks of a family's level, by the documents of store and level."""
        found = self.get_attrs(["", family.level])
        root, level = (
            found.get(path, {}).get(key)
            for path, key in (("", ROOT_KEY), (family.level, LEVEL_KEY))
        )
        shape = root.get("chunk_shape") if isinstance(root, dict) else None
        if not isinstance(shape, list) or not shape:
            raise self.damaged(family.inner, "it has no links, and nothing says in what chunks")
        lead = isinstance(level, dict) and level.get("chunk_attribute_name") is not None
        return len(shape) + lead

    def _inner_values(
        self,
        name: str,
        path: str,
        cells: Sequence[Cell],
        counts: IntArray,
        blobs: Mapping[ChunkCoords, bytes] | None,
        found: Mapping[str, Mapping[str, Any]],
    ) -> AnyArray | None:
        if path not in found or blobs is None:
            return None
        spec = self.attribute_spec(path, name, found[path])
        own = [Cell(path, cell.chunk, blobs.get(cell.chunk, b"")) for cell in cells]
        untold = "row_shape" not in found[path] and "channel_names" not in found[path]
        return self.attribute_rows(own, counts, spec, infer=untold)

    def _outer_values(
        self,
        family: Family,
        name: str,
        path: str,
        slots: Mapping[str, bytes],
        found: Mapping[str, Mapping[str, Any]],
    ) -> AnyArray | None:
        if path not in found:
            return None
        spec = self.attribute_spec(path, name, found[path])
        shape = found[path].get("shape", [family.across, *spec.row_shape])
        blob = slots.get(path, b"")
        if (
            not isinstance(shape, list)
            or not 1 <= len(shape) <= 2
            or any(type(n) is not int or n < 0 for n in shape)
            or shape[0] != family.across
            or len(blob) != math.prod(shape) * spec.dtype.itemsize
        ):
            raise self.damaged(
                path,
                f"it has {len(blob)} bytes and the shape {str(shape)[:60]} for "
                f"{family.across} links",
            )
        values: AnyArray = decode_rows(blob, spec.dtype).reshape(shape)
        return values

    def _both(
        self,
        family: Family,
        name: str,
        first: AnyArray | None,
        second: AnyArray | None,
        inside: int,
        kept: IntArray | slice,
    ) -> AnyArray:
        """Values inside chunks and those across; what was never stored is marked absent."""
        known = first if first is not None and (len(first) or second is None) else second
        if known is None:
            raise self.damaged(inner_path(family.level, family.delta, name), "it is missing")
        parts = []
        for part, count in ((first, inside), (second, family.across)):
            if part is None or (not count and part.shape[1:] != known.shape[1:]):
                if count:
                    warnings.warn(
                        f"attribute {name!r} of {count} links of level {family.level} of "
                        f"{self.backend.url} was not stored: they have the value "
                        f"{absent_value(known.dtype)}",
                        ZVWarning,
                        stacklevel=3,
                    )
                part = np.full((count, *known.shape[1:]), absent_value(known.dtype), known.dtype)
            parts.append(part)
        if (parts[0].dtype, parts[0].shape[1:]) != (parts[1].dtype, parts[1].shape[1:]):
            raise self.damaged(
                outer_path(family.level, family.delta, name),
                f"its rows are of another type than those of {LINK_ATTRIBUTES}",
            )
        return np.concatenate([parts[0], parts[1][kept]])


def inner_path(level: str, delta: int, name: str | None = None) -> str:
    """Path of links inside chunks, or of an attribute of them."""
    if name is None:
        return paths.join(level, LINKS, paths.format_delta(delta))
    return paths.join(level, LINK_ATTRIBUTES, _checked(name), paths.format_delta(delta))


def outer_path(level: str, delta: int, name: str | None = None) -> str:
    """Path of links between chunks, or of an attribute of them."""
    if name is None:
        return paths.join(level, CROSS_CHUNK_LINKS, paths.format_delta(delta))
    return paths.join(level, CROSS_ATTRIBUTES, _checked(name), paths.format_delta(delta))


def _checked(name: str) -> str:
    return paths.check_name(name, "attribute name")


def _width_of(attrs: Mapping[str, Any]) -> int:
    return rank_of(attrs, "link_width")
