"""Lines given one by one, made into rows that lie one after the other. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import AnyArray, IntArray
from zarr_vectors.writing.columns import vertex_columns
from zarr_vectors.writing.commit import Column
from zarr_vectors.writing.objects import lead_bins
from zarr_vectors.writing.route import starts_of

Lead = tuple[IntArray | None, tuple[Any, ...] | None, Column | None]
"""Attribute bins as :func:`~zarr_vectors.writing.objects.lead_bins` gives them."""


def joined_lines(polylines: Sequence[npt.ArrayLike]) -> tuple[AnyArray, IntArray]:
    """All vertices (N, D), and (K + 1,) int64 where each line begins, and the end.

    Args:
        polylines: (N_k, D) numbers each; none may be empty.

    Raises:
        ArrayError: No lines at all, or lines of other shapes or types.
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
    counts = np.fromiter(map(len, parts), np.int64, len(parts))
    return np.concatenate(parts), starts_of(counts)


def joined_columns(
    attributes: Mapping[str, Sequence[npt.ArrayLike]] | None,
    starts: IntArray,
    units: Mapping[str, str] | None = None,
) -> dict[str, Column]:
    """Vertex attributes ready to be stored, given line by line.

    Args:
        attributes: name -> a (N_k,) or (N_k, C) array per line.
        starts: (K + 1,) int64, rows of each line.
        units: name -> unit.

    Raises:
        ArrayError: Not one array per line or one row per vertex, or values that cannot be stored.
        StoreError: A name that cannot be stored.
    """
    flat = {}
    counts = np.diff(starts)
    for name, given in (attributes or {}).items():
        parts = [np.asarray(values) for values in given]
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
        flat[name] = np.concatenate(full)
    return vertex_columns(flat, int(starts[-1]), units)


def path_lead(
    columns: dict[str, Column],
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
    if name is None or name in columns or name not in (object_attributes or {}):
        return lead_bins(columns, name)
    assert object_attributes is not None  # noqa: S101  the name is in it
    values = np.asarray(object_attributes[name])
    if values.ndim != 1 or len(values) != len(starts) - 1:
        raise ArrayError(
            f"object attribute {name!r} has the shape {values.shape}: chunks need one value per "
            f"line, of which there are {len(starts) - 1}"
        )
    return lead_bins(vertex_columns({name: np.repeat(values, np.diff(starts))}, starts[-1]), name)
