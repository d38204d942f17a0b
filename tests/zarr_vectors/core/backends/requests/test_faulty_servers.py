"""Real servers that fail on purpose: what is read is right, or the error has a name."""

from __future__ import annotations

import http.server
import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import pytest

from zarr_vectors.core.backends import StorageBackend, open_backend
from zarr_vectors.core.backends.requests import Limits, Pace, Policy, Retrying
from zarr_vectors.exceptions import StoreError, StoreUnreachable
from zarr_vectors.testing.servers import (
    Server,
    at_numbers,
    at_rate,
    from_number,
    http_server,
)

KINDS = ("slow_down", "throttle", "error", "reset", "lost", "half", "no_range")
QUICK = Policy(
    retrying=Retrying(tries=12, first_s=0.002, most_s=0.05),
    limits=Limits(of_try=Pace(5.0, 1e6), of_request=Pace(40.0, 1e6)),
)
IMPATIENT = Policy(limits=Limits(of_try=Pace(0.5, 1e6), of_request=Pace(2.0, 1e6)))
NO_RETRY = {"max_retries": 0}
"""The runner does all tries."""


def opened(
    server: Server, name: str = "store", mode: str = "r", policy: Policy = QUICK
) -> StorageBackend:
    options = {**server.options, "retry_config": NO_RETRY, "policy": policy, "memory_bytes": 0}
    return open_backend(server.at(name), mode=mode, **options)


def values(count: int, largest: int, seed: int = 0) -> dict[str, bytes]:
    chance = random.Random(seed)  # noqa: S311 - chance, not secrecy
    return {f"v/{n}/c": chance.randbytes(chance.randrange(largest)) for n in range(count)}


@pytest.fixture(params=["http", "s3"])
def filled(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Server, dict[str, bytes]]:
    """A server with 60 values, some of them large enough to come in parts."""
    stored = {**values(55, 20_000), **{f"large/{n}": bytes([n]) * 700_000 for n in range(5)}}
    if request.param == "s3":
        server: Server = request.getfixturevalue("s3")
        opened(server, mode="a").put_many(stored)
        return server, stored
    open_backend(tmp_path / "store", mode="a").put_many(stored)
    return request.getfixturevalue("web_of")(tmp_path), stored


@pytest.fixture
def web_of():
    contexts = []

    def serve(folder: Path) -> Server:
        context = http_server(folder)
        contexts.append(context)
        return context.__enter__()

    yield serve
    for context in contexts:
        context.__exit__(None, None, None)


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_whole_values_and_ranges_are_right(
    filled: tuple[Server, dict[str, bytes]], rate: float
) -> None:
    server, stored = filled
    place = opened(server)
    chance = random.Random(1)  # noqa: S311 - as above
    server.network.clear()
    server.network.rule = at_rate(rate, KINDS, seed=3)
    for _ in range(3):
        keys = [*chance.sample(sorted(stored), 50), "nothing", "v/none/c"]
        assert place.get_many(keys) == {k: stored[k] for k in keys if k in stored}
        wanted = []
        for key in chance.choices(sorted(stored), k=40):
            size = len(stored[key])
            start = chance.randrange(-size, size) if size else 0
            wanted.append((key, start, chance.randrange(1, 5000)))
        right = [
            stored[k][s : s + n] if s >= 0 else stored[k][len(stored[k]) + s :][:n]
            for k, s, n in wanted
        ]
        assert place.get_ranges(wanted) == right
    assert place.stats.retries > 0
    assert place.stats.in_flight == 0


def test_what_was_written_through_faults_is_there(s3: Server) -> None:
    place = opened(s3, "written", mode="a")
    s3.network.clear()
    s3.network.rule = at_rate(0.2, ("slow_down", "error", "reset", "lost", "half"), seed=5)
    stored = values(40, 5000, seed=2)
    place.put_many(stored)
    assert [place.put_new(f"new/{n}", bytes([n])) for n in range(10)] == [True] * 10
    assert [place.put_new(f"new/{n}", b"other") for n in range(10)] == [False] * 10
    assert place.keys_below("v") == sorted(stored)
    place.delete_many([*sorted(stored)[:20], "v/none"])
    s3.network.clear()
    kept = {key: stored[key] for key in sorted(stored)[20:]}
    assert place.get_many(stored) == kept


class Odd(http.server.BaseHTTPRequestHandler):
    """A web server of one object that cuts the first answers, redirects, or dribbles."""

    body = b""
    cut = 0
    asked: ClassVar[list[tuple[str, str]]] = []
    changes_to: bytes | None = None
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        kind = type(self)
        kind.asked.append((self.path, self.headers.get("Range", "")))
        if "round" in self.path:
            self._head(302, 0, Location=f"{self.path}x")
        elif "dribble" in self.path:
            self._head(200, 10**6)
            while not self.server.closing.wait(0.05):
                self.wfile.write(b"x")
        else:
            if len(kind.asked) > 1 and kind.changes_to is not None:
                kind.body = kind.changes_to
            self._send(kind)

    def _send(self, kind: type[Odd]) -> None:
        etag = f'"{hash(kind.body)}"'
        if self.headers.get("If-Match", etag) != etag:
            self._head(412, 0)
            return
        start = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
        part = kind.body[start:]
        said = {"ETag": etag}
        if start:
            said["Content-Range"] = f"bytes {start}-{len(kind.body) - 1}/{len(kind.body)}"
        cut = len(kind.asked) <= kind.cut
        self._head(206 if start else 200, len(part), **said)
        self.wfile.write(part[: len(part) // 2] if cut else part)
        self.close_connection = cut

    def _head(self, status: int, size: int, **said: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(size))
        for name, value in said.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def odd() -> Iterator[tuple[type[Odd], StorageBackend]]:
    class Fresh(Odd):
        asked: ClassVar[list[tuple[str, str]]] = []

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Fresh)
    server.closing = threading.Event()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield (
        Fresh,
        open_backend(f"http://127.0.0.1:{server.server_port}/s", policy=QUICK, memory_bytes=0),
    )
    server.closing.set()
    server.shutdown()
    thread.join()
    server.server_close()


LARGE = bytes(range(256)) * 8000


def test_the_rest_of_a_large_value_is_asked_for_where_it_broke(
    odd: tuple[type[Odd], StorageBackend],
) -> None:
    server, place = odd
    server.body, server.cut = LARGE, 2
    assert place.get_many(["large"]) == {"large": LARGE}
    ranges = [int(said[6:-1]) for _, said in server.asked[1:]]
    assert len(ranges) == 2
    assert 256 * 1024 <= ranges[0] <= len(LARGE) // 2
    assert ranges[0] < ranges[1]
    assert place.stats.total.bytes_wasted < 600_000


def test_a_value_that_changed_while_it_was_read_is_read_anew(
    odd: tuple[type[Odd], StorageBackend],
) -> None:
    server, place = odd
    server.body, server.cut, server.changes_to = LARGE, 1, b"new" * 500_000
    assert place.get_many(["large"]) == {"large": b"new" * 500_000}
    assert [said != "" for _, said in server.asked] == [False, True, False]
    assert place.stats.total.bytes_wasted >= 256 * 1024


def test_a_server_that_redirects_for_ever_is_an_error(
    odd: tuple[type[Odd], StorageBackend],
) -> None:
    server, place = odd
    with pytest.raises(StoreError, match="redirect"):
        place.get_many(["round"])
    assert len(server.asked) < 20


def test_a_server_that_sends_a_byte_now_and_then_holds_nobody(
    odd: tuple[type[Odd], StorageBackend],
) -> None:
    started = time.monotonic()
    place = open_backend(odd[1].url, policy=IMPATIENT, memory_bytes=0)
    with pytest.raises(StoreUnreachable) as caught:
        place.get_many(["dribble"])
    assert caught.value.trouble == "timeout"
    assert time.monotonic() - started < IMPATIENT.limits.of_request.grace_s + 5


@pytest.mark.parametrize(
    ("kind", "trouble"),
    [("slow_down", "throttled"), ("error", "server"), ("reset", "cut"), ("half", "cut")],
)
def test_a_place_that_never_answers_well_is_named(s3: Server, kind: str, trouble: str) -> None:
    opened(s3, "never", mode="a").put_many({"a": b"1" * 100})
    place = opened(s3, "never")
    s3.network.clear()
    s3.network.rule = from_number(1, kind)
    started = time.monotonic()
    with pytest.raises(StoreUnreachable, match=r"cannot read a of s3://.*tries") as caught:
        place.get_many(["a"])
    assert caught.value.trouble == trouble
    assert time.monotonic() - started < QUICK.limits.of_request.grace_s + 2
    for secret in s3.secrets:
        assert secret not in str(caught.value)
    assert place.stats.last_trouble is not None
    s3.network.clear()
    assert place.get_many(["a"]) == {"a": b"1" * 100}  # and all is well again


def test_a_place_that_hangs_is_given_up(s3: Server) -> None:
    opened(s3, "hangs", mode="a").put_many({"a": b"1"})
    place = opened(s3, "hangs", policy=IMPATIENT)
    s3.network.clear()
    s3.network.rule = from_number(1, "hang")
    started = time.monotonic()
    with pytest.raises(StoreUnreachable) as caught:
        place.get_many(["a"])
    assert caught.value.trouble == "timeout"
    assert time.monotonic() - started < IMPATIENT.limits.of_request.grace_s + 5
    s3.network.clear()


def test_a_place_that_is_not_there_is_offline() -> None:
    place = open_backend("http://127.0.0.1:9/store", policy=QUICK, memory_bytes=0)
    with pytest.raises(StoreUnreachable) as caught:
        place.get_many(["zarr.json"])
    assert caught.value.trouble == "offline"


def test_requests_are_fewer_after_a_place_slows_down(s3: Server) -> None:
    opened(s3, "slows", mode="a").put_many(values(30, 100))
    place = opened(s3, "slows")
    s3.network.clear()
    s3.network.rule = at_numbers(dict.fromkeys(range(1, 21), "slow_down"))
    assert place.get_many(values(30, 100)) == values(30, 100)
    assert place._requests.window.size < 64
    assert place.stats.retries == 20


@pytest.mark.parametrize("always", [False, True])
def test_answers_from_before_a_change_are_noticed(s3: Server, always: bool) -> None:
    writer = opened(s3, f"stale {always}", mode="a")
    old, new = values(20, 500, seed=7), values(20, 500, seed=8)
    ranges = [(key, 0, 100) for key in old]
    s3.network.clear()
    s3.network.remember = True
    try:
        writer.put_many(old)
        assert writer.get_many(old) == old
        assert writer.get_ranges(ranges) == [old[key][:100] for key in old]
        writer.put_many(new)
        s3.network.rule = from_number(1, "stale") if always else at_rate(0.5, ("stale",), seed=1)
        if always:
            with pytest.raises(StoreUnreachable, match="an older value was answered"):
                writer.get_many(new)
        else:
            for _ in range(5):
                assert writer.get_many(new) == new
                assert writer.get_ranges(ranges) == [new[key][:100] for key in new]
            assert writer.stats.retries > 0
    finally:
        s3.network.remember = False
        s3.network.clear()
