"""Strings as object attributes: written with the store, and there after everything done to it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.convert import convert
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.rechunk import RechunkSpec, rechunk
from zarr_vectors.sharding.io import shard_store
from zarr_vectors.types.graphs import write_graph
from zarr_vectors.types.lines import write_lines
from zarr_vectors.types.meshes import write_mesh
from zarr_vectors.types.points import write_points
from zarr_vectors.types.polylines import write_polylines

WORDS = np.array(["ç", "", "pyramidal", "ç"])
OTHER = {"0.7.0": "0.9.2", "0.9.2": "0.7.0"}


def write(kind: str, place: Path, version: str) -> None:
    """Four objects of six vertices."""
    rng = np.random.default_rng(0)
    walks = 10 * np.arange(4)[:, None, None] + np.cumsum(rng.uniform(0, 1, (4, 6, 3)), axis=1)
    options = {
        "object_attributes": {"word": WORDS},
        "chunk_shape": (8.0,) * 3,
        "bin_shape": (2.0,) * 3,
        "format_version": version,
    }
    owners = {"object_ids": np.repeat(np.arange(4), 6)}
    rows, flat = np.arange(24).reshape(4, 6), walks.reshape(-1, 3)
    if kind == "points":
        write_points(place, flat, **owners, **options)
    elif kind == "lines":
        write_lines(place, walks[:, :2], **options)
    elif kind == "polylines":
        write_polylines(place, list(walks), **options)
    elif kind == "skeleton":
        edges = np.stack([rows[:, 1:], rows[:, :-1]], axis=2).reshape(-1, 2)
        write_graph(place, flat, edges, kind="skeleton", **owners, **options)
    else:
        faces = np.concatenate([rows[:, k : k + 3] for k in range(4)])
        write_mesh(place, flat, faces, **owners, **options)


def words(place: Path) -> list[list[str]]:
    """Of the objects of every level."""
    with open_zv(place) as store:
        return [store[level].object_attribute("word").tolist() for level in store.levels]


@pytest.mark.parametrize("version", OTHER)
@pytest.mark.parametrize("kind", ["points", "lines", "polylines", "skeleton", "mesh"])
def test_words_stay_with_their_objects(tmp_path: Path, kind: str, version: str) -> None:
    place = tmp_path / "s"
    write(kind, place, version)
    assert words(place) == [WORDS.tolist()]
    build_pyramid(place, factors=[(2.0, 1.0)])
    assert words(place) == [WORDS.tolist()] * 2
    convert(place, tmp_path / "other", format_version=OTHER[version])
    assert words(tmp_path / "other") == [WORDS.tolist()] * 2
    for number, by in enumerate(("spatial", "attribute:word")):
        rechunk(place, RechunkSpec(by, spatial_chunk_shape=(16.0,) * 3), tmp_path / f"cut{number}")
        assert words(tmp_path / f"cut{number}") == [WORDS.tolist()] * 2
    shard_store(place)
    assert words(place) == [WORDS.tolist()] * 2


def test_words_are_one_per_object(tmp_path: Path) -> None:
    with pytest.raises(Exception, match="'word' has 3 rows; there are 4 objects"):
        write_points(
            tmp_path / "s",
            np.eye(4, 3),
            object_ids=np.arange(4),
            object_attributes={"word": WORDS[:3]},
            chunk_shape=(8.0,) * 3,
        )
