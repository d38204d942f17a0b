"""Stores opened, read and closed over and over: no thread, file, socket, task or memory is left."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.testing.kinds import make_store

PROGRAM = Path(__file__).with_name("cycles_program.py")
WAYS = "whole,given up,viewed,failed,obstore,memory"
SETTLED = 10
"""Cycles until pools, caches and the allocator have what they need."""
DRIFT = 0.10

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="what a process holds is counted in /proc"
)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("cycles")
    made = []
    for version in ("0.7.0", "0.9.2"):
        place = folder / version
        objects = {"object_ids": np.arange(40) % 3, "groups": {0: [0, 1]}}
        points_store(place, cloud(40), chunk=50.0, levels=2, format_version=version, **objects)
        made.append(str(place))
    return made


@pytest.fixture(scope="module")
def linked_places(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("linked")
    made = []
    for version, kind in (("0.7.0", "streamline"), ("0.9.2", "skeleton"), ("0.9.2", "mesh")):
        made.append(str(folder / f"{kind}-{version}"))
        make_store(kind, made[-1], format_version=version, chunk_shape=(60.0,) * 3)
    return made


def run_cycles(
    places: list[str], cycles: int, *, seconds: float = 1e6, ways: str = WAYS, leaks: str = ""
) -> list[dict[str, int]]:
    """What a fresh process holds after each cycle."""
    done = subprocess.run(
        [sys.executable, PROGRAM, str(seconds), str(cycles), ways, leaks, *places],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def faults(samples: list[dict[str, int]]) -> list[str]:
    """What grew after the first cycles."""
    start, last = samples[SETTLED - 1], samples[-1]
    found = [
        f"{name}: {start[name]} after {SETTLED} cycles, {last[name]} after {len(samples)}"
        for name in ("threads", "files", "sockets", "tasks")
        if last[name] > start[name]
    ]
    # the highest of the last cycles would be unfair, the last alone blind: take the middle of them
    tail = sorted(sample["memory"] for sample in samples[-SETTLED:])[SETTLED // 2]
    if tail > start["memory"] * (1 + DRIFT):
        found.append(f"memory: {start['memory']} after {SETTLED} cycles, {tail} at the end")
    return found


def test_fifty_cycles(places: list[str]) -> None:
    samples = run_cycles(places, 50)
    assert len(samples) == 50
    assert not faults(samples)


def test_fifty_cycles_of_linked_stores(linked_places: list[str]) -> None:
    samples = run_cycles(linked_places, 50, ways="linked,viewed")
    assert len(samples) == 50
    assert not faults(samples)


@pytest.mark.slow
def test_hundreds_of_cycles(places: list[str], clock: Any, figures: Any) -> None:
    samples = run_cycles(places, 500, seconds=clock.left())
    first, last = samples[min(SETTLED, len(samples)) - 1], samples[-1]
    figures(
        f"{len(samples)} cycles of {len(places)} stores read in {len(WAYS.split(','))} ways; "
        f"memory {first['memory'] / 2**20:.1f} -> {last['memory'] / 2**20:.1f} MiB, "
        f"{last['threads']} threads, {last['files']} files, {last['sockets']} sockets, "
        f"{last['tasks']} tasks"
    )
    assert len(samples) > 2 * SETTLED
    assert not faults(samples)


def test_leaks_put_in_on_purpose_are_found(places: list[str]) -> None:
    samples = run_cycles(places[:1], 21, ways="viewed", leaks="threads,files,sockets,tasks,memory")
    found = {fault.split(":")[0] for fault in faults(samples)}
    assert found == {"threads", "files", "sockets", "tasks", "memory"}
    assert not faults([{**samples[0], "memory": 10**8}] * 30)
