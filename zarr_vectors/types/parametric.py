"""Parametric objects: planes, lines, spheres and kinds of one's own, told by coefficients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.constants import GROUP_ATTRIBUTES, OBJECT_ATTRIBUTES, PARAMETRIC
from zarr_vectors.core.backends import StoreLike, open_backend
from zarr_vectors.core.group import group_at
from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.journal import transaction
from zarr_vectors.core.layouts.base import Layout
from zarr_vectors.core.metadata import ParametricTypeDef, serialise_parametric_types
from zarr_vectors.core.paths import check_name
from zarr_vectors.core.store import create_store, read_parametric_types
from zarr_vectors.exceptions import ArrayError, MetadataError, StoreError
from zarr_vectors.reading.results import Answer
from zarr_vectors.typing import AnyArray, FloatArray
from zarr_vectors.writing.columns import numbers
from zarr_vectors.writing.commit import dense_meta
from zarr_vectors.writing.objects import grouped_rows

BUILT_IN = (
    ParametricTypeDef(0, "plane", ("A", "B", "C", "D")),
    ParametricTypeDef(1, "line", ("x0", "y0", "z0", "dx", "dy", "dz")),
    ParametricTypeDef(2, "sphere", ("cx", "cy", "cz", "r")),
)
"""Kinds every store knows."""

ARRAYS_KEY = "arrays_present"


@dataclass(frozen=True, eq=False, slots=True)
class ParametricSet(Answer):
    """The parametric objects of a store and what is known of them.

    Attributes:
        objects: One dict per object: ``type``, ``type_id``, ``coefficients`` (list of floats),
            ``coefficient_names``, ``name``.
        object_attributes: name -> (O,) or (O, C), one row per object.
        groups: group id -> numbers of objects in ``objects``.
        group_attributes: name -> (G,) or (G, C).
    """

    objects: list[dict[str, Any]]
    object_attributes: dict[str, AnyArray]
    groups: dict[int, list[int]]
    group_attributes: dict[str, AnyArray]


def write_parametric_objects(
    store_path: StoreLike,
    objects: Sequence[Mapping[str, Any]],
    *,
    object_attributes: Mapping[str, npt.ArrayLike] | None = None,
    groups: Mapping[int, Iterable[int]] | None = None,
    group_attributes: Mapping[str, npt.ArrayLike] | None = None,
    custom_types: Iterable[ParametricTypeDef] | None = None,
    create_new_store: bool = False,
    store_kwargs: Mapping[str, Any] | None = None,
    backend: str | None = None,
) -> dict[str, Any]:
    """Write the parametric objects of a store, replacing those there with all that belongs to them.

    Args:
        store_path: The store.
        objects: Dicts with ``type`` (the name of a kind), ``coefficients`` (as many numbers as the
            kind has) and, optionally, ``name``; the type and the object's number by default.
        object_attributes: name -> (O,) or (O, C), one row per object.
        groups: group id -> numbers of objects, counted from 0 as in ``objects``.
        group_attributes: name -> (G,) or (G, C).
        custom_types: Kinds beside planes, lines, spheres and those the store has.
        create_new_store: Make the store; nothing may be there yet.
        store_kwargs: Arguments of :func:`~zarr_vectors.core.store.create_store` for a new store.
        backend: ``local``, ``obstore`` or ``fsspec``; by the address when None.

    Returns:
        ``object_count``, ``type_counts`` {kind: number of objects}.

    Raises:
        ArrayError: An unknown kind, a wrong number of coefficients, or rows that do not fit.
        MetadataError: A custom kind whose number or name is another kind's.
        StoreError: There is no store, or one is there that should be new.
    """
    if store_kwargs and not create_new_store:
        raise StoreError("store_kwargs are for a new store: set create_new_store")
    given = _Given(objects, object_attributes, groups, group_attributes, custom_types)
    what = "write parametric objects"
    if create_new_store:
        place = open_backend(store_path, mode="a", backend=backend)
        with transaction(place, what, whole=True) as writing:
            return given.put(create_store(writing, **(store_kwargs or {})).layout)
    with open_handle(store_path, "r+", backend=backend).transaction(what) as handle:
        return given.put(handle.layout)


def read_parametric_objects(
    store_path: StoreLike, *, backend: str | None = None
) -> list[dict[str, Any]]:
    """The parametric objects of a store; ``[]`` where it has none.

    Returns:
        Dicts with ``type``, ``type_id``, ``coefficients``, ``coefficient_names``, ``name``.

    Raises:
        ArrayError: The objects are damaged.
        StoreError: There is no store.
    """
    return _read_objects(open_handle(store_path, backend=backend).layout)


def read_parametric_set(store_path: StoreLike, *, backend: str | None = None) -> ParametricSet:
    """The parametric objects of a store with their attributes and groups.

    Raises:
        ArrayError: An array is damaged, or has not one row per object or group.
        StoreError: There is no store.
    """
    return parametric_set(open_handle(store_path, backend=backend).layout)


def parametric_set(layout: Layout) -> ParametricSet:
    """The parametric objects of an open store; see :func:`read_parametric_set`."""
    objects = _read_objects(layout)
    groups = layout.get_groups(PARAMETRIC) or []
    return ParametricSet(
        objects,
        _read_tables(layout, OBJECT_ATTRIBUTES, len(objects)),
        {number: members.tolist() for number, members in enumerate(groups)},
        _read_tables(layout, GROUP_ATTRIBUTES, len(groups)),
    )


class _Given:
    """What a caller wants written, checked as far as it can be without the store."""

    def __init__(
        self,
        objects: Sequence[Mapping[str, Any]],
        object_attributes: Mapping[str, npt.ArrayLike] | None,
        groups: Mapping[int, Iterable[int]] | None,
        group_attributes: Mapping[str, npt.ArrayLike] | None,
        custom_types: Iterable[ParametricTypeDef] | None,
    ) -> None:
        self.objects = list(objects)
        self.custom = list(custom_types or ())
        count = len(self.objects)
        self.tables = {
            f"{OBJECT_ATTRIBUTES}/{name}": _rows(name, values, count, "object")
            for name, values in (object_attributes or {}).items()
        }
        self.groups, columns = grouped_rows(groups, group_attributes)
        self.tables |= {f"{GROUP_ATTRIBUTES}/{name}": rows for name, rows in columns.items()}
        for members in self.groups or ():
            if len(members) and not 0 <= members.min() <= members.max() < count:
                raise ArrayError(f"a group names an object that is not among 0 to {count - 1}")

    def put(self, layout: Layout) -> dict[str, Any]:
        """Store it.

        Raises:
            ArrayError: An unknown kind or a wrong number of coefficients.
            MetadataError: Kinds that contradict each other.
        """
        known = merged_types(read_parametric_types(group_at(layout)), self.custom)
        table, names = object_rows(self.objects, known)
        if PARAMETRIC in layout.get_attrs([PARAMETRIC]):
            layout.delete(PARAMETRIC)
        layout.put_attrs(
            {
                PARAMETRIC: {
                    "parametric_types": serialise_parametric_types(known),
                    ARRAYS_KEY: sorted(self.tables),
                }
            }
        )
        layout.put_parametric(table, names)
        for name, rows in self.tables.items():
            family, _, own = name.partition("/")
            kind = "object_attribute" if family == OBJECT_ATTRIBUTES else "groupings_attribute"
            layout.put_dense(f"{PARAMETRIC}/{name}", rows, dense_meta(kind, own, rows))
        if self.groups is not None:
            layout.put_groups(PARAMETRIC, self.groups)
        counts = Counter(str(entry["type"]) for entry in self.objects)
        return {"object_count": len(self.objects), "type_counts": dict(counts)}


def merged_types(
    stored: Iterable[ParametricTypeDef], custom: Iterable[ParametricTypeDef]
) -> list[ParametricTypeDef]:
    """Built-in, stored and custom kinds, ascending by number.

    Raises:
        MetadataError: One number or one name stands for two kinds.
    """
    found: dict[int, ParametricTypeDef] = {}
    for kind in (*BUILT_IN, *stored, *custom):
        kind = ParametricTypeDef(int(kind.type_id), kind.name, tuple(kind.coefficients))
        if kind.type_id < 0 or not kind.name or not kind.coefficients:
            raise MetadataError(f"parametric type {kind} needs a number, a name and coefficients")
        other = found.setdefault(kind.type_id, kind)
        if other != kind:
            raise MetadataError(f"parametric type {kind.type_id} is {other.name!r}, not {kind}")
    names = Counter(kind.name for kind in found.values())
    twice = next((name for name, count in names.items() if count > 1), None)
    if twice is not None:
        raise MetadataError(f"there are two parametric types named {twice!r}")
    return [found[number] for number in sorted(found)]


def object_rows(
    objects: Sequence[Mapping[str, Any]], kinds: Iterable[ParametricTypeDef]
) -> tuple[FloatArray, list[str]]:
    """(n, L) float64 rows, number of the kind first and NaN at the end, and n names.

    Raises:
        ArrayError: An unknown kind, or coefficients that are not as many numbers as it has.
    """
    known = {kind.name: kind for kind in kinds}
    rows, names = [], []
    for number, entry in enumerate(objects):
        kind = known.get(entry.get("type", ""))
        if kind is None:
            raise ArrayError(
                f"object {number} is of the unknown type {entry.get('type')!r}; "
                f"known are {', '.join(known)}"
            )
        values = np.asarray(entry.get("coefficients", ()))
        if values.dtype.kind not in "biuf" or values.shape != (len(kind.coefficients),):
            raise ArrayError(
                f"object {number} ({kind.name}) needs the numbers {', '.join(kind.coefficients)}"
            )
        rows.append([float(kind.type_id), *values.astype(np.float64).tolist()])
        names.append(str(entry.get("name") or f"{kind.name}_{number}"))
    table = np.full((len(rows), max(map(len, rows), default=1)), np.nan)
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
    return table, names


def _read_objects(layout: Layout) -> list[dict[str, Any]]:
    found = layout.get_parametric()
    if found is None:
        return []
    table, names = found
    kinds = {kind.type_id: kind for kind in merged_types(_stored_types(layout), ())}
    objects = []
    for row, name in zip(table.tolist(), names, strict=True):
        kind = kinds.get(int(row[0])) if row and row[0] == row[0] and abs(row[0]) < 2**31 else None
        if kind is None or kind.type_id != row[0] or len(kind.coefficients) >= len(row):
            where = f"{PARAMETRIC}/objects"
            raise ArrayError(
                f"{where} in {layout.backend.url} is damaged: object {name[:60]!r} is of no known "
                f"type, or lacks coefficients",
                array=where,
            )
        objects.append(
            {
                "type": kind.name,
                "type_id": kind.type_id,
                "coefficients": row[1 : 1 + len(kind.coefficients)],
                "coefficient_names": list(kind.coefficients),
                "name": name,
            }
        )
    return objects


def _stored_types(layout: Layout) -> list[ParametricTypeDef]:
    return read_parametric_types(group_at(layout))


def _read_tables(layout: Layout, family: str, count: int) -> dict[str, AnyArray]:
    found = {}
    for name in table_names(layout, family):
        path = f"{PARAMETRIC}/{family}/{name}"
        table = layout.get_dense(path)
        if table is None:
            raise ArrayError(
                f"{path} in {layout.backend.url} is recorded and not there", array=path
            )
        if len(table[0]) != count:
            raise ArrayError(
                f"{path} in {layout.backend.url} has {len(table[0])} rows, expected {count}",
                array=path,
            )
        found[name] = table[0]
    return found


def table_names(layout: Layout, family: str) -> list[str]:
    """By our own record, else by listing."""
    recorded = layout.get_attrs([PARAMETRIC]).get(PARAMETRIC, {}).get(ARRAYS_KEY)
    if isinstance(recorded, list):
        names = [str(name).partition("/") for name in recorded]
        return sorted(check_name(own) for kind, _, own in names if kind == family)
    path = f"{PARAMETRIC}/{family}"
    return layout.array_names(path) if path in layout.get_attrs([path]) else []


def _rows(name: str, given: npt.ArrayLike, count: int, of: str) -> AnyArray:
    check_name(name, "attribute name")
    values = numbers(given, f"{of} attribute {name!r}")
    if len(values) != count:
        raise ArrayError(f"{of} attribute {name!r} has {len(values)} rows for {count} {of}s")
    return values
