"""Every promise of the page on places is held by a test that is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "places.md").read_text(encoding="utf-8")
MARKS = {mark: number for number, mark in enumerate("¹²³⁴⁵⁶⁷⁸⁹", 1)} | {"⁰": 0}


def test_the_tests_are_there() -> None:
    """A name without a file is of the file before it."""
    tests = re.findall(r"`(tests/[\w/]+\.py)?(?:::(\w+))?`", PAGE)
    path = ""
    missing = []
    for file, name in tests:
        path = file or path
        if not name and not file:
            continue
        source = (ROOT / path).read_text(encoding="utf-8")
        if name and f"def {name}(" not in source:
            missing.append(f"{path}::{name}")
    assert len(tests) > 20
    assert missing == []


def test_every_mark_has_its_tests() -> None:
    promises, _, tests = PAGE.partition("## Tests")
    marks = re.findall(rf"[{''.join(MARKS)}]+", promises)
    used = {int("".join(str(MARKS[sign]) for sign in mark)) for mark in marks}
    listed = {int(number) for number in re.findall(r"^\| (\d+) \|", tests, re.MULTILINE)}
    assert used == listed == set(range(1, 17))
