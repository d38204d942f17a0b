"""A write, or an undo, that dies: the store is as before or as afterwards, and can go on."""

from __future__ import annotations

import random
from contextlib import suppress
from pathlib import Path

import pytest

from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.opening import past_journal
from zarr_vectors.exceptions import StoreError
from zarr_vectors.testing.crash_runs import contents
from zarr_vectors.testing.crashes import Died, Dying
from zarr_vectors.testing.kills import quick_processes
from zarr_vectors.testing.places import DictPlace
from zv_viewer.edits.dry_run import rehearse
from zv_viewer.edits.history import History
from zv_viewer.edits.request import Request
from zv_viewer.edits.sources import FromExpression
from zv_viewer.testing.edits import kill_once, make, replace, undo

pytestmark = pytest.mark.once

VERSIONS = ("0.7.0", "0.9.2")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("way", ["before", "after", "half", "once"])
def test_dead_at_every_few_calls(version: str, way: str, tmp_path: Path) -> None:
    start = DictPlace()
    make(start, version, 60)
    request = Request("value", "vertex", FromExpression("value * 2"), replace=True)
    with rehearse(open_handle(start), request) as dry:
        whole = Dying(DictPlace(start.items))
        History(tmp_path / "whole").write(open_handle(whole), dry)
        after = contents(whole.place)
        calls = len(whole.log)
        for number, at in enumerate(range(1, calls + 1, max(calls // 9, 1))):
            place = DictPlace(start.items)
            dying = Dying(place, at, way)
            history = History(tmp_path / f"{number}")
            with suppress(Died, StoreError):
                history.write(open_handle(dying), dry)
            found = contents(place)
            assert found in (start.items, after), f"{way} {whole.log[at - 1]}"
            past_journal(place, writing=True)
            assert contents(place) == found
            if found == after:
                handle = open_handle(place)
                history.undo(handle, history.can_undo(handle))
                assert contents(place) == start.items
            else:
                history.write(open_handle(place), dry)
                assert contents(place) == after


@pytest.mark.parametrize("version", VERSIONS)
def test_killed_at_random(version: str, tmp_path: Path) -> None:
    draw = random.Random(version)  # noqa: S311  nobody is to be kept from guessing it
    with quick_processes() as context:
        for act in (replace, replace, undo):
            _, wrong = kill_once(act, version, tmp_path, draw, context)
            assert wrong is None, act.__name__
