"""Stores of the published releases are sound; what is odd about them has a name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.validate import validate

pytestmark = pytest.mark.peers

CHUNK = [40.0] * 3
TREES = {"groups-without-documents"}
RNG = np.random.default_rng(2)
POINTS = RNG.uniform(-50, 50, (200, 3))
WALK = np.cumsum(RNG.normal(size=(160, 3)) * 3, axis=0)
PATHS = {"positions": WALK, "starts": np.arange(0, 161, 32), "v_w": np.arange(160.0)}
LINES = {"endpoints": np.stack([WALK[:60], WALK[:60] + RNG.normal(size=(60, 3)) * 4], axis=1)}
EDGES = np.column_stack(
    [np.arange(1, 160), np.maximum(0, np.arange(159) - RNG.integers(0, 2, 159))]
)
SIDE = np.arange(90)[np.arange(90) % 10 != 9]
SHEET = {
    "positions": np.column_stack([np.divmod(np.arange(100), 10)[0] * 6.0 - 30, POINTS[:100, 1:]]),
    "links": np.column_stack([SIDE, SIDE + 1, SIDE + 10]),
}

CASES: dict[str, tuple[str, dict[str, Any], dict[str, set[str]]]] = {
    "points": ("write", {"positions": POINTS, "bin_shape": [10.0] * 3}, {}),
    "points of objects": (
        "write",
        {"positions": POINTS, "object_ids": np.arange(200) % 7, "v_w": POINTS[:, 0]}
        | {"columns": ["w"], "groups": {0: [1, 2]}},
        {"0.7.0": TREES},
    ),
    "points with a pyramid": (
        "write",
        {"positions": POINTS, "bin_shape": [10.0] * 3, "v_w": POINTS[:, 0]}
        | {"columns": ["w"], "pyramid": 2},
        {
            "0.7.0": TREES | {"coarse-level-without-attributes"},
            "0.9.2": {"coarse-level-without-attributes"},
        },
    ),
    "packed points": ("write", {"positions": POINTS, "shard": True}, {}),
    "polylines": (
        "write_paths",
        PATHS | {"kind": "polylines", "columns": ["w"], "groups": {0: [1]}},
        {"0.7.0": TREES | {"path-links-at-row-0"}},
    ),
    "lines": (
        "write_paths",
        LINES | {"kind": "lines"},
        {"0.7.0": {"path-links-at-row-0"}, "0.9.2": {"line-links-by-fragment"}},
    ),
    "graph": (
        "write_linked",
        {"positions": WALK, "links": EDGES, "form": "graph", "l_l": np.arange(159.0)}
        | {"link_columns": ["l"]},
        {"0.7.0": {"link-attributes-not-stored"}},
    ),
    "graph of objects": (
        "write_linked",
        {"positions": WALK, "links": EDGES, "form": "graph", "object_ids": np.arange(160) % 2},
        {"0.7.0": {"link-rows-before-grouping"}},
    ),
    "skeleton": (
        "write_linked",
        {"positions": WALK, "links": EDGES, "form": "graph", "kind": "skeleton", "pyramid": 1},
        {},
    ),
    "mesh": ("write_linked", SHEET | {"form": "mesh"}, {}),
}


@pytest.mark.parametrize("case", CASES)
def test_theirs_is_sound(peer, tmp_path: Path, case: str) -> None:
    action, arguments, known = CASES[case]
    peer.call(action, store=str(tmp_path / "s"), **{"chunk_shape": CHUNK, **arguments})
    result = validate(tmp_path / "s", level=5)
    assert result.ok, result.summary()
    assert set(result.defects) == known.get(peer.version, set()), result.summary()
    assert all(finding.defect for finding in result.findings), result.summary()


def test_damage_is_found_in_theirs(peer, tmp_path: Path) -> None:
    store = tmp_path / "s"
    peer.call("write", store=str(store), positions=POINTS, chunk_shape=CHUNK)
    file = next(f for f in sorted((store / "0" / "vertices").rglob("0")) if f.is_file())
    file.write_bytes(file.read_bytes()[:-5])
    result = validate(store)
    assert {f.array for f in result.findings if f.severity == "error"} == {"0/vertices"}
