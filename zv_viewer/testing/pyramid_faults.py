"""Pyramids with one fault each, planted where it is known."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from zarr_vectors.constants import OUTLINE_KEY
from zarr_vectors.core.handle import StoreHandle, finish, open_handle
from zarr_vectors.core.layouts.base import LinkRecords, ObjectRows
from zarr_vectors.encoding.fragments import decode_fragments, encode_ranges
from zarr_vectors.encoding.manifests import decode_manifest, encode_manifest
from zarr_vectors.indexing import index_store
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid, coarsen_level
from zarr_vectors.typing import AnyArray, ChunkCoords, FloatArray
from zarr_vectors.writing.commit import grid_of
from zv_viewer.qa.report import Finding, Kind
from zv_viewer.testing.pyramid_scenes import (
    BIN,
    CHUNK,
    FACTORS,
    Scene,
    make_pyramid,
    write_scene,
)

COARSE = 2 * CHUNK
"""Edge of a chunk of level 1."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault and where it is.

    Attributes:
        kind: As findings name it.
        level: The level.
        chunks: Chunks of the level it is in, any of them; None for no chunk in particular.
        objects: Likewise objects.
        attribute: The attribute.
        beside: Kinds of errors that are true of the store too.
    """

    kind: Kind
    level: int = 1
    chunks: frozenset[ChunkCoords] | None = None
    objects: frozenset[int] | None = None
    attribute: str | None = None
    beside: frozenset[Kind] = frozenset()

    def is_told_by(self, finding: Finding) -> bool:
        """Whether a finding names the fault and its place."""
        where = finding.where
        return (
            finding.kind == self.kind
            and finding.level == self.level
            and (self.chunks is None or where.chunk in self.chunks)
            and (self.objects is None or where.object in self.objects)
            and (self.attribute is None or where.attribute == self.attribute)
        )


Plant = Callable[[Scene, Path, str], Planted]


def transplanted(scene: Scene, other: Scene, place: Path, version: str, **options: Any) -> None:  # noqa: ANN401
    """A store of one scene whose level 1 is that of another."""
    make_pyramid(scene, place, version)
    donor = place.with_name(place.name + "-donor")
    write_scene(other, donor, version)
    build_pyramid(str(donor), **{"factors": FACTORS[:1], **options})
    shutil.rmtree(place / "1")
    shutil.copytree(donor / "1", place / "1")
    shutil.rmtree(donor)
    forget_records(place)


def forget_records(place: Path) -> None:
    """Take what the root records of its levels anew from the levels."""
    handle = open_handle(str(place), "r+")
    root = {k: v for k, v in handle.root.attributes.items() if k != OUTLINE_KEY}
    handle.layout.put_attrs({"": root})
    index_store(str(place))


def plant_hole(scene: Scene, place: Path, version: str) -> Planted:
    """A box of level 1 without a vertex."""
    low, high = 4.0, 13.0
    if scene.kind == "mesh":
        middle = scene.positions[scene.objects == 0].mean(axis=0)
        inside = (scene.objects == 0) & (scene.positions[:, 2] < middle[2] - 4)
    else:
        box = (scene.positions > low) & (scene.positions < high)
        inside = box.all(axis=1) if scene.kind in ("points", "objects") else _run(scene)
    transplanted(scene, scene.only(~inside), place, version)
    return Planted("hole", chunks=_chunks(scene.positions[inside]))


def plant_far_hole(scene: Scene, place: Path, version: str) -> Planted:
    """A box of level 1 left out, where edges were collapsed and no bin is promised a vertex."""
    middle = np.median(scene.positions[scene.objects == 0], axis=0)
    if scene.kind == "mesh":
        middle = scene.positions[0]
    inside = (np.abs(scene.positions - middle) < 4).all(axis=1)
    rest = scene.only(~inside)
    number = len(rest.positions) // 3
    transplanted(scene, rest, place, version, factors=None, vertices=[number])
    (edge, *_) = open_zv(str(place))[1].chunk_shape
    return Planted("hole", chunks=_chunks(scene.positions[inside], edge))


def plant_shift(scene: Scene, place: Path, version: str) -> Planted:
    """Level 1 beside level 0 by less than two bins of it."""
    make_pyramid(scene, place, version)
    handle = open_handle(str(place), "r+")
    chunks = open_zv(str(place))[1].chunk_keys
    for chunk, data in handle.layout.get_cells({"1/vertices": chunks})["1/vertices"].items():
        rows = np.frombuffer(data, np.float32).reshape(-1, 3) + np.array(
            [3.1, -1.7, 2.2], np.float32
        )
        handle.layout.put_cells("1/vertices", {chunk: rows.tobytes()})
    return Planted("shifted_level")


def plant_density_bias(scene: Scene, place: Path, version: str) -> Planted:
    """Half of the bins of one side of level 1 left out, by chance."""
    rng = np.random.default_rng(1)
    bins = np.floor(scene.positions / (2 * BIN)).astype(np.int64)
    drop = rng.random((64, 64, 64))[tuple(bins.T)] < 0.5
    inside = drop & (scene.positions[:, 0] < COARSE)
    transplanted(scene, scene.only(~inside), place, version)
    return Planted("density_bias", chunks=_chunks(scene.positions[inside]))


def plant_dropped_object(scene: Scene, place: Path, version: str) -> Planted:
    """The longest object left out of level 1, which says that it keeps all."""
    count = int(scene.objects.max()) + 1
    longest = int(np.argmin(scene.about["shortness"]))
    make_pyramid(
        scene,
        place,
        version,
        factors=((2.0, count / (count - 1)), (2.0, 1.0)),
        sparsity_strategy="attribute:shortness",
    )
    _declare(place, 1, object_sparsity=1.0)
    return Planted("dropped_object", objects=frozenset({longest}))


def plant_dropped_long(scene: Scene, place: Path, version: str) -> Planted:
    """As many objects at level 1 as it says, and all of the long ones left out."""
    make_pyramid(
        scene,
        place,
        version,
        factors=((2.0, 2.0), (2.0, 1.0)),
        sparsity_strategy="attribute:shortness",
    )
    order = np.argsort(scene.about["shortness"], kind="stable")
    longest = order[: len(order) // 4].tolist()
    return Planted("dropped_object", objects=frozenset(longest))


def plant_broken_seam(scene: Scene, place: Path, version: str) -> Planted:
    """Level 1 without what joins its chunks."""
    if scene.kind == "streamline":
        make_pyramid(scene, place, version)
        return _broken_path(place)
    assert scene.links is not None  # noqa: S101  what is joined has links
    chunks = np.floor(scene.positions / COARSE).astype(np.int64)[scene.links]
    across = (chunks != chunks[:, :1]).any(axis=(1, 2))
    kept = replace(scene, links=scene.links[~across])
    transplanted(scene, kept, place, version)
    return Planted(
        "broken_seam", chunks=_chunks(scene.positions[scene.links[across]].reshape(-1, 3))
    )


def plant_disconnected(scene: Scene, place: Path, version: str) -> Planted:
    """Level 1 without some of the edges inside of a chunk."""
    assert scene.links is not None  # noqa: S101  graphs have links
    chunks = np.floor(scene.positions / COARSE).astype(np.int64)[scene.links]
    bins = np.floor(scene.positions / (2 * BIN)).astype(np.int64)[scene.links]
    inner = (chunks == chunks[:, :1]).all(axis=(1, 2)) & (bins != bins[:, :1]).any(axis=(1, 2))
    cut = np.flatnonzero(inner)[:: max(1, int(inner.sum()) // 5)]
    keep = np.ones(len(scene.links), np.bool_)
    keep[cut] = False
    if scene.kind == "graph":  # and what may join the same bins beside them
        pairs = {tuple(map(tuple, np.sort(bins[i], axis=0))) for i in cut}
        keep &= [tuple(map(tuple, np.sort(pair, axis=0))) not in pairs for pair in bins]
    transplanted(scene, replace(scene, links=scene.links[keep]), place, version)
    return Planted("disconnected", chunks=_chunks(scene.positions[scene.links[cut]].reshape(-1, 3)))


def plant_duplicate(scene: Scene, place: Path, version: str) -> Planted:
    """The last vertex of a chunk of level 1 there twice."""
    make_pyramid(scene, place, version)
    handle = open_handle(str(place), "r+")
    layout, document = handle.layout, handle.level(1)
    assert document.table is not None  # noqa: S101  ours records it
    row = int(np.argmax(document.table.counts))
    chunk = tuple(document.table.coords[row].tolist())
    names = ["vertices", *(f"vertex_attributes/{n}" for n in open_zv(str(place))[1].attributes)]
    count = int(document.table.counts[row])
    cells = layout.get_cells({f"1/{name}": [chunk] for name in [*names, "vertex_fragments"]})
    for name in names:
        data = bytes(cells[f"1/{name}"][chunk])
        layout.put_cells(f"1/{name}", {chunk: data + data[-len(data) // count :]})
    table = decode_fragments(cells["1/vertex_fragments"][chunk])
    last = int(np.argmax(table.starts + table.counts * (table.counts > 0)))
    counts = table.counts.copy()
    counts[last] += 1
    layout.put_cells("1/vertex_fragments", {chunk: encode_ranges(table.starts, counts)})
    counted = document.table.counts.copy()
    counted[row] += 1
    meta = replace(document.meta, vertex_count=document.meta.vertex_count + 1)
    table_ = replace(document.table, counts=counted)
    finish(handle.with_level(replace(document, meta=meta, table=table_)), 1)
    return Planted("duplicate", chunks=frozenset({chunk}))


def plant_wrong_attribute(scene: Scene, place: Path, version: str) -> Planted:
    """Values of level 1 that are other vertices'."""
    rng = np.random.default_rng(2)
    wrong = dict(scene.values) | {"height": rng.permutation(scene.values["height"])}
    transplanted(scene, replace(scene, values=wrong), place, version)
    return Planted("wrong_attribute", attribute="height")


def plant_wrong_category(scene: Scene, place: Path, version: str) -> Planted:
    """Categories of level 1 that are other vertices'."""
    rng = np.random.default_rng(2)
    wrong = dict(scene.values) | {"kind": rng.permutation(scene.values["kind"])}
    transplanted(scene, replace(scene, values=wrong), place, version)
    return Planted("wrong_attribute", attribute="kind")


def plant_wrong_object_attribute(scene: Scene, place: Path, version: str) -> Planted:
    """Values of objects of level 1 that are other objects'."""
    wrong = dict(scene.about) | {"weight": scene.about["weight"][::-1].copy()}
    transplanted(scene, replace(scene, about=wrong), place, version)
    return Planted("wrong_attribute", attribute="weight")


def plant_wrong_link_attribute(scene: Scene, place: Path, version: str) -> Planted:
    """Values of links of level 1 that are other links'."""
    rng = np.random.default_rng(2)
    whole = scene.with_told()
    wrong = replace(whole, told={"cost": rng.permutation(whole.told["cost"])})
    transplanted(whole, wrong, place, version)
    return Planted("wrong_attribute", attribute="cost")


def plant_missing_link_attribute(scene: Scene, place: Path, version: str) -> Planted:
    """Level 1 without an attribute of links."""
    transplanted(scene.with_told(), scene, place, version)
    return Planted("missing_attribute", attribute="cost")


def plant_missing_attribute(scene: Scene, place: Path, version: str) -> Planted:
    """Level 1 without an attribute."""
    rest = {name: values for name, values in scene.values.items() if name != "height"}
    transplanted(scene, replace(scene, values=rest), place, version)
    return Planted("missing_attribute", attribute="height")


def plant_non_nested(scene: Scene, place: Path, version: str) -> Planted:
    """Objects at level 2 that level 1 left out."""
    write_scene(scene, place, version)
    store = str(place)
    for level, strategy in ((1, "attribute:weight"), (2, "attribute:lightness")):
        coarsen_level(
            store,
            0,
            level,
            coarsen_factor=2**level,
            chunk_scale_factor=2**level,
            sparsity_factor=2,
            sparsity_strategy=strategy,
        )
    _declare(place, 2, parent_level=1, object_sparsity=1.0)
    here, below = (set(open_zv(store)[n].present_oids.tolist()) for n in (2, 1))
    return Planted(
        "non_nested_ids",
        level=2,
        objects=frozenset(here - below),
        beside=frozenset({"dropped_object"}),
    )


def plant_degenerate_face(scene: Scene, place: Path, version: str) -> Planted:
    """Faces of level 1 with a corner twice."""
    make_pyramid(scene, place, version)
    handle = open_handle(str(place), "r+")
    records = handle.layout.get_links("1")
    assert records is not None  # noqa: S101  a mesh
    inner = np.flatnonzero((records.chunks == records.chunks[:, :1]).all(axis=(1, 2)))
    rows, changed = records.rows.copy(), inner[[0, len(inner) // 2]]
    rows[changed, 2] = rows[changed, 1]
    arrays = open_zv(str(place))[1]
    grid = grid_of(handle.meta.bounds, arrays.chunk_shape, arrays.chunk_table.coords)
    handle.layout.put_links("1", LinkRecords(records.chunks, rows), grid)
    chunks = frozenset(tuple(chunk) for chunk in records.chunks[changed, 0].tolist())
    return Planted("degenerate_face", chunks=chunks, beside=frozenset({"hole"}))


def plant_damage(scene: Scene, place: Path, version: str) -> Planted:
    """A chunk of level 1 cut short."""
    make_pyramid(scene, place, version)
    handle = open_handle(str(place), "r+")
    chunk = tuple(open_zv(str(place))[1].chunk_table.coords[0].tolist())
    data = bytes(handle.layout.get_cells({"1/vertices": [chunk]})["1/vertices"][chunk])
    handle.layout.put_cells("1/vertices", {chunk: data[:-5]})
    return Planted("damaged_chunk", chunks=frozenset({chunk}))


def plant_absent_chunk(scene: Scene, place: Path, version: str) -> Planted:
    """A chunk of level 1 whose vertices are deleted."""
    make_pyramid(scene, place, version)
    chunk = tuple(open_zv(str(place))[1].chunk_table.coords[0].tolist())
    cell = ".".join(map(str, chunk)) + "/c/0" if version == "0.7.0" else "c/0/0/0"
    (place / "1" / "vertices" / cell).unlink()
    return Planted("hole", chunks=frozenset({chunk}), beside=frozenset({"damaged_chunk"}))


def plant_missing_joint(scene: Scene, place: Path, version: str) -> Planted:
    """Level 1 without a third of what it stores where paths leave a chunk."""
    make_pyramid(scene, place, version)
    handle = open_handle(str(place), "r+")
    records = handle.layout.get_links("1")
    assert records is not None  # noqa: S101  paths leave chunks
    keep = np.arange(len(records.rows)) % 3 > 0
    level = open_zv(str(place))[1]
    grid = grid_of(handle.meta.bounds, level.chunk_shape, level.chunk_table.coords)
    handle.layout.put_links("1", LinkRecords(records.chunks[keep], records.rows[keep]), grid)
    gone = records.chunks[~keep].reshape(-1, 3).tolist()
    return Planted("broken_seam", chunks=frozenset(tuple(chunk) for chunk in gone))


def _run(scene: Scene) -> AnyArray:
    """Vertices of one object that lie near each other, and no end of it."""
    chosen = np.zeros(len(scene.positions), np.bool_)
    rows = np.flatnonzero(scene.objects == scene.objects.max())
    middle = scene.positions[rows[len(rows) // 2]]
    near = np.abs(scene.positions[rows] - middle).max(axis=1) < 6
    chosen[rows[near]] = True
    chosen[[rows[0], rows[-1]]] = False
    return chosen


def _chunks(positions: FloatArray, edge: float = COARSE) -> frozenset[ChunkCoords]:
    found = np.unique(np.floor(positions / edge).astype(np.int64), axis=0)
    return frozenset(tuple(chunk) for chunk in found.tolist())


def _declare(place: Path, level: int, **words: Any) -> None:  # noqa: ANN401  metadata
    """Have a level say something else of itself."""
    handle = open_handle(str(place), "r+")
    document = handle.level(level)
    changed: StoreHandle = handle.with_level(
        replace(document, meta=replace(document.meta, **words))
    )
    finish(changed, level)


def _broken_path(place: Path) -> Planted:
    """The pieces of the longest path of level 1 in another order."""
    handle = open_handle(str(place), "r+")
    rows = handle.layout.get_objects("1")
    assert rows is not None  # noqa: S101  paths are objects
    parts = [decode_manifest(blob, rows.sid_ndim) for blob in rows.manifests]
    longest = max(range(len(parts)), key=lambda i: len({chunk for chunk, _ in parts[i]}))
    own = parts[longest]
    walls = [i for i in range(1, len(own)) if own[i][0] != own[i - 1][0]]
    first, last = walls[0], walls[-1]
    turned = [*own[:first], *own[last:], *own[first:last]]
    blobs = [bytes(blob) for blob in rows.manifests]
    blobs[longest] = encode_manifest(turned, rows.sid_ndim)
    handle.layout.put_objects("1", ObjectRows(rows.ids, blobs, rows.sid_ndim))
    chunks = frozenset(tuple(chunk) for chunk, _ in own)
    return Planted("broken_seam", chunks=chunks, objects=frozenset({int(rows.ids[longest])}))


_ALL = ("points", "objects", "line", "streamline", "graph", "skeleton", "mesh")
_VALUED = tuple(kind for kind in _ALL if kind != "line")
_JOINED = ("graph", "skeleton", "mesh")
_OBJECTS = tuple(kind for kind in _ALL if kind != "points")

FAULTS: dict[str, tuple[Plant, tuple[str, ...]]] = {
    "hole": (plant_hole, tuple(kind for kind in _ALL if kind != "line")),
    "far_hole": (plant_far_hole, _JOINED),
    "shifted_level": (plant_shift, _ALL),
    "density_bias": (plant_density_bias, ("points", "objects")),
    "dropped_object": (plant_dropped_object, _OBJECTS),
    "dropped_long": (plant_dropped_long, ("line", "streamline")),
    "broken_seam": (plant_broken_seam, ("streamline", "graph", "skeleton", "mesh")),
    "disconnected": (plant_disconnected, ("graph", "skeleton")),
    "duplicate": (plant_duplicate, _ALL),
    "wrong_attribute": (plant_wrong_attribute, _VALUED),
    "wrong_category": (plant_wrong_category, _VALUED),
    "wrong_object_attribute": (plant_wrong_object_attribute, _OBJECTS),
    "wrong_link_attribute": (plant_wrong_link_attribute, _JOINED),
    "missing_attribute": (plant_missing_attribute, _VALUED),
    "missing_link_attribute": (plant_missing_link_attribute, _JOINED),
    "non_nested_ids": (plant_non_nested, _OBJECTS),
    "degenerate_face": (plant_degenerate_face, ("mesh",)),
    "damaged_chunk": (plant_damage, _ALL),
    "absent_chunk": (plant_absent_chunk, ("points", "objects")),
    "missing_joint": (plant_missing_joint, ("line", "streamline")),
}
"""Fault -> how it is planted, and the kinds of stores it is planted in."""


def cases() -> list[tuple[str, str, str]]:
    """(fault, kind of store, format) of the whole set."""
    return [
        (fault, kind, version)
        for fault, (_, kinds) in FAULTS.items()
        for kind in kinds
        for version in ("0.7.0", "0.9.2")
    ]
