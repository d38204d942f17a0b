"""Random stores, changed at random: after every step two readers agree, and nothing is lost.

The second reader is the slow one of ``zarr_vectors.testing.reference``, which shares no decoding
with the library. Steps that must not change what a store says are held to that as well.
"""

from __future__ import annotations

import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zarr_vectors.convert import convert
from zarr_vectors.exceptions import ZVWarning
from zarr_vectors.lazy import open_zv
from zarr_vectors.lazy.level import ZVLevel
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.rechunk import RechunkSpec, rechunk
from zarr_vectors.sharding.io import is_sharded, reshard, shard_store, unshard_store
from zarr_vectors.testing.agreement import assert_agrees, assert_same
from zarr_vectors.testing.kinds import contents
from zarr_vectors.types.graphs import write_graph
from zarr_vectors.types.lines import read_lines, write_lines
from zarr_vectors.types.meshes import write_mesh
from zarr_vectors.types.points import write_points
from zarr_vectors.types.polylines import write_polylines

VERSIONS = ("0.7.0", "0.9.2")
GEOMETRIES = ("point_cloud", "line", "polyline", "streamline", "graph", "skeleton", "mesh")
PATHS = ("line", "polyline", "streamline")
STEPS = ("append", "attribute", "object attribute", "pyramid", "shard", "unshard", "convert")
CUTS = ("spatial", "group", "object_id", "attribute:size", "attribute:age")
MORE = 4
"""Vertices appended in one step."""


@dataclass(frozen=True)
class Recipe:
    """A store in a few numbers."""

    geometry: str
    version: str
    ndim: int
    dtype: str
    many: int
    length: int
    chunk: float
    bins: int
    objects: bool
    attributes: bool
    lead: bool
    seed: int


recipes = st.builds(
    Recipe,
    geometry=st.sampled_from(GEOMETRIES),
    version=st.sampled_from(VERSIONS),
    ndim=st.sampled_from([2, 3]),
    dtype=st.sampled_from(["float32", "float64"]),
    many=st.integers(1, 5),
    length=st.integers(1, 12),
    chunk=st.sampled_from([4.0, 10.0, 64.0]),
    bins=st.sampled_from([1, 2]),
    objects=st.booleans(),
    attributes=st.booleans(),
    lead=st.sampled_from([False, False, False, True]),
    seed=st.integers(0, 9),
)
steps = st.lists(st.sampled_from(STEPS + CUTS), max_size=4)


def make(place: Path, it: Recipe) -> None:
    """Positions are multiples of a half, so that many lie on the borders of chunks and bins."""
    rng = np.random.default_rng(it.seed)
    length = 2 if it.geometry == "line" else it.length
    walks = rng.integers(-20, 20, (it.many, 1, it.ndim)) + np.cumsum(
        rng.integers(-4, 5, (it.many, length, it.ndim)), axis=1
    )
    points = walks.reshape(-1, it.ndim) / 2
    count = len(points)
    rows = np.arange(count).reshape(it.many, length)
    ids = np.repeat(rng.permutation(it.many), length)
    owned = it.objects or it.geometry in PATHS
    options: dict[str, Any] = {
        "chunk_shape": (it.chunk,) * it.ndim,
        "dtype": it.dtype,
        "format_version": it.version,
        "bin_shape": (it.chunk / it.bins,) * it.ndim,
    }
    if owned and it.attributes:
        options["object_attributes"] = {"size": rng.integers(0, 3, it.many) / 2}
        if it.geometry != "line":
            options["groups"] = {0: [0], 1: list(range(it.many))[::-1], 2: []}
            options["group_attributes"] = {"weight": np.arange(3)}
    values: dict[str, np.ndarray] = {}
    if it.attributes:
        values["age"] = rng.integers(0, 3, count).astype(np.int16)
        values["rgb"] = rng.integers(0, 255, (count, 3)).astype(np.uint8)
        values["kind"] = rng.choice(["a", "", "ç"], count)
    if it.lead and it.geometry != "line":
        values["part"] = rng.integers(0, 3, count).astype(np.int32)
        options["chunk_by_attribute"] = "part"
    if it.geometry == "line":
        ends = points.reshape(it.many, 2, -1)
        per_end = {k: v.reshape(it.many, 2, *v.shape[1:]) for k, v in values.items()}
        write_lines(place, ends, vertex_attributes=per_end, **options)
        return
    if it.geometry in PATHS:
        per_line = {k: np.split(v, it.many) for k, v in values.items()}
        options["geometry_type"] = it.geometry
        lines = np.split(points, it.many)
        write_polylines(place, lines, vertex_attributes=per_line, **options)
        return
    options |= {"vertex_attributes": values, "object_ids": ids if owned else None}
    if it.geometry == "point_cloud":
        write_points(place, points, **options)
        return
    if it.geometry == "mesh":
        links = np.stack([rows[:, 2:], rows[:, :-2], rows[:, 1:-1]], axis=2).reshape(-1, 3)
        links = rng.permutation(links)
        if it.attributes:
            options["face_attributes"] = {"area": rng.normal(size=len(links))}
        write_mesh(place, points, links, **options)
        return
    up = np.maximum(rows[:, 1:] - rng.integers(1, 4, (it.many, length - 1)), rows[:, :1])
    links = rng.permutation(np.stack([rows[:, 1:], up], axis=2).reshape(-1, 2))
    if it.attributes:
        options["link_attributes"] = {"cost": rng.integers(0, 99, (len(links), 2))}
    write_graph(place, points, links, kind=it.geometry, **options)


def new_values(level: ZVLevel, count: int) -> dict[str, Any]:
    return {
        name: [spec.categories[0]] * count
        if spec.categories
        else np.full((count, *spec.row_shape), 7, spec.dtype)
        for name, spec in level.attribute_specs.items()
    }


def change(place: Path, step: str, it: Recipe, seed: int) -> Path | None:
    """Take a step; the store as it is then, or None where the step does not apply to it."""
    store = open_zv(place)
    level, rng = store[0], np.random.default_rng(seed)
    cut = level.chunk_attribute_name is not None
    if step == "append":
        if cut:
            return None
        new = rng.integers(-60, 60, (MORE, it.ndim)) / 2
        more: dict[str, Any] = {"attributes": new_values(level, MORE)}
        if it.geometry == "line":
            first = max(level.object_index.object_ids) + 1
            more["object_ids"] = first + np.arange(MORE) // 2 * 2
        with level.writer() as writer:
            writer.append_vertices_sync(new, **more)
    elif step == "attribute":
        with level.writer() as writer:
            writer.add_attribute_sync(f"new{seed}", rng.normal(size=(level.vertex_count, 2)))
    elif step == "object attribute":
        if not len(level.present_oids):
            return None
        many = level.object_index.object_count
        with level.writer() as writer:
            writer.add_object_attribute_sync(f"new{seed}", rng.normal(size=many))
    elif step == "pyramid":
        if cut or any(store[n].stale is None for n in store.levels[1:]):
            return None
        sparsity = 1 if it.geometry == "point_cloud" else 2
        build_pyramid(place, factors=[(2, 1), (2, sparsity)], sparsity_seed=seed)
    elif step in ("shard", "unshard"):
        if step == "shard":
            (reshard if is_sharded(place) else shard_store)(place, "snake", 1 + seed)
        else:
            unshard_store(place)
    elif step == "convert":
        other = VERSIONS[store.zv_version == VERSIONS[0]]
        convert(place, place.with_name(f"{place.name}-{seed}"), format_version=other)
        return place.with_name(f"{place.name}-{seed}")
    else:
        now = contents(place)["levels"][0]
        known = {*now.get("object_attributes", ()), *level.attribute_specs}
        named = step.startswith("attribute:") and step.partition(":")[2] not in known
        # vertices appended to a cloud without objects are the only ones in any
        inside = sum(map(len, now.get("objects", {}).values())) == level.vertex_count
        owned = inside or step in ("spatial", "attribute:age")
        if cut or named or not owned or (step == "group" and now["groups"] is None):
            return None
        shape = (it.chunk * 2,) * it.ndim if step == "spatial" else None
        rechunk(place, RechunkSpec(step, spatial_chunk_shape=shape, categorical=shape is None))
    return place


def said(place: Path) -> dict[int, Any]:
    levels: dict[int, Any] = contents(place)["levels"]
    for level in levels.values():
        del level["dtypes"]
    return levels


def assert_steps(it: Recipe, plan: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", ZVWarning)
        place = Path(folder) / "s"
        make(place, it)
        assert_agrees(place)
        before = said(place)
        for seed, step in enumerate(plan):
            changed = change(place, step, it, seed)
            if changed is None:
                continue
            place = changed
            assert_agrees(place)
            if it.geometry == "line":
                assert 2 * read_lines(place).line_count == open_zv(place)[0].vertex_count
            after = said(place)
            if step in ("shard", "unshard", "convert", "spatial"):
                assert_same(after, before, step)
            elif step == "pyramid":
                assert_same(after[0], before[0], step)
            else:
                for kept in ("links", "groups", "group_attributes"):
                    assert_same(after[0][kept], before[0][kept], step)
                more = len(after[0]["vertices"]) - len(before[0]["vertices"])
                assert more == (MORE if step == "append" else 0)
            before = after


@settings(max_examples=30)
@given(it=recipes, plan=steps)
def test_readers_agree_after_every_step(it: Recipe, plan: list[str]) -> None:
    assert_steps(it, plan)


@pytest.mark.slow
@settings(max_examples=600)
@given(it=recipes, plan=steps)
def test_readers_agree_after_every_step_of_many(it: Recipe, plan: list[str]) -> None:
    assert_steps(it, plan)
