"""Addresses are kept in order, once each, and without what is secret."""

import json
from pathlib import Path

import pytest

from zv_viewer import addresses as module
from zv_viewer.addresses import KEPT, addresses, remember, with_latest


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ZV_VIEWER_CACHE", str(tmp_path / "state"))
    return tmp_path / "state"


def test_the_latest_is_first_and_none_is_twice() -> None:
    assert with_latest(["a", "b", "c"], "b") == ["b", "a", "c"]
    many = [str(n) for n in range(KEPT)]
    assert with_latest(many, "new") == ["new", *many[:-1]]
    assert with_latest(many, "  ") == many


def test_what_was_kept_is_known_again(folder: Path) -> None:
    assert addresses() == []
    for address in ("s3://one/a", "https://user:pw@host/b?sig=pw#pw", "s3://one/a"):
        remember(address)
    assert addresses() == ["s3://one/a", "https://host/b"]
    kept = list(folder.iterdir())
    assert [file.name for file in kept] == ["addresses.json"]
    assert "pw" not in kept[0].read_text()


@pytest.mark.parametrize("text", ["", "{", "{}", "3", json.dumps([1, None])])
def test_a_harmed_file_is_no_trouble(folder: Path, text: str) -> None:
    folder.mkdir()
    (folder / "addresses.json").write_text(text)
    assert addresses() == []
    remember("s3://b/c")
    assert addresses() == ["s3://b/c"]


def test_a_place_that_cannot_be_written_is_no_trouble(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.write_text("a file where the folder should be")
    remember("s3://b/c")
    assert addresses() == []

    def refuse(*_: object) -> None:
        raise PermissionError

    folder.unlink()
    monkeypatch.setattr(module.os, "replace", refuse)
    remember("s3://b/c")
    assert list(folder.iterdir()) == []
