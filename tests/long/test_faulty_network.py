"""Stores of all kinds on every kind of server, one request in five failing, while there is time.

The longer it may run, the more kinds. What is read is the truth, or an error that blames the
network; nothing hangs, nothing grows.
``ZV_SEED`` repeats a run.
"""

from __future__ import annotations

import asyncio
import random
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from zarr_vectors._sync import run
from zarr_vectors.testing.faulty import Tally, filled, read_through_faults
from zarr_vectors.testing.harming import read_files
from zarr_vectors.testing.kinds import KINDS, contents, make_store
from zarr_vectors.testing.servers import (
    azure_server,
    azurite_missing,
    gcs_server,
    http_server,
    s3_server,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]

RATE = 0.2
MOST_S = 300.0
"""Seconds that one read of a store may take, however often it fails."""
MOST_GROWTH = 300 * 2**20


@contextmanager
def served(service: str, folder: Path, stores: list[str]):
    if service == "web":
        with http_server(folder) as server:
            yield server
        return
    start = {"s3": s3_server, "gcs": gcs_server, "azure": azure_server}[service]
    with start() as server:
        for name in stores:
            filled(server, name, read_files(folder / name))
        yield server


@pytest.mark.parametrize("service", ["web", "s3", "gcs", "azure"])
def test_what_is_read_is_right_or_the_network_is_blamed(
    service: str, tmp_path: Path, long_seed: int, long_seconds: float, figures
) -> None:
    if service == "azure" and azurite_missing():
        pytest.skip(azurite_missing())
    print(f"seed {long_seed}")
    chance = random.Random(long_seed)  # noqa: S311 - chance, not secrecy
    truths = {}
    pairs = [(kind, version) for kind in KINDS for version in ("0.7.0", "0.9.2")]
    for kind, version in chance.sample(pairs, min(len(pairs), 2 + int(long_seconds / 60))):
        name = f"{version}_{kind}"
        make_store(kind, tmp_path / "stores" / name, format_version=version)
        truths[name] = contents(tmp_path / "stores" / name)
    tally, rounds, slowest, grown = Tally(), 0, 0.0, 0
    with served(service, tmp_path / "stores", list(truths)) as server:
        end = time.monotonic() + long_seconds
        before, threads = 0, 0
        while time.monotonic() < end or rounds < 3:
            name = chance.choice(list(truths))
            options = {}
            if chance.random() < 0.3:
                options["memory_bytes"] = 10**6
            if chance.random() < 0.3:
                options["cache_dir"] = tmp_path / "kept"
            started = time.monotonic()
            seed = chance.randrange(2**40)
            rate = RATE * chance.random() * 1.5
            read_through_faults(server, name, truths[name], tally, rate=rate, seed=seed, **options)
            slowest = max(slowest, time.monotonic() - started)
            rounds += 1
            if rounds == 5:
                before, threads = psutil.Process().memory_info().rss, threading.active_count()
            assert slowest < MOST_S
            assert run(_tasks()) == 1
        grown = psutil.Process().memory_info().rss - before if before else 0
        assert grown < MOST_GROWTH
        assert not threads or threading.active_count() <= threads + 80  # of the server's clients
    assert tally.right > rounds / 2, str(tally)
    figures(f"{service}: {rounds} reads, {tally}; slowest {slowest:.0f} s, grown {grown >> 20} MB")


async def _tasks() -> int:
    return len(asyncio.all_tasks())
