"""Objects, groups and attribute bins as given by a caller, made into what a level stores. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import (
    GROUP_ATTRIBUTES,
    GROUPS,
    OBJECT_ATTRIBUTES,
    OBJECT_INDEX,
    VERTEX_ATTRIBUTES,
    VERTICES,
)
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.spatial.chunking import check_chunk_shape
from zarr_vectors.typing import AnyArray, IntArray
from zarr_vectors.writing.columns import numbers, object_values, plain
from zarr_vectors.writing.commit import Column, ObjectTables
from zarr_vectors.writing.route import Manifests
from zarr_vectors.writing.runs import PathRuns

MAX_GROUPS = 1_000_000
"""Group ids count from 0 and every one up to the largest is stored."""


def chosen_chunk_shape(
    given: Sequence[float] | None, box: tuple[Sequence[float], Sequence[float]], ndim: int
) -> tuple[float, ...]:
    """The chunk shape given, or the extent of the bounds.

    Raises:
        ChunkingError: Wrong number of axes, or an edge that is not finite and positive.
    """
    if given is not None:
        return check_chunk_shape(given, ndim)
    return tuple((b - a) or 1.0 for a, b in zip(*box, strict=True))


def lead_bins(
    columns: dict[str, Column], name: str | None
) -> tuple[IntArray | None, tuple[Any, ...] | None, Column | None]:
    """Attribute bins of an attribute-chunked store; takes the attribute out of ``columns``.

    Args:
        columns: Vertex attributes by name; the one named is removed.
        name: The attribute, or None.

    Returns:
        (N,) int64 bin of every row; the value of every bin; the column where its values are
        numbers. All None where no attribute is named.

    Raises:
        ArrayError: There is no such attribute, or it does not have one finite value a row.
    """
    if name is None:
        return None, None, None
    if name not in columns:
        raise ArrayError(f"chunk_by_attribute is {name!r}, which is not among vertex_attributes")
    column = columns.pop(name)
    if column.spec.row_shape:
        raise ArrayError(f"attribute {name!r} has several columns: chunks need one value each")
    if column.spec.missing_code is not None:
        raise ArrayError(f"attribute {name!r} has missing values: chunks need a value each")
    values, bins = np.unique(column.values, return_inverse=True)
    if column.spec.categories is not None:
        known: tuple[Any, ...] = tuple(column.spec.categories[int(code)] for code in values)
        return bins.astype(np.int64), known, None
    if column.values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ArrayError(f"attribute {name!r} has values that are not finite: chunks need one each")
    return bins.astype(np.int64), tuple(plain(value) for value in values), column


def object_tables(
    manifests: Manifests | PathRuns,
    attributes: Mapping[str, npt.ArrayLike] | None = None,
    groups: Mapping[int, Iterable[int]] | None = None,
    group_attributes: Mapping[str, npt.ArrayLike] | None = None,
) -> ObjectTables:
    """Objects and what is known of them, checked against each other.

    Args:
        manifests: The objects that have vertices.
        attributes: name -> (O,) or (O, C) numbers or (O,) strings: a row per object in ascending
            id, or per id from 0.
        groups: group id -> object ids.
        group_attributes: name -> (G,) or (G, C).

    Raises:
        ArrayError: Rows that do not fit, or group ids that do not count from 0.
    """
    ids = manifests.ids
    slots = int(ids[-1]) + 1 if len(ids) else 0
    told = {name: object_values(name, values) for name, values in (attributes or {}).items()}
    lists, rows_of_groups = grouped_rows(groups, group_attributes)
    return ObjectTables(
        manifests=manifests,
        attributes={
            name: _of_objects(name, values, ids, slots) for name, (values, _) in told.items()
        },
        told={name: more for name, (_, more) in told.items() if more},
        groups=lists,
        group_attributes=rows_of_groups,
    )


def grouped_rows(
    groups: Mapping[int, Iterable[int]] | None,
    group_attributes: Mapping[str, npt.ArrayLike] | None,
) -> tuple[list[IntArray] | None, dict[str, AnyArray]]:
    """Groups as lists by number, and their attributes checked against them.

    Args:
        groups: group id -> object ids, or None.
        group_attributes: name -> (G,) or (G, C).

    Raises:
        ArrayError: Rows that do not fit, or group ids that do not count from 0.
    """
    if group_attributes and groups is None:
        raise ArrayError("group_attributes are given without groups")
    lists = _groups(groups)
    rows = {
        name: _group_rows(name, values, len(lists or ()))
        for name, values in (group_attributes or {}).items()
    }
    return lists, rows


def _of_objects(name: str, values: AnyArray, ids: IntArray, slots: int) -> AnyArray:
    """One row per object in ascending id."""
    if len(values) == len(ids):
        return values
    if len(values) == slots:
        return values[ids]
    raise ArrayError(
        f"object attribute {name!r} has {len(values)} rows; there are {len(ids)} objects, "
        f"the largest id is {slots - 1}"
    )


def _group_rows(name: str, given: npt.ArrayLike, count: int) -> AnyArray:
    values = numbers(given, f"group attribute {name!r}")
    if len(values) != count:
        raise ArrayError(f"group attribute {name!r} has {len(values)} rows for {count} groups")
    return values


def _groups(groups: Mapping[int, Iterable[int]] | None) -> list[IntArray] | None:
    if groups is None:
        return None
    known = sorted(groups)
    if known and (known[0] < 0 or known[-1] >= MAX_GROUPS):
        raise ArrayError(f"group ids must count from 0, not {known[0]} to {known[-1]}")
    lists = [np.zeros(0, np.int64) for _ in range(known[-1] + 1 if known else 0)]
    for number, members in groups.items():
        lists[number] = np.asarray(list(members), np.int64)
    return lists


def arrays_present(columns: Iterable[str], objects: ObjectTables | None) -> tuple[str, ...]:
    """Names of the arrays of a level.

    Args:
        columns: Names of vertex attributes.
        objects: Its objects, or None.
    """
    names = [VERTICES]
    stored = [f"{VERTEX_ATTRIBUTES}/{name}" for name in columns]
    names += [VERTEX_ATTRIBUTES, *stored] if stored else []
    if objects is not None:
        names.append(OBJECT_INDEX)
        names += [OBJECT_ATTRIBUTES] if objects.attributes else []
        names += [GROUPS] if objects.groups is not None else []
        names += [GROUP_ATTRIBUTES] if objects.group_attributes else []
    return tuple(names)
