"""The servers of tests are what they say: they check names of keys, fail on purpose, and end."""

from __future__ import annotations

import threading
from base64 import b64encode
from datetime import timedelta
from pathlib import Path
from time import monotonic

import obstore
import pytest
from obstore.exceptions import (
    AlreadyExistsError,
    GenericError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import ObjectStore, from_url

from zarr_vectors.testing.servers import (
    KINDS,
    Asked,
    Network,
    Server,
    at_numbers,
    at_rate,
    from_number,
    http_server,
    s3_server,
    where,
)

BUCKETS = ("s3", "gcs", "azure")
WORD = "pass-word-of-a-test"
VALUE = bytes(range(200))


@pytest.fixture(params=BUCKETS)
def bucket(request: pytest.FixtureRequest) -> Server:
    server: Server = request.getfixturevalue(request.param)
    return server


def opened(server: Server, **options: object) -> ObjectStore:
    return from_url(server.at("servers"), **{**server.options, **options})


def test_bucket_keeps_values(bucket: Server) -> None:
    store = opened(bucket)
    for name in ("one/a b", "one/c=d", "two/ü"):
        obstore.put(store, name, VALUE)
    bucket.network.clear()
    assert bytes(obstore.get_range(store, "one/a b", start=3, length=5)) == VALUE[3:8]
    parts = obstore.get_ranges(store, "one/c=d", starts=[1, 150], lengths=[2, 3], coalesce=0)
    assert [bytes(part) for part in parts] == [VALUE[1:3], VALUE[150:153]]
    assert [request.range for request in bucket.network.requests][:1] == ["bytes=3-7"]
    found = obstore.list_with_delimiter(store)
    assert sorted(found["common_prefixes"]) == ["one", "two"]
    assert sorted(row["path"] for row in obstore.list(store).collect()) == [
        "one/a b",
        "one/c=d",
        "two/ü",
    ]
    with pytest.raises(AlreadyExistsError):
        obstore.put(store, "two/ü", b"", mode="create")
    obstore.delete(store, ["one/a b", "one/c=d", "two/ü"])
    with pytest.raises(FileNotFoundError):
        obstore.get(store, "one/a b")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("s3", {"access_key_id": "AKIANOBODY"}),
        ("gcs", {"bearer_token": "wrong"}),
        ("azure", {"account_key": "d3Jvbmc="}),
    ],
)
def test_wrong_keys_are_refused(
    name: str, wrong: dict[str, str], request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(name)
    obstore.put(opened(server), "secret", b"1")
    refused = (PermissionDeniedError, UnauthenticatedError)
    with pytest.raises(refused):
        obstore.get(opened(server, **wrong), "secret")
    with pytest.raises(refused):
        obstore.get(opened(_without_keys(server), skip_signature=True), "secret")


def _without_keys(server: Server) -> Server:
    kept = {k: v for k, v in server.options.items() if not k.endswith(("key", "key_id", "token"))}
    return Server(server.url, server.endpoint, server.network, kept)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"no_range"}))
def test_a_fault_once_is_overcome(bucket: Server, kind: str) -> None:
    network = bucket.network
    quick = {**bucket.options["client_options"], "timeout": "300ms"}
    store = opened(bucket, client_options=quick)
    obstore.put(store, "a", VALUE)
    network.remember = kind == "stale"
    assert bytes(obstore.get_range(store, "a", start=10, length=20)) == VALUE[10:30]
    obstore.put(store, "a", VALUE[::-1])
    network.clear()
    network.rule = at_numbers({1: kind})
    network.hang_s = 0.6
    answer = bytes(obstore.get_range(store, "a", start=10, length=20))
    assert answer == (VALUE if kind == "stale" else VALUE[::-1])[10:30]
    network.remember = False
    if kind != "hang":  # which is noted when it ends
        assert network.requests[0].fault == kind


def test_a_lost_answer_is_a_done_request(s3: Server) -> None:
    store = opened(s3, retry_config={"max_retries": 0, "retry_timeout": timedelta(seconds=1)})
    s3.network.rule = from_number(1, "lost")
    with pytest.raises(GenericError):
        obstore.put(store, "lost", VALUE)
    s3.network.rule = from_number(1, "reset")
    with pytest.raises(GenericError):
        obstore.put(store, "never", VALUE)
    s3.network.clear()
    assert bytes(obstore.get(store, "lost").bytes()) == VALUE
    with pytest.raises(FileNotFoundError):
        obstore.get(store, "never")


def test_a_web_server_has_ranges_and_no_list(web: Server, tmp_path: Path) -> None:
    (tmp_path / "a b").write_bytes(VALUE)
    store = from_url(web.url, **web.options)
    assert bytes(obstore.get_range(store, "a b", start=3, length=5)) == VALUE[3:8]
    web.network.rule = where(lambda asked: bool(asked.range), "no_range")
    with pytest.raises(NotSupportedError):
        obstore.get_range(store, "a b", start=3, length=5)
    assert obstore.list(store).collect() == []


def test_a_web_server_asks_for_a_password(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(VALUE)
    with http_server(tmp_path, password=WORD) as server:
        assert WORD in server.url
        with pytest.raises(UnauthenticatedError):
            obstore.get(from_url(server.endpoint, **server.options), "a")
        named = {"Authorization": f"Basic {b64encode(f'reader:{WORD}'.encode()).decode()}"}
        sent = {**server.options["client_options"], "default_headers": named}
        store = from_url(server.endpoint, **{**server.options, "client_options": sent})
        assert bytes(obstore.get(store, "a").bytes()) == VALUE


def test_latency_is_waited_for(s3: Server) -> None:
    store = opened(s3)
    obstore.put(store, "a", VALUE)
    s3.network.latency_s = 0.2
    began = monotonic()
    obstore.get(store, "a")
    assert monotonic() - began >= 0.2


def test_a_server_ends_with_its_context() -> None:
    before = set(threading.enumerate())
    with s3_server() as server:
        obstore.put(opened(server), "a", VALUE)
        server.network.rule = from_number(1, "hang")
        store = opened(server, client_options={"allow_http": True, "timeout": "200ms"})
        with pytest.raises(Exception, match=r"(?i)time"):
            obstore.get(store, "a")
    assert set(threading.enumerate()) <= before


def test_faults_at_a_rate_are_the_same_in_any_order() -> None:
    rule = at_rate(0.3, seed=4)
    asked = [Asked(n, "GET", f"/b/k{n}", range="bytes=0-1") for n in range(300)]
    told = {one.path: rule(one) for one in asked}
    assert told == {one.path: rule(one) for one in reversed(asked)}
    assert 60 < sum(map(bool, told.values())) < 120
    network = Network(rule=at_rate(1.0, ["reset"], methods=["PUT"]))
    assert network.arrive(asked[0])[1] == ""
    assert network.arrive(Asked(0, "PUT", "/b/k")) == (Asked(2, "PUT", "/b/k"), "reset")
    with pytest.raises(ValueError, match="nonsense"):
        at_numbers({1: "nonsense"})
