"""The Python in the pages runs, block after block, as a reader would paste it."""

from __future__ import annotations

import argparse
import re
from dataclasses import fields
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

from zarr_vectors.constants import CHUNKS_KEY, ERROR_KEY, LEVEL_KEY, OUTLINE_KEY, STALE_KEY
from zarr_vectors.core.layouts.flat import WHOLE
from zarr_vectors.core.layouts.linked import FAMILY_KEY
from zarr_vectors.multiresolution.density import DENSITY_KEY
from zv_viewer.commands.options import command_parser, window_parser
from zv_viewer.controller import LodStats
from zv_viewer.flight.measure import FrameLog

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "README.md",
    "docs/addresses.md",
    "docs/attributes.md",
    "docs/geometries.md",
    "docs/large-data.md",
    "docs/lazy.md",
    "docs/library.md",
    "docs/maintenance.md",
    "docs/network.md",
    "docs/quality.md",
    pytest.param("docs/quality-window.md", marks=pytest.mark.gui),
    pytest.param("docs/viewer.md", marks=pytest.mark.gui),
    pytest.param("docs/views.md", marks=pytest.mark.gui),
)


@pytest.mark.parametrize("page", PAGES)
def test_every_python_block_runs(page: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    document = Sybil([PythonCodeBlockParser()]).parse(ROOT / page)
    document.namespace["__name__"] = "__main__"  # blocks of a script
    blocks = list(document.examples())
    assert blocks
    for block in blocks:
        block.evaluate()


def test_every_page_is_in_the_navigation() -> None:
    listed = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("nav:")[2]
    assert sorted(listed.replace("- ", "").split()) == sorted(
        path.name for path in (ROOT / "docs").glob("*.md")
    )


def test_every_option_is_described() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    (commands,) = [
        action
        for action in command_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    ]
    parsers = [window_parser(), *commands.choices.values()]
    options = {option for parser in parsers for option in parser._option_string_actions}
    missing = [option for option in options - {"-h", "--help"} if option not in page]
    assert len(options) > 15
    assert not missing


def test_every_figure_is_described() -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    names = [field.name for field in fields(LodStats)] + list(FrameLog().summary())
    assert [name for name in names if f"`{name}`" not in page] == []


def test_every_extra_key_is_described() -> None:
    page = (ROOT / "docs" / "format-extras.md").read_text(encoding="utf-8")
    source = [p.read_text(encoding="utf-8") for p in (ROOT / "zarr_vectors").rglob("*.py")]
    keys = set(re.findall(r'"(\.?zarr_vectors_[a-z_]+)"', "\n".join(source)))
    keys -= {LEVEL_KEY}  # the format's own
    assert keys >= {CHUNKS_KEY, DENSITY_KEY, ERROR_KEY, FAMILY_KEY, OUTLINE_KEY, STALE_KEY, WHOLE}
    assert [key for key in [*sorted(keys), "statistics"] if f"`{key}" not in page] == []
