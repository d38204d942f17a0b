"""Attributes written to a bucket, and what is said of places that cannot be written to."""

from __future__ import annotations

from pathlib import Path
from shutil import make_archive

import numpy as np
import pytest

from zarr_vectors.core.backends import open_backend
from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import Cancelled, StoreError
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.kinds import make_store
from zarr_vectors.testing.servers import Server, http_server
from zv_viewer.edits.dry_run import rehearse
from zv_viewer.edits.history import History
from zv_viewer.edits.request import Request
from zv_viewer.edits.sources import FromExpression

pytestmark = [pytest.mark.network, pytest.mark.once]


def contents(url: str, **options: object) -> dict[str, bytes]:
    place = open_backend(url, **options)
    return place.get_many(place.keys_below(""))


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_a_bucket_takes_an_edit_and_its_undo(s3: Server, version: str, tmp_path: Path) -> None:
    url, options = s3.at(f"edits-{version}"), dict(s3.options)
    few = {"chunk_shape": (60.0,) * 3, "bin_shape": (30.0,) * 3, "format_version": version}
    make_store("points", open_backend(url, mode="w", **options), **few)
    build_pyramid(open_backend(url, mode="r+", **options), factors=[(2.0, 1.0)])
    before = contents(url, **options)
    history, handle = History(tmp_path / "h"), open_handle(url, **options)
    request = Request("height", "vertex", FromExpression("sqrt(x**2 + y**2)"))
    left = iter(range(2))
    with rehearse(handle, request) as dry:
        with pytest.raises(Cancelled):
            history.write(handle, dry, cancelled=lambda: next(left, None) is None)
        assert contents(url, **options) == before
        edit = history.write(handle, dry)
        told = {c.key: None if c.new is None else c.new.length for c in dry.changes}
    after = contents(url, **options)
    changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
    assert {key: len(after[key]) for key in changed} == told
    level = open_zv(url, **options)[0]
    x, y, _ = level.vertices.compute().T
    np.testing.assert_allclose(level.attributes["height"].compute(), np.hypot(x, y), rtol=1e-6)
    again = open_handle(url, **options)
    assert History(tmp_path / "h").can_undo(again) == edit
    History(tmp_path / "h").undo(again, edit)
    assert contents(url, **options) == before
    assert not any(secret in str(edit) for secret in s3.secrets)


class Never(FromExpression):
    """A source that is not to be asked."""

    def open(self, rows, scratch, check):
        raise AssertionError("work was begun")


@pytest.mark.parametrize("kind", ["web", "zip"])
def test_a_place_that_is_only_read_says_so_before_any_work(kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "served"
    make_store("points", folder / "s.zarrvectors", format_version="0.9.2")
    with http_server(folder) as server:
        archive = make_archive(str(tmp_path / "s.zarrvectors"), "zip", folder / "s.zarrvectors")
        url = server.at("s.zarrvectors") if kind == "web" else archive
        handle = open_handle(url, **(server.options if kind == "web" else {}))
        asked = server.network.arrived
        with pytest.raises(StoreError, match="cannot be written to") as told:
            rehearse(handle, Request("n", "vertex", Never("1")), folder=tmp_path / "none")
        assert server.network.arrived == asked  # nothing was asked for
    assert "\n" not in str(told.value)
    assert not (tmp_path / "none").exists()
