"""The Python in the pages runs, block after block, as a reader would paste it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("README.md", "docs/library.md")


@pytest.mark.parametrize("page", PAGES)
def test_every_python_block_runs(page: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    document = Sybil([PythonCodeBlockParser()]).parse(ROOT / page)
    blocks = list(document.examples())
    assert blocks
    for block in blocks:
        block.evaluate()


def test_every_page_is_in_the_navigation() -> None:
    listed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:")[2]
    assert sorted(listed.replace("- ", "").split()) == sorted(
        path.name for path in (ROOT / "docs").glob("*.md")
    )
