"""Where the values of an attribute come from; each gives them run by run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from zarr_vectors.multiresolution.scratch import Scratch
from zv_viewer.edits.columns import Array, Int, Kind, Values
from zv_viewer.edits.expressions import parse
from zv_viewer.edits.joined_columns import joined
from zv_viewer.edits.protocol import Bool, Check, Column, Source
from zv_viewer.edits.row_columns import places_of, read_columns
from zv_viewer.edits.scopes import Rows, Run
from zv_viewer.edits.tables import Table, read_table, values_of
from zv_viewer.errors import InputError

__all__ = ["FromExpression", "FromFeatures", "FromFile", "FromObjects", "FromRule", "Source"]


@dataclass(frozen=True, slots=True)
class FromExpression:
    """Arithmetic over attributes of the same rows, see :mod:`~zv_viewer.edits.expressions`."""

    text: str

    def open(self, rows: Rows, scratch: Scratch, check: Check) -> Column:
        """As of :class:`Source`."""
        del scratch, check
        expression = parse(self.text)
        none = Run(0, [], np.zeros(0, np.int64))
        known = expression.names
        if rows.scope == "object":
            columns = read_columns(rows, rows.runs[0], known)
            few = {n: Values(v.rows[:0], v.categories) for n, v in columns.items()}
        else:
            few = read_columns(rows, none, known)
        first = expression.evaluate(few, 0)
        kind = Kind(first.dtype, first.shape[1:])

        def of(run: Run) -> Array:
            return expression.evaluate(read_columns(rows, run, known), run.count)

        return Column(kind, of)

    def provenance(self) -> dict[str, Any]:
        """As of :class:`Source`."""
        return {"source": "expression", "expression": self.text}


@dataclass(frozen=True, slots=True)
class FromFile:
    """A column of a CSV, Parquet or NumPy file.

    Attributes:
        path: The file.
        column: Name of the column; that of a plain NumPy array is the file's.
        by: Rows are in the order of the store, or are found by their object's id.
        id_column: The column of ids.
        strict: Refuse objects without a row and rows of no object; else such objects, or their
            vertices, have no value.
    """

    path: Path
    column: str
    by: Literal["row", "object"] = "row"
    id_column: str = ""
    strict: bool = True

    def open(self, rows: Rows, scratch: Scratch, check: Check) -> Column:
        """As of :class:`Source`."""
        wanted = [self.column] if self.by == "row" else [self.column, self.id_column]
        table = read_table(self.path, wanted, scratch, check)
        return joined(table, self.column, self.id_column if self.by == "object" else None, rows,
                      strict=self.strict)  # fmt: skip

    def provenance(self) -> dict[str, Any]:
        """As of :class:`Source`."""
        how = "row" if self.by == "row" else f"object id in {self.id_column}"
        found = {"source": "file", "file": self.path.name, "column": self.column}
        return {**found, "joined_by": how}


@dataclass(frozen=True, eq=False, slots=True)
class FromFeatures:
    """A column of the features of a layer; fields as of :class:`FromFile`."""

    layer: str
    columns: Mapping[str, Any] = field(repr=False)
    column: str
    by: Literal["row", "object"] = "row"
    id_column: str = ""
    strict: bool = True

    def open(self, rows: Rows, scratch: Scratch, check: Check) -> Column:
        """As of :class:`Source`."""
        del scratch, check
        name = f"layer {self.layer!r}"
        known = {
            key: values_of(column, f"{key!r} of {name}")
            for key, column in self.columns.items()
            if key in (self.column, self.id_column)
        }
        table = Table(name, known)
        return joined(table, self.column, self.id_column if self.by == "object" else None, rows,
                      strict=self.strict)  # fmt: skip

    def provenance(self) -> dict[str, Any]:
        """As of :class:`Source`."""
        how = "row" if self.by == "row" else f"object id in {self.id_column}"
        found = {"source": "features", "layer": self.layer, "column": self.column}
        return {**found, "joined_by": how}


@dataclass(frozen=True, eq=False, slots=True)
class FromObjects:
    """Whether a row is one of some objects, or of their vertices or faces.

    Attributes:
        ids: (n,) object ids.
        labels: Texts for those that are and those that are not; None for true and false.
    """

    ids: Int
    labels: tuple[str, str] | None = None

    def open(self, rows: Rows, scratch: Scratch, check: Check) -> Column:
        """As of :class:`Source`."""
        del scratch, check
        wanted = np.unique(np.asarray(self.ids, np.int64))
        strangers = int(np.count_nonzero(~np.isin(wanted, rows.object_ids)))
        notes: tuple[str, ...] = ()
        if strangers == len(wanted):
            raise InputError(f"no object is selected that level {rows.level} has")
        if strangers:
            notes = (f"{strangers:,} of {len(wanted):,} selected objects are not at this level",)

        def chosen(run: Run) -> Bool:
            objects = rows.object_ids if rows.scope == "object" else rows.objects_of(run)
            return np.asarray(np.isin(objects, wanted))

        return _labelled(chosen, self.labels, notes)

    def provenance(self) -> dict[str, Any]:
        """As of :class:`Source`."""
        return {"source": "selection", "selection": f"{len(np.unique(self.ids)):,} objects"}


@dataclass(frozen=True, eq=False, slots=True)
class FromRule:
    """Whether a vertex, or the middle of a face, meets a rule, such as one drawn with a lasso.

    Attributes:
        keeps: (n, D) positions and columns by name -> (n,) whether a row does.
        attributes: Names of attributes it takes; those that the level lacks are left out.
        words: What the rule is.
        labels: As of :class:`FromObjects`.
    """

    keeps: Callable[[Array, Mapping[str, Array]], Bool]
    attributes: tuple[str, ...]
    words: str
    labels: tuple[str, str] | None = None

    def open(self, rows: Rows, scratch: Scratch, check: Check) -> Column:
        """As of :class:`Source`."""
        del scratch, check
        if rows.scope == "object":
            raise InputError("vertices are selected: write the scope vertex")
        known = rows.vertex_names()
        names = [name for name in self.attributes if name in known]

        def chosen(run: Run) -> Bool:
            return self.keeps(*places_of(rows, run, names))

        return _labelled(chosen, self.labels, ())

    def provenance(self) -> dict[str, Any]:
        """As of :class:`Source`."""
        return {"source": "selection", "selection": self.words}


def _labelled(
    chosen: Callable[[Run], Bool], labels: tuple[str, str] | None, notes: tuple[str, ...]
) -> Column:
    if labels is None:
        return Column(Kind(np.dtype(np.bool_)), chosen, notes)
    inside, outside = labels
    if not inside or not outside or inside == outside:
        raise InputError("the two labels of a selection must differ, and none be empty")
    names = tuple(sorted(labels))
    codes = np.array([names.index(outside), names.index(inside)], np.uint8)
    kind = Kind(np.dtype(np.uint8), (), names)
    return Column(kind, lambda run: codes[chosen(run).astype(np.int64)], notes)
