"""Writes to buckets and repositories that are cut off: as before or as after, never between."""

from __future__ import annotations

import os
import random
import re
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from obstore.store import MemoryStore

from zarr_vectors import open_zv
from zarr_vectors.core.backends import open_backend
from zarr_vectors.core.backends.icechunk_backend import make_icechunk_session
from zarr_vectors.core.backends.obstore_ import ObstoreBackend
from zarr_vectors.core.backends.requests import Policy, Retrying
from zarr_vectors.core.journal import HEAD, Record, level_lease, recover, transaction
from zarr_vectors.core.store import commit, discard_changes, open_store
from zarr_vectors.exceptions import StoreError
from zarr_vectors.testing import crash_runs
from zarr_vectors.testing.crash_runs import clean_run, contents, fault_in, points_of_failure
from zarr_vectors.testing.kills import FAR, kill_once, quick_processes, replace_and_commit
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.testing.servers import Server, at_numbers, from_number, where
from zarr_vectors.types.points import write_points

VERSIONS = ("0.7.0", "0.9.2")
ONCE = Policy(retrying=Retrying(tries=1, tries_offline=1))
NAME = DictPlace().url.rpartition("/")[2]  # it is stored in 0.9.2

pytestmark = [pytest.mark.network, pytest.mark.once]


@pytest.fixture(params=["s3", "gcs", "azure"])
def bucket(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Server:
    return with_keys(request.getfixturevalue(request.param), monkeypatch)


@pytest.fixture
def s3_keys(s3: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    return with_keys(s3, monkeypatch)


def with_keys(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return server


def cloud(place, version="0.7.0"):
    positions = np.random.default_rng(0).uniform(0, 30, (40, 3))
    values = {"value": np.arange(40.0)}
    write_points(
        place,
        positions,
        chunk_shape=(20.0,) * 3,
        vertex_attributes=values,
        format_version=version,
    )


def values_of(place):
    return values_in(open_zv(place))


def values_in(store):
    return sorted(store[0].attributes["value"].compute().tolist())


# one writer at a time


def test_of_many_who_create_a_key_one_does(bucket: Server) -> None:
    backend = open_backend(bucket.at("race"), mode="a")
    with ThreadPoolExecutor(8) as pool:
        for key in ("a", "b", "c"):
            told = list(pool.map(lambda n, key=key: backend.put_new(key, b"%d" % n), range(8)))
            assert told.count(True) == 1
            assert backend.get_many([key]) == {key: b"%d" % told.index(True)}


def test_a_second_writer_is_told_who_writes(bucket: Server) -> None:
    address = bucket.at("two-writers")
    cloud(address)
    words = rf"by process {os.getpid()} on {socket.gethostname()} since 20\d\d-\d\d-\d\dT"
    with open_zv(address)[0].writer():
        with pytest.raises(StoreError, match=words):
            open_zv(address)[0].writer()
        with pytest.raises(StoreError, match="is being written to"):
            recover(address)
    with transaction(open_backend(address, mode="r+"), "change it"):
        with pytest.raises(StoreError, match=f"change it, {words}"):
            open_store(address, "r+")
        assert values_of(address) == list(range(40))


def test_a_writer_elsewhere_is_cleared_only_when_asked(bucket: Server) -> None:
    """Whether a process of another machine is gone cannot be known; the message says what to do."""
    address = bucket.at("elsewhere")
    cloud(address)
    backend = open_backend(address, mode="r+")
    before = contents(backend)
    mine = Record.new("replace attribute 'value'")
    theirs = replace(mine, owner=replace(mine.owner, host="elsewhere", pid=77))
    assert backend.put_new(HEAD, theirs.encode())
    lease = Record.new("a writer has level 0 open")
    assert backend.put_new(
        level_lease(0), replace(lease, owner=replace(lease.owner, host="elsewhere")).encode()
    )
    with pytest.raises(StoreError, match="by process 77 on elsewhere since") as told:
        open_store(address, "r+")
    found = re.search(r"clear its record with (\S+)\.(\w+)\('(.+)'\)", str(told.value))
    assert found is not None
    module, name, place = found.groups()
    assert values_of(address) == list(range(40))
    cleared = getattr(sys.modules[module], name)(place)
    assert cleared == ["replace attribute 'value'", "a writer has level 0 open"]
    assert contents(open_backend(address)) == before
    with open_zv(address)[0].writer() as writer:
        writer.add_attribute_sync("new", np.arange(40))


def test_a_reader_during_a_write_sees_what_was(s3_keys: Server) -> None:
    address = s3_keys.at("reader")
    cloud(address)
    with transaction(open_backend(address, mode="r+"), "change it") as writing:
        early = open_zv(address)
        writing.put_many(
            {key: b"" for key in writing.keys_below("0/vertex_attributes") if "/c" in key}
        )
        assert values_in(early) == list(range(40))
        assert values_of(address) == list(range(40))
    with pytest.raises(StoreError, match="open it again"):
        early[0].vertices.compute()


# cut off


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["write points", "replace attribute", "append"])
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_bucket_dies_at_every_call(name, version, every, monkeypatch, long_seconds):
    """In this process: a store in memory that takes values whole, through the same backend."""

    def place(items=None):
        found = ObstoreBackend(MemoryStore(), read_only=False, url=DictPlace().url)
        found.put_many(items or {})
        return found

    run = clean_run(name, version)
    monkeypatch.setattr(crash_runs, "DictPlace", place)
    points = list(points_of_failure(run, ("before", "after", "once")))
    random.Random(0).shuffle(points)  # noqa: S311
    end = time.monotonic() + long_seconds
    tried = 0
    for at, way in points if every else points[:8]:
        assert fault_in(run, at, way) is None
        tried += 1
        if every and time.monotonic() > end:
            break
    print(f"{tried} of {len(points)} points of failure")
    assert tried >= 8


def network_fails(server, run, name, number, way):
    """What is wrong after requests failed from one on, or one did; None where nothing is."""
    address = server.at(f"{name.replace(' ', '-')}-{run.version}-{way}-{number}/{NAME}")
    if run.before:
        open_backend(address, mode="a").put_many(run.before)
    where = f"{name} {run.version}: {way} from request {number} on"
    server.network.clear()
    server.network.rule = (
        at_numbers({number: "error"}) if way == "once" else from_number(number, way)
    )
    told = False
    try:
        run.operation.act(open_backend(address, mode="a", policy=ONCE), run.version)
        told = True
    except StoreError:
        hit = bool(server.network.rule) and server.network.count() >= number
        assert hit
    server.network.clear()
    seen = contents(open_backend(address))
    if seen not in (run.before, run.after):
        return f"{where}: neither as before nor as after"
    if told and seen != run.after:
        return f"{where}: told that it was done, and it is not"
    if seen == run.before:
        run.operation.act(address, run.version)
        if contents(open_backend(address)) != run.after:
            return f"{where}: the next run does not finish the job"
    return None


def requests_of(server, run, name):
    address = server.at(f"{name.replace(' ', '-')}-{run.version}-whole/{NAME}")
    if run.before:
        open_backend(address, mode="a").put_many(run.before)
    server.network.clear()
    run.operation.act(open_backend(address, mode="a", policy=ONCE), run.version)
    return server.network.count()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["write points", "replace attribute"])
def test_the_network_fails_at_a_request(s3_keys: Server, name: str, version: str) -> None:
    run = clean_run(name, version)
    many = requests_of(s3_keys, run, name)
    ways = ("reset", "lost", "once")
    chosen = [(int(many * share), ways[n % 3]) for n, share in enumerate((0.4, 0.7, 0.95))]
    found = [network_fails(s3_keys, run, name, number, way) for number, way in chosen]
    assert found == [None] * len(found)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["write points", "replace attribute", "append"])
def test_the_network_fails_at_every_request(
    s3_keys: Server, name: str, version: str, long_seconds: float
) -> None:
    """In an order of chance: as many as there is time for."""
    seed = int(os.environ.get("ZV_SEED", random.randrange(10**6)))  # noqa: S311
    run = clean_run(name, version)
    numbers = range(1, requests_of(s3_keys, run, name) + 1)
    points = [(number, way) for number in numbers for way in ("reset", "lost", "once")]
    random.Random(seed).shuffle(points)  # noqa: S311
    end = time.monotonic() + long_seconds
    found = []
    for number, way in points:
        found.append(network_fails(s3_keys, run, name, number, way))
        if time.monotonic() > end:
            break
    print(f"{len(found)} of {len(points)} points of failure")
    assert [fault for fault in found if fault is not None] == [], f"ZV_SEED={seed}"


def test_what_is_sent_is_waited_for_before_it_is_undone(s3_keys: Server) -> None:
    """A slow write beside one that fails is not carried out after the undoing."""
    address = s3_keys.at("late")
    backend = open_backend(address, mode="a", policy=ONCE)
    backend.put_many({"quick": b"old", "slow": b"old"})
    assert recover(address) == []  # all that the undoing asks has been asked once

    def fails():
        with transaction(backend, "change both") as writing:
            s3_keys.network.latency_s = lambda asked: 1.0 if "slow" in asked.path else 0.2
            s3_keys.network.rule = where(
                lambda asked: asked.method == "PUT" and "quick" in asked.path, "error"
            )
            try:
                writing.put_many({"quick": b"new", "slow": b"new"})
            finally:
                s3_keys.network.clear()

    with pytest.raises(StoreError, match="500"):
        fails()
    time.sleep(1.2)
    assert backend.get_many(["quick", "slow"]) == {"quick": b"old", "slow": b"old"}


@pytest.mark.skipif(sys.platform == "win32", reason="processes start too slowly")
@pytest.mark.parametrize(
    "runs", [pytest.param(3), pytest.param(400, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_processes_killed_at_random_times(s3_keys: Server, runs: int, long_seconds: float) -> None:
    seed = int(os.environ.get("ZV_SEED", random.randrange(10**6)))  # noqa: S311
    draw = random.Random(seed)  # noqa: S311
    wrong, killed = [], 0
    end = time.monotonic() + max(long_seconds, 60)
    with quick_processes() as context:
        for number in range(runs):
            if time.monotonic() > end:
                break
            row, again = number % len(FAR), number // len(FAR)
            name, version = list(FAR)[row], VERSIONS[(row + again) % 2]
            folder = s3_keys.at(f"kill-{seed}-{runs}-{number}")
            hit, fault = kill_once(name, version, folder, draw, context)
            killed += hit
            wrong += [fault] if fault else []
    print(f"{killed} killed at work")
    assert not wrong, f"ZV_SEED={seed}"
    assert killed, f"ZV_SEED={seed}"


# repositories that keep snapshots


@pytest.fixture(params=["disk", "s3"])
def repository(request, tmp_path):
    """(address, options) of a repository with one commit."""
    pytest.importorskip("icechunk")
    address, options = str(tmp_path / "repository"), {}
    if request.param == "s3":
        server = request.getfixturevalue("s3")
        address, options = server.at(f"repository-{tmp_path.name}"), storage_options(server)
    session, store = make_icechunk_session(address, mode="a", **options)
    cloud(store)
    session.commit("first")
    return address, options


def storage_options(server):
    options = {n: server.options[n] for n in ("access_key_id", "secret_access_key", "region")}
    return options | {"endpoint_url": server.endpoint, "allow_http": True, "force_path_style": True}


def opened(repository, mode="r"):
    address, options = repository
    return make_icechunk_session(address, mode=mode, **options)


def replace_values(store):
    with open_zv(store)[0].writer() as writer:
        writer.add_attribute_sync("value", np.arange(40.0) + 100)


def test_what_is_not_committed_is_not_there(repository) -> None:
    _, store = opened(repository, "r+")
    replace_values(store)
    assert values_of(store) == list(range(100, 140))
    assert values_of(opened(repository)[1]) == list(range(40))
    group = open_store(store, "r+")
    assert commit(group, "second") is not None
    assert values_of(opened(repository)[1]) == list(range(100, 140))


def test_what_is_discarded_is_gone(repository) -> None:
    session, store = opened(repository, "r+")
    replace_values(store)
    discard_changes(open_store(store, "r+"))
    assert values_of(store) == list(range(40))
    assert not session.has_uncommitted_changes
    replace_values(store)
    commit(open_store(store, "r+"), "after all")
    assert values_of(opened(repository)[1]) == list(range(100, 140))


def test_a_reader_keeps_its_snapshot(repository) -> None:
    early = open_zv(opened(repository)[1], cache_bytes=0)
    session, store = opened(repository, "r+")
    replace_values(store)
    session.commit("second")
    assert values_in(early) == list(range(40))


def test_of_two_who_commit_the_second_is_told(repository) -> None:
    import icechunk

    (first, store), (second, other) = opened(repository, "r+"), opened(repository, "r+")
    replace_values(store)
    replace_values(other)
    first.commit("first of two")
    with pytest.raises(icechunk.ConflictError):
        second.commit("second of two")
    assert values_of(opened(repository)[1]) == list(range(100, 140))


@pytest.mark.skipif(sys.platform == "win32", reason="processes start too slowly")
def test_a_process_killed_in_a_commit(s3: Server, tmp_path) -> None:
    """At its first write, in the middle, and at its last, which is done or is not."""
    pytest.importorskip("icechunk")
    options = storage_options(s3)

    def killed_at(number, way):
        place = (s3.at(f"cut-{tmp_path.name}-{number}-{way}"), options)
        session, store = make_icechunk_session(place[0], mode="a", **options)
        cloud(store)
        session.commit("first")
        s3.network.clear()
        s3.network.rule = from_number(number, way)
        child = context.Process(target=replace_and_commit, args=(*place, "value"))
        child.start()
        while s3.network.arrived < number and child.is_alive():
            time.sleep(0.005)
        while way == "lost" and not s3.network.count():
            time.sleep(0.005)
        child.kill()
        child.join()
        requests = list(s3.network.requests)
        s3.network.clear()
        return values_of(opened(place)[1]), requests

    before, after = list(range(40)), list(range(100, 140))
    with quick_processes() as context:
        seen, requests = killed_at(10_000, "hang")
        assert seen == after
        writes = [n for n, request in enumerate(requests, 1) if request.method == "PUT"]
        assert killed_at(writes[0], "hang")[0] == before
        assert killed_at(writes[len(writes) // 2], "hang")[0] == before
        assert killed_at(writes[-1], "hang")[0] == before
        assert killed_at(writes[-1], "lost")[0] in (before, after)
