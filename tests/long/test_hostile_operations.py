"""Harmed stores of every geometry that are appended to, rechunked and converted.

An operation ends in a named error, soon, and then leaves everything as it was; or it ends well, and
what it made can be read as what it was made from. A store that was read only has the same bytes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.convert import convert
from zarr_vectors.exceptions import ZVError
from zarr_vectors.lazy import open_zv
from zarr_vectors.rechunk import RechunkSpec, rechunk
from zarr_vectors.rechunk import api as rechunk_api
from zarr_vectors.testing.harming import (
    ROOM,
    BadStoreError,
    Parts,
    Seed,
    Tally,
    guard,
    read_files,
    seed_of_kind,
    try_store,
)
from zarr_vectors.testing.kinds import KINDS, contents

pytestmark = [
    pytest.mark.once,
    pytest.mark.filterwarnings("ignore::zarr_vectors.exceptions.ZVWarning"),
]

VERSIONS = ("0.7.0", "0.9.2")
OTHER = dict(zip(VERSIONS, reversed(VERSIONS), strict=True))


def make_seed(kind: str, version: str, folder: Path) -> Seed:
    seed = seed_of_kind(kind, version, folder)
    seed.truth = look(folder, Parts())
    return seed


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[Seed]:
    place = tmp_path_factory.mktemp("hostile")
    kinds = [(kind, version) for kind in KINDS for version in VERSIONS]
    return [make_seed(*kind, place / f"store{n}") for n, kind in enumerate(kinds)]


def converted(folder: Path, made: Path) -> Any:
    convert(folder, made, format_version=OTHER[open_zv(folder).zv_version])
    return read(made)


def moved(folder: Path, made: Path) -> Any:
    rechunk(folder, RechunkSpec("spatial", spatial_chunk_shape=(30.0,) * 3), made)
    return read(made)


def cut(folder: Path, made: Path) -> Any:
    """By object, where there are objects."""
    try:
        rechunk(folder, RechunkSpec("object_id"), made)
    except ValueError as error:
        assert "has no objects to cut by" in str(error)  # noqa: PT017 - stores may have none
        return None
    return read(made)


OPERATIONS: dict[str, Callable[[Path, Path], Any]] = {
    "convert": converted,
    "rechunk": moved,
    "rechunk by object": cut,
}


def read(place: Path) -> Any:
    """What a store says; None where it cannot be read.

    Chunk blobs are taken over as they are, and their harm with them.
    """
    try:
        return contents(place)
    except ZVError:
        return None


def append(folder: Path, *, objects: bool) -> int:
    """Two vertices more in a chunk that is there, of one new object; how many there are then."""
    store = open_zv(folder)
    level, few = store[0], 2
    values = {
        name: [spec.categories[0]] * few
        if spec.categories
        else np.zeros((few, *spec.row_shape), spec.dtype)
        for name, spec in level.attribute_specs.items()
    }
    ids = [9] * few if objects else None
    with level.writer() as writer:
        writer.append_vertices_sync(np.full((few, 3), 5.0), object_ids=ids, attributes=values)
    return int(open_zv(folder)[0].vertex_count)


def look(folder: Path, like: Parts) -> Parts:
    """What every operation makes of a store, each of a copy of its own where it writes there."""
    parts, before = Parts(), read_files(folder)
    made = folder.with_name(f"{folder.name}-made")
    try:
        parts["said",] = read(folder)
        for name, act in OPERATIONS.items():
            guard(parts, (name,), lambda act=act: act(folder, made))
            assert (name,) in parts or not made.exists() or not read_files(made), f"{name} left"
            shutil.rmtree(made, ignore_errors=True)
        assert read_files(folder) == before, "a store that was read has changed"
        shutil.copytree(folder, made)
        objects = any(name.startswith("0/object_index/") for name in before)
        guard(parts, ("append",), lambda: append(made, objects=objects))
        assert ("append",) in parts or read_files(made) == before, "a failed append left traces"
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return parts


def judge(seed: Seed, found: Parts, harmed: Iterable[str]) -> None:
    """What was made of a store that says all it said before is what was made of that.

    Raises:
        AssertionError: It is not.
    """
    if harmed and same(found["said",], seed.truth["said",]):
        for part in found.keys() & {("convert",), ("rechunk",)}:
            assert same(found[part], found["said",]) or found[part] is None, part


def same(one: Any, other: Any) -> bool:
    try:
        np.testing.assert_equal(one, other)
    except AssertionError:
        return False
    return True


def test_the_stores_are_whole(seeds: list[Seed]) -> None:
    for seed in seeds:
        truth = seed.truth
        for name in ("convert", "rechunk"):
            assert same(truth[name,], truth["said",]), (seed.name, name)
        assert ("append",) in truth, seed.name


def test_some_hostile_stores(seeds: list[Seed], short_seed: int, memory_limit: Any) -> None:
    tally = Tally()
    with memory_limit(ROOM):
        for number, seed in enumerate(seeds, short_seed):
            try_store(seed, number, tally, look, judge)
    assert tally.parts
    assert tally.refused


@pytest.mark.slow
def test_many_hostile_stores(seeds: list[Seed], try_for_long: Any) -> None:
    try_for_long(seeds, look, judge)


def test_a_store_that_is_written_over_is_found(
    seeds: list[Seed], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = rechunk_api.rechunk

    def careless(place: Path, spec: RechunkSpec, output: Path) -> Any:
        (place / "0" / "zarr.json").write_bytes(b"{}")
        return real(place, spec, output)

    monkeypatch.setitem(globals(), "rechunk", careless)
    with pytest.raises(BadStoreError, match="has changed"):
        try_store(seeds[0], 0, Tally(), look, judge)
