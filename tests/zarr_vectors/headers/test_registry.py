from __future__ import annotations

import numpy as np
import pytest
from zarr.storage import LocalStore

from zarr_vectors.constants import KNOWN_VERSIONS
from zarr_vectors.core.store import create_store, open_store
from zarr_vectors.exceptions import MetadataError, StoreError
from zarr_vectors.headers import HeaderRegistry
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.stores import UnlistableStore

TRK = {"voxel_size": [1.0, 1.0, 2.5], "name": "bündel", "nested": {"a": [None, True]}}


@pytest.fixture(params=KNOWN_VERSIONS)
def place(request, tmp_path):
    create_store(tmp_path / "s", format_version=request.param)
    return tmp_path / "s"


def test_headers_come_and_go(place):
    registry = HeaderRegistry(place)
    assert registry.available_formats == []
    assert not registry.has("trk")
    registry.add("trk", TRK)
    registry.add("swc", {"scale": np.float32(0.5), "shape": np.arange(3)})
    assert registry.available_formats == ["swc", "trk"]
    assert registry.get("trk") == TRK
    assert registry.get("swc") == {"scale": 0.5, "shape": [0, 1, 2]}
    assert open_zv(place).headers == {"trk": TRK, "swc": {"scale": 0.5, "shape": [0, 1, 2]}}
    registry.add("trk", {"only": 1})
    assert HeaderRegistry(open_store(place)).get("trk") == {"only": 1}
    registry.remove("swc")
    assert registry.available_formats == ["trk"]
    assert not registry.has("swc")
    with pytest.raises(KeyError, match="swc"):
        registry.get("swc")
    with pytest.raises(KeyError, match="swc"):
        registry.remove("swc")


def test_headers_where_nothing_can_be_listed(place):
    HeaderRegistry(place).add("trk", TRK)
    HeaderRegistry(place).add("swc", {})
    HeaderRegistry(place).remove("swc")
    store = UnlistableStore(LocalStore(place, read_only=True))
    assert HeaderRegistry(store).available_formats == ["trk"]
    assert open_zv(store).headers == {"trk": TRK}


def test_what_cannot_be_kept(place):
    registry = HeaderRegistry(place)
    with pytest.raises(MetadataError):
        registry.add("trk", {"thing": object()})
    with pytest.raises(StoreError, match="not allowed"):
        registry.add("../trk", {})
    assert registry.available_formats == []


def test_a_store_that_cannot_be_written_to(place):
    registry = HeaderRegistry(LocalStore(place, read_only=True))
    with pytest.raises(StoreError):
        registry.add("trk", TRK)
    assert open_zv(place).headers == {}
