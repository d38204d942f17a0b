"""Links, both ways and between levels: the published releases' by us, ours by them."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.layouts.base import ChunkGrid, LinkRecords
from zarr_vectors.core.store import create_store
from zarr_vectors.testing.links_contract import some_links

pytestmark = pytest.mark.peers

CORNERS = ([-40.0] * 3, [39.0] * 3)


def as_table(records: LinkRecords) -> np.ndarray:
    """(M, W, 4): chunk and row of every end."""
    return np.concatenate([records.chunks, records.rows[:, :, None]], axis=2)


def ordered(table: np.ndarray) -> list[Any]:
    return sorted(table.reshape(len(table), -1).tolist())


def network(form: str) -> dict[str, Any]:
    steps = np.random.default_rng(3).normal(0, 6, (6, 30, 3))
    points = np.cumsum(steps, axis=1).reshape(-1, 3)
    if form == "polylines":
        return {"positions": points, "starts": np.arange(7) * 30}
    first = np.flatnonzero(np.arange(len(points)) % 30 < 28)
    corners = 2 if form == "graph" else 3
    return {"positions": points, "links": first[:, None] + np.arange(corners)}


@pytest.mark.parametrize("form", ["graph", "mesh", "polylines"])
def test_theirs_are_read_equal(peer: Any, tmp_path: Path, form: str) -> None:
    """Within the finest level and between levels."""
    store, options = str(tmp_path / "theirs"), {"chunk_shape": [16.0] * 3, "bin_shape": [4.0] * 3}
    if form == "polylines":
        peer.call("write_paths", store=store, kind=form, pyramid=True, **network(form), **options)
    else:
        options.pop("bin_shape")
        peer.call("write_linked", store=store, form=form, pyramid=1, **network(form), **options)
    layout = open_handle(store).layout
    width = 3 if form == "mesh" else 2
    for level, delta, ends in ((0, 0, width), (0, 1, 2), (1, -1, 2)):
        records = layout.get_links(str(level), delta=delta)
        assert records is not None
        assert records.rows.shape[1] == layout.link_families(str(level), [delta])[delta].width
        found = peer.call("read_link_records", store=store, level=level, delta=delta, width=ends)
        assert ordered(as_table(records)) == ordered(found["links"])
        assert len(records.rows) >= 50  # how many survive in their pyramid differs from run to run


@pytest.mark.parametrize("delta", [0, 1])
@pytest.mark.parametrize("width", [2, 3, 4])
def test_ours_are_read_equal(peer: Any, tmp_path: Path, width: int, delta: int) -> None:
    store, given = str(tmp_path / "ours"), some_links(width, 3)
    create_store(store, bounds=CORNERS, chunk_shape=(10.0,) * 3, format_version=peer.version)
    handle = open_handle(store, mode="r+")
    grid = ChunkGrid((-4,) * 3, (8,) * 3)
    handle.layout.put_links("0", given, grid, delta=delta)
    found = peer.call("read_link_records", store=store, level=0, delta=delta, width=width)
    assert ordered(found["links"]) == ordered(as_table(given))


@pytest.mark.parametrize(
    ("width", "directed", "form"),
    [
        (1, True, "canonical"),
        *itertools.product([2], [False, True], ["canonical", "duplicate"]),
        (3, False, "canonical"),
        (3, True, "duplicate"),
        (4, False, "duplicate"),
    ],
)
def test_every_form_of_theirs_is_read(
    peer: Any, tmp_path: Path, width: int, directed: bool, form: str
) -> None:
    """Links kept once, or once for every chunk they touch; sorted, or as they were given."""
    if peer.version == "0.7.0":
        pytest.skip("the format has one form")
    store, given = str(tmp_path / "theirs"), some_links(width, 3, count=30)
    table = as_table(given)
    peer.call("write_link_records", store=store, links=table, directed=directed, store_as=form)
    records = open_handle(store).layout.get_links("0", attributes=["number"])
    assert records is not None
    order = np.argsort(records.attributes["number"])
    np.testing.assert_array_equal(as_table(records)[order], table)
    wanted = sorted(set(map(tuple, given.chunks.reshape(-1, 3).tolist())))[::2]
    part = open_handle(store).layout.get_links("0", within=wanted)
    assert part is not None
    kept = [all(tuple(end) in wanted for end in link) for link in given.chunks.tolist()]
    assert ordered(as_table(part)) == ordered(table[kept])
