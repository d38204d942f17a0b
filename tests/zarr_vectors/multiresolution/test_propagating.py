"""An attribute carried to the coarse levels is what building the pyramid with it gives."""

from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors.exceptions import ArrayError, CoarseningError, StoreError
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.multiresolution.propagating import propagate_attribute
from zarr_vectors.testing.kinds import KINDS, make_store
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.types.points import write_points


def built(kind: str, version: str, links: str, sparsity: float = 1.0) -> DictPlace:
    """A pyramid of two steps; ``age`` is in it from the beginning."""
    place = DictPlace()
    make_store(kind, place, format_version=version)
    if kind == "line":
        with open_zv(place)[0].writer() as writer:
            count = open_zv(place)[0].vertex_count
            writer.add_attribute_sync("age", np.arange(count, dtype=np.int16) % 99)
    build_pyramid(
        place,
        factors=[(2.0, sparsity), (2.0, 1.0)],
        cross_level_storage=links,
        sparsity_seed=1,
    )
    return place


class Noting(DictPlace):
    """Remembers the keys that were written or removed."""

    def __init__(self, place: DictPlace) -> None:
        super().__init__(place.items)
        self.written: set[str] = set()

    def put_many(self, items) -> None:
        self.written.update(items)
        super().put_many(items)

    def delete_many(self, keys) -> None:
        gone = list(keys)
        self.written.update(gone)
        super().delete_many(gone)


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", KINDS)
def test_as_if_built_with_it(kind: str, version: str) -> None:
    sparse = 1.0 if kind == "points" else 2.0
    first = ("none", 1.0) if version == "0.7.0" else ("implicit", 1.0)
    for links, sparsity in (first, ("explicit" if version == "0.7.0" else "none", sparse)):
        place = Noting(built(kind, version, links, sparsity))
        store = open_zv(place)
        with store[0].writer() as writer:
            writer.add_attribute_sync("new", store[0].attributes["age"].compute())
        place.written.clear()
        for how in ("mean", "max"):
            found = propagate_attribute(place, "new", aggregation=how)
            after = open_zv(place)
            assert found["levels"] == [1, 2]
            assert not any(found["without_value"].values())
            for level in (1, 2):
                got = after[level].attributes["new"].compute()
                if how == "mean":
                    np.testing.assert_array_equal(got, after[level].attributes["age"].compute())
                    assert f"{level}/zarr.json" in place.written
                assert after[level].attribute_specs["new"].dtype == np.int16
        names = {key.split("/")[1] for key in place.written if "/" in key[:2]}
        assert names <= {"vertex_attributes", "zarr.json"}, names
        ways = set(found["how"].values())
        if links == "none":
            assert ways <= {"bins", "again"}
            assert ("again" in ways) == (kind not in ("points", "objects"))
        else:
            assert ways == ({"bins"} if kind in ("points", "objects") else {"links"})


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_attributes_of_objects(version: str) -> None:
    place = built("polyline", version, "none", 2.0)
    store = open_zv(place)
    with store[0].writer() as writer:
        writer.add_object_attribute_sync("name", np.array(["a", "b", "a", "c", "b", "a"]))
        writer.add_object_attribute_sync("grade", np.array([3, 1, 4, 1, 5, 9], np.int16))
    assert propagate_attribute(place, "name", scope="object")["levels"] == [1, 2]
    propagate_attribute(place, "grade", scope="object")
    after = open_zv(place)
    for level in (1, 2):
        there = after[level].present_oids
        assert 0 < len(there) < 6
        for name in ("name", "grade"):
            finest = after[0].object_attribute(name, masked=True)
            got = after[level].object_attribute(name, masked=True)
            assert got[there].tolist() == finest[there].tolist()
            assert np.ma.getmaskarray(got).sum() == 6 - len(there)


def test_text_and_first_and_several_columns() -> None:
    place = built("points", "0.9.2", "none")
    store = open_zv(place)
    with store[0].writer() as writer:
        for name in ("kind", "rgb"):
            writer.add_attribute_sync(f"{name}2", store[0].attributes[name].compute())
    propagate_attribute(place, "kind2")
    propagate_attribute(place, "rgb2")
    after = open_zv(place)
    for level in (1, 2):
        for name in ("kind", "rgb"):
            one, two = (after[level].attributes[n].compute() for n in (name, f"{name}2"))
            np.testing.assert_array_equal(one, two)
    propagate_attribute(place, "rgb2", aggregation="first")
    with pytest.raises(CoarseningError, match="categorical"):
        propagate_attribute(place, "kind2", aggregation="mean")


def test_refusals_change_nothing() -> None:
    place = built("points", "0.7.0", "none")
    before = dict(place.items)
    with pytest.raises(StoreError, match="'nothing'"):
        propagate_attribute(place, "nothing")
    with pytest.raises(ArrayError, match="nothing"):
        propagate_attribute(place, "nothing", scope="object")
    with pytest.raises(ValueError, match="scope"):
        propagate_attribute(place, "age", scope="edge")
    with pytest.raises(CoarseningError, match="cancelled"):
        propagate_attribute(place, "age", cancelled=lambda: True)
    assert dict(place.items) == before
    with open_zv(place)[0].writer() as writer:
        values = {"age": [1], "rgb": [[1, 2, 3]], "kind": ["a"]}
        writer.append_vertices_sync([[1.0, 2, 3]], attributes=values)
    with pytest.raises(CoarseningError, match="out of date"):
        propagate_attribute(place, "age")


def test_many_tiles_in_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    place = DictPlace()
    values = {"v": rng.standard_normal(20_000).astype("f4")}
    write_points(
        place,
        rng.uniform(-50, 50, (20_000, 3)),
        chunk_shape=(10.0,) * 3,
        bin_shape=(2.5,) * 3,
        vertex_attributes=values,
    )
    build_pyramid(place, factors=[2.0, 2.0, 2.0])
    monkeypatch.setattr("zarr_vectors.multiresolution.tiles.tiles_of.__defaults__", (500,))
    store = open_zv(place)
    with store[0].writer() as writer:
        writer.add_attribute_sync("w", store[0].attributes["v"].compute())
    propagate_attribute(place, "w")
    after = open_zv(place)
    for level in (1, 2, 3):
        one, two = (after[level].attributes[name].compute() for name in ("v", "w"))
        np.testing.assert_array_equal(one, two)
