"""A column written to a level run by run, in the way the store's format keeps it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.handle import StoreHandle
from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.encoding.ragged import encode_rows
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.lazy.changes import cast_to, record
from zarr_vectors.writing.commit import column_limits, grid_of, put_object_attribute
from zv_viewer.edits.columns import Array, Kind
from zv_viewer.edits.protocol import Column
from zv_viewer.edits.scopes import Rows
from zv_viewer.errors import InputError

MISSING_CODE = -1


@dataclass(frozen=True, slots=True)
class Summary:
    """What a column held.

    Attributes:
        rows: Rows written.
        without_value: Rows that are NaN or of no category, or objects left without a value.
        limits: Smallest and largest finite number; None of categories, or without one.
    """

    rows: int
    without_value: int
    limits: tuple[float, float] | None


def as_stored(kind: Kind, dtype: str | None) -> Kind:
    """The kind of values in the dtype asked for.

    Raises:
        InputError: Categories have none; or there is no such dtype.
    """
    if dtype is None:
        return kind
    if kind.categories is not None:
        raise InputError(f"categories are stored as codes, not as {dtype}")
    try:
        wanted = np.dtype(dtype)
    except TypeError:
        wanted = np.dtype(object)
    if wanted.kind not in "biuf" or wanted.itemsize > 8:
        raise InputError(f"there is no dtype {dtype!r} of numbers")
    return replace(kind, dtype=wanted)


def spec_of(
    name: str, kind: Kind, unit: str | None = None, description: str | None = None
) -> AttributeSpec:
    """The attribute as its metadata tells it, but for its limits."""
    return AttributeSpec(
        name,
        kind.dtype.newbyteorder("<"),
        columns=int(np.prod(kind.row_shape, dtype=np.int64)),
        row_shape=kind.row_shape,
        categories=kind.categories,
        missing_code=MISSING_CODE if kind.missing and kind.categories is not None else None,
        unit=unit,
        description=description,
    )


def put_column(
    handle: StoreHandle,
    rows: Rows,
    spec: AttributeSpec,
    column: Column,
    extra: Mapping[str, Any],
    told: Callable[[int], None],
) -> Summary:
    """Write a column, replacing one of its name.

    Args:
        handle: Where to.
        rows: Whose values; of a handle that may be another one of the same store.
        spec: The attribute.
        column: Its values.
        extra: Metadata beside that of the spec.
        told: Called with the rows written so far; may raise to stop.

    Raises:
        ArrayError: Values that its dtype cannot hold.
        InputError: Values of another number of rows.
    """
    if rows.scope == "object":
        return _put_objects(handle, rows, spec, column, extra)
    layout, level, name = handle.layout, rows.level, spec.name
    path = f"{level}/{rows.family}/{name}"
    arrays = rows.reader.arrays
    lead = arrays.lead_values
    bins = None if lead is None else len(lead)
    grid = grid_of(handle.meta.bounds, arrays.chunk_shape, rows.chunks, bins)
    meta = spec.to_meta() | dict(extra)
    if rows.scope == "face":
        meta["zv_array"] = "face_attribute"
    layout.create_cells(path, meta, grid)
    tally = _Tally(spec)
    for run in rows.runs:
        told(run.first)
        values = _checked(column.of(run), spec, run.count)
        tally.add(values)
        parts = np.split(values, np.cumsum(run.counts)[:-1])
        cells = zip(run.chunks, parts, strict=True)
        layout.put_cells(path, {chunk: bytes(encode_rows(part)) for chunk, part in cells})
    told(rows.count)
    if tally.limits is not None and level == min(handle.levels):
        low, high = tally.limits
        layout.set_array_meta(path, {"statistics": {"min": low, "max": high}})
    record(handle, level, rows.family, f"{rows.family}/{name}")
    return tally.summary()


def _put_objects(
    handle: StoreHandle,
    rows: Rows,
    spec: AttributeSpec,
    column: Column,
    extra: Mapping[str, Any],
) -> Summary:
    layout, path = handle.layout, str(rows.level)
    values = column.of(rows.runs[0])
    ids = rows.object_ids
    known: npt.NDArray[np.bool_] = np.ones(len(ids), np.bool_)
    if isinstance(values, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(values).reshape(len(values), -1)
        known = np.logical_not(mask.any(axis=1))
        values = np.ma.getdata(values)
    index = layout.get_object_ids(path)
    assert index is not None  # noqa: S101  it has objects
    stored = _checked(values, spec, len(ids))
    own = {
        key: value
        for key, value in spec.to_meta().items()
        if key in ("encoding", "categories", "ordered", "_FillValue", "unit", "description")
    }
    put_object_attribute(
        layout, path, spec.name, stored[known], ids[known], index, own | dict(extra)
    )
    record(handle, rows.level, rows.family, f"{rows.family}/{spec.name}")
    tally = _Tally(spec)
    tally.add(stored[known])
    found = tally.summary()
    lost = found.without_value + int(np.count_nonzero(~known))
    return replace(found, rows=len(ids), without_value=lost)


def _checked(values: Array, spec: AttributeSpec, count: int) -> Array:
    if values.shape != (count, *spec.row_shape):
        raise InputError(
            f"the values have the shape {values.shape}, not {(count, *spec.row_shape)}"
        )
    if values.dtype == spec.dtype:
        return np.ascontiguousarray(values)
    try:
        return cast_to(values, spec.dtype)
    except ArrayError as error:
        raise InputError(f"{spec.name!r}: {error}") from None


class _Tally:
    """Limits and gaps of the values as they go by."""

    def __init__(self, spec: AttributeSpec) -> None:
        self._spec = spec
        self._rows = 0
        self._gaps = 0
        self.limits: tuple[float, float] | None = None

    def add(self, values: Array) -> None:
        """Values that are written."""
        self._rows += len(values)
        if self._spec.categories is not None:
            self._gaps += int(np.count_nonzero(values.astype(np.int64) < 0))
            return
        if values.dtype.kind == "f":
            self._gaps += int(np.isnan(values).reshape(len(values), -1).any(axis=1).sum())
        found = column_limits(values)
        if found is not None:
            old = self.limits or found
            self.limits = min(old[0], found[0]), max(old[1], found[1])

    def summary(self) -> Summary:
        """What went by."""
        return Summary(self._rows, self._gaps, self.limits)
