"""Expressions by the ten thousand: each is arithmetic or refused, and does nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from zv_viewer.testing.expressions import Watch, texts, try_text

pytestmark = [pytest.mark.once, pytest.mark.slow]

AT_ONCE = 500
ROOM = 256 * 2**20
"""Bytes beyond what the process has: a text that asks for more fails."""
MOST_SECONDS = 5.0
"""Of the processor for one text of at most 2000 characters over four rows."""


def test_hostile_expressions(
    clock, long_seed: int, figures: Callable[[str], None], memory_limit
) -> None:
    watch, number, tried, taken, slowest = Watch(), long_seed, 0, 0, 0.0

    def one(text: str) -> None:
        nonlocal tried, taken, slowest
        begun = time.process_time()
        taken += try_text(text, watch)
        tried += 1
        slowest = max(slowest, time.process_time() - begun)

    try:
        with memory_limit(ROOM):
            while clock:
                quiet = settings(
                    max_examples=AT_ONCE,
                    database=None,
                    deadline=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
                seed(number)(quiet(given(texts(20))(one)))()
                number += 1
    finally:
        figures(
            f"{tried:,} expressions, {taken:,} of them arithmetic, the slowest {slowest:.2f} s: "
            f"0 wrong (seeds {long_seed} to {number})"
        )
    assert taken
    assert slowest < MOST_SECONDS
