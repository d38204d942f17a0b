"""What a store says by the reference reader, in the form of ``testing.kinds.contents``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from zarr_vectors.testing.reference.levels import Level, edges_of, read_reference

PATHS = {"line", "polyline", "streamline"}
LINKED = {"graph", "skeleton", "mesh"}


def reference_contents(folder: Path) -> dict[str, Any]:
    """``geometry`` and ``levels`` of a store in a local folder, as ``contents`` gives them."""
    root, levels = read_reference(Path(folder))
    geometry = tuple(root["zarr_vectors"]["geometry_types"])
    return {
        "geometry": geometry,
        "levels": {number: _said(root, level, set(geometry)) for number, level in levels.items()},
    }


def _said(root: dict[str, Any], level: Level, kinds: set[str]) -> dict[str, Any]:
    names = sorted(level.attributes)
    rows = []
    for key, row in level.vertices():
        values = [_plain(level.attributes[name][key][row]) for name in names]
        rows.append((level.at((key, row)), *values))
    said: dict[str, Any] = {"vertices": sorted(rows), "links": _links(root, level, kinds)}
    if level.objects is not None:
        said["objects"] = {}
        for oid in sorted(level.objects):
            points = [level.at(end) for end in level.rows_of(oid)]
            if points:
                said["objects"][oid] = points if kinds & PATHS else sorted(points)
        said["object_attributes"] = {
            name: {oid: value for oid, value in column.items() if oid in said["objects"]}
            for name, column in level.object_attributes.items()
        }
    said["groups"] = level.groups
    said["group_attributes"] = level.group_attributes
    return said


def _links(root: dict[str, Any], level: Level, kinds: set[str]) -> list[Any]:
    if not kinds & LINKED:
        return []
    columns = level.link_attributes.get(0, {})
    names = sorted(columns)
    found = []
    if "mesh" in kinds:
        links = [(link, number) for number, link in enumerate(level.links.get(0, []))]
    else:
        links = [((a, b), number) for a, b, number in edges_of(root, level)]
    for ends, number in links:
        values = [_plain(columns[name][number]) for name in names]
        found.append(([level.at(end) for end in ends], *values))
    return sorted(found)


def _plain(value: Any) -> str:  # noqa: ANN401  of any dtype
    return repr(value.tolist() if isinstance(value, np.generic | np.ndarray) else value)
