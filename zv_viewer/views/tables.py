"""Vertices as tables for other programs, written block by block: CSV and Parquet."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from zv_viewer.errors import InputError
from zv_viewer.views.choosing import Block

Column = npt.NDArray[Any]
OBJECT = "object"

TABLES = (".csv", ".parquet")


def columns_of(block: Block, axis_names: Sequence[str]) -> dict[str, Column]:
    """(N,) columns of a block by their names: axes, attributes, the object.

    Columns of an attribute of several are ``name[0]`` and so on; a name that an axis has already
    is written with ``_`` behind it.
    """
    found: dict[str, Column] = {}

    def put(name: str, values: Column) -> None:
        while name in found:
            name += "_"
        found[name] = values

    for axis, name in enumerate(axis_names):
        put(name, block.positions[:, axis])
    for name, values in block.attributes.items():
        if values.ndim == 1:
            put(name, values)
            continue
        for column in range(values.shape[1]):
            put(f"{name}[{column}]", values[:, column])
    if block.objects is not None:
        put(OBJECT, block.objects)
    return found


def write_table(blocks: Iterable[Block], axis_names: Sequence[str], out: Path) -> int:
    """Write blocks to a table; the file is there whole, or as it was.

    Args:
        blocks: At least one row.
        axis_names: Of the store.
        out: ``.csv`` or ``.parquet``.

    Returns:
        Rows written.

    Raises:
        InputError: The file cannot be written, is of another kind, or there is nothing to write.
    """
    suffix = out.suffix.lower()
    if suffix == ".parquet" and find_spec("pyarrow") is None:
        raise InputError("Parquet needs one more package: pip install 'zv-viewer[tables]'")
    write: dict[str, Callable[[Path, Iterator[dict[str, Column]]], int]]
    write = {".csv": _csv, ".parquet": _parquet}
    if suffix not in write:
        raise InputError(f"{out.name} is no table: give {' or '.join(TABLES)}")
    with _whole(out) as unfinished:
        rows = write[suffix](unfinished, (columns_of(block, axis_names) for block in blocks))
        if not rows:
            raise InputError("there is nothing to export")
    return rows


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """A file beside ``out`` that takes its place at the end of the block, or goes."""
    unfinished = out.with_name(f".{out.name[:40]}.{os.getpid()}")
    try:
        yield unfinished
        os.replace(unfinished, out)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):
            unfinished.unlink()


def _csv(out: Path, tables: Iterator[dict[str, Column]]) -> int:
    """Numbers as short as they can be told apart in their type."""
    rows = 0
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for columns in tables:
            if not rows:
                writer.writerow(columns)
            told = [values.astype(str).tolist() for values in columns.values()]
            writer.writerows(zip(*told, strict=True))
            rows += len(told[0])
    return rows


def _parquet(out: Path, tables: Iterator[dict[str, Column]]) -> int:
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    rows, writer = 0, None
    try:
        for columns in tables:
            table = pa.table({name: _arrow(values) for name, values in columns.items()})
            if writer is None:
                writer = pq.ParquetWriter(out, table.schema)
            writer.write_table(table)
            rows += table.num_rows
    finally:
        if writer is not None:
            writer.close()
    return rows


def _arrow(values: Column) -> Any:  # noqa: ANN401 - what pyarrow takes
    return values.tolist() if values.dtype.kind in "UO" else np.ascontiguousarray(values)
