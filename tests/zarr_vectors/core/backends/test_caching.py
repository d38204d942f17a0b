"""What is kept of far places: in memory, and on disk for later and for others."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from zarr_vectors import open_zv
from zarr_vectors.core.backends import open_backend
from zarr_vectors.core.backends.caching import Caching, MemoryCache, cost_of
from zarr_vectors.core.backends.disk_cache import DiskCache
from zarr_vectors.core.backends.requests import Version, Versions
from zarr_vectors.exceptions import StoreError, ZVWarning
from zarr_vectors.testing.data import points_store
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.testing.servers import Server, http_server

POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")


class Far(DictPlace):
    """A place that tells versions and counts what it is asked for."""

    def __init__(self, items: dict[str, bytes], now: float = 100.0) -> None:
        super().__init__(items)
        self.read_only = True
        self.versions = Versions()
        self.asked: list[str] = []
        self.times = dict.fromkeys(items, now)

    def store(self, key: str, data: bytes, now: float) -> None:
        self.items[key], self.times[key] = data, now

    def _see(self, key: str) -> None:
        self.asked.append(key)
        if key in self.items:
            self.versions.is_older(key, Version(f"{hash(self.items[key])}", self.times[key]))

    def get_many(self, keys):
        wanted = list(keys)
        for key in wanted:
            self._see(key)
        return super().get_many(wanted)

    def get_ranges(self, ranges):
        for key, _, _ in ranges:
            self._see(key)
        return super().get_ranges(ranges)


ITEMS = {"zarr.json": b"root", "0/zarr.json": b"level", "0/c/0": b"0123456789", "e": b""}


def opened(far: Far, disk: DiskCache | None = None, memory: int = 10**6) -> Caching:
    return Caching(far, MemoryCache(memory), disk, wall=lambda: 1000.0)


def test_values_and_ranges_are_asked_for_once() -> None:
    far = Far(ITEMS)
    place = opened(far)
    ranges = [("0/c/0", 2, 3), ("0/c/0", -2, 2), ("nothing", 0, 1), ("0/c/0", 2, 3)]
    for _ in range(3):
        assert place.get_many(["e", "0/c/0", "nothing"]) == {"e": b"", "0/c/0": b"0123456789"}
        assert place.get_ranges(ranges) == [b"234", b"89", None, b"234"]
    assert sorted(far.asked) == ["0/c/0"] * 3 + ["e"] + ["nothing"] * 6


def test_the_root_and_the_journal_are_always_asked_for() -> None:
    far = Far({**ITEMS, ".journal/head": b"{}"})
    place = opened(far)
    for _ in range(2):
        place.get_many(["zarr.json", ".journal/head", "0/zarr.json"])
        place.get_ranges([("zarr.json", 0, 2)])
    assert far.asked.count("zarr.json") == 4
    assert far.asked.count(".journal/head") == 2
    assert far.asked.count("0/zarr.json") == 1


def test_what_is_younger_than_the_opening_makes_all_else_forgotten() -> None:
    far = Far(ITEMS)
    place = opened(far)
    place.get_many(["0/c/0", "0/zarr.json"])
    far.store("0/c/0", b"new", 2000.0)
    far.store("e", b"changed", 2000.0)
    assert place.get_many(["0/c/0"]) == {"0/c/0": b"0123456789"}  # nothing tells of it yet
    assert place.get_many(["0/c/0", "e"]) == {"0/c/0": b"new", "e": b"changed"}
    assert place.get_ranges([("0/c/0", 0, 1)]) == [b"n"]
    far.asked.clear()
    place.get_many(["0/c/0", "e"])
    assert far.asked == []  # and is kept again


def test_memory_is_counted_exactly_and_the_oldest_go_first() -> None:
    cache = MemoryCache(8 * cost_of("k0", bytes(100)))
    for number in range(8):
        cache.put(f"k{number}", bytes(100))
    assert cache.used == cache.most_bytes
    assert cache.get("k0") is not None
    cache.put("k8", bytes(100))
    assert cache.get("k1") is None
    assert cache.get("k0") is not None
    cache.put("k8", bytes(10))
    assert cache.used == 7 * cost_of("k0", bytes(100)) + cost_of("k8", bytes(10))
    cache.put("large", bytes(cache.most_bytes // 8))
    assert cache.get("large") is None
    cache.clear()
    assert (cache.used, len(cache)) == (0, 0)


def test_memory_keeps_its_account_under_any_use() -> None:
    chance = random.Random(0)  # noqa: S311 - chance, not secrecy
    cache = MemoryCache(5000)
    for _ in range(3000):
        cache.put(str(chance.randrange(60)), bytes(chance.randrange(600)))
        cache.get(str(chance.randrange(60)))
        assert cache.used <= cache.most_bytes
    kept = {str(n): cache.get(str(n)) for n in range(60)}
    assert cache.used == sum(cost_of(n, data) for n, data in kept.items() if data is not None)


def test_a_later_run_reads_the_disk(tmp_path: Path) -> None:
    far = Far(ITEMS)
    first = opened(far, DiskCache(tmp_path / "c"))
    first.get_many(["zarr.json"])
    first.get_many(["0/c/0", "e"])
    first.get_ranges([("0/c/0", 3, 2)])
    far.asked.clear()
    later = opened(far, DiskCache(tmp_path / "c"))
    later.get_many(["zarr.json"])
    assert later.get_many(["0/c/0", "e"]) == {"0/c/0": b"0123456789", "e": b""}
    assert later.get_ranges([("0/c/0", 3, 2)]) == [b"34"]
    assert far.asked == ["zarr.json"]


def test_nothing_is_read_from_disk_before_the_root_is_known(tmp_path: Path) -> None:
    far = Far(ITEMS)
    opened(far, DiskCache(tmp_path / "c")).get_many(["zarr.json", "0/c/0"])
    far.asked.clear()
    opened(far, DiskCache(tmp_path / "c")).get_many(["0/c/0"])
    assert far.asked == ["0/c/0"]


@pytest.mark.parametrize("change", ["content", "time", "place"])
def test_another_root_is_another_store(tmp_path: Path, change: str) -> None:
    disk = DiskCache(tmp_path / "c")
    far = Far(ITEMS)
    place = opened(far, disk)
    place.get_many(["zarr.json"])
    place.get_many(["0/c/0"])
    other = Far({**ITEMS, "0/c/0": b"other"})
    if change == "content":
        other.items["zarr.json"] = b"Root"
    elif change == "time":
        other.times["zarr.json"] = 101.0
    else:
        other.url = "memory://another"
    later = opened(other, disk)
    later.get_many(["zarr.json"])
    assert later.get_many(["0/c/0"]) == {"0/c/0": b"other"}


def test_a_place_that_tells_no_versions_is_not_kept_on_disk(tmp_path: Path) -> None:
    far = Far(ITEMS)
    far.versions.is_older = lambda *_: False  # type: ignore[method-assign]
    place = opened(far, DiskCache(tmp_path / "c"))
    place.get_many(["zarr.json"])
    place.get_many(["0/c/0"])
    assert files_of(tmp_path / "c") == []


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("damage", ["content", "cut", "longer", "head", "empty", "swapped"])
def test_an_edited_file_is_refused_and_asked_for_again(tmp_path: Path, damage: str) -> None:
    disk = DiskCache(tmp_path)
    disk.put("s", "a", b"A" * 100)
    disk.put("s", "b", b"B" * 100)
    one, other = files_of(tmp_path)
    whole = one.read_bytes()
    one.write_bytes(
        {
            "content": whole[:-1] + b"x",
            "cut": whole[:-1],
            "longer": whole + b"x",
            "head": b"x" + whole[1:],
            "empty": b"",
            "swapped": other.read_bytes(),
        }[damage]
    )
    found = [disk.get("s", "a"), disk.get("s", "b")]
    assert sorted(data is None for data in found) == [False, True]
    assert {data for data in found if data} < {b"A" * 100, b"B" * 100}
    assert disk.refused == 1
    assert not one.exists()
    disk.put("s", "a", b"A" * 100)
    disk.put("s", "b", b"B" * 100)
    assert [disk.get("s", "a"), disk.get("s", "b")] == [b"A" * 100, b"B" * 100]


def test_any_changed_byte_of_a_file_is_noticed(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path)
    disk.put("s", "a", bytes(range(50)))
    (path,) = files_of(tmp_path)
    whole = path.read_bytes()
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert disk.get("s", "a") is None
        disk.put("s", "a", bytes(range(50)))


@POSIX
def test_the_folder_is_for_this_user_alone(tmp_path: Path) -> None:
    DiskCache(tmp_path / "new" / "c")
    assert (tmp_path / "new" / "c").stat().st_mode & 0o777 == 0o700
    (tmp_path / "open").mkdir(mode=0o755)
    with pytest.raises(StoreError, match="others"):
        DiskCache(tmp_path / "open")
    (tmp_path / "file").write_text("x")
    with pytest.raises(StoreError, match="cannot be made"):
        DiskCache(tmp_path / "file")


@POSIX
def test_links_in_the_folder_are_not_followed(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path / "c")
    disk.put("s", "a", b"A")
    (path,) = files_of(tmp_path / "c")
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert disk.get("s", "a") is None
    disk.put("s", "a", b"A")
    assert not path.is_symlink()
    assert disk.get("s", "a") == b"A"


def test_names_of_files_say_nothing(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path)
    disk.put("s3://secret", "../../name", b"1")
    (path,) = files_of(tmp_path)
    assert "secret" not in str(path.relative_to(tmp_path))
    assert all(c in "0123456789abcdef/" for c in path.relative_to(tmp_path).as_posix())


def test_the_disk_is_bounded_and_the_unused_go_first(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, most_bytes=100_000)
    for number in range(100):
        disk.put("s", str(number), bytes(5000))
        assert disk.get("s", "0") is not None
        used = sum(path.stat().st_size for path in files_of(tmp_path))
        assert used <= 100_000 * 17 / 16 + 6000
    assert disk.get("s", "99") is not None
    assert disk.get("s", "1") is None
    disk.put("s", "large", bytes(50_000))
    assert disk.get("s", "large") is None


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    disk = DiskCache(tmp_path, most_bytes=10_000)
    disk.put("s", "a", b"A")
    (path,) = files_of(tmp_path)
    left, young = path.with_name(".new-old"), path.with_name(".new-young")
    left.write_bytes(b"half")
    os.utime(left, (0, 0))
    young.write_bytes(b"half")
    disk.put("s", "b", bytes(1000))
    assert not left.exists()
    assert young.exists()


def test_a_disk_that_is_full_is_told_once_and_reading_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = DiskCache(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    far = Far(ITEMS)
    place = opened(far, disk, memory=0)
    place.get_many(["zarr.json"])
    with pytest.warns(ZVWarning, match="No space left"):
        assert place.get_many(["0/c/0"]) == {"0/c/0": b"0123456789"}
    assert place.get_many(["0/c/0"]) == {"0/c/0": b"0123456789"}
    assert files_of(tmp_path) == []


PROGRAM = """
import random, sys
from zarr_vectors.core.backends.disk_cache import DiskCache
disk, chance = DiskCache(sys.argv[1], 200_000), random.Random(int(sys.argv[2]))
found = 0
for _ in range(500):
    n = chance.randrange(60)
    data = disk.get("s", str(n))
    found += data is not None
    assert data in (None, bytes([n]) * (n * 150)), n
    if chance.random() < 0.6:
        disk.put("s", str(n), bytes([n]) * (n * 150))
print(found, disk.refused)
"""


def test_processes_and_threads_share_a_folder(tmp_path: Path) -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(tmp_path / "c"), str(seed)], stdout=subprocess.PIPE
        )
        for seed in range(2)
    ]
    disk = DiskCache(tmp_path / "c", 200_000)

    def use(seed: int) -> None:
        chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
        for _ in range(200):
            n = chance.randrange(60)
            disk.put("s", str(n), bytes([n]) * (n * 150))
            assert disk.get("s", str(n)) in (None, bytes([n]) * (n * 150))

    threads = [threading.Thread(target=use, args=(seed,)) for seed in range(10, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for run in runs:
        out, _ = run.communicate(timeout=60)
        assert run.returncode == 0
        found, refused = map(int, out.split())
        assert found > 0
        assert refused == 0
    assert disk.refused == 0


@pytest.fixture
def web(tmp_path: Path):
    (tmp_path / "s").mkdir()
    for key, data in ITEMS.items():
        (tmp_path / "s" / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "s" / key).write_bytes(data)
        os.utime(tmp_path / "s" / key, (10**9, 10**9))
    with http_server(tmp_path) as server:
        yield server


def test_far_places_keep_and_near_ones_do_not(
    web: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = open_backend(web.at("s"), **web.options)
    for _ in range(2):
        assert far.get_many(["0/c/0"]) == {"0/c/0": b"0123456789"}
    assert web.network.count() == 1
    assert not isinstance(open_backend(tmp_path / "s"), Caching)
    assert not isinstance(open_backend(web.at("s"), memory_bytes=0, **web.options), Caching)
    monkeypatch.setenv("ZARR_VECTORS_CACHE", str(tmp_path / "kept"))
    for _ in range(2):
        web.network.clear()
        far = open_backend(web.at("s"), memory_bytes=0, **web.options)
        far.get_many(["zarr.json"])
        assert far.get_many(["0/c/0"]) == {"0/c/0": b"0123456789"}
    assert web.network.count() == 1
    assert "s/" not in "".join(path.name for path in files_of(tmp_path / "kept"))


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_a_store_is_read_again_with_the_root_alone(
    web: Server, tmp_path: Path, version: str
) -> None:
    points_store(tmp_path / "points", format_version=version)
    places = [tmp_path / "points", web.at("points")]
    right = open_zv(places[0])[0].vertices.compute()
    options = {**web.options, "cache_dir": tmp_path / "kept"}
    counts = []
    for _ in range(2):
        web.network.clear()
        with open_zv(places[1], **options) as store:
            assert (store[0].vertices.compute() == right).all()
            first = web.network.count()
            assert (store[0].vertices.compute() == right).all()
            assert web.network.count() == first
            store.close()
            assert (store[0].vertices.compute() == right).all()
        counts.append(first)
    assert counts[1] <= 3 < counts[0]
    options = {**web.options, "cache_bytes": 0}
    store = open_zv(places[1], **options)
    store[0].vertices.compute()
    web.network.clear()
    store[0].vertices.compute()
    assert web.network.count() > 0
    assert (
        open_zv(places[0], cache_dir=tmp_path / "kept")[0].vertices.compute().shape == right.shape
    )
