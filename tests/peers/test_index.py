"""Published stores are read without listing once indexed, and read by their releases as before."""

from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors.exceptions import StoreUnlistable
from zarr_vectors.indexing import index_store
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.kinds import contents
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.types.points import read_points, write_points


class Unlistable(DictPlace):
    """The files of a folder where nothing can be listed."""

    read_only = True

    def __init__(self, folder):
        files = (path for path in folder.rglob("*") if path.is_file())
        super().__init__({str(path.relative_to(folder)): path.read_bytes() for path in files})

    def list_dir(self, prefix):
        """Refused."""
        raise StoreUnlistable(f"{self.url} cannot list its keys")

    keys_below = list_dir


def cloud():
    rng = np.random.default_rng(5)
    positions = rng.uniform(-40, 40, (300, 3)).astype(np.float32)
    ids = np.sort(np.append(np.arange(5), rng.integers(0, 5, 295)))
    return {"positions": positions, "object_ids": ids, "v_a": positions[:, 0].copy()}


@pytest.mark.parametrize("shard", [False, True])
def test_a_store_of_theirs_is_indexed(peer, tmp_path, shard):
    data = cloud()
    place = tmp_path / "s"
    options = {"chunk_shape": [40.0] * 3, "columns": ["a"], "pyramid": 1, "shard": shard}
    peer.call("write", store=str(place), **options, **data, o_size=np.arange(5.0),
              object_columns=["size"], groups={0: [0, 1], 1: [4]})  # fmt: skip
    whole = contents(place)
    before = peer.call("read", store=str(place), columns=["a"])
    added = index_store(place)["added"]
    assert "the metadata of all levels and the names of their arrays" in added
    assert repr(contents(Unlistable(place))) == repr(whole)
    assert sorted(open_zv(Unlistable(place))[0].attribute_specs) == ["a"]
    after = peer.call("read", store=str(place), columns=["a"])
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_what_they_add_to_a_store_of_ours_is_found(peer, tmp_path):
    """Their writers know nothing of our records: what those say is not believed where it is old."""
    data, place = cloud(), tmp_path / "s"
    write_points(place, data["positions"], vertex_attributes={"a": data["v_a"]},
                 chunk_shape=(40.0,) * 3, format_version=peer.version)  # fmt: skip
    rows = read_points(place, attribute_names=["a"]).vertex_attributes["a"]
    peer.call("add_attribute", store=str(place), name="new", v_values=rows)
    for one in (place, Unlistable(place)):
        found = read_points(one, attribute_names=["new"]).vertex_attributes["new"]
        assert np.array_equal(found, rows)
    peer.call("coarsen", store=str(place), count=1)
    assert open_zv(Unlistable(place)).levels == [0, 1]
    index_store(place)
    assert "new" in open_zv(Unlistable(place))[0].attribute_specs
    assert repr(contents(Unlistable(place))) == repr(contents(place))
