"""Addresses in view-state files: nothing secret, and from the folder of the file within it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from zarr_vectors.testing.kinds import make_store
from zv_viewer.errors import InputError
from zv_viewer.sources.store import StoreSource
from zv_viewer.state import view_of_text
from zv_viewer.views.files import read_with_places, write_view
from zv_viewer.views.places import from_folder, in_folder, plain_address, same_place

SECRETS = (
    "https://user:hunter2@example.org/cells.zarrvectors",
    "https://example.org/cells.zarrvectors?X-Amz-Signature=hunter2&X-Amz-Credential=hunter2",
    "az://container/cells.zarrvectors?sv=2024&sig=hunter2",
    "s3://key:hunter2@bucket/cells.zarrvectors",
)


@pytest.mark.parametrize("address", SECRETS)
def test_nothing_secret_is_kept(address: str) -> None:
    kept = plain_address(address)
    assert "hunter2" not in kept
    assert "?" not in kept
    assert kept.endswith("/cells.zarrvectors")
    assert same_place(address, kept)


def test_local_places_are_paths(tmp_path: Path) -> None:
    place = tmp_path / "a b" / "cells"
    assert plain_address(place.as_uri()) == str(place)
    assert plain_address(str(place)) == str(place)
    assert from_folder(tmp_path, str(place)) == "a b/cells"
    assert in_folder(tmp_path, "a b/cells") == str(place)
    assert from_folder(place, str(tmp_path)) == str(tmp_path)
    assert in_folder(place, str(tmp_path)) == str(tmp_path)
    assert in_folder(place, "s3://bucket/cells") == "s3://bucket/cells"


def test_a_file_moves_with_its_stores(tmp_path: Path) -> None:
    place = tmp_path / "here" / "cells"
    place.parent.mkdir()
    make_store("points", place)
    source = StoreSource(str(place))
    text = (Path(__file__).parent / "view.json").read_text(encoding="utf-8")
    view = view_of_text(text)
    layer = replace(view.layers[0], url=str(place), fingerprint=source.fingerprint())
    source.close()
    write_view(replace(view, layers=(layer,)), place.parent / "view.json")
    assert (place.parent / "view.json").stat().st_mode & 0o044  # others may read it
    place.parent.rename(tmp_path / "there")
    found = read_with_places(tmp_path / "there" / "view.json")
    assert found.layers[0].url == str(tmp_path / "there" / "cells")
    assert found.layers[0].fingerprint == layer.fingerprint
    with pytest.raises(InputError, match="cannot be written"):
        write_view(view, tmp_path / "nowhere" / "view.json")
    assert [path.name for path in (tmp_path / "there").iterdir() if path.name[0] == "."] == []
