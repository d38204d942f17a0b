"""Write operations that die at every call, or are killed: as before or as after, never between."""

from __future__ import annotations

import os
import random
import sys

import pytest

from zarr_vectors.core.backends.local import LocalBackend
from zarr_vectors.core.journal import leases, undo, writing
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing import crash_runs
from zarr_vectors.testing.crash_runs import OPERATIONS, clean_run, fault_in, points_of_failure
from zarr_vectors.testing.places import DictPlace

pytestmark = pytest.mark.once

VERSIONS = ["0.7.0", "0.9.2"]
WAYS = ("after", "half", "once")


SLOW = {"rechunk", "convert"}

# Every call is cut off in one way, of the slow ones every fourth; tests/long does so in all ways.


def faults(name, version, ways=WAYS, step=1, again=4):
    run = clean_run(name, version)
    assert run.before != run.after
    tried = list(points_of_failure(run, ways, step))
    assert tried
    return [f for at, way in tried if (f := fault_in(run, at, way, again=at % again == 0))]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_dies_at_every_call(name, version):
    assert not faults(name, version, step=12 if name in SLOW else 3)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["write points", "replace attribute", "append", "shrink bounds"])
def test_on_a_disk(name, version, tmp_path, monkeypatch):
    """There a file is found cut short, or beside the one it was to become."""
    count = iter(range(10_000))

    def place(items=None):
        found = LocalBackend(tmp_path / str(next(count)), read_only=False, create=True)
        found.url = DictPlace().url  # it gives stores of 0.9.2 their name
        found.put_many(items or {})
        return found

    run = clean_run(name, version)
    monkeypatch.setattr(crash_runs, "DictPlace", place)
    found = [fault_in(run, at, way) for at, way in points_of_failure(run, ("half",), step=9)]
    assert found == [None] * len(found)
    left = [path for path in tmp_path.rglob("*") if path.name.endswith(".tmp")]
    assert not [path for path in left if ".zarr_vectors_journal" not in path.parts]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_is_seen_reads(version):
    """Readers by way of the library, not by bytes."""
    run = clean_run("append", version)
    for at, way in points_of_failure(run, ("half",), step=11):
        place = DictPlace(run.before)
        with pytest.raises(crash_runs.Died):
            run.operation.act(crash_runs.Dying(place, at, way), version)
        store = open_zv(place)
        for level in store.levels:
            count = len(store[level].vertices.compute())
            assert count == store[level].vertex_count
            assert all(len(v.compute()) == count for v in store[level].attributes.values())


# faults put in on purpose: each must be found


def nothing_saved(monkeypatch):
    monkeypatch.setattr(writing.Writing, "_save", lambda self, keys, fresh=(): None)


def changed_before_it_is_saved(monkeypatch):
    def put_many(self, items):
        self.place.put_many(items)
        self._save(items)

    monkeypatch.setattr(writing.Writing, "put_many", put_many)


def segments_removed_before_the_head(monkeypatch):
    commit = writing._commit

    def hasty(place, transaction):
        place.delete_prefix(transaction.record.folder)
        commit(place, transaction)

    monkeypatch.setattr(writing, "_commit", hasty)


def head_removed_before_the_undoing(monkeypatch):
    def hasty(place, record):
        place.delete_many([writing.HEAD])
        undo.put_back(place, record)

    monkeypatch.setattr(writing, "put_back", hasty)


def fresh_taken_on_trust(monkeypatch):
    monkeypatch.setattr(writing, "is_empty", lambda place, prefix: True)


def readers_without_a_journal(monkeypatch):
    monkeypatch.setattr(crash_runs, "past_journal", lambda place, writing: place)


def live_writers_taken_for_dead(monkeypatch):
    monkeypatch.setattr(leases, "is_gone", lambda owner, record, local: True)


@pytest.mark.parametrize(
    "fault",
    [
        nothing_saved,
        changed_before_it_is_saved,
        segments_removed_before_the_head,
        fresh_taken_on_trust,
        readers_without_a_journal,
    ],
    ids=lambda fault: fault.__name__,
)
def test_a_fault_is_found(fault, monkeypatch):
    fault(monkeypatch)
    assert faults("replace attribute", "0.9.2", ("after", "half"))


def test_undoing_in_the_wrong_order_is_found(monkeypatch):
    """The call that fails leads to undoing, and that is cut off."""
    run = clean_run("replace attribute", "0.9.2")

    def bad():
        found = []
        for at in range(12, 18):
            for cut in range(1, 14):
                place = DictPlace(run.before)
                first = crash_runs.Dying(place, at, "once")
                second = crash_runs.Dying(first, at + cut, "after")
                try:
                    run.operation.act(second, run.version)
                except (crash_runs.Died, crash_runs.StoreError):
                    seen = crash_runs.contents(place)
                    found += [] if seen in (run.before, run.after) else [(at, cut)]
        return found

    assert not bad()
    head_removed_before_the_undoing(monkeypatch)
    assert bad()


def test_taking_a_live_writer_for_a_dead_one_is_found(monkeypatch):
    place = DictPlace(clean_run("add attribute", "0.7.0").before)

    def second_writer():
        with open_zv(place)[0].writer(), open_zv(place)[0].writer():
            return True

    with pytest.raises(crash_runs.StoreError, match="is being written to"):
        second_writer()
    live_writers_taken_for_dead(monkeypatch)
    with pytest.raises(crash_runs.StoreError, match="was cleared"):
        second_writer()


@pytest.mark.skipif(sys.platform == "win32", reason="processes start too slowly")
def test_processes_killed_at_random_times(tmp_path):
    from zarr_vectors.testing.kills import KILLED, kill_once, quick_processes

    seed = int(os.environ.get("ZV_SEED", random.randrange(10**6)))  # noqa: S311
    draw = random.Random(seed)  # noqa: S311
    wrong, killed = [], 0
    with quick_processes() as context:
        for number in range(40):
            name = list(KILLED)[number % len(KILLED)]
            version = VERSIONS[number // len(KILLED) % 2]
            hit, fault = kill_once(name, version, tmp_path / str(number), draw, context)
            killed += hit
            wrong += [fault] if fault else []
    assert not wrong, f"ZV_SEED={seed}"
    assert killed > 10, f"ZV_SEED={seed}"
