"""A few pieces read each by itself, against the same pieces planned."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from zarr_vectors.constants import KNOWN_VERSIONS
from zarr_vectors.core.handle import open_handle
from zarr_vectors.encoding.fragments import encode_fragments, encode_ranges
from zarr_vectors.reading.cache import CellCache
from zarr_vectors.reading.fetch import LevelReader
from zarr_vectors.reading.few import FEW, rows_of_pieces
from zarr_vectors.reading.level import describe_level
from zarr_vectors.reading.paths import objects_of, placed, read_paths
from zarr_vectors.types.polylines import write_polylines


@pytest.fixture(params=KNOWN_VERSIONS)
def level(request, tmp_path):
    rng = np.random.default_rng(3)
    lines = [np.cumsum(rng.normal(0, 4, (n, 3)), axis=0) for n in (2, 5, 30, 200, 31)]
    place = tmp_path / "s.zarrvectors"
    write_polylines(place, lines, chunk_shape=(20.0,) * 3, format_version=request.param)
    handle = open_handle(place)
    return handle.layout, describe_level(handle.layout, handle.meta, handle.level(0))


def pieces_of(table, row):
    own = slice(*table.starts[row : row + 2].tolist())
    return [tuple(chunk) for chunk in table.chunks[own].tolist()], table.fragments[own].tolist()


@pytest.mark.parametrize("kept", [False, True])
def test_as_planned(level, kept):
    layout, arrays = level
    reader = LevelReader(layout, arrays, CellCache() if kept else None)
    table = objects_of(layout, arrays)
    few = 0
    for row in [*range(len(table)), *range(len(table))]:
        planned = read_paths(reader, placed(reader, table.take(np.array([row])))).positions
        pieces = pieces_of(table, row)
        found = reader.read_few(*pieces)
        assert (found is None) == (len(pieces[0]) > FEW)
        if found is not None:
            few += 1
            assert found.dtype == planned.dtype
            assert np.array_equal(found, planned)
            assert found.flags.writeable
    assert 0 < few < 2 * len(table)


def reaching(rows):
    """A table whose second fragment, which nobody asks for, reaches beyond the rows."""
    return encode_ranges([0, rows - 1], [1, 2])


TABLES = {
    "cut short": lambda table, rows: table[:-1],
    "longer": lambda table, rows: table + b"\0\0\0\0",
    "empty": lambda table, rows: b"",
    "of no fragments": lambda table, rows: encode_ranges([], []),
    "without that fragment": lambda table, rows: encode_ranges([0], [1]),
    "of another kind": lambda table, rows: b"?" + table[1:],
    "of another version": lambda table, rows: table[:4] + b"\x09" + table[5:],
    "with rows listed": lambda table, rows: encode_fragments([(0, 1), np.array([0])] * 40),
    "with a word at its end": lambda table, rows: table[:-4] + b"\1\0\0\0",
    "beyond the rows": lambda table, rows: reaching(rows),
    "below the first row": lambda table, rows: encode_ranges([0, -1], [1, 1]),
    "with numbers that wrap": lambda table, rows: encode_ranges([0, -(2**63)], [1, -(2**63)]),
    "with a huge count": lambda table, rows: table[:8] + struct.pack("<II", 2**32 - 1, 2**32 - 1),
}


@pytest.mark.parametrize("how", TABLES)
def test_tables_out_of_the_ordinary_are_left_alone(level, how):
    layout, arrays = level
    objects = objects_of(layout, arrays)
    chunks, fragments = pieces_of(objects, 2)
    paths = (arrays.vertices_path, arrays.fragments_path)
    cells = layout.get_cells(dict.fromkeys(paths, chunks))
    assert rows_of_pieces(arrays, cells, {}, chunks, fragments) is not None
    chunk = chunks[-1]
    rows = len(cells[paths[0]][chunk]) // (3 * arrays.vertices.dtype.itemsize)
    table = TABLES[how](cells[paths[1]][chunk], rows)
    number = fragments[-1] if how != "without that fragment" else 1
    harmed = {paths[0]: cells[paths[0]], paths[1]: cells[paths[1]] | {chunk: table}}
    assert rows_of_pieces(arrays, harmed, {}, [chunk], [number]) is None


def test_vertices_out_of_the_ordinary_are_left_alone(level):
    layout, arrays = level
    chunks, fragments = pieces_of(objects_of(layout, arrays), 2)
    paths = (arrays.vertices_path, arrays.fragments_path)
    cells = layout.get_cells(dict.fromkeys(paths, chunks))
    chunk = next(chunk for chunk in chunks if any(chunk))
    number = fragments[chunks.index(chunk)]
    blob = cells[paths[0]][chunk]
    rows = len(blob) // (3 * arrays.vertices.dtype.itemsize)
    for counts, other in (
        ({}, b""),
        ({}, blob[:-1]),
        ({}, bytes(len(blob))),
        ({}, blob[: len(blob) // rows * (rows - 1)]),
        ({chunk: rows + 1}, blob),
    ):
        harmed = {paths[0]: {chunk: other}, paths[1]: cells[paths[1]]}
        assert rows_of_pieces(arrays, harmed, counts, [chunk], [number]) is None
    for path in paths:
        harmed = cells | {path: {}}
        assert rows_of_pieces(arrays, harmed, {}, [chunk], [number]) is None
