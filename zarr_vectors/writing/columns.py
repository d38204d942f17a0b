"""Arguments of writers made into arrays that can be stored, or one clear sentence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.metadata import AttributeSpec
from zarr_vectors.core.metadata.array import KINDS
from zarr_vectors.core.metadata.root import Bounds
from zarr_vectors.core.paths import check_name
from zarr_vectors.encoding.categorical import encode_categories, is_text
from zarr_vectors.exceptions import ArrayError, MetadataError
from zarr_vectors.spatial.chunking import compute_bounds, positions_in_box
from zarr_vectors.typing import AnyArray, FloatArray, IntArray
from zarr_vectors.writing.commit import Column, column_limits, told_in

POSITION_DTYPES = ("float32", "float64")
MAX_AXES = 4


def checked_positions(positions: npt.ArrayLike, dtype: npt.DTypeLike) -> FloatArray:
    """Positions as (N, D) of the dtype to store.

    Raises:
        ArrayError: Another shape, not numbers, or not finite in that dtype.
    """
    wanted = position_dtype(dtype)
    try:
        found = np.asarray(positions)
    except (TypeError, ValueError) as error:
        raise ArrayError(f"positions cannot be stored: {error}") from error
    if found.dtype.kind not in "iuf":
        raise ArrayError(f"positions must be numbers, not {found.dtype}")
    if found.ndim != 2 or not 2 <= found.shape[1] <= MAX_AXES:
        raise ArrayError(f"positions must be (N, D) with D from 2 to {MAX_AXES}, not {found.shape}")
    with np.errstate(over="ignore"):
        stored = np.ascontiguousarray(found, wanted)
    row = first_not_finite(stored)
    if row is not None:
        raise ArrayError(f"position {row} is {found[row].tolist()}: not finite in {wanted.name}")
    return stored


def position_dtype(dtype: npt.DTypeLike) -> np.dtype[Any]:
    """The dtype positions are stored in.

    Raises:
        ArrayError: Another than ``float32`` or ``float64``.
    """
    try:
        wanted = np.dtype(dtype)
    except (TypeError, ValueError) as error:
        raise ArrayError(f"positions cannot be stored: {error}") from error
    if wanted.name not in POSITION_DTYPES:
        raise ArrayError(f"dtype must be one of {', '.join(POSITION_DTYPES)}, not {wanted.name!r}")
    return wanted.newbyteorder("=")


def first_not_finite(positions: FloatArray) -> int | None:
    """The first of (N, D) positions that is not finite, or None."""
    # a sum is finite when its terms are; only a sum that is not is worth a closer look
    with np.errstate(over="ignore", invalid="ignore"):
        suspicious = not np.isfinite(positions.sum(dtype=np.float64))
    if not suspicious or np.isfinite(positions).all():
        return None
    return int(np.flatnonzero(~np.isfinite(positions).all(axis=1))[0])


def vertex_columns(
    attributes: Mapping[str, npt.ArrayLike] | None,
    count: int,
    units: Mapping[str, str] | None = None,
) -> dict[str, Column]:
    """Vertex attributes ready to be stored; strings become codes.

    Raises:
        ArrayError: Not one row per vertex, more than two axes, or values that cannot be stored.
        StoreError: A name that cannot be stored.
    """
    columns = {}
    for name, given in (attributes or {}).items():
        check_name(name, "attribute name")
        values = np.asarray(given)
        what = f"attribute {name!r}"
        if values.ndim not in (1, 2) or len(values) != count:
            raise ArrayError(f"{what} has the shape {values.shape}; there are {count} vertices")
        unit = (units or {}).get(name)
        columns[name] = (
            _text_column(name, values, unit) if is_text(values) else _column(name, values, unit)
        )
    check_units(units, columns)
    return columns


def check_units(units: Mapping[str, str] | None, names: Iterable[str]) -> None:
    """Units are of attributes that are given.

    Raises:
        ArrayError: One is not.
    """
    unknown = set(units or {}) - set(names)
    if unknown:
        raise ArrayError(f"units are given for attributes that are not: {sorted(unknown)}")


def numbers(values: npt.ArrayLike, what: str) -> AnyArray:
    """(n,) or (n, C) numbers of a type that can be stored.

    Raises:
        ArrayError: Another shape or type.
    """
    found = np.asarray(values)
    if found.dtype.kind not in KINDS or found.dtype.itemsize > 8:
        raise ArrayError(f"{what} has the dtype {found.dtype}, which cannot be stored")
    if found.ndim not in (1, 2) or (found.ndim == 2 and not found.shape[1]):
        raise ArrayError(f"{what} must be (n,) or (n, C), not {found.shape}")
    return np.ascontiguousarray(found)


def object_values(name: str, given: npt.ArrayLike) -> tuple[AnyArray, dict[str, Any]]:
    """Values of objects ready to be stored, and metadata of them; strings become codes.

    Args:
        name: The attribute.
        given: (n,) or (n, C) numbers or (n,) strings.

    Returns:
        Numbers of that shape, and of strings also what tells their categories.

    Raises:
        ArrayError: Values that cannot be stored.
    """
    values = np.asarray(given)
    if not is_text(values):
        return numbers(values, f"object attribute {name!r}"), {}
    column = vertex_columns({name: values}, len(values))[name]
    return column.values, told_in(column.spec.to_meta())


def number_spec(
    name: str,
    dtype: np.dtype[Any],
    row_shape: tuple[int, ...],
    limits: tuple[float, float] | None,
    unit: str | None,
) -> AttributeSpec:
    """An attribute of numbers: its dtype, ``()`` or ``(C,)``, its limits where it has any."""
    return AttributeSpec(
        name,
        dtype.newbyteorder("<"),
        columns=int(row_shape[0]) if row_shape else 1,
        row_shape=tuple(int(n) for n in row_shape),
        unit=unit,
        limits=limits,
    )


def checked_ids(object_ids: npt.ArrayLike, count: int) -> IntArray:
    """(N,) int64 object ids >= 0.

    Raises:
        ArrayError: Another shape, not integers, or negative.
    """
    ids = np.asarray(object_ids)
    if ids.dtype.kind not in "iu" and ids.size:
        raise ArrayError(f"object_ids must be integers, not {ids.dtype}")
    if ids.shape != (count,):
        raise ArrayError(f"object_ids has the shape {ids.shape}; there are {count} vertices")
    if ids.size and (int(ids.min()) < 0 or int(ids.max()) >= 2**62):
        raise ArrayError(f"object_ids must be 0 or more, not {int(ids.min())}")
    return ids.astype(np.int64, copy=False)


def checked_bounds(
    bounds: tuple[Sequence[float], Sequence[float]] | None, positions: FloatArray
) -> Bounds:
    """Bounds as two tuples of floats: the data extent where none are given.

    Raises:
        MetadataError: Wrong shape, not finite, or inverted.
    """
    ndim = positions.shape[1]
    if bounds is None:
        found = compute_bounds(positions) if len(positions) else ([0.0] * ndim, [0.0] * ndim)
    else:
        corners = [np.asarray(corner, np.float64) for corner in bounds]
        if len(corners) != 2 or any(corner.shape != (ndim,) for corner in corners):
            raise MetadataError(f"bounds must be two corners of {ndim} numbers each")
        if not np.isfinite(corners).all() or (corners[0] > corners[1]).any():
            raise MetadataError("bounds must be finite, and min no larger than max")
        found = (corners[0].tolist(), corners[1].tolist())
    return tuple(found[0]), tuple(found[1])


def apply_bounds(
    bounds: Bounds, positions: FloatArray, policy: str
) -> tuple[Bounds, npt.NDArray[np.bool_] | None]:
    """What to do about positions out of bounds.

    Args:
        bounds: (min corner, max corner), both ends inclusive.
        positions: (N, D) float.
        policy: ``raise``, ``ignore`` (leave them out) or ``expand`` (grow the bounds).

    Returns:
        The bounds to store, and which rows to keep, None for all.

    Raises:
        MetadataError: Unknown policy, or ``raise`` and a position is out.
    """
    if policy not in ("raise", "ignore", "expand"):
        raise MetadataError(f"out_of_bounds is {policy!r}; it must be raise, ignore or expand")
    if not len(positions):
        return bounds, None
    low, high = compute_bounds(positions)
    if all(a >= b for a, b in zip(low, bounds[0], strict=True)) and all(
        a <= b for a, b in zip(high, bounds[1], strict=True)
    ):
        return bounds, None
    if policy == "expand":
        grown = np.minimum(bounds[0], low), np.maximum(bounds[1], high)
        return (tuple(grown[0].tolist()), tuple(grown[1].tolist())), None
    inside = positions_in_box(positions, bounds)
    if policy == "raise":
        row = int(np.flatnonzero(~inside)[0])
        raise MetadataError(
            f"{int((~inside).sum())} of {len(positions)} positions are out of bounds, "
            f"the first is row {row} at {positions[row].tolist()}"
        )
    return bounds, inside


def _text_column(name: str, values: AnyArray, unit: str | None) -> Column:
    try:
        found = encode_categories(values)
    except ArrayError as error:
        raise ArrayError(f"attribute {name!r}: {error}") from error
    missing = -1 if found.has_missing else None
    spec = AttributeSpec(
        name, found.codes.dtype, categories=found.categories, missing_code=missing, unit=unit
    )
    return Column(spec, found.codes)


def _column(name: str, values: AnyArray, unit: str | None) -> Column:
    stored = numbers(values, f"attribute {name!r}")
    limits = column_limits(stored)
    return Column(number_spec(name, stored.dtype, stored.shape[1:], limits, unit), stored)


def plain(value: object) -> Any:  # noqa: ANN401  JSON
    """A NumPy scalar as the Python value JSON knows."""
    return value.item() if isinstance(value, np.generic) else value
