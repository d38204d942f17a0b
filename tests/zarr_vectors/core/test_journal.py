from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from zarr.storage import MemoryStore

from zarr_vectors.core.backends import local, open_backend
from zarr_vectors.core.backends.local import LocalBackend
from zarr_vectors.core.journal import (
    FOLDER,
    HEAD,
    ReadThrough,
    joined,
    recover,
    saving,
    transaction,
)
from zarr_vectors.core.journal.owners import this_process
from zarr_vectors.core.journal.records import Record
from zarr_vectors.core.opening import past_journal
from zarr_vectors.exceptions import StoreError
from zarr_vectors.testing.crashes import WAYS, Died, Dying

BEFORE = {"zarr.json": b"root", "a/0": b"zero", "a/1": b"one", "b/x/y": b"deep", "gone/1": b"1"}
AFTER = {"zarr.json": b"new root", "a/0": b"changed", "a/2": b"two", "b/x/y": b"again"}
AFTER |= {"new/1": b"n1", "new/2/3": b"n23"}


@pytest.fixture(params=["local", "memory"])
def place(request, tmp_path):
    place = open_backend(tmp_path / "s" if request.param == "local" else MemoryStore(), mode="a")
    place.put_many(BEFORE)
    return place


def operation(place):
    with transaction(place, "change things", fresh=["new"]) as writing:
        writing.put_many({"new/1": b"n1", "new/2/3": b"n23"})
        with saving(writing):
            assert writing.get_many(["a/0", "new/1", "a/2"]) == {"a/0": b"zero", "new/1": b"n1"}
        writing.put_many({"a/0": b"changed", "a/2": b"two"})
        writing.delete_many(["a/1", "a/9"])
        writing.delete_prefix("b")
        writing.put_many({"b/x/y": b"again"})
        assert writing.get_many(["a/0", "a/1"]) == {"a/0": b"changed"}
        assert FOLDER not in writing.list_dir("")
        writing.remove_at_commit("gone")
        writing.put_many({"zarr.json": b"new root"})


def contents(place):
    return place.get_many(k for k in place.keys_below("") if not k.startswith(FOLDER))


def listing(place, prefix=""):
    """The tree by listing folder after folder, as readers see it."""
    names = [name for name in place.list_dir(prefix) if name != FOLDER]
    return {n: listing(place, f"{prefix}/{n}" if prefix else n) for n in names}


def tree(items):
    found = {}
    for key in items:
        at = found
        for name in key.split("/"):
            at = at.setdefault(name, {})
    return found


def test_all_of_it_is_there_and_nothing_else(place):
    operation(place)
    assert contents(place) == AFTER


def test_an_exception_undoes_it(place):
    def fails():
        with transaction(place, "change things") as writing:
            writing.put_many({"a/0": b"changed", "q/r/s": b"1"})
            writing.delete_prefix("b")
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert contents(place) == BEFORE
    assert listing(place) == tree(BEFORE)


def test_others_read_what_was_there(place):
    with transaction(place, "change things", fresh=["new"]) as writing:
        reader = past_journal(place, writing=False)
        assert isinstance(reader, ReadThrough)
        writing.put_many({"new/1": b"n1", "a/0": b"changed", "a/7/8": b"seven"})
        writing.delete_prefix("b")
        late = past_journal(place, writing=False)
        for other in (reader, late):
            assert contents(other) == BEFORE
            assert listing(other) == tree(BEFORE)
            assert other.get_ranges([("a/0", -2, 2), ("new/1", 0, 1), ("b/x/y", 1, 2)]) == [
                b"ro",
                None,
                b"ee",
            ]
            with pytest.raises(StoreError, match="opened for reading"):
                other.put_many({"a/0": b""})
    with pytest.raises(StoreError, match="open it again"):
        reader.get_many(["a/0"])


def test_a_second_writer_is_told_who_writes(place):
    with transaction(place, "change things"):
        words = rf"change things, by process {os.getpid()} on {socket.gethostname()} since 20"
        with pytest.raises(StoreError, match=words), transaction(place, "more"):
            pass
        with pytest.raises(StoreError, match="is being written to"):
            past_journal(place, writing=True)
        with pytest.raises(StoreError, match="is being written to"):
            recover(place)
    operation(place)


def test_inner_transactions_are_part_of_the_outer(place):
    def fails():
        with transaction(place, "outer") as outer:
            with transaction(outer, "inner", fresh=["new"]) as inner:
                inner.put_many({"new/1": b"n1", "a/0": b"changed"})
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert contents(place) == BEFORE


def test_helpers_write_below_fresh_prefixes_only(place):
    with transaction(place, "change things", fresh=["new"]) as writing:
        helper = joined(place, writing.record.id)
        helper.put_many({"new/1": b"n1"})
        with pytest.raises(StoreError, match="only the process that began it"):
            helper.put_many({"a/0": b"changed"})
        with pytest.raises(StoreError, match="not under way"):
            joined(place, "another")
    assert contents(place) == {**BEFORE, "new/1": b"n1"}


def test_a_prefix_said_to_be_fresh_and_not_is_saved(place):
    def fails():
        with transaction(place, "change things", fresh=["a"]) as writing:
            writing.put_many({"a/0": b"changed", "a/2": b"two"})
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert contents(place) == BEFORE


def test_what_is_read_to_be_changed_is_read_once(place):
    whole = Dying(place)
    with transaction(whole, "change things") as writing:
        with saving(writing):
            assert writing.get_many(["a/0", "a/1", "a/2"]) == {"a/0": b"zero", "a/1": b"one"}
            assert writing.get_many(["a/0"]) == {"a/0": b"zero"}
        begun = len(whole.log)
        writing.put_many({"a/0": b"changed", "a/2": b"two"})
        assert whole.log[begun:] == ["write a/0", "write a/2"]
        assert writing.get_many(["a/0", "a/2"]) == {"a/0": b"changed", "a/2": b"two"}
        writing.delete_many(["a/1"])
        with saving(writing):
            assert writing.get_many(["a/0", "a/1"]) == {"a/0": b"changed"}
        assert contents(ReadThrough(place, writing.record)) == BEFORE
    after = BEFORE | {"a/0": b"changed", "a/2": b"two"}
    del after["a/1"]
    assert contents(place) == after


def test_what_is_read_together_to_be_changed_is_saved(tmp_path):
    place = open_backend(tmp_path, mode="a")
    place.put_many(BEFORE)

    def fails():
        with transaction(place, "change things") as writing:
            with saving(writing):
                found = writing.get_joined(["a/0", "a/2", "a/1"])
            assert found.data.tobytes() == b"zeroone"
            place.put_many({"a/0": b"changed", "a/2": b"two"})
            assert writing.get_joined(["a/0", "a/1"]).data.tobytes() == b"changedone"
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert contents(place) == BEFORE


@pytest.mark.parametrize("way", WAYS)
def test_before_or_after_wherever_it_stops(place, way):
    """Every call, then a reader, then the next run."""
    whole = Dying(place)
    operation(whole)
    for key in place.keys_below(""):
        place.delete_many([key])
    assert whole.calls > 25
    for at in range(1, whole.calls + 1):
        place.delete_prefix("")
        place.put_many(BEFORE)
        dying = Dying(place, at, way)
        try:
            operation(dying)
            told = True
        except (Died, StoreError):
            told = False
        reader = past_journal(place, writing=False)
        seen = contents(reader)
        assert seen in (BEFORE, AFTER), (at, dying.log[-1])
        assert listing(reader) == tree(seen), (at, dying.log[-1])
        assert not told or seen == AFTER
        writer = past_journal(place, writing=True)
        assert contents(writer) == seen
        if seen == BEFORE:
            operation(place)
        recover(place)
        assert contents(place) == AFTER, (at, dying.log[-1])
        assert listing(place) == tree(AFTER)
        assert not place.keys_below(FOLDER)


@pytest.mark.parametrize("way", ["before", "after", "half"])
def test_undoing_can_be_interrupted_too(place, way):
    calls = Dying(place)
    operation(calls)
    for stop in (calls.calls - 8, calls.calls // 2):
        for at in range(1, 40):
            place.delete_prefix("")
            place.put_many(BEFORE)
            with pytest.raises(Died):
                operation(Dying(place, stop, "after"))
            second = Dying(place, at, way)
            try:
                past_journal(second, writing=True)
            except Died:
                assert contents(past_journal(place, writing=False)) == BEFORE
                past_journal(place, writing=True)
            recover(place)
            assert contents(place) == BEFORE


def abandoned(place, **changes):
    """A head as another process would have left it."""
    record = Record.new("change things")
    place.put_new(f"{FOLDER}/{record.id}/000000", b"cut short")
    head = json.loads(record.encode())
    head["owner"] |= changes
    place.put_new(HEAD, json.dumps(head).encode())


def test_a_writer_of_this_machine_that_is_gone(place):
    child = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"],
                           capture_output=True, check=True, text=True)  # fmt: skip
    abandoned(place, pid=int(child.stdout))
    assert contents(past_journal(place, writing=False)) == BEFORE
    operation(place)
    assert contents(place) == AFTER


def test_a_number_used_again_is_another_process(place):
    abandoned(place, started="17")
    operation(place)
    assert contents(place) == AFTER


def test_a_writer_of_another_machine_is_left_alone_until_told(place):
    abandoned(place, host="elsewhere")
    with pytest.raises(StoreError, match=r"on elsewhere since .*recover\("):
        operation(place)
    assert recover(place) == ["change things"]
    operation(place)
    assert contents(place) == AFTER


def test_a_restart_of_this_machine_ended_its_writers(tmp_path):
    place = open_backend(tmp_path, mode="a")
    place.put_many(BEFORE)
    abandoned(place, boot="before")
    operation(place)
    assert contents(place) == AFTER


def test_a_head_cut_short_is_not_taken_for_nothing(place):
    place.put_new(HEAD, b'{"id": ')
    with pytest.raises(StoreError, match="record is damaged"):
        operation(place)
    recover(place)
    operation(place)


def test_a_segment_damaged_in_the_middle_is_said(place):
    with transaction(place, "change things") as writing:
        writing.put_many({"a/0": b"0"})
        writing.put_many({"a/1": b"1"})
        key = writing.record.segment_key(0)
        whole = place.get_many([key])[key]
        place.put_many({key: whole[:-1]})
        with pytest.raises(StoreError, match=r"journal of .* is damaged"):
            past_journal(place, writing=False)
        place.put_many({key: whole})


def test_a_record_cleared_by_others_is_noticed(place):
    def cleared():
        with transaction(place, "change") as writing:
            writing.put_many({"a/0": b"0"})
            place.delete_many([HEAD])

    with pytest.raises(StoreError, match="was cleared"):
        cleared()


def test_this_process_is_known():
    owner = this_process()
    assert owner.pid == os.getpid()
    if sys.platform == "linux":
        assert owner.started
        assert owner.boot


def reached_too_late(place, monkeypatch):
    """What a loss of power could mix: data changed before its journal is on disk, and so on."""
    events = []
    names = ("put_many", "put_parts_new", "delete_many")
    real = {name: getattr(LocalBackend, name) for name in names}

    def put_many(self, items):
        events.extend(("write", key) for key in items)
        real["put_many"](self, items)

    def put_parts_new(self, key, parts):
        events.append(("write", key))
        return real["put_parts_new"](self, key, parts)

    def delete_many(self, keys):
        keys = list(keys)
        events.extend(("remove", key) for key in keys)
        real["delete_many"](self, keys)

    monkeypatch.setattr(LocalBackend, "put_many", put_many)
    monkeypatch.setattr(LocalBackend, "put_parts_new", put_parts_new)
    monkeypatch.setattr(LocalBackend, "delete_many", delete_many)
    root = str(place.local_path)
    monkeypatch.setattr(local, "_sync", lambda path: events.append(("sync", path[len(root) + 1 :])))
    with transaction(place, "change things", fresh=["new"]) as writing:
        writing.put_many({"new/1": b"n1"})
        writing.put_many({"a/0": b"changed"})
        segment = writing.record.segment_key(1)

    def waits(key, until):
        start = events.index(("write", key))
        return ("sync", key) in events[start : events.index(until, start)]

    expected = [
        (HEAD, ("write", segment)),
        (segment, ("write", "a/0")),
        ("a/0", ("remove", HEAD)),
        ("new/1", ("remove", HEAD)),
    ]
    return [key for key, until in expected if not waits(key, until)]


def test_a_durable_folder_waits_for_the_disk_at_each_step(tmp_path, monkeypatch):
    place = LocalBackend(tmp_path, read_only=False, durable=True)
    place.put_many(BEFORE)
    assert not reached_too_late(place, monkeypatch)


def test_a_folder_that_does_not_wait_is_found(tmp_path, monkeypatch):
    place = LocalBackend(tmp_path, read_only=False, durable=True)
    place.put_many(BEFORE)
    monkeypatch.setattr(LocalBackend, "sync", lambda self: None)
    assert reached_too_late(place, monkeypatch)


def test_a_disk_is_waited_for_in_earnest(tmp_path):
    place = open_backend(tmp_path, mode="a", durable=True)
    place.put_many(BEFORE)
    operation(place)
    assert contents(place) == AFTER


def test_writers_that_take_turns_lose_nothing(tmp_path):
    """Each makes and removes the journal's folder under the others' feet."""
    open_backend(tmp_path, mode="a").put_many({"count": b"0"})

    def count(times):
        place = open_backend(tmp_path, mode="r+")
        while times:
            try:
                with transaction(place, "count") as writing:
                    number = int(writing.get_many(["count"])["count"])
                    writing.put_many({"count": str(number + 1).encode()})
                times -= 1
            except StoreError as error:
                if "is being written to" not in str(error):
                    raise

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(count, [40] * 3))
    assert open_backend(tmp_path).get_many(["count"]) == {"count": b"120"}
    assert open_backend(tmp_path).list_dir("") == ["count"]
