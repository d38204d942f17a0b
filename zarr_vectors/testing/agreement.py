"""The library's readers, eager and lazy, against the reference reader, on a store in a folder."""

from __future__ import annotations

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from zarr_vectors.core.handle import StoreHandle, open_handle
from zarr_vectors.core.layouts.base import LinkRecords
from zarr_vectors.exceptions import ZVWarning
from zarr_vectors.lazy import open_zv
from zarr_vectors.lazy.level import ZVLevel
from zarr_vectors.testing.kinds import contents
from zarr_vectors.testing.reference import Level, read_reference, reference_contents

PATHS = frozenset({"line", "polyline", "streamline"})


def assert_agrees(folder: Path) -> dict[int, Level]:
    """Fail where the library reads something else than the reference reader; what that reads.

    Compared are the eager readers' content, every level's rows in stored order by the lazy API,
    objects, groups, and links of every depth with their attributes.

    Raises:
        AssertionError: They differ; the message says in what.
    """
    said, expected = contents(folder), reference_contents(folder)
    assert_same(tuple(said["geometry"]), expected["geometry"], "geometry")
    for level in said["levels"].values():
        level.pop("dtypes")
    assert_same(said["levels"], expected["levels"], "levels")
    _, levels = read_reference(folder)
    store, handle = open_zv(folder), open_handle(folder)
    ordered = bool(PATHS & set(expected["geometry"]))
    for number, known in levels.items():
        _rows(store[number], known, f"level {number}")
        if known.objects is not None:
            _objects(store[number], known, f"level {number}", ordered=ordered)
        _links(handle, known, number)
    return levels


def assert_same(found: Any, expected: Any, where: str) -> None:  # noqa: ANN401  nested
    """Fail naming the part in which two nested answers differ; NaN equals NaN.

    Raises:
        AssertionError: They differ.
    """
    if isinstance(found, dict) and isinstance(expected, dict):
        if set(found) != set(expected):
            raise AssertionError(f"{where}: {sorted(found)} are not {sorted(expected)}")
        for key in expected:
            assert_same(found[key], expected[key], f"{where}, {key}")
    elif repr(found) != repr(expected):
        raise AssertionError(f"{where}: {found!r:.300} is not {expected!r:.300}")


def _rows(level: ZVLevel, known: Level, where: str) -> None:
    assert_same(level.chunk_keys, list(known.positions), f"{where}, chunks")
    found = level.vertices.compute()
    rows = [row for part in known.positions.values() for row in part.tolist()]
    assert_same(found.tolist(), rows, f"{where}, vertices")
    assert_same({level.vertex_dtype}, {found.dtype}, f"{where}, dtype")
    assert_same(level.vertex_count, len(rows), f"{where}, vertex count")
    assert_same(sorted(level.attribute_specs), sorted(known.attributes), f"{where}, attributes")
    for name, chunks in known.attributes.items():
        expected = [value for key in known.positions for value in chunks[key].tolist()]
        assert_same(level.attributes[name].compute().tolist(), expected, f"{where}, {name}")


def _objects(level: ZVLevel, known: Level, where: str, *, ordered: bool) -> None:
    present = [oid for oid in sorted(known.objects or {}) if known.rows_of(oid)]
    assert_same(level.present_oids.tolist(), present, f"{where}, objects")
    for oid in present:
        rows = [known.at(end) for end in known.rows_of(oid)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ZVWarning)
            view = level.polylines[oid] if ordered else level.filter(object_ids=[oid]).vertices
            assert_same(np.asarray(view.compute()).tolist(), rows, f"{where}, object {oid}")


def _links(handle: StoreHandle, known: Level, number: int) -> None:
    for delta, links in known.links.items():
        names = sorted(known.link_attributes[delta])
        found = handle.layout.get_links(str(number), delta=delta, attributes=names)
        values = [known.link_attributes[delta][name] for name in names]
        expected = Counter(map(str, zip(links, *values, strict=True)))
        where = f"links {delta} of level {number}"
        counted = None if found is None else _records(found, names)
        assert_same(counted, dict(expected), where)


def _records(found: LinkRecords, names: list[str]) -> dict[str, int]:
    links = [
        tuple((tuple(chunk), row) for chunk, row in zip(chunks, rows, strict=True))
        for chunks, rows in zip(found.chunks.tolist(), found.rows.tolist(), strict=True)
    ]
    values = [found.attributes[name].tolist() for name in names]
    return dict(Counter(map(str, zip(links, *values, strict=True))))
