"""The objects of every level, read from the object index, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zarr_vectors.exceptions import Cancelled, StoreUnreachable, ZVError
from zarr_vectors.lazy import ZVStore
from zarr_vectors.typing import AnyArray, IntArray
from zv_viewer.qa.evidence import ObjectFacts
from zv_viewer.qa.lengths import Lengths


@dataclass(frozen=True, eq=False, slots=True)
class StoreObjects:
    """Objects of the levels of a store.

    Attributes:
        ids: Level -> (n,) int64 objects with vertices, ascending; levels without are left out.
        parents: Level -> the level it was made from.
        sparsity: Level -> share of the parent's objects it says it keeps.
        groups: (n,) int64 members of every group.
        wrong: Level -> object attribute -> (n,) int64 objects with another value than at level 0.
        missing: Level -> object attributes it lacks.
    """

    ids: dict[int, IntArray]
    parents: dict[int, int]
    sparsity: dict[int, float]
    groups: tuple[IntArray, ...]
    wrong: dict[int, dict[str, IntArray]]
    missing: dict[int, tuple[str, ...]]

    @property
    def finest(self) -> IntArray:
        """(k,) int64 objects of the finest level."""
        return self.ids[min(self.ids)]

    def at(self, level: int) -> IntArray:
        """(n,) int64 objects of a level; those of the finest where it does not tell."""
        return self.ids.get(level, self.finest)

    def keeps_all(self, level: int) -> bool:
        """Whether a level has every object of the finest level."""
        own = self.at(level)
        return len(own) >= len(self.finest) and bool(np.isin(self.finest, own).all())

    def facts(self, level: int, lengths: Lengths) -> ObjectFacts | None:
        """What became of the objects at a level; None where it has no object index."""
        if level not in self.ids:
            return None
        parent = self.parents[level]
        return ObjectFacts(
            parent=parent,
            sparsity=self.sparsity[level],
            here=self.ids[level],
            before=self.at(parent),
            finest=self.finest,
            lengths=lengths.lengths(),
            groups=self.groups,
            wrong=self.wrong.get(level, {}),
            missing=self.missing.get(level, ()),
        )


def object_facts(
    store: ZVStore, numbers: list[int], troubles: dict[int, str]
) -> StoreObjects | None:
    """Read the objects of every level; None where the finest has none.

    Args:
        store: The store.
        numbers: Its levels, ascending.
        troubles: Level -> damage of its object index; what is met is added.
    """
    ids: dict[int, IntArray] = {}
    for number in numbers:
        try:
            if store.object_count_at(number):
                ids[number] = store[number].present_oids
        except (Cancelled, StoreUnreachable):
            raise
        except ZVError as error:
            troubles[number] = str(error)
    if not numbers or numbers[0] not in ids:
        return None
    wrong, missing = _attributes(store, numbers, ids, troubles)
    metas = {n: store.level_group(n).attrs.get("zarr_vectors_level", {}) for n in numbers}
    parents = {n: _parent(metas[n].get("parent_level"), n) for n in numbers}
    return StoreObjects(
        ids,
        parents,
        {n: float(store[n].object_sparsity) for n in numbers},
        tuple(store[numbers[0]].groups or ()),
        wrong,
        missing,
    )


def _parent(recorded: object, number: int) -> int:
    return recorded if isinstance(recorded, int) else max(number - 1, 0)


def _attributes(
    store: ZVStore, numbers: list[int], ids: dict[int, IntArray], troubles: dict[int, str]
) -> tuple[dict[int, dict[str, IntArray]], dict[int, tuple[str, ...]]]:
    """Object attributes whose values change from level to level, and those that end."""
    wrong: dict[int, dict[str, IntArray]] = {}
    missing: dict[int, tuple[str, ...]] = {}
    finest = numbers[0]
    try:
        names = store[finest].object_attribute_names
        known = {name: store[finest].object_attribute(name) for name in names}
        rows = np.asarray(store[finest].object_index.object_ids, np.int64)
    except (Cancelled, StoreUnreachable):
        raise
    except ZVError as error:
        troubles.setdefault(finest, str(error))
        return wrong, missing
    for number in numbers[1:]:
        if number not in ids:
            continue
        try:
            here = set(store[number].object_attribute_names)
            own_rows = np.asarray(store[number].object_index.object_ids, np.int64)
            missing[number] = tuple(name for name in names if name not in here)
            for name in names:
                if name in here:
                    own = store[number].object_attribute(name)
                    odd = _differing(ids[number], rows, known[name], own_rows, own)
                    if len(odd):
                        wrong.setdefault(number, {})[name] = odd
        except (Cancelled, StoreUnreachable):
            raise
        except ZVError as error:
            troubles.setdefault(number, str(error))
    return wrong, missing


def _differing(
    ids: IntArray, rows: IntArray, values: AnyArray, own_rows: IntArray, own: AnyArray
) -> IntArray:
    """Of some objects, those whose values differ between two tables by object id."""
    both = np.intersect1d(np.intersect1d(ids, rows), own_rows)
    first = values[np.searchsorted(rows, both)]
    second = own[np.searchsorted(own_rows, both)]
    if first.shape != second.shape:
        return both
    same = first == second
    if first.dtype.kind == "f" and second.dtype.kind == "f":
        same = np.isclose(first, second, rtol=1e-6, atol=0, equal_nan=True)
    alike = np.asarray(same.all(axis=tuple(range(1, same.ndim))), np.bool_)
    found: IntArray = both[~alike]
    return found
