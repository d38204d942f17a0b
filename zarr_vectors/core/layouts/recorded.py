"""What a store records of its own names, for places that cannot list and reads that need not.

Names of the arrays of every level, which chunks hold links, and which shards hold which chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from zarr_vectors.constants import VERTEX_ATTRIBUTES, VERTEX_FRAGMENTS, VERTICES
from zarr_vectors.core.metadata import ChunkTable
from zarr_vectors.core.metadata.fields import integer_of, mapping_of, text_of
from zarr_vectors.core.paths import name_fault
from zarr_vectors.exceptions import MetadataError
from zarr_vectors.typing import ChunkCoords

_WHAT = "the recorded names"


@dataclass(frozen=True, eq=False, slots=True)
class Packing:
    """Which shard of an array holds which chunk.

    Attributes:
        names: Names of the shards.
        table: The packed chunks, each with the place of its shard among the names.
    """

    names: tuple[str, ...]
    table: ChunkTable

    @classmethod
    def of(cls, shards: Mapping[ChunkCoords, str]) -> Packing:
        """From the name of every chunk's shard."""
        names = tuple(sorted(set(shards.values())))
        place = {name: number for number, name in enumerate(names)}
        return cls(names, chunk_numbers({chunk: place[name] for chunk, name in shards.items()}))

    @classmethod
    def from_dict(cls, data: object) -> Packing:
        """As stored.

        Raises:
            MetadataError: Malformed.
        """
        entry = mapping_of(data, _WHAT)
        names = entry.get("names")
        table = ChunkTable.from_dict(entry)
        if not isinstance(names, list) or (len(table.counts) and table.counts.max() >= len(names)):
            raise MetadataError(f"{_WHAT} are malformed: a shard is not named")
        return cls(_checked(names), table)

    def to_dict(self) -> dict[str, Any] | None:
        """As stored, None where it is too large."""
        found = self.table.to_dict()
        return None if found is None else {"names": list(self.names), **found}

    def by_chunk(self) -> dict[ChunkCoords, str]:
        """Name of every chunk's shard."""
        numbers = self.table.counts.tolist()
        return {key: self.names[n] for key, n in zip(self.table.keys(), numbers, strict=True)}


@dataclass(frozen=True, eq=False, slots=True)
class LevelNames:
    """What is below the group of one level.

    Attributes:
        below: Path within the level -> names there; ``""`` is the level itself.
        cells: Path of a chunked array -> its chunks, where nothing else records them.
        shards: Path of a packed array -> how; None where nobody says which arrays are packed.
    """

    below: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cells: Mapping[str, ChunkTable] = field(default_factory=dict)
    shards: Mapping[str, Packing] | None = None

    @classmethod
    def from_dict(cls, data: object) -> LevelNames:
        """As stored by :meth:`to_dict`.

        Raises:
            MetadataError: Malformed.
        """
        entry = mapping_of(data, _WHAT)
        below = {path: _names(names) for path, names in _entry(entry, "below").items()}
        cells = {path: ChunkTable.from_dict(t) for path, t in _entry(entry, "cells").items()}
        if "shards" not in entry:
            return cls(below, cells)
        packed = entry.get("packed", [])
        if not isinstance(packed, list):
            raise MetadataError(f"{_WHAT} are malformed")
        ways = [Packing.from_dict(one) for one in packed]
        shards = {}
        for path, number in _entry(entry, "shards").items():
            which = integer_of(number, _WHAT, least=0)
            if which >= len(ways):
                raise MetadataError(f"{_WHAT} are malformed: there are {len(ways)} packings")
            shards[path] = ways[which]
        return cls(below, cells, shards)

    def to_dict(self) -> dict[str, Any]:
        """As stored; arrays packed alike share what says how. What is too large is left out."""
        found: dict[str, Any] = {"below": {path: list(names) for path, names in self.below.items()}}
        cells = {path: table.to_dict() for path, table in self.cells.items()}
        if any(cells.values()):
            found["cells"] = {path: one for path, one in cells.items() if one is not None}
        packed: list[dict[str, Any]] = []
        shards: dict[str, int] = {}
        for path, packing in (self.shards or {}).items():
            one = packing.to_dict()
            if one is None:
                return found
            if one not in packed:
                packed.append(one)
            shards[path] = packed.index(one)
        if self.shards is not None:
            found |= {"packed": packed, "shards": shards}
        return found


@dataclass(frozen=True, eq=False, slots=True)
class Recorded:
    """Names below the levels that nothing speaks against.

    Attributes:
        levels: Path of a level -> names below it.
        tables: Path of a level -> its chunks that hold vertices.
        sharded: Whether the root says that arrays are packed into shards, None where not known.
    """

    levels: Mapping[str, LevelNames] = field(default_factory=dict)
    tables: Mapping[str, ChunkTable] = field(default_factory=dict)
    sharded: bool | None = None

    def names(self, path: str) -> list[str] | None:
        """Sorted names below a group, None where they are not recorded."""
        level, _, rest = path.partition("/")
        known = self.levels.get(level)
        return None if known is None else list(known.below.get(rest, ()))

    def cells(self, path: str) -> tuple[ChunkCoords, ...] | None:
        """Chunks of an array, ascending, None where they are not recorded."""
        level, _, rest = path.partition("/")
        known, table = self.levels.get(level), self.tables.get(level)
        if known is not None and rest in known.cells:
            return tuple(known.cells[rest].keys())
        rows = rest in {VERTICES, VERTEX_FRAGMENTS} or rest.startswith(f"{VERTEX_ATTRIBUTES}/")
        return None if table is None or not rows else tuple(table.keys())

    def shards(self, path: str) -> dict[ChunkCoords, str] | None:
        """Name of the shard of every packed chunk of an array, None where not recorded."""
        level, _, rest = path.partition("/")
        known = self.levels.get(level)
        if known is None or known.shards is None:
            return None
        packing = known.shards.get(rest)
        return {} if packing is None else packing.by_chunk()

    def without(self, path: str) -> Recorded:
        """What is recorded of the levels but the one that a path is in."""
        level = path.partition("/")[0]
        kept = {name: known for name, known in self.levels.items() if name != level}
        tables = {name: table for name, table in self.tables.items() if name != level}
        return Recorded(kept, tables, self.sharded)


class Promises(Protocol):
    """Names that arrays are recorded by, for an array that is not there."""

    def below(self, path: str) -> frozenset[str]:
        """Names recorded below a group; none where nothing is recorded."""
        ...

    def hold(self, path: str) -> bool:
        """Whether the level that a path is in is still the one recorded; may ask the place."""
        ...


def chunk_numbers(numbers: Mapping[ChunkCoords, int]) -> ChunkTable:
    """A table of chunks, each with a number, as it is recorded."""
    keys = sorted(numbers)
    coords = np.array(keys, np.int64).reshape(len(keys), -1 if keys else 1)
    return ChunkTable(coords, np.array([numbers[key] for key in keys], np.int64), exact=True)


def _names(found: object) -> tuple[str, ...]:
    if not isinstance(found, list):
        raise MetadataError(f"{_WHAT} are malformed")
    return tuple(sorted(_checked(found)))


def _checked(found: Iterable[object]) -> tuple[str, ...]:
    names = tuple(text_of(name, _WHAT) for name in found)
    fault = next((fault for fault in map(name_fault, names) if fault is not None), None)
    if fault is not None:
        raise MetadataError(f"{_WHAT} hold one that is not allowed: {fault}")
    return names


def _entry(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    return mapping_of(data.get(key, {}), _WHAT)
