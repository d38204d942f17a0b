"""Names in a store's metadata lead nowhere: reading, writing and removing stay inside the store."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from zarr.storage import MemoryStore

from zarr_vectors.constants import NODE
from zarr_vectors.core.backends import StorageBackend, open_backend
from zarr_vectors.core.group import group_at
from zarr_vectors.core.handle import open_handle
from zarr_vectors.core.info import store_info
from zarr_vectors.core.journal import HEAD, Record, recover
from zarr_vectors.core.journal.records import Segment
from zarr_vectors.core.paths import check_key, name_fault
from zarr_vectors.exceptions import StoreError, ZVError
from zarr_vectors.headers import HeaderRegistry
from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.harming import read_files, roles, write_files
from zarr_vectors.testing.hostile_names import HOSTILE, ODD, leaves_root
from zarr_vectors.testing.kinds import KINDS, contents, make_store
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.testing.servers import http_server
from zarr_vectors.types.parametric import read_parametric_set, write_parametric_objects
from zarr_vectors.validate import validate

pytestmark = [
    pytest.mark.filterwarnings("ignore::zarr_vectors.exceptions.ZVWarning"),
    pytest.mark.once,
]

Files = dict[str, bytes]
Spot = tuple[str | int, ...]
"""Way to a text in a JSON value; the last step is doubled where the key itself is meant."""


# keys


def places(folder: Path) -> Iterator[StorageBackend]:
    yield open_backend(folder / "local", mode="w")
    yield open_backend(MemoryStore(), mode="w")
    yield open_backend("memory://hostile-names", mode="w")


def test_hostile_names_are_many_and_do_lead_out() -> None:
    assert len(HOSTILE) >= 200
    assert sum(bool(leaves_root(name)) for name in HOSTILE) >= 80
    assert {leaves_root(name) for name in HOSTILE} >= {"posix", "windows"}
    assert not any(leaves_root(name) for name in ("0/vertices", "0/links/+1/0.0.-1/c/0", *ODD))


def test_keys_that_lead_out_are_refused_by_every_place(tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"old")
    for place in places(tmp_path):
        for key in filter(None, HOSTILE):
            for call in (
                lambda key=key, place=place: place.get_many([key]),
                lambda key=key, place=place: place.get_ranges([(key, 0, 1)]),
                lambda key=key, place=place: place.put_many({key: b"new"}),
                lambda key=key, place=place: place.put_new(key, b"new"),
                lambda key=key, place=place: place.delete_many([key]),
                lambda key=key, place=place: place.delete_prefix(key),
                lambda key=key, place=place: place.list_dir(key),
                lambda key=key, place=place: place.keys_below(key),
                lambda key=key, place=place: place.sweep([key]),
            ):
                try:
                    assert call() is None
                except StoreError as error:
                    assert "not allowed" in str(error)  # noqa: PT017 - sweeping may do nothing
        assert place.keys_below("") == []
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["outside"]
    assert (tmp_path / "outside").read_bytes() == b"old"


@pytest.mark.parametrize("windows", [False, True])
def test_what_is_allowed_stays_inside(windows: bool) -> None:
    for name in (*HOSTILE, *ODD):
        if all(name_fault(part, windows=windows) is None for part in name.split("/")):
            assert leaves_root(name) == "", name


def test_odd_names_are_quoted_in_addresses(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"outside")
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "x").write_bytes(b"inside")
    with http_server(tmp_path) as server:
        place = open_backend(server.at("store"), **server.options)
        keys = [f"{name}/secret" for name in ODD] + [f"{name}secret" for name in ODD] + [*ODD]
        assert place.get_many([key for key in keys if valid(key)]) == {}
        assert place.get_many(["x"]) == {"x": b"inside"}
        asked = {request.path for request in server.network.requests}
    assert all(path.startswith("/store/") for path in asked)


def valid(key: str) -> bool:
    try:
        return bool(check_key(key))
    except StoreError:
        return False


# names in metadata


class Watched(DictPlace):
    """A place that takes the keys real places take, and sees whether any leads out."""

    def __init__(self, items: Files) -> None:
        super().__init__(items)
        self.out: list[str] = []

    def _seen(self, keys: Iterable[str]) -> list[str]:
        found = [check_key(key) for key in keys]
        self.out += [key for key in found if leaves_root(key)]
        return found

    def get_many(self, keys: Any) -> Files:
        return super().get_many(self._seen(keys))

    def get_ranges(self, ranges: Any) -> list[bytes | None]:
        self._seen(key for key, _, _ in ranges)
        return super().get_ranges(ranges)

    def put_many(self, items: Any) -> None:
        self._seen(items)
        super().put_many(items)

    def put_new(self, key: str, data: bytes) -> bool:
        self._seen([key])
        return super().put_new(key, data)

    def delete_many(self, keys: Any) -> None:
        super().delete_many(self._seen(keys))

    def delete_prefix(self, prefix: str) -> None:
        self._seen([prefix] if prefix else [])
        super().delete_prefix(prefix)

    def list_dir(self, prefix: str) -> list[str]:
        self._seen([prefix] if prefix else [])
        return super().list_dir(prefix)

    def keys_below(self, prefix: str) -> list[str]:
        self._seen([prefix] if prefix else [])
        return super().keys_below(prefix)


class Unlisted(Watched):
    """The same, of a place that cannot list: recorded names are all there is."""

    def list_dir(self, prefix: str) -> list[str]:
        raise StoreError("this place cannot list its keys")

    def keys_below(self, prefix: str) -> list[str]:
        raise StoreError("this place cannot list its keys")


def store(kind: str, version: str) -> Files:
    """A small store of a kind with everything that names something."""
    place = DictPlace()
    make_store(kind, place, format_version=version, chunk_shape=(120.0,) * 3, bin_shape=(60.0,) * 3)
    build_pyramid(place, factors=[(2.0, 1.0)])
    if kind == "objects":
        write_parametric_objects(
            place,
            [{"type": "plane", "coefficients": [1, 2, 3, 4]}],
            object_attributes={"size": [1.0]},
            groups={0: [0]},
            group_attributes={"weight": [1]},
        )
        HeaderRegistry(place).add("trk", {"who": "me"})
    return dict(place.items)


def spots(document: Any) -> list[Spot]:
    """Ways to texts, keys among them; of alike ones one."""
    found: dict[str, Spot] = {}

    def walk(value: Any, way: Spot) -> None:
        pattern = "/".join("*" if isinstance(step, int) else str(step) for step in way)
        if isinstance(value, dict):
            for key, inner in value.items():
                found.setdefault(f"{pattern}/{key} as a key", (*way, key, key))
                walk(inner, (*way, key))
        elif isinstance(value, list):
            for number, inner in enumerate(value[:3]):
                walk(inner, (*way, number))
        elif isinstance(value, str):
            found.setdefault(pattern, way)

    walk(document, ())
    return list(found.values())


def replaced(document: Any, spot: Spot, name: str) -> Any:
    """A copy with another text at a spot."""
    found = json.loads(json.dumps(document))
    is_key = len(spot) > 1 and spot[-1] == spot[-2] and isinstance(spot[-1], str)
    inner = found
    for step in spot[: -2 if is_key else -1]:
        inner = inner[step]
    if is_key:
        inner[name] = inner.pop(spot[-1])
    else:
        inner[spot[-1]] = name
    return found


def use(place: Any, writes: Iterable[Callable[[Any], object]]) -> None:
    """Everything that reads; then what writes."""
    for call in (
        lambda: contents(place),
        lambda: store_info(group_at(open_handle(place).layout)),
        lambda: validate(place, level=3),
        lambda: read_parametric_set(place),
        lambda: open_zv(place).headers,
        lambda: [open_zv(place)[n].attributes.values() for n in open_zv(place).levels],
        *(lambda write=write: write(place) for write in writes),
    ):
        try:
            call()
        except ZVError as error:
            assert str(error).isprintable()  # noqa: PT017 - it may succeed


WRITES: tuple[Callable[[Any], object], ...] = (
    lambda place: HeaderRegistry(place).add("swc", {"x": 1}),
    lambda place: write_parametric_objects(place, []),
    lambda place: build_pyramid(place, factors=[(2.0, 1.0), (2.0, 1.0)]),
    recover,
)


def try_texts(kind: str, version: str, names: Iterator[str], step: int) -> int:
    """Every ``step``-th text of the documents of a store replaced; how many those are."""
    files = store(kind, version)
    keys = [key for key in roles(files).values() if key.endswith(NODE)]
    found = [(key, spot) for key in keys for spot in spots(json.loads(files[key]))]
    for number, (key, spot) in enumerate(found[::step]):
        document = replaced(json.loads(files[key]), spot, next(names))
        changed = {**files, key: json.dumps(document).encode()}
        place = (Watched, Unlisted)[number % 2](changed)
        use(place, WRITES if number % 8 == 0 else ())
        assert place.out == [], (key, spot)
    return len(found[::step])


BAD = [name for name in HOSTILE if leaves_root(name)]


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", ["objects", "graph"])
def test_some_texts_of_documents(kind: str, version: str) -> None:
    assert try_texts(kind, version, itertools.cycle(BAD), 48) > 2


@pytest.mark.slow
@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_text_of_every_document(kind: str, version: str) -> None:
    if kind != "line":  # which have no pyramid
        assert try_texts(kind, version, itertools.cycle(BAD), 1) > 150


NAMING = re.compile(
    r"multiscales.*path|arrays_present|_attribute_name|zarr_vectors_(family|outline|levels|arrays|shard)"
    r"|offsets|formats|nonempty_chunks|shard_index|names|parts|record"
)


def try_names(version: str, step: int) -> None:
    """Every ``step``-th hostile name wherever a document names something."""
    tried = set()
    for kind in ("objects", "graph"):
        files = store(kind, version)
        for key in roles(files).values():
            if not key.endswith(NODE):
                continue
            document = json.loads(files[key])
            for spot in spots(document):
                way = "/".join(map(str, spot))
                if not NAMING.search(way) or way in tried:
                    continue
                tried.add(way)
                for name in HOSTILE[len(tried) % step :: step]:
                    changed = json.dumps(replaced(document, spot, name)).encode()
                    place = Unlisted({**files, key: changed})
                    opened(place)
                    assert place.out == [], (key, spot, name)
    assert len(tried) > 10, tried


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_some_hostile_names_where_documents_name_things(version: str) -> None:
    try_names(version, 256)


@pytest.mark.slow
@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_every_hostile_name_where_documents_name_things(version: str) -> None:
    try_names(version, 1)


def opened(place: Any) -> None:
    for call in (
        lambda: [open_zv(place)[n].attribute_specs for n in open_zv(place).levels],
        lambda: open_zv(place).headers,
        lambda: open_handle(place).layout.get_links("0", attributes=["length"]),
        lambda: read_parametric_set(place),
    ):
        try:
            call()
        except ZVError as error:
            assert str(error).isprintable()  # noqa: PT017 - it may succeed


def of_a_writer_that_is_gone(field: str, name: str) -> Files:
    """A store with a transaction under way, whose record holds a name."""
    head = json.loads(Record.new("write points", ["0/links"]).encode())
    files = {"0/x": b"1"}
    if field in {"fresh", "removed"}:
        head |= {field: [name], "committed": field == "removed"}
    elif field == "id":
        head["id"] = name
    else:
        old = Segment(
            {name: b"new"} if field == "key" else {}, (name,) if field == "prefix" else ()
        )
        files[f".zarr_vectors_journal/{head['id']}/000000"] = b"".join(old.encode(head["id"]))
    return {**files, HEAD: json.dumps(head).encode()}


FIELDS = ("id", "fresh", "removed", "key", "prefix")


@pytest.mark.parametrize("field", FIELDS)
def test_every_hostile_name_in_the_record_of_a_transaction(field: str) -> None:
    for name in HOSTILE:
        place = Watched(of_a_writer_that_is_gone(field, name))
        undo(place)
        assert place.out == [], name


@pytest.mark.parametrize("field", FIELDS)
def test_a_record_of_a_transaction_in_a_folder(field: str, tmp_path: Path) -> None:
    """Undoing what a writer left behind touches nothing outside, whatever its record says."""
    folder, outside = tmp_path / "a" / "store", tmp_path / "outside"
    write_files(outside, {"x": b"old", "secret": b"old", "store/x": b"old"})
    for name in BAD[::8]:
        write_files(folder, of_a_writer_that_is_gone(field, name))
        undo(folder)
        assert read_files(outside) == {"x": b"old", "secret": b"old", "store/x": b"old"}, name
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "outside"]
        assert [path.name for path in (tmp_path / "a").iterdir()] == ["store"]


def undo(place: Any) -> None:
    for call in (
        lambda: open_handle(place),
        lambda: open_handle(place, "r+"),
        lambda: recover(place),
    ):
        try:
            call()
        except ZVError as error:
            assert str(error).isprintable()  # noqa: PT017 - it may succeed


def test_metadata_names_no_host(tmp_path: Path) -> None:
    """A store on a web server whose every text names another server: that one is not asked."""
    files = store("objects", "0.7.0")
    with http_server(tmp_path / "other") as other, http_server(tmp_path / "own") as own:
        names = itertools.cycle(
            [
                f"{other.endpoint}/x",
                f"//{other.endpoint.partition('//')[2]}/x",
                "http://169.254.169.254/x",
            ]
        )
        document = json.loads(files[NODE])
        for number, spot in enumerate(spots(document)[::48]):
            changed = {**files, NODE: json.dumps(replaced(document, spot, next(names))).encode()}
            write_files(tmp_path / "own" / str(number), changed)
            use(open_backend(own.at(str(number)), **own.options), ())
        assert own.network.count() > 3
        assert other.network.count() == 0


# the check itself


def test_a_check_that_lets_names_out_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zarr_vectors.core.paths.check_key", str)
    monkeypatch.setitem(globals(), "check_key", str)
    files = store("objects", "0.9.2")
    document = json.loads(files["headers/zarr.json"])
    document["attributes"]["formats"] = ["../../../outside"]
    place = Unlisted({**files, "headers/zarr.json": json.dumps(document).encode()})
    opened(place)
    assert place.out
