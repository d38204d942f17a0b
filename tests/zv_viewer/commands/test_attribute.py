"""``zv-view attribute``: what it says, writes and takes back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.kinds import make_store
from zv_viewer.cli import main


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("ZV_VIEWER_CACHE", str(tmp_path / "cache"))
    make_store("objects", tmp_path / "s")
    return str(tmp_path / "s")


def test_a_dry_run_then_the_write_then_back(store: str, tmp_path: Path, capsys) -> None:
    asked = ["attribute", store, "twice", "--expression", "age * 2", "--dtype", "int16"]
    assert main([*asked, "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "240 values, int16" in told
    assert "  0/vertex_attributes/twice/zarr.json  - > " in told
    assert "twice" not in open_zv(store)[0].attribute_specs
    assert main(asked) == 0
    assert "done: write vertex attribute 'twice'" in capsys.readouterr().out
    level = open_zv(store)[0]
    expected = level.attributes["age"].compute() * 2
    np.testing.assert_array_equal(level.attributes["twice"].compute(), expected)
    assert main([*asked, "--dry-run"]) == 1
    assert "refused: level 0 has a vertex attribute 'twice' already" in capsys.readouterr().out
    assert main(["attribute", store, "--undo"]) == 0
    assert "twice" not in open_zv(store)[0].attribute_specs
    assert main(["attribute", store, "--redo"]) == 0
    assert "twice" in open_zv(store)[0].attribute_specs
    table = tmp_path / "t.csv"
    table.write_text("id,mark\n0,a\n1,b\n")
    by_id = ["attribute", store, "mark", "--file", str(table), "--column", "mark", "--ids", "id"]
    assert main([*by_id, "--scope", "object", "--lax"]) == 0
    assert open_zv(store)[0].object_attribute("mark").tolist() == ["a", "b", "", "", "", ""]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "give the attribute a name, or --undo"),
        (["n"], "give --expression or --file"),
        (["n", "-e", "x +"], "'x +' is no expression"),
        (["n", "-e", "x", "--level", "7"], "has no level 7"),
        (["n", "-e", "x", "--dtype", "text"], "there is no dtype 'text' of numbers"),
        (["--undo"], "nothing is kept here that can be taken back"),
        (["n", "--file", "gone.csv", "--column", "c"], "gone.csv cannot be read"),
        (["a/b", "-e", "1"], "a/b"),
    ],
)
def test_what_does_not_fit_is_a_sentence(store: str, words, sentence, capsys) -> None:
    assert main(["attribute", store, *words]) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert said.count("\n") == 1
