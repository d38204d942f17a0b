"""Objects copied to a store of their own say what they said, and take little memory."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

from zarr_vectors.exceptions import ArrayError, Cancelled, ConventionError, StoreError
from zarr_vectors.extract import SOURCE_ID, extract_objects
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution import linked_load, scratch
from zarr_vectors.testing.kinds import contents, make_store
from zarr_vectors.types.graphs import read_graph
from zarr_vectors.types.meshes import read_mesh
from zarr_vectors.types.polylines import write_polylines
from zarr_vectors.validate import validate

LINKED = ("line", "polyline", "streamline", "graph", "skeleton", "mesh")


def said(place: Any) -> dict[str, Any]:
    """What a store says of its finest level, without what a copy adds."""
    found = contents(place)["levels"][0]
    found["object_attributes"].pop(SOURCE_ID, None)
    return found


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", LINKED)
def test_all_objects_are_the_store_again(kind, version, tmp_path) -> None:
    make_store(kind, tmp_path / "a", format_version=version, seed=1)
    done = extract_objects(tmp_path / "a", range(6), tmp_path / "b", batch_rows=50)
    assert done.objects == 6
    assert said(tmp_path / "b") == said(tmp_path / "a")
    assert not validate(tmp_path / "b").errors
    made, was = open_zv(tmp_path / "b"), open_zv(tmp_path / "a")
    assert made.zv_version == version
    assert (made.chunk_shape, made.bin_shape) == (was.chunk_shape, was.bin_shape)
    assert made[0].object_attribute(SOURCE_ID).tolist() == list(range(6))


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", LINKED)
def test_some_objects_are_as_they_were(kind, version, tmp_path) -> None:
    make_store(kind, tmp_path / "a", format_version=version, seed=1)
    done = extract_objects(tmp_path / "a", [5, 2, 99, 2], tmp_path / "b", batch_rows=30)
    assert (done.objects, done.left_out) == (2, ())
    whole, part = said(tmp_path / "a"), said(tmp_path / "b")
    assert part["objects"] == {0: whole["objects"][2], 1: whole["objects"][5]}
    for name, values in whole["object_attributes"].items():
        assert part["object_attributes"][name] == {0: values[2], 1: values[5]}
    if whole["groups"] is not None:
        assert part["groups"] == [[0], [1], []]
        assert part["group_attributes"] == whole["group_attributes"]
    kept = {tuple(place) for oid in (2, 5) for place in whole["objects"][oid]}
    assert part["vertices"] == [row for row in whole["vertices"] if tuple(row[0]) in kept]
    inner = [row for row in whole["links"] if all(tuple(end) in kept for end in row[0])]
    assert part["links"] == inner
    assert bool(inner) == (kind in {"graph", "skeleton", "mesh"})
    assert not validate(tmp_path / "b").errors


def test_limits_are_those_of_what_is_there_and_categories_stay(tmp_path) -> None:
    make_store("graph", tmp_path / "a")
    extract_objects(tmp_path / "a", [1], tmp_path / "b")
    level = open_zv(tmp_path / "b")[0]
    ages = level.attributes["age"].compute()
    assert level.attribute_specs["age"].limits == (ages.min(), ages.max())
    assert level.attributes["kind"].categories == ("a", "bb", "c")
    of = read_graph(
        tmp_path / "a", object_ids=[1], attribute_names=["kind"], link_attribute_names=["length"]
    )
    got = read_graph(
        tmp_path / "b", object_ids=[0], attribute_names=["kind"], link_attribute_names=["length"]
    )
    assert sorted(of.vertex_attributes["kind"]) == sorted(got.vertex_attributes["kind"])
    assert sorted(of.link_attributes["length"]) == sorted(got.link_attributes["length"])


def test_chunks_of_an_attribute_become_chunks_of_space(tmp_path) -> None:
    rng = np.random.default_rng(0)
    lines = [rng.uniform(0, 50, (9, 3)).cumsum(axis=0) for _ in range(8)]
    write_polylines(
        tmp_path / "a",
        lines,
        chunk_shape=(100.0,) * 3,
        vertex_attributes={"side": [np.full(9, k % 2) for k in range(8)]},
        chunk_by_attribute="side",
    )
    extract_objects(tmp_path / "a", [3, 4], tmp_path / "b")
    level = open_zv(tmp_path / "b")[0]
    assert level.chunk_attribute_name is None
    assert sorted(level.attributes["side"].compute().tolist()) == [0] * 9 + [1] * 9


def test_what_cannot_be_copied_is_told(tmp_path) -> None:
    make_store("points", tmp_path / "points")
    with pytest.raises(ConventionError, match="only linked objects"):
        extract_objects(tmp_path / "points", [0], tmp_path / "b")
    make_store("mesh", tmp_path / "a")
    with pytest.raises(ArrayError, match="none of the objects"):
        extract_objects(tmp_path / "a", [77], tmp_path / "b")
    with pytest.raises(Cancelled):
        extract_objects(tmp_path / "a", [1], tmp_path / "b", cancelled=lambda: True)
    assert not (tmp_path / "b").exists()
    texts: list[str] = []
    extract_objects(
        tmp_path / "a", [1], tmp_path / "b", progress=lambda done, total, text: texts.append(text)
    )
    assert texts[0] == "reading 1 objects"
    with pytest.raises(StoreError, match="not empty"):
        extract_objects(tmp_path / "a", [1], tmp_path / "b")
    assert len(read_mesh(tmp_path / "b").faces)


def peak_of(kind: str, objects: int, folder: Any) -> float:
    """MiB at most while half of the objects are copied."""
    rng = np.random.default_rng(3)
    lines = rng.uniform(0, 1000, (objects, 1, 3)) + rng.normal(0, 3, (objects, 50, 3)).cumsum(1)
    write_polylines(
        folder / f"a{objects}",
        list(lines.astype("f4")),
        geometry_type=kind,
        chunk_shape=(250.0,) * 3,
        vertex_attributes={"age": list(rng.normal(size=(objects, 50)))},
    )
    tracemalloc.start()
    extract_objects(
        folder / f"a{objects}", range(0, objects, 2), folder / f"b{objects}", batch_rows=4096
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak / 2**20


def test_memory_does_not_grow_with_the_objects(tmp_path, monkeypatch) -> None:
    for module in (scratch, linked_load):
        monkeypatch.setattr(module, "SMALL", 1 << 14)
    peak_of("streamline", 50, tmp_path)  # what is loaded once
    few, many = (peak_of("streamline", count, tmp_path) for count in (1000, 4000))
    rows = 2000 * 50 * (12 + 8) / 2**20
    assert many - few < rows / 2, (few, many, rows)
