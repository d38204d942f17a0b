"""The page on the published releases names every test that runs them, and only such tests."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_names_every_test() -> None:
    page = (ROOT / "docs" / "interop.md").read_text(encoding="utf-8")
    told = set(re.findall(r"`(test_\w+::test_\w+)`", page))
    known = {
        f"{file.stem}::{node.name}"
        for file in (ROOT / "tests" / "peers").glob("test_*.py")
        for node in ast.parse(file.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert told == known
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert all("::" in row for row in rows if not row.startswith("| what"))
