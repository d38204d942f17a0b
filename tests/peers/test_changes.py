"""What a published release changes in a store of ours is seen, however little is read at open."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from zarr.storage import LocalStore, WrapperStore

from zarr_vectors.lazy import ZVStore, open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.types.points import write_points

pytestmark = pytest.mark.peers

VARIABLES = {"0.7.0": "ZV_PEER_07", "0.9.2": "ZV_PEER_09"}

CHANGE = """
import sys, asyncio
import numpy as np
from zarr_vectors.lazy import open_zv
store, what, level = sys.argv[1], sys.argv[2], int(sys.argv[3])
async def change():
    writer = open_zv(store)[level].writer()
    count = open_zv(store)[level].vertex_count
    if what == "attribute":
        await writer.add_attribute("theirs", np.arange(count, dtype="float32"))
    elif what == "dtype":
        await writer.add_attribute("ours", np.arange(count, dtype="float32") / 2)
    else:
        await writer.append_vertices(np.array([[1.0, 1, 1], [2, 2, 2]], dtype="float32"))
    await writer.commit()
if what == "level":
    from zarr_vectors.multiresolution.coarsen import coarsen_level
    coarsen_level(store, 0, level, coarsen_factor=4.0)
else:
    asyncio.run(change())
"""


@pytest.fixture(params=VARIABLES)
def changed(request: pytest.FixtureRequest, tmp_path: Path):
    """Makes a store of ours, has it changed, and opens it as on a bucket."""
    python = os.environ.get(VARIABLES[request.param])
    if not python:
        pytest.skip(f"{VARIABLES[request.param]} does not name a Python with the release")
    rng = np.random.default_rng(2)
    write_points(
        tmp_path / "s",
        rng.uniform(0, 40, (200, 3)),
        chunk_shape=(20.0,) * 3,
        bin_shape=(5.0,) * 3,
        bounds=([0.0] * 3, [40.0] * 3),
        vertex_attributes={"ours": np.arange(200, dtype=np.int32)},
        format_version=request.param,
    )
    build_pyramid(tmp_path / "s", factors=[(2.0, 1.0)])

    def change(what: str, level: int) -> list[ZVStore]:
        command = [python, "-W", "ignore", "-c", CHANGE, str(tmp_path / "s"), what, str(level)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"the release cannot: {done.stderr.strip().splitlines()[-1]}")
        far = WrapperStore(LocalStore(tmp_path / "s"))
        return [open_zv(far), open_zv(tmp_path / "s")]

    return change


def test_an_attribute_of_the_finest_level(changed):
    """0.9.2 records it in no document: without listing it is known once it is asked for."""
    far, near = changed("attribute", 0)
    assert "theirs" in near[0].attribute_specs
    assert far.zv_version == "0.9.2" or "theirs" in far[0].attribute_specs
    for store in (far, near):
        np.testing.assert_array_equal(store[0].attributes["theirs"].compute(), np.arange(200))


def test_an_attribute_of_a_coarser_level(changed):
    for store in changed("attribute", 1):
        store[1].vertices.compute()
        count = store[1].vertex_count
        np.testing.assert_array_equal(store[1].attributes["theirs"].compute(), np.arange(count))


@pytest.mark.parametrize("level", [0, 1])
def test_vertices_appended(changed, level):
    stores = changed("append", level)
    count = len(stores[1][level].vertices.compute())
    assert count == stores[1][level].vertex_count > 2
    for store in stores:
        found = store[level].vertices.compute()
        assert len(found) == count == store[level].vertex_count


def test_a_level(changed):
    for store in changed("level", 2):
        assert store.levels == [0, 1, 2]
        assert len(store[2].vertices.compute()) == store[2].vertex_count
