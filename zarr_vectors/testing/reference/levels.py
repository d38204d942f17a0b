"""A second reader of both formats, slow and obvious: what ours must agree with.

It shares no decoding with the library, keeps every value in plain loops, and reads whole stores in
local folders. Encoded (Draco) vertices are not for it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from zarr_vectors.testing.reference.blobs import (
    fragments,
    headless,
    lowest,
    manifest,
    places,
    same,
)
from zarr_vectors.testing.reference.zarr_bytes import (
    Key,
    array,
    attributes,
    cells_07,
    cells_09,
    folders,
    key_of,
    one_blob,
)
from zarr_vectors.typing import AnyArray

End = tuple[Key, int]
"""A vertex: the chunk it lies in and its row there."""
Link = tuple[End, ...]
ROOT_ROWS = -1
"""Rows up to this stand for no vertex at all."""


@dataclass(slots=True)
class Level:
    """One level as its bytes say.

    Attributes:
        positions: chunk -> (n, D), chunks ascending, rows as stored.
        fragments: chunk -> rows of every fragment.
        attributes: name -> chunk -> (n,) or (n, C); strings for categories.
        objects: id -> (chunk, fragment) pairs in order; empty where an object has no vertices.
        object_attributes: name -> id -> value of the objects that have one.
        groups: object ids of every group, None where there are none.
        group_attributes: name -> (G, ...).
        links: levels up -> links, the first end at this level.
        link_attributes: levels up -> name -> value of every link.
        face_attributes: name -> chunk -> values of the faces inside it.
    """

    positions: dict[Key, AnyArray] = field(default_factory=dict)
    fragments: dict[Key, list[list[int]]] = field(default_factory=dict)
    attributes: dict[str, dict[Key, AnyArray]] = field(default_factory=dict)
    objects: dict[int, list[tuple[Key, int]]] | None = None
    object_attributes: dict[str, dict[int, Any]] = field(default_factory=dict)
    groups: list[list[int]] | None = None
    group_attributes: dict[str, list[Any]] = field(default_factory=dict)
    links: dict[int, list[Link]] = field(default_factory=dict)
    link_attributes: dict[int, dict[str, list[Any]]] = field(default_factory=dict)
    face_attributes: dict[str, dict[Key, AnyArray]] = field(default_factory=dict)

    def vertices(self) -> list[End]:
        """Every vertex, chunks ascending, rows as stored."""
        return [(key, row) for key, rows in self.positions.items() for row in range(len(rows))]

    def at(self, end: End) -> list[float]:
        """Position of a vertex."""
        return [float(x) for x in self.positions[end[0]][end[1]]]

    def rows_of(self, oid: int) -> list[End]:
        """Vertices of an object in order."""
        pieces = (self.objects or {})[oid]
        return [(key, row) for key, number in pieces for row in self.fragments[key][number]]


def read_reference(folder: Path) -> tuple[dict[str, Any], dict[int, Level]]:
    """A store's root metadata and its levels."""
    root = attributes(folder)
    numbers = [child.name for child in folders(folder) if child.name.isdecimal()]
    reader = _Reader07 if root["zarr_vectors"]["zv_version"].startswith("0.7") else _Reader09
    return root, {int(name): reader(folder, name).level() for name in sorted(numbers, key=int)}


def edges_of(root: dict[str, Any], level: Level) -> list[tuple[End, End, int]]:
    """Edges of a graph or skeleton, each with the number of the link that says so or -1."""
    links = level.links.get(0, [])
    if root["zarr_vectors"].get("links_convention") != "implicit_sequential_with_branches":
        return [(a, b, number) for number, (a, b) in enumerate(links)]
    parents: dict[End, tuple[End | None, int]] = {}
    first = {(k, rows[0]) for k, all_ in level.fragments.items() for rows in all_ if rows}
    before: End | None = None
    for vertex in level.vertices():
        parents[vertex] = (None if vertex in first else before, -1)
        before = vertex
    for number, (child, parent) in enumerate(links):
        parents[child] = (None if parent[1] <= ROOT_ROWS else parent, number)
    return [(child, up, number) for child, (up, number) in parents.items() if up is not None]


class _Reader:
    """What both formats have in common."""

    def __init__(self, folder: Path, name: str) -> None:
        self.root, self.path = folder, folder / name
        self.said = attributes(folder)["zarr_vectors"]
        self.own = attributes(self.path)["zarr_vectors_level"]
        self.ndim = len(attributes(folder)["multiscales"][0]["axes"])

    def level(self) -> Level:
        level = Level()
        dtype = np.dtype(attributes(self.path / "vertices")["dtype"]).newbyteorder("<")
        for key, blob in self.cells(self.path / "vertices").items():
            level.positions[key] = np.frombuffer(blob, dtype).reshape(-1, self.ndim)
        for key, blob in self.cells(self.path / "vertex_fragments").items():
            level.fragments[key] = fragments(blob)
        counts = {key: len(rows) for key, rows in level.positions.items()}
        for folder in folders(self.path / "vertex_attributes"):
            level.attributes[folder.name] = self.values(folder, counts)
        self.lead(level)
        self.objects(level)
        self.links(level)
        inside: dict[Key, int] = {}
        for link in level.links.get(0, []):
            if len({key for key, _ in link}) == 1:
                inside[link[0][0]] = inside.get(link[0][0], 0) + 1
        for folder in folders(self.path / "face_attributes"):
            level.face_attributes[folder.name] = self.values(folder, inside)
        return level

    def cells(self, folder: Path) -> dict[Key, bytes]:
        raise NotImplementedError

    def objects(self, level: Level) -> None:
        raise NotImplementedError

    def links(self, level: Level) -> None:
        raise NotImplementedError

    def values(self, folder: Path, counts: dict[Key, int]) -> dict[Key, AnyArray]:
        """Values by chunk; of categories, the strings."""
        meta, found = attributes(folder), {}
        dtype = np.dtype(meta["dtype"]).newbyteorder("<")
        for key, blob in self.cells(folder).items():
            rows = np.frombuffer(blob, dtype).reshape(counts[key], *self.width(meta))
            if meta.get("encoding") == "dictionary":
                words = [meta["categories"][code] if code >= 0 else "" for code in rows]
                rows = np.array(words, dtype=object)
            found[key] = rows
        return found

    def width(self, meta: dict[str, Any]) -> list[int]:
        if "row_shape" in meta:
            return list(meta["row_shape"])
        return [len(meta["channel_names"])] if "channel_names" in meta else []

    def lead(self, level: Level) -> None:
        """The attribute that chunks are cut by is stored in their coordinates."""
        name, known = (self.own.get(f"chunk_attribute_{k}") for k in ("name", "values"))
        if name is not None and name not in level.attributes:
            level.attributes[name] = {
                key: np.array([known[key[0]]] * len(rows), dtype=object)
                for key, rows in level.positions.items()
            }

    def manifests(self, ids: Sequence[int], blobs: Sequence[bytes], rank: int) -> dict[int, Any]:
        return {oid: manifest(blob, rank) for oid, blob in zip(ids, blobs, strict=True)}

    def ratio(self, delta: int) -> list[tuple[int, int]]:
        """Chunk edges of this level and of that one, in edges of the root's."""
        whole = self.said["chunk_shape"]
        other = attributes(self.root / str(self.own["level"] + delta))["zarr_vectors_level"]
        sizes = [level.get("chunk_shape", whole) for level in (self.own, other)]
        found = [(round(a / w), round(b / w)) for a, b, w in zip(*sizes, whole, strict=True)]
        return [(1, 1)] * (self.own.get("chunk_attribute_name") is not None) + found


class _Reader07(_Reader):
    """0.7: an array for every chunk, one list for all links between chunks."""

    def cells(self, folder: Path) -> dict[Key, bytes]:
        return cells_07(folder)

    def objects(self, level: Level) -> None:
        folder = self.path / "object_index"
        meta = attributes(folder)
        if meta:
            blobs = array(folder / "manifests")
            level.objects = self.manifests(range(len(blobs)), list(blobs), meta["sid_ndim"])
        for folder in folders(self.path / "object_attributes"):
            values = self.dense(folder)
            mask = b"\1" * len(values)
            if (folder / "present_mask").exists():
                mask = one_blob(folder / "present_mask")
            level.object_attributes[folder.name] = {
                row: values[row].tolist() for row in range(len(values)) if mask[row]
            }
        if attributes(self.path / "groups"):
            data, starts = (one_blob(self.path / "groups" / n) for n in ("data", "offsets"))
            cuts = [*np.frombuffer(starts, "<i8").tolist(), len(data)]
            level.groups = [
                np.frombuffer(data[a:b], "<i8").tolist() for a, b in itertools.pairwise(cuts)
            ]
        for folder in folders(self.path / "group_attributes"):
            level.group_attributes[folder.name] = self.dense(folder).tolist()

    def dense(self, folder: Path) -> AnyArray:
        meta = attributes(folder)
        dtype = np.dtype(meta["dtype"]).newbyteorder("<")
        return np.frombuffer(one_blob(folder / "data"), dtype).reshape(meta["shape"])

    def links(self, level: Level) -> None:
        names = {
            child.name
            for part in ("links", "cross_chunk_links")
            for child in folders(self.path / part)
        }
        for name in sorted(names, key=int):
            inside, across = self.path / "links" / name, self.path / "cross_chunk_links" / name
            width = attributes(inside if attributes(inside) else across)["link_width"]
            found: list[Link] = []
            counts = {}
            for key, blob in self.cells(inside).items():
                rows = np.frombuffer(blob if name == "0" else headless(blob), "<i8")
                table = rows.reshape(-1, width).tolist()
                counts[key] = len(table)
                found += [tuple((key, row) for row in link) for link in table]
            meta = attributes(across)
            if meta.get("num_links"):
                rank = meta["sid_ndim"]
                data = np.frombuffer(one_blob(across / "data"), "<i8")
                for link in data.reshape(meta["num_links"], meta["link_width"], rank + 1).tolist():
                    found.append(tuple((tuple(end[:-1]), end[-1]) for end in link))
            level.links[int(name)] = found
            level.link_attributes[int(name)] = self.link_values(name, counts)

    def link_values(self, name: str, counts: dict[Key, int]) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for kind in ("link_attributes", "cross_chunk_link_attributes"):
            for folder in folders(self.path / kind):
                meta = attributes(folder / name)
                if not meta:
                    continue
                column = found.setdefault(folder.name, [])
                if kind == "link_attributes":
                    parts = self.values(folder / name, counts)
                    column += [value for key in counts for value in parts[key].tolist()]
                elif (folder / name / "data").exists():
                    column += self.dense(folder / name).tolist()
        return found


class _Reader09(_Reader):
    """0.9: an array of byte strings, links by the offset between their chunks."""

    def cells(self, folder: Path) -> dict[Key, bytes]:
        return cells_09(folder)

    def objects(self, level: Level) -> None:
        ids: list[int] = []
        meta = attributes(self.path / "object_index")
        if meta:
            blobs = list(array(self.path / "object_index" / "manifests"))
            ids = list(range(len(blobs)))
            if meta["layout"] == "vlen_manifests_v2":
                ids = np.asarray(array(self.path / "object_index" / "object_ids")).tolist()
            level.objects = self.manifests(ids, blobs, meta["sid_ndim"])
        for folder in folders(self.path / "object_attributes"):
            values = np.asarray(array(folder))
            absent = lowest(values.dtype)
            level.object_attributes[folder.name] = {
                oid: row.tolist()
                for oid, row in zip(ids, values, strict=False)
                if any(not same(value, absent) for value in np.ravel(row).tolist())
            }
        if attributes(self.path / "groups"):
            ranges = attributes(self.path / "groups").get("group_ranges", {})
            level.groups = [
                list(range(*ranges[str(number)]))
                if str(number) in ranges
                else np.frombuffer(blob, "<i8").tolist()
                for number, blob in enumerate(array(self.path / "groups"))
            ]
        for folder in folders(self.path / "group_attributes"):
            level.group_attributes[folder.name] = np.asarray(array(folder)).tolist()

    def links(self, level: Level) -> None:
        for family in folders(self.path / "links"):
            delta, found = int(family.name), list[Link]()
            values: dict[str, list[Any]] = {
                folder.name: []
                for folder in folders(self.path / "link_attributes")
                if attributes(folder / family.name)
            }
            for part in folders(family):
                counts = {}
                for key, links in self.offset_links(part, delta).items():
                    counts[key] = len(links)
                    found += links
                for name, column in values.items():
                    folder = self.path / "link_attributes" / name / family.name / part.name
                    parts = self.values(folder, counts) if counts else {}
                    column += [value for key in counts for value in parts[key].tolist()]
            level.links[delta] = found
            level.link_attributes[delta] = values

    def offset_links(self, part: Path, delta: int) -> dict[Key, list[Link]]:
        """Links of one offset array by their source chunk."""
        meta = attributes(part)
        width = meta["link_width"]
        steps = [] if part.name == "self" else part.name.replace("+", "").split("_")
        offsets = [key_of(step) for step in steps]
        inside = delta == 0 and not any(any(step) for step in offsets)
        found: dict[Key, list[Link]] = {}
        for key, blob in self.cells(part).items():
            anchor = key
            if delta:
                pairs = zip(key, self.ratio(delta), strict=True)
                anchor = tuple(math.floor(c * a / b) for c, (a, b) in pairs)
            chunks = [key]
            chunks += [tuple(a + o for a, o in zip(anchor, step, strict=True)) for step in offsets]
            table = np.frombuffer(blob if inside else headless(blob), "<i8")
            found[key] = []
            for row in table.reshape(-1, width + meta["has_perm"]).tolist():
                code = row.pop(0) if meta["has_perm"] else 0
                ends: list[End] = [((), 0)] * width
                for place, end in zip(
                    places(code, width), zip(chunks, row, strict=True), strict=True
                ):
                    ends[place] = end
                found[key].append(tuple(ends))
        return found
