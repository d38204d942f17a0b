"""Groups of objects and their attributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import GROUP_ATTRIBUTES
from zarr_vectors.core.arrays.listing import path_of
from zarr_vectors.core.attrs import forget_outline
from zarr_vectors.core.group import Group
from zarr_vectors.core.paths import check_name
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import AnyArray


def write_groupings(level_group: Group, groups: Mapping[int, Iterable[int]]) -> None:
    """Store groups of object ids, replacing those there; ids between are empty groups.

    Raises:
        ArrayError: A negative group id.
    """
    if groups and min(groups) < 0:
        raise ArrayError(f"group ids count from 0, not {min(groups)}")
    count = max(groups) + 1 if groups else 0
    lists = [np.array(list(groups.get(g, ())), np.int64) for g in range(count)]
    level_group.layout.put_groups(level_group.prefix, lists)
    forget_outline(level_group.layout)


def read_all_groupings(level_group: Group) -> list[list[int]]:
    """Object ids of every group; ``[]`` where the level has none."""
    found = level_group.layout.get_groups(level_group.prefix)
    return [group.tolist() for group in found or []]


def write_groupings_attributes(level_group: Group, name: str, data: npt.ArrayLike) -> None:
    """Store a group attribute: (G,) or (G, C) numbers."""
    path = path_of(level_group, GROUP_ATTRIBUTES, check_name(name, "attribute name"))
    meta = {"zv_array": "groupings_attribute", "name": name}
    level_group.layout.put_dense(path, np.asarray(data), meta)
    forget_outline(level_group.layout)


def read_groupings_attributes(level_group: Group, name: str) -> AnyArray:
    """(G,) or (G, C) values of a group attribute.

    Raises:
        ArrayError: There is no such attribute.
    """
    path = path_of(level_group, GROUP_ATTRIBUTES, name)
    found = level_group.layout.get_dense(path)
    if found is None:
        raise ArrayError(f"{level_group.backend.url} has no {path}", array=path)
    return found[0]
