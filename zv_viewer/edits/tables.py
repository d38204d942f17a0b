"""Columns of a table in a file: CSV, Parquet or NumPy; read block by block, however long it is."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from zarr_vectors.encoding.categorical import encode_categories
from zarr_vectors.exceptions import ArrayError
from zarr_vectors.multiresolution.scratch import Scratch
from zv_viewer.edits.columns import Values
from zv_viewer.edits.growing_columns import LONGEST_CELL, GrowingColumn
from zv_viewer.errors import InputError

SUFFIXES = (".csv", ".tsv", ".txt", ".parquet", ".pq", ".npy")
BLOCK = 1 << 16
"""Rows read together."""

Check = Callable[[], None]


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """Columns of as many rows each.

    Attributes:
        name: What to call it in a sentence.
        columns: Name -> values.
    """

    name: str
    columns: Mapping[str, Values]

    def column(self, name: str) -> Values:
        """A column.

        Raises:
            InputError: There is none of that name.
        """
        if name not in self.columns:
            known = ", ".join(self.columns) or "none"
            raise InputError(f"{self.name} has no column {name!r}; it has {known}")
        return self.columns[name]


def column_names(path: Path) -> list[str]:
    """Names of the columns of a file.

    Raises:
        InputError: The file cannot be read, or is of another kind; the sentence says why.
    """
    kind = _kind_of(path)
    try:
        if kind == "npy":
            return _names_of(_array(path), path)
        if kind == "parquet":
            return [str(name) for name in _parquet(path).schema_arrow.names]
        with _opened(path) as (names, _):
            return names
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path.name} cannot be read: {_why(error)}") from None


def read_table(
    path: Path, names: Sequence[str], scratch: Scratch, check: Check = lambda: None
) -> Table:
    """Some columns of a file.

    Args:
        path: The file.
        names: Columns wanted.
        scratch: Where they are kept when they are long.
        check: Called between blocks; may raise to stop.

    Raises:
        InputError: The file cannot be read, lacks a column, or holds what no column can.
    """
    known = column_names(path)
    for name in names:
        if name not in known:
            raise InputError(f"{path.name} has no column {name!r}; it has {', '.join(known)}")
    wanted = list(dict.fromkeys(names))
    kind = _kind_of(path)
    try:
        if kind == "npy":
            return Table(path.name, {name: _of_array(_array(path), name, path) for name in wanted})
        if kind == "parquet":
            return Table(path.name, _read_parquet(path, wanted, scratch, check))
        return Table(path.name, _read_csv(path, wanted, scratch, check))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path.name} cannot be read: {_why(error)}") from None


def values_of(column: object, what: str) -> Values:
    """A column in memory, such as one of a layer's features: numbers, or texts as categories.

    Raises:
        InputError: It holds neither.
    """
    rows = np.asarray(column)
    if rows.dtype.kind in "UTO":
        try:
            found = encode_categories(rows)
        except ArrayError as error:
            raise InputError(f"{what}: {error}") from None
        return Values(found.codes.astype(np.int32), found.categories)
    if rows.dtype.kind not in "biuf" or rows.dtype.itemsize > 8 or rows.ndim not in (1, 2):
        raise InputError(f"{what} holds {rows.dtype} of shape {rows.shape}, which cannot be stored")
    return Values(rows)


def _kind_of(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{path.name} is no table known here: {', '.join(SUFFIXES)} are")
    return {".npy": "npy", ".parquet": "parquet", ".pq": "parquet"}.get(suffix, "csv")


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _array(path: Path) -> np.ndarray[Any, Any]:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise InputError(f"{path.name} is no array of numbers: {error}") from None
    if not isinstance(found, np.ndarray) or found.ndim not in (1, 2):
        raise InputError(f"{path.name} must hold (n,) or (n, C) values")
    return found


def _names_of(array: np.ndarray[Any, Any], path: Path) -> list[str]:
    return list(array.dtype.names) if array.dtype.names else [path.stem]


def _of_array(array: np.ndarray[Any, Any], name: str, path: Path) -> Values:
    return values_of(array[name] if array.dtype.names else array, f"{name!r} of {path.name}")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[list[str], Iterator[list[str]]]]:
    """Names of the columns of a CSV file, and its other rows."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        head = file.readline(LONGEST_CELL)
        file.seek(0)
        delimiter = max(",;\t", key=head.count)
        rows = csv.reader(file, delimiter=delimiter)
        names = [name.strip() for name in next(rows, [])]
        if not names or len(set(names)) < len(names) or not all(names):
            raise InputError(f"the first line of {path.name} must name every column, once")
        yield names, rows


def _read_csv(
    path: Path, names: Sequence[str], scratch: Scratch, check: Check
) -> dict[str, Values]:
    makers = {name: GrowingColumn(scratch, f"{name!r} of {path.name}") for name in names}
    again = True
    while again:  # a column that turns out to be another kind is begun anew
        for maker in makers.values():
            maker.begin()
        again = False
        with _opened(path) as (known, rows):
            places = {name: known.index(name) for name in names}
            line = 1
            while block := list(islice(rows, BLOCK)):
                check()
                filled = [row for row in block if row]
                short = next(
                    (i for i, row in enumerate(block) if row and len(row) != len(known)), None
                )
                if short is not None:
                    raise InputError(
                        f"line {line + short + 1} of {path.name} has {len(block[short])} cells, "
                        f"the first line {len(known)}"
                    )
                line += len(block)
                for name, maker in makers.items():
                    again |= not maker.add([row[places[name]].strip() for row in filled])
                if again:
                    break
    return {name: maker.whole() for name, maker in makers.items()}


def _read_parquet(
    path: Path, names: Sequence[str], scratch: Scratch, check: Check
) -> dict[str, Values]:
    makers = {name: GrowingColumn(scratch, f"{name!r} of {path.name}") for name in names}
    file = _parquet(path)
    kinds = {name: file.schema_arrow.field(name).type for name in names}
    for name, maker in makers.items():
        maker.begin()
        maker.fix(_numpy_kind(kinds[name], name, path))
    for batch in file.iter_batches(batch_size=BLOCK, columns=list(names)):
        check()
        for name, maker in makers.items():
            maker.add_array(batch.column(batch.schema.get_field_index(name)))
    return {name: maker.whole() for name, maker in makers.items()}


def _numpy_kind(kind: Any, name: str, path: Path) -> np.dtype[Any] | None:  # noqa: ANN401  Arrow's
    """The dtype of a column of numbers, None of texts."""
    of = import_module("pyarrow.types")
    inner = kind.value_type if of.is_dictionary(kind) else kind
    if of.is_string(inner) or of.is_large_string(inner):
        return None
    if of.is_boolean(inner) or of.is_integer(inner) or of.is_floating(inner):
        found: np.dtype[Any] = np.dtype(inner.to_pandas_dtype())
        return found
    raise InputError(f"{name!r} of {path.name} holds {kind}, which cannot be stored")


def _parquet(path: Path) -> Any:  # noqa: ANN401  pyarrow is not typed
    if find_spec("pyarrow") is None:
        raise InputError(f"{path.name} needs pyarrow: pip install 'zv-viewer[tables]'")
    arrow = import_module("pyarrow")
    try:
        return import_module("pyarrow.parquet").ParquetFile(path)
    except arrow.ArrowInvalid as error:
        raise InputError(f"{path.name} is no Parquet file: {error}") from None
