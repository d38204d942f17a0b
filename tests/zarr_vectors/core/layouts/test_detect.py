from __future__ import annotations

import pytest

from zarr_vectors.core.backends import StorageBackend
from zarr_vectors.core.layouts.detect import layout_for, open_layout
from zarr_vectors.core.layouts.v07 import V07Layout
from zarr_vectors.core.layouts.v09 import V09Layout
from zarr_vectors.exceptions import MetadataError, StoreError


@pytest.mark.parametrize(
    ("version", "kind"),
    [("0.7.0", V07Layout), ("0.7.9", V07Layout), ("0.9.1", V09Layout), ("0.9.2", V09Layout)],
)
def test_versions_have_layouts(backend: StorageBackend, version: str, kind: type) -> None:
    assert type(layout_for(version, backend)) is kind
    layout_for(version, backend).put_attrs({"": {"zarr_vectors": {"zv_version": version}}})
    assert type(open_layout(backend)) is kind


@pytest.mark.parametrize(
    "version", ["0.6.0", "0.8.0", "1.0.0", "0.70", "7", "", None, 0.7, "x" * 99]
)
def test_unknown_versions_are_refused_and_the_known_named(
    backend: StorageBackend, version: object
) -> None:
    with pytest.raises(StoreError, match=r"0\.7\.0 and 0\.9\.2"):
        layout_for(version, backend)


def test_other_places_are_no_stores(backend: StorageBackend) -> None:
    with pytest.raises(StoreError, match=r"has no zarr\.json"):
        open_layout(backend)
    layout_for("0.7.0", backend).put_attrs({"": {"something": "else"}})
    with pytest.raises(StoreError, match="not a Zarr Vectors store"):
        open_layout(backend)
    for bad in ({}, [], "0.7.0"):
        layout_for("0.7.0", backend).put_attrs({"": {"zarr_vectors": bad}})
        with pytest.raises(MetadataError, match="zv_version"):
            open_layout(backend)
