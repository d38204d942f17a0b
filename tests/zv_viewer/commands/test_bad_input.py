"""Bad input: exit code 2 and one sentence, without a window."""

import json
from pathlib import Path

import pytest

from zv_viewer import cli


def said(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    assert cli.main([str(word) for word in words]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("zv-view: ")
    assert captured.err.count("\n") == 1
    return captured.err


def test_no_such_path(capsys, tmp_path: Path) -> None:
    assert "none.zarrvectors" in said(capsys, "info", tmp_path / "none.zarrvectors")


def test_not_a_store(capsys, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    assert str(tmp_path) in said(capsys, "info", tmp_path)


def test_a_zarr_group_that_is_no_store(capsys, tmp_path: Path) -> None:
    (tmp_path / "zarr.json").write_text(
        json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {}})
    )
    assert str(tmp_path) in said(capsys, "info", tmp_path)


def test_an_unknown_version_names_the_known_ones(capsys, tmp_path: Path) -> None:
    root = {
        "zv_version": "7.7.7",
        "chunk_shape": [1.0, 1.0],
        "bounds": [[0, 0], [1, 1]],
        "geometry_types": ["point_cloud"],
    }
    (tmp_path / "zarr.json").write_text(
        json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {"zarr_vectors": root}})
    )
    message = said(capsys, "info", tmp_path)
    assert "7.7.7" in message
    assert "0.7.0" in message
    assert "0.9.2" in message


def test_no_such_sample(capsys) -> None:
    assert "cells" in said(capsys, "--sample", "nothing")


def test_a_folder_that_is_not_there_for_the_picture(capsys, tmp_path: Path) -> None:
    message = said(capsys, "render", tmp_path, "--out", tmp_path / "no" / "p.png")
    assert "does not exist" in message
