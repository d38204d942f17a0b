"""Operations whose n-th call to the store fails, for every n: named errors, nothing half done.

Reading: a failing call is a named error, or does not matter; once the store works again, so does
the handle. Writing: whatever call fails, and however, the store opens and reads as before the
operation or as after it. A new operation is a row of ``READS`` or ``WRITES``.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from zarr.storage import MemoryStore, WrapperStore

from zarr_vectors.core.backends import open_backend
from zarr_vectors.exceptions import StoreError, ZVError
from zarr_vectors.lazy import ZVStore, open_zv
from zarr_vectors.testing.crash_runs import OPERATIONS
from zarr_vectors.testing.data import Cloud, cloud, points_store
from zarr_vectors.testing.mutate import Mutator
from zarr_vectors.testing.stores import FailingStore, NthCall
from zarr_vectors.types.points import read_points, write_points
from zv_viewer.commands.info import describe
from zv_viewer.planning import build_cells
from zv_viewer.sources.store import StoreSource

pytestmark = pytest.mark.once

VERSIONS = ["0.7.0", "0.9.2"]
NAMES = ["rgb", "kind"]

Files = dict[str, Any]


def points() -> Cloud:
    whole = cloud(9)
    return Cloud(whole.positions, {name: whole.attributes[name] for name in NAMES})


def make(version: str, **options: Any) -> Files:
    place = MemoryStore()
    points_store(
        place,
        points(),
        chunk=100.0,
        levels=2,
        format_version=version,
        object_ids=np.arange(9) % 3,
        object_attributes={"size": np.arange(3.0)},
        groups={0: [0, 1], 1: [2]},
        group_attributes={"weight": np.arange(2.0)},
        **options,
    )
    return place._store_dict


@pytest.fixture(scope="module", params=VERSIONS)
def files(request: pytest.FixtureRequest) -> Files:
    return make(request.param)


def plain(value: Any) -> Any:
    """An answer as lists and dicts, to be compared."""
    if isinstance(value, np.ndarray):
        return [str(value.dtype), value.tolist()]
    if isinstance(value, dict) or hasattr(value, "keys"):
        return {str(key): plain(value[key]) for key in value.keys()}  # noqa: SIM118 - an Answer
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


# reading


def inform(store: ZVStore) -> Any:
    return describe(store) | {"url": ""}


def see(store: ZVStore) -> Any:
    source = StoreSource(store.backend)  # type: ignore[arg-type]  # any place
    scene = source.describe()
    tree = build_cells(scene)
    chunks = scene.levels[0].chunks
    return tree.count, source.read(0, chunks, NAMES).values


READS: dict[str, Callable[[ZVStore], Any]] = {
    "open": lambda store: inform(open_zv(store.backend)),
    "info": inform,
    "positions": lambda store: [store[n].vertices.compute() for n in store.levels],
    "values": lambda store: [store[0].attributes[name].compute() for name in NAMES],
    "all values": lambda store: [
        level.attributes[name].compute()
        for level in (store[n] for n in store.levels)
        for name in level.attributes
    ],
    "chunks": lambda store: store[0].read_chunks(store[0].chunk_keys, NAMES),
    "chunk by chunk": lambda store: list(store.iter_chunks(0, prefetch=2)),
    "a box": lambda store: store.read(0, ([-20.0] * 3, [50.0] * 3)),
    "objects": lambda store: store[0].filter(object_ids=[2, 0]).read(NAMES),
    "groups": lambda store: store[0].filter(group_ids=[1]).read(NAMES),
    "ids": lambda store: [store[n].present_oids for n in store.levels],
    "object attributes": lambda store: store[0].object_attribute("size"),
    "points": lambda store: read_points(store.backend, attribute_names=NAMES),
    "viewer": see,
}


def failing(files: Files) -> FailingStore:
    """A store of these files that works, until told otherwise."""
    return FailingStore(MemoryStore(dict(files)), NthCall())


def outcome(read: Callable[[ZVStore], Any], store: ZVStore, truth: Any) -> bool:
    """Whether a read failed; it may not answer wrongly."""
    try:
        found = plain(read(store))
    except ZVError as error:
        return says_why(error)
    assert found == truth
    return False


def says_why(error: ZVError) -> bool:
    """True; the error must tell what the store said."""
    assert "the wire was cut" in str(error), error
    return True


def reads_at(files: Files, read: Callable[[ZVStore], Any], calls: Callable[[str], bool]) -> bool:
    """Read while calls fail, then again with the same handle; whether the first read failed."""
    place = failing(files)
    store = open_zv(place)
    truth = plain(read(open_zv(failing(files))))
    place.fails = calls
    failed = outcome(read, store, truth)
    place.fails = NthCall()
    assert plain(read(store)) == truth
    return failed


@pytest.mark.parametrize("name", READS)
def test_reading_fails_at_every_call(files: Files, name: str) -> None:
    read = READS[name]
    place = failing(files)
    store = open_zv(place)
    place.calls.clear()
    read(store)
    assert place.calls
    failures = [
        reads_at(files, read, NthCall(number, lasting=lasting))
        for number in range(1, len(place.calls) + 1)
        for lasting in ((False, True) if number < 10 else (False,))
    ]
    assert any(failures)


def test_opening_fails_at_every_call(files: Files) -> None:
    place = failing(files)
    truth = plain(inform(open_zv(place)))
    for number in range(1, len(place.calls) + 1):
        broken = FailingStore(MemoryStore(dict(files)), NthCall(number))
        with pytest.raises(StoreError, match="the wire was cut"):
            inform(open_zv(broken))
        assert plain(inform(open_zv(broken))) == truth


# writing


@dataclass(frozen=True)
class Write:
    """An operation that changes a store.

    Attributes:
        start: The store before, by format version; ``{}`` where there is none yet.
        act: What is done to it, through the place given.
        ways: How a failing call fails, see :class:`FailingStore`. Half-written values are asked of
            operations that promise to survive them.
        again: Whether doing it once more, after a failure, leads to the same end.
    """

    start: Callable[[str], Files]
    act: Callable[[Any, str], object]
    ways: tuple[str, ...] = ("before", "after")
    again: bool = False
    reads: tuple[str, ...] = field(default=("info", "positions", "chunks"))


def write_new(place: Any, version: str) -> None:
    data = points()
    write_points(
        place,
        data.positions,
        chunk_shape=(100.0,) * 3,
        vertex_attributes=dict(data.attributes),
        format_version=version,
        object_ids=np.arange(9) % 3,
    )


def operation(name: str) -> Write:
    """An operation of the crash tests, over the store they do it to."""
    found = OPERATIONS[name]

    def start(version: str) -> Files:
        place = MemoryStore()
        assert found.start is not None
        found.start(place, version)
        return place._store_dict

    return Write(start=start, act=found.act, again=True, reads=("info", "positions", "all values"))


WRITES: dict[str, Write] = {
    "write points": Write(start=lambda version: {}, act=write_new, again=True),
    "add attribute": operation("add attribute"),
}


def snapshot(files: Files, reads: tuple[str, ...]) -> Any:
    """All that a new reader sees; None where it sees no store."""
    try:
        store = open_zv(MemoryStore(dict(files)))
    except StoreError as error:
        if "is not a Zarr Vectors store" in str(error):
            return None
        raise
    return [plain(READS[name](store)) for name in reads]


def clean_run(write: Write, version: str) -> tuple[Files, Any, Any, int]:
    """(files before, what is seen before and after, calls in all) of a run without failures."""
    start = write.start(version)
    place = failing(start)
    write.act(place, version)
    after = snapshot(place._store._store_dict, write.reads)
    return start, snapshot(start, write.reads), after, len(place.calls)


def writes_at(
    write: Write, version: str, start: Files, before: Any, after: Any, calls: NthCall, way: Any
) -> bool:
    """Write while calls fail; whether the operation failed."""
    place = FailingStore(MemoryStore(dict(start)), calls, when=way)
    try:
        write.act(place, version)
        failed = False
    except ZVError as error:
        failed = says_why(error)
    files = place._store._store_dict
    seen = snapshot(files, write.reads)
    assert seen == after or (failed and seen == before), "neither as before nor as after"
    if write.again and seen == before:
        write.act(MemoryStore(files), version)
        assert snapshot(files, write.reads) == after
    return failed


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", WRITES)
def test_writing_fails_at_every_call(name: str, version: str) -> None:
    write = WRITES[name]
    start, before, after, calls = clean_run(write, version)
    assert after is not None
    assert before != after
    ways, draw = list(itertools.product(write.ways, (False, True))), Mutator(0)
    failures = []
    for number in range(1, calls + 1):
        way, lasting = draw.pick(ways)  # all of them: the long columns
        nth = NthCall(number, lasting=lasting)
        failures.append(writes_at(write, version, start, before, after, nth, way))
    assert any(failures)


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", WRITES)
def test_writing_fails_at_every_call_in_every_way(name: str, version: str) -> None:
    write = WRITES[name]
    start, before, after, calls = clean_run(write, version)
    for number, way, lasting in itertools.product(range(1, calls + 1), write.ways, (False, True)):
        writes_at(write, version, start, before, after, NthCall(number, lasting=lasting), way)


# for as long as there is time: several calls fail


@pytest.mark.slow
def test_calls_fail_at_random(long_seed: int, clock: Any, figures: Any) -> None:
    stores = {version: make(version) for version in VERSIONS}
    runs = {(name, v): clean_run(WRITES[name], v) for name in WRITES for v in VERSIONS}
    tried = failed = 0
    seed = long_seed
    try:
        while clock:
            draw = Mutator(seed)
            version = draw.pick(VERSIONS)
            share = 1 + draw.below(30)
            chosen = Mutator(seed, 1)

            def fails(key: str, chosen: Mutator = chosen, share: int = share) -> bool:
                return chosen.below(100) < share

            if draw.below(3):
                failed += reads_at(stores[version], draw.pick(list(READS.values())), fails)
            else:
                name = draw.pick(list(WRITES))
                start, before, after, _ = runs[name, version]
                way: Any = draw.pick(WRITES[name].ways)
                calls: Any = fails
                failed += writes_at(WRITES[name], version, start, before, after, calls, way)
            tried += 1
            seed += 1
    finally:
        figures(f"seeds {long_seed} to {seed} (ZV_SEED={seed}), {tried} runs, {failed} failed")
    assert failed > 0


def test_every_kind_of_call_may_fail() -> None:
    """A new kind of call of a newer zarr must not slip past."""
    kinds = {
        name
        for name, member in vars(WrapperStore).items()
        if inspect.iscoroutinefunction(member)
        or inspect.isasyncgenfunction(member)
        or name.startswith("list")
    }
    assert kinds - {"open", "_open", "_ensure_open"} <= set(vars(FailingStore))


# faults put in on purpose: each must be found


def test_a_read_that_swallows_the_error_is_found(files: Files) -> None:
    def swallows(store: ZVStore) -> Any:
        try:
            return store[0].vertices.compute()
        except ZVError:
            return np.zeros((0, 3), np.float32)

    with pytest.raises(AssertionError):
        reads_at(files, swallows, NthCall(1))


def test_a_handle_that_remembers_the_failure_is_found(files: Files) -> None:
    seen: dict[int, Exception] = {}

    def remembers(store: ZVStore) -> Any:
        if id(store) in seen:
            raise seen[id(store)]
        try:
            return store[0].vertices.compute()
        except ZVError as error:
            seen[id(store)] = error
            raise

    with pytest.raises(ZVError):
        reads_at(files, remembers, NthCall(1))


def test_a_write_in_the_wrong_order_is_found() -> None:
    """The root first: readers see a store that is not whole yet."""

    def hasty(place: Any, version: str) -> None:
        whole = make(version)
        backend = open_backend(place, mode="a")
        for key in sorted(whole, key=len):
            backend.put_many({key: whole[key].to_bytes()})

    write = Write(start=lambda version: {}, act=hasty)
    start, before, after, calls = clean_run(write, "0.7.0")
    found = 0
    for number in range(2, calls + 1, calls // 8):
        try:
            writes_at(write, "0.7.0", start, before, after, NthCall(number), "before")
        except (AssertionError, ZVError):
            found += 1
    assert found
