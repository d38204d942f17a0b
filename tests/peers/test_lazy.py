"""The published releases' lazy API and validators on stores of ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.kinds import KINDS, make_store

pytestmark = pytest.mark.peers

PATHS = ("line", "polyline", "streamline")


@pytest.mark.parametrize("kind", ["objects", "line", "streamline", "skeleton", "mesh"])
def test_their_lazy_api_reads_ours(peer: Any, tmp_path: Path, kind: str) -> None:
    store = str(tmp_path / "s")
    make_store(
        kind, store, format_version=peer.version, chunk_shape=(60.0,) * 3, bin_shape=(20.0,) * 3
    )
    build_pyramid(store, factors=[(2, 1)])
    for number in (0, 1):
        level = open_zv(store)[number]
        columns = [name for name in level.attribute_specs if name != "kind"]
        found = peer.call("read_lazy", store=store, level=number, columns=columns)
        np.testing.assert_array_equal(found["positions"], level.vertices.compute())
        for name in columns if peer.version == "0.9.2" else ():
            ours = level.attributes[name].compute()
            np.testing.assert_array_equal(found[f"v_{name}"], ours)
            assert found[f"v_{name}"].dtype == ours.dtype
        if kind in PATHS:
            lines = peer.call("read_lazy", store=store, level=number, columns=[])["lines"]
            np.testing.assert_array_equal(lines, np.concatenate(level.polylines.compute()))


@pytest.mark.parametrize("kind", ["points", "objects", "polyline", "graph"])
def test_their_lazy_boxes_miss_vertices_of_objects(peer: Any, tmp_path: Path, kind: str) -> None:
    """They take the number of a bin for that of a fragment, whatever fragments are."""
    store = str(tmp_path / "s")
    box = ([-20.0] * 3, [20.0] * 3)
    make_store(
        kind, store, format_version=peer.version, chunk_shape=(60.0,) * 3, bin_shape=(20.0,) * 3
    )
    found = peer.call("read_lazy", store=store, level=0, columns=["age"], box=box)["inside"]
    ours = open_zv(store)[0].filter(bbox=box).vertices.compute()
    rows = [set(map(tuple, part.tolist())) for part in (found, ours)]
    assert rows[0] == rows[1] if kind == "points" else rows[0] < rows[1]


def test_their_lazy_attributes_have_types(peer: Any, tmp_path: Path) -> None:
    """0.2.0 looks for the type under a name that is no longer used: all is float32 to it."""
    store = str(tmp_path / "s")
    make_store("points", store, format_version=peer.version, chunk_shape=(60.0,) * 3)
    values = peer.call("read_lazy", store=store, level=0, columns=["age"])["v_age"]
    ours = open_zv(store)[0].attributes["age"].compute()
    assert values.dtype == (np.float32 if peer.version == "0.7.0" else ours.dtype)
    assert (values.tolist() == ours.tolist()) == (peer.version == "0.9.2")


@pytest.mark.parametrize("kind", KINDS)
def test_their_validators_pass_ours(peer: Any, tmp_path: Path, kind: str) -> None:
    store = str(tmp_path / "s")
    make_store(
        kind, store, format_version=peer.version, chunk_shape=(60.0,) * 3, bin_shape=(20.0,) * 3
    )
    build_pyramid(store, factors=[(2, 1)])
    errors = json.loads(str(peer.call("validated", store=store, level=5)["errors"]))
    if kind == "mesh" and peer.version == "0.7.0":
        # it takes every link for one of two ends; in its own meshes it does not find the links
        assert errors == ["it fails: too many values to unpack (expected 2)"]
    else:
        assert errors == []
