"""A million objects: the window never stands still for long, and filters answer as a loop does."""

from __future__ import annotations

import importlib.util
import json
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from zv_viewer.objects import (
    AttributeRange,
    CategorySet,
    GroupSet,
    IdSet,
    LengthRange,
    RandomShare,
    TextSearch,
    evaluate,
)
from zv_viewer.objects.filters import hashed

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).parent.parent / "benchmarks" / "objects_table.py"
MOST_STALL_MS = 100
TRIES = 3
OBJECTS = 1_000_000


@pytest.mark.gui
def test_no_step_stops_the_window_for_a_tenth_of_a_second(figures: Any) -> None:
    best: dict[str, float] = {}
    for _ in range(TRIES):  # what else the machine does only ever adds
        done = subprocess.run(
            [sys.executable, str(PROGRAM), "--objects", str(OBJECTS)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        for step, found in json.loads(done.stdout).items():
            stall = found.get("stall_ms", 0.0)
            best[step] = min(stall, best.get(step, math.inf))
        if max(best.values()) < MOST_STALL_MS:
            break
    worst = max(best, key=best.__getitem__)
    figures(f"1 M objects: longest stall {best[worst]:.0f} ms, {worst}")
    assert max(best.values()) < MOST_STALL_MS, best


def test_filters_over_a_million_objects_answer_as_a_loop_does() -> None:
    table = _program().make_table(OBJECTS)
    size, synapses, kinds, names = (column.values.tolist() for column in table.columns)
    kind_names, all_names = table.columns[2].categories, table.columns[3].categories
    ids, length = table.ids.tolist(), table.length.tolist()
    groups: list[set[int]] = [set(table.groups.rows(g).tolist()) for g in (3, 4)]
    share = hashed(table.ids, 5).tolist()
    low = np.float32(0.2).item()
    wanted = {kind_names[3], kind_names[7]}
    some = set(ids[::1000])

    def loop(row: int) -> bool:
        kind = kind_names[kinds[row]] if kinds[row] >= 0 else None
        found = "neuron-7" in all_names[names[row]]
        found = found or (kind is not None and "neuron-7" in kind)
        return (
            size[row] >= low
            and not 100 <= synapses[row] <= 5000
            and 1.0 <= length[row] <= 90.0
            and (kind in wanted or any(row in members for members in groups))
            and share[row] < 0.9
            and found
            and ids[row] not in some
        )

    rules = [
        AttributeRange("size", 0.2),
        AttributeRange("synapses", 100, 5000, include=False),
        LengthRange(1.0, 90.0),
        RandomShare(0.9, 5),
        TextSearch("Neuron-7"),
        IdSet(frozenset(some), include=False),
    ]
    either = evaluate(table, [CategorySet("type", frozenset(wanted))])
    either |= evaluate(table, [GroupSet(frozenset({3, 4}))])
    answer = evaluate(table, rules) & either
    assert np.flatnonzero(answer).tolist() == [row for row in range(OBJECTS) if loop(row)]
    assert answer.any()


def _program() -> ModuleType:
    spec = importlib.util.spec_from_file_location("objects_table", PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
