"""What is known of rows, by name: attributes, where they are, and the objects they belong to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zarr_vectors.core.metadata import AttributeSpec
from zv_viewer.edits.columns import Array, Values
from zv_viewer.edits.face_rows import mean_of_corners
from zv_viewer.edits.scopes import Rows, Run
from zv_viewer.errors import InputError

OBJECT_ID = "object_id"


def read_columns(rows: Rows, run: Run, names: Sequence[str]) -> dict[str, Values]:
    """Columns of a run by name: attributes of the scope, axes, ``object_id``.

    Of faces also attributes of vertices, which are numbers: the mean of their corners, as axes are.

    Raises:
        InputError: There is no such column.
    """
    specs = {name: rows.spec(name) for name in names}
    axes = _axes(rows)
    others = rows.vertex_names() if rows.scope == "face" else []
    beside = [name for name, spec in specs.items() if spec is None and name != OBJECT_ID]
    unknown = next((name for name in beside if name not in (*axes, *others)), None)
    if unknown is not None:
        known = ", ".join(dict.fromkeys((*rows.names(), *others, *axes, OBJECT_ID)))
        raise InputError(f"level {rows.level} has no {rows.scope} {unknown!r}; it has {known}")
    stored = {name: spec for name, spec in specs.items() if spec is not None}
    if rows.scope == "object":
        found = {name: _of_objects(rows, name, spec) for name, spec in stored.items()}
        return {name: found.get(name) or Values(rows.object_ids) for name in specs}
    if rows.scope == "face":
        found = {
            name: Values(rows.face_values(run, spec), spec.categories)
            for name, spec in stored.items()
        }
    else:
        found = {name: _of_vertices(rows, run, spec) for name, spec in stored.items()}
    if beside:
        positions, means = places_of(rows, run, [name for name in beside if name in others])
        found |= {name: Values(own) for name, own in means.items()}
        places = {name: axes.index(name) for name in beside if name not in means}
        found |= {name: Values(positions[:, place]) for name, place in places.items()}
    if OBJECT_ID in specs and OBJECT_ID not in found:
        found[OBJECT_ID] = Values(rows.objects_of(run))
    return found


def places_of(rows: Rows, run: Run, names: Sequence[str]) -> tuple[Array, dict[str, Array]]:
    """Where vertices are, or the middles of faces, with attributes of vertices, or their means.

    Args:
        rows: Of vertices or faces.
        run: Those meant.
        names: Attributes of vertices.

    Returns:
        (n, D) positions, and name -> (n,) or (n, C).

    Raises:
        InputError: Categories of vertices are asked for of faces.
    """
    if rows.scope == "face":
        found = rows.corners(run, names)
        means = {name: mean_of_corners(own, found.rows) for name, own in found.values.items()}
        return mean_of_corners(found.positions, found.rows), means
    arrays = rows.reader.arrays
    parts = list(rows.reader.read_chunks(run.chunks, list(names)).values())
    none = np.zeros((0, arrays.ndim), arrays.vertices.dtype)
    positions = np.concatenate([none, *(part.positions for part in parts)])
    return positions, {
        name: np.concatenate([_none(arrays.attributes[name]), *(p.attributes[name] for p in parts)])
        for name in names
    }


def _axes(rows: Rows) -> tuple[str, ...]:
    """Names of the axes; objects are in no one place."""
    return () if rows.scope == "object" else tuple(axis.name for axis in rows.handle.meta.axes)


def _of_vertices(rows: Rows, run: Run, spec: AttributeSpec) -> Values:
    parts = rows.reader.read_chunk_values(run.chunks, spec.name).values()
    return Values(np.concatenate([_none(spec), *parts]), spec.categories)


def _of_faces(rows: Rows, run: Run, spec: AttributeSpec) -> Values:
    return Values(rows.face_values(run, spec), spec.categories)


def _of_objects(rows: Rows, name: str, spec: AttributeSpec) -> Values:
    """Of objects that have vertices; NaN where one of numbers has none."""
    layout = rows.handle.layout
    found, index = layout.get_dense(f"{rows.level}/{rows.family}/{name}"), rows.index
    assert found is not None and index is not None  # noqa: PT018, S101  it has a spec
    values, present = found
    if values.dtype.kind == "f":
        absent = np.ones(len(values), np.bool_)
        absent[present] = False
        values = np.where(absent.reshape(-1, *(1,) * (values.ndim - 1)), np.nan, values)
    place = np.searchsorted(index.ids, rows.object_ids)
    return Values(np.asarray(values[place], spec.dtype), spec.categories)


def _none(spec: AttributeSpec) -> Array:
    return np.zeros((0, *spec.row_shape), spec.dtype)
