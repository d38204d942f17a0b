"""Parametric objects and headers, both ways."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.core.metadata import ParametricTypeDef
from zarr_vectors.headers import HeaderRegistry
from zarr_vectors.types.parametric import read_parametric_set, write_parametric_objects

pytestmark = pytest.mark.peers

KIND = (7, "ellipse", ["a", "b"])
OBJECTS = [
    {"type": "plane", "coefficients": [1.0, 2.0, 3.0, 4.5], "name": "plane_0"},
    {"type": "sphere", "coefficients": [0.0, 0.0, 0.0, 2.0], "name": "bäll"},
    {"type": "ellipse", "coefficients": [1.0, 2.0], "name": "ellipse_2"},
]
TABLES = {
    "object_attributes": {"w": [0.0, 1.5, 3.0], "pair": [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]},
    "group_attributes": {"rank": [5.0, 0.0]},
}
GROUPS = {0: [0, 2], 1: [1]}
HEADERS = {"trk": {"voxel_size": [1.0, 2.5], "name": "ü"}, "swc": {}}


def test_theirs_is_read(peer, tmp_path: Path) -> None:
    store = tmp_path / "s"
    peer.call(
        "write_parametric",
        store=str(store),
        objects=OBJECTS,
        kinds=[KIND],
        groups=GROUPS,
        tables=TABLES,
        headers=HEADERS,
    )
    found = read_parametric_set(store)
    assert [{k: o[k] for k in ("type", "coefficients", "name")} for o in found.objects] == OBJECTS
    assert found.groups == GROUPS
    for family, tables in TABLES.items():
        assert {k: v.tolist() for k, v in found[family].items()} == tables
    registry = HeaderRegistry(store)
    assert {name: registry.get(name) for name in registry.available_formats} == HEADERS


def test_ours_is_read_by_them(peer, tmp_path: Path) -> None:
    store = tmp_path / "s"
    write_parametric_objects(
        store,
        OBJECTS,
        groups=GROUPS,
        custom_types=[ParametricTypeDef(*KIND)],
        create_new_store=True,
        store_kwargs={"format_version": peer.version},
        **{f: {k: np.array(v) for k, v in tables.items()} for f, tables in TABLES.items()},
    )
    for name, header in HEADERS.items():
        HeaderRegistry(store).add(name, header)
    answer = peer.call("read_parametric", store=str(store))
    objects, headers = (json.loads(str(answer[key])) for key in ("objects", "headers"))
    assert [{k: o[k] for k in ("type", "coefficients", "name")} for o in objects] == OBJECTS
    assert objects[2]["coefficient_names"] == KIND[2]
    assert headers == HEADERS
