"""``zv-view index`` as it is called."""

from __future__ import annotations

import json

import pytest

from zarr_vectors.constants import OUTLINE_KEY
from zarr_vectors.testing.kinds import make_store
from zv_viewer.cli import main


@pytest.fixture
def store(tmp_path):
    """A store whose root records nothing of its levels."""
    place = tmp_path / "s"
    make_store("points", place, chunk_shape=(60.0,) * 3, bin_shape=(30.0,) * 3)
    root = json.loads((place / "zarr.json").read_text())
    del root["attributes"][OUTLINE_KEY]
    (place / "zarr.json").write_text(json.dumps(root))
    return place


@pytest.mark.parametrize("word", ["--check", "--dry-run"])
def test_a_check_tells_and_writes_nothing(store, capsys, word):
    before = (store / "zarr.json").read_bytes()
    assert main(["index", str(store), word]) == 1
    said = capsys.readouterr().out
    assert "to add" in said
    assert "the names of their arrays" in said
    assert (store / "zarr.json").read_bytes() == before


def test_what_was_added_is_said_once(store, capsys):
    assert main(["index", str(store)]) == 0
    assert "added" in capsys.readouterr().out
    assert main(["index", str(store)]) == 0
    assert "nothing to add" in capsys.readouterr().out
    assert main(["index", str(store), "--check"]) == 0


def test_a_place_that_is_no_store_is_told_in_a_sentence(tmp_path, capsys):
    assert main(["index", str(tmp_path)]) == 2
    assert "is not a Zarr Vectors store" in capsys.readouterr().err


def test_a_web_server_is_not_written_to(capsys):
    assert main(["index", "http://127.0.0.1:9/s"]) == 2
    assert "cannot be written to" in capsys.readouterr().err
