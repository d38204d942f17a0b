"""``--state`` and what goes with it, without a window."""

from __future__ import annotations

from pathlib import Path

import pytest

from zv_viewer.cli import main

REFUSED = (
    (("render", "-o", "p.png"), "give a store, or a view"),
    (("render", "store", "-o", "p.png", "--force"), "--force goes with --state"),
    (("store", "--force"), "--force goes with --state"),
    (("render", "--state", "v.json", "-o", "p.png", "--zoom", "2"), "leave --zoom away"),
    (("render", "--state", "v.json", "-o", "p.png", "--size", "9x9"), "leave --size away"),
    (("render", "--state", "v.json", "-o", "p.png", "--color-by", "a"), "leave --color-by away"),
    (("render", "--state", "v.json", "-o", "p.png"), "v.json is no file"),
    (("--state", "v.json"), "v.json is no file"),
)


@pytest.mark.parametrize(("words", "said"), REFUSED, ids=lambda value: " ".join(value)[:60])
def test_what_makes_no_sense_is_one_sentence(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = tuple(str(tmp_path / word) if "." in word else word for word in words)
    assert main(words) == 2
    found = capsys.readouterr().err
    assert said in found
    assert found.count("\n") == 1
    assert not (tmp_path / "p.png").exists()
