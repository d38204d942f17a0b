"""What the links of 0.9 are, from documents alone: families, their arrays, their chunk ratios."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import LEVEL_KEY, LINK_ATTRIBUTES, LINKS, ROOT_KEY
from zarr_vectors.core import paths
from zarr_vectors.core.layouts import ends
from zarr_vectors.core.layouts.base import LinkFamily
from zarr_vectors.core.layouts.linked import FAMILY_KEY, LinkTree
from zarr_vectors.core.layouts.meta import count_of, rank_of
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import IntArray

Ratio = Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Family:
    """A family of links as its document describes it."""

    level: str
    delta: int
    width: int
    rank: int
    count: int
    duplicate: bool
    segments: tuple[str, ...] | None
    """Names of its arrays, None where they must be listed."""
    attributes: tuple[str, ...] | None
    """Names of its attributes, None where they must be listed."""
    ratio: Ratio | None
    """Chunk shapes of both levels per axis, where recorded."""

    @property
    def path(self) -> str:
        """Path of its group."""
        return family_path(self.level, self.delta)

    def attribute(self, name: str) -> str:
        """Path of the group of an attribute."""
        return attribute_path(self.level, name, self.delta)


@dataclass(frozen=True, slots=True)
class Part:
    """One array of a family: links between chunks that lie in the same way to one another."""

    path: str
    segment: str
    offsets: IntArray
    """(W - 1, R) int64."""

    @property
    def inside(self) -> bool:
        """No end has an offset."""
        return not self.offsets.any()

    @property
    def leads(self) -> bool:
        """Its cells belong to the least of the chunks of their links."""
        zero = (0,) * self.offsets.shape[1]
        return all(tuple(row) >= zero for row in self.offsets.tolist())

    @property
    def order(self) -> tuple[bool, list[list[int]]]:
        """Key to sort parts by: the one without offsets first."""
        return not self.inside, self.offsets.tolist()

    def sources(self, wanted: ends.ChunkSet, rank: int) -> bool:
        """Some links of chunks asked for may be here: all their chunks are asked for."""
        return bool(self.reach(wanted.rows(rank), wanted).any())

    def reach(self, cells: IntArray, wanted: ends.ChunkSet) -> npt.NDArray[np.bool_]:
        """(n,) bool: which of (n, R) cells hold links with every end in chunks asked for."""
        inside = wanted.holds(cells)
        for offset in np.unique(self.offsets, axis=0):
            inside[inside] = wanted.holds(cells[inside] + offset)
        return inside

    def touch(self, cells: IntArray, wanted: ends.ChunkSet) -> npt.NDArray[np.bool_]:
        """(n,) bool: which of (n, R) cells hold links with an end in chunks asked for."""
        found = wanted.holds(cells)
        for offset in np.unique(self.offsets, axis=0):
            found |= wanted.holds(cells + offset)
        return found


class Families09(LinkTree):
    """Documents of families."""

    def link_families(self, level: str, deltas: Iterable[int] = (0,)) -> dict[int, LinkFamily]:
        """What the links of those deltas are, where there are any, in one batch."""
        wanted = {delta: family_path(level, delta) for delta in deltas}
        found = self.get_attrs(wanted.values())
        families = {}
        for delta, path in wanted.items():
            if path in found:
                family = self.family(level, delta, found[path])
                names = self.attribute_names(family)
                families[delta] = LinkFamily(family.width, family.count, names)
            else:
                self.check_absent(path)
        return families

    def family(self, level: str, delta: int, attrs: Mapping[str, Any]) -> Family:
        """A family from the attributes of its group.

        Raises:
            ArrayError: They are malformed.
        """
        path = family_path(level, delta)
        with self.blaming(path):
            width = rank_of(attrs, "link_width")
            rank = rank_of(attrs)
            count = count_of(attrs, "num_links")
            store = attrs.get("store", "canonical")
            if store not in ("canonical", "duplicate"):  # anything, also what has no hash
                raise ArrayError(f"its store is {str(store)[:60]!r}")
            record = self.record_in(attrs)
            segments, names, ratio = None, None, None
            # whoever changes links without knowing of the record changes this number
            if record and record.get("num_physical_records") == attrs.get("num_physical_records"):
                segments = self.names_of(path, record.get("offsets"))
                names = self.names_of(path, record.get("attributes"))
                ratio = record.get("chunk_ratio")
                if ratio is not None and not _is_table(ratio):
                    raise ArrayError(f"its {FAMILY_KEY} is malformed")
        return Family(
            level, delta, width, rank, count, store == "duplicate", segments, names, ratio
        )

    def attribute_names(self, family: Family) -> tuple[str, ...]:
        """Names of a family's attributes, sorted; listed where they are not recorded."""
        if family.attributes is not None:
            return family.attributes
        names = self.array_names(f"{family.level}/{LINK_ATTRIBUTES}")
        found = self.get_attrs(family.attribute(name) for name in names)
        return tuple(name for name in names if family.attribute(name) in found)

    def part(self, family: Family, segment: str) -> Part:
        """An array of a family, by its name.

        Raises:
            ArrayError: The name says no offsets, or too few.
        """
        offsets = paths.parse_offsets(segment)
        if (
            offsets is None
            or len(offsets) != family.width - 1
            or any(len(offset) != family.rank for offset in offsets)
        ):
            raise self.damaged(
                family.path,
                f"its array {segment[:80]!r} is not named by the offsets of {family.width} ends "
                f"in chunks of {family.rank} components",
            )
        table = np.array(offsets, np.int64).reshape(family.width - 1, family.rank)
        return Part(f"{family.path}/{segment}", segment, table)


def _is_table(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(row, list) for row in value)


def family_path(level: str, delta: int) -> str:
    """Path of a family of links."""
    return paths.join(level, LINKS, paths.format_delta(delta))


def attribute_path(level: str, name: str, delta: int) -> str:
    """Path of the values of an attribute of a family of links."""
    return paths.join(
        level,
        LINK_ATTRIBUTES,
        paths.check_name(name, "attribute name"),
        paths.format_delta(delta),
    )


def scale_paths(level: str, delta: int) -> list[str]:
    """Groups that say how large the chunks of both levels are: the root and the levels."""
    if not delta or not level.isdecimal() or int(level) + delta < 0:
        return []
    return ["", level, str(int(level) + delta)]


def stored_ratio(found: Mapping[str, Mapping[str, Any]], scales: Sequence[str]) -> Ratio | None:
    """Chunk shapes of two levels as multiples of the root's; None where they are the same.

    Args:
        found: Attributes of groups.
        scales: The root, the level, the other level.

    Raises:
        ArrayError: A chunk shape is malformed.
    """
    if not scales:
        return None
    root = _chunk_shape(found.get(scales[0], {}), ROOT_KEY)
    if root is None:
        return None
    own, other = (_chunk_shape(found.get(path, {}), LEVEL_KEY) or root for path in scales[1:])
    if own == other:
        return None
    if not len(root) == len(own) == len(other):
        raise ArrayError("the chunk shapes of its levels are of different ranks")
    return [
        [max(1, round(min(a / r, 2.0**30))), max(1, round(min(b / r, 2.0**30)))]
        for r, a, b in zip(root, own, other, strict=True)
    ]


def _chunk_shape(attrs: Mapping[str, Any], key: str) -> list[float] | None:
    block = attrs.get(key)
    found = block.get("chunk_shape") if isinstance(block, dict) else None
    if found is None:
        return None
    if not isinstance(found, list) or not all(
        type(n) in (int, float) and 0 < n < float("inf") for n in found
    ):
        raise ArrayError(f"the chunk shape of its level, {str(found)[:60]}, is malformed")
    return list(map(float, found))
