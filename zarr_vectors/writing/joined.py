"""Lines given one by one, checked and made ready to be stored. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.metadata.array import KINDS
from zarr_vectors.core.paths import check_name
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.columns import (
    MAX_AXES,
    check_units,
    first_not_finite,
    number_spec,
    numbers,
    position_dtype,
    vertex_columns,
)
from zarr_vectors.writing.commit import Column, LineColumn, column_limits
from zarr_vectors.writing.given import LineRows, corners_of
from zarr_vectors.writing.objects import lead_bins

Lead = tuple[IntArray | None, tuple[Any, ...] | None, Column | None]
"""Attribute bins as :func:`~zarr_vectors.writing.objects.lead_bins` gives them."""


def line_rows(
    polylines: Sequence[npt.ArrayLike], dtype: npt.DTypeLike
) -> tuple[LineRows, FloatArray]:
    """Vertices of lines, checked, in the dtype to store, and the corners of the box around them.

    Args:
        polylines: (N_k, D) numbers each.
        dtype: ``float32`` or ``float64``.

    Raises:
        ArrayError: No lines at all, lines of other shapes or types, or vertices that are not
            finite in that dtype.
    """
    parts = [np.asarray(line) for line in polylines]
    if not parts:
        raise ArrayError("there are no polylines to write: the list is empty")
    ndim = next((part.shape[1] for part in parts if part.ndim == 2), None)
    if ndim is None:
        raise ArrayError(f"polylines must be (n, D), the first is {parts[0].shape}")
    # an empty list says nothing of axes
    parts = [part.reshape(0, ndim) if part.shape == (0,) else part for part in parts]
    for number, part in enumerate(parts):
        if part.ndim != 2 or part.shape[1] != ndim or part.dtype.kind not in "iuf":
            raise ArrayError(
                f"polyline {number} is {part.dtype} {part.shape}; polylines must be numbers "
                f"(n, {ndim})"
            )
    wanted = position_dtype(dtype)
    if not 2 <= ndim <= MAX_AXES:
        raise ArrayError(f"polylines must be (n, D) with D from 2 to {MAX_AXES}, not (n, {ndim})")
    rows = LineRows(parts, wanted)
    corners = corners_of(rows.blocks())
    if not np.isfinite(corners).all():
        raise _not_finite(rows, parts)
    return rows, corners


def line_columns(
    attributes: Mapping[str, Sequence[npt.ArrayLike]] | None,
    starts: IntArray,
    units: Mapping[str, str] | None = None,
) -> dict[str, Column | LineColumn]:
    """Vertex attributes ready to be stored, given line by line.

    Args:
        attributes: name -> a (N_k,) or (N_k, C) array per line.
        starts: (K + 1,) int64, rows of each line.
        units: name -> unit.

    Raises:
        ArrayError: Not one array per line or one row per vertex, or values that cannot be stored.
        StoreError: A name that cannot be stored.
    """
    columns = {
        name: _line_column(name, [np.asarray(values) for values in given], starts, units or {})
        for name, given in (attributes or {}).items()
    }
    check_units(units, columns)
    return columns


def path_lead(
    columns: dict[str, Column | LineColumn],
    object_attributes: Mapping[str, npt.ArrayLike] | None,
    name: str | None,
    starts: IntArray,
) -> Lead:
    """Attribute bins of rows, by a vertex attribute or by an attribute of whole lines.

    Args:
        columns: Vertex attributes; the one named is removed, since chunks then tell it.
        object_attributes: name -> (K,), a value per line; the one named stays.
        name: The attribute, or None.
        starts: (K + 1,) int64, rows of each line.

    Raises:
        ArrayError: There is no such attribute, or it does not have one finite value each.
    """
    column = columns.pop(name, None) if name is not None else None
    if isinstance(column, LineColumn):
        column = Column(column.spec, column.values.whole())
    if name is None or column is not None or name not in (object_attributes or {}):
        return lead_bins({} if column is None else {str(name): column}, name)
    assert object_attributes is not None  # noqa: S101  the name is in it
    values = np.asarray(object_attributes[name])
    if values.ndim != 1 or len(values) != len(starts) - 1:
        raise ArrayError(
            f"object attribute {name!r} has the shape {values.shape}: chunks need one value per "
            f"line, of which there are {len(starts) - 1}"
        )
    return lead_bins(vertex_columns({name: np.repeat(values, np.diff(starts))}, starts[-1]), name)


def _line_column(
    name: str, parts: list[AnyArray], starts: IntArray, units: Mapping[str, str]
) -> Column | LineColumn:
    check_name(name, "attribute name")
    counts = np.diff(starts)
    if len(parts) != len(counts):
        raise ArrayError(
            f"attribute {name!r} has {len(parts)} arrays; there are {len(counts)} polylines"
        )
    rows = np.fromiter((len(p) if p.ndim else -1 for p in parts), np.int64, len(parts))
    wrong = np.flatnonzero(rows != counts)
    if len(wrong):
        at = int(wrong[0])
        raise ArrayError(
            f"attribute {name!r} of polyline {at} has the shape {parts[at].shape}; the "
            f"polyline has {counts[at]} vertices"
        )
    full = [part for part in parts if len(part)] or parts[:1]
    if len({part.shape[1:] for part in full}) != 1:
        raise ArrayError(f"attribute {name!r} does not have as many columns in every polyline")
    if any(part.dtype.kind not in KINDS for part in full):  # strings, or what cannot be stored
        own = {name: units[name]} if name in units else None
        return vertex_columns({name: np.concatenate(full)}, int(starts[-1]), own)[name]
    found = LineRows(full)
    numbers(np.empty((0, *found.row_shape), found.dtype), f"attribute {name!r}")
    ends = [both for _, block in found.blocks() if (both := column_limits(block)) is not None]
    limits = (min(low for low, _ in ends), max(high for _, high in ends)) if ends else None
    spec = number_spec(name, found.dtype, found.row_shape, limits, units.get(name))
    return LineColumn(spec, found)


def _not_finite(rows: LineRows, lines: Sequence[AnyArray]) -> ArrayError:
    row = next(
        first + at for first, block in rows.blocks() if (at := first_not_finite(block)) is not None
    )
    line = int(np.searchsorted(rows.starts, row, side="right")) - 1
    at = row - int(rows.starts[line])
    return ArrayError(
        f"position {at} of polyline {line} is {lines[line][at].tolist()}: not finite in "
        f"{rows.dtype.name}"
    )
