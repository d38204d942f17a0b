"""Buckets of this machine opened with what is found, then without; and what is never asked."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from zarr_vectors.core.backends import open_backend
from zarr_vectors.core.backends.access import region
from zarr_vectors.core.store import create_store, open_store
from zarr_vectors.exceptions import AccessRefused, StoreError, StoreUnlistable
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.servers import Network, Server, gcs_server, http_server, s3_server
from zarr_vectors.testing.servers.buckets import QUICK
from zarr_vectors.testing.servers.wsgi import App, Environ, Start, serving

pytestmark = pytest.mark.usefixtures("nobody")

ITEMS = {"zarr.json": b"{}", "0/c/0": b"123456"}
STALE = {"AWS_ACCESS_KEY_ID": "AKIASTALE", "AWS_SECRET_ACCESS_KEY": "hunter2"}
REFUSED = b"<Error><Code>%s</Code><Message>no</Message></Error>"


@pytest.fixture(scope="module", params=[s3_server, gcs_server], ids=["s3", "gs"])
def public(request: pytest.FixtureRequest) -> Iterator[Server]:
    with request.param(public=True) as server:
        open_backend(server.at("x"), mode="a", **server.options).put_many(ITEMS)
        yield server


@pytest.fixture(scope="module", params=[s3_server, gcs_server], ids=["s3", "gs"])
def private(request: pytest.FixtureRequest) -> Iterator[Server]:
    with request.param() as server:
        open_backend(server.at("x"), mode="a", **server.options).put_many(ITEMS)
        yield server


def endpoint(server: Server) -> dict[str, object]:
    name = "base_url" if server.url.startswith("gs") else "endpoint"
    return {name: server.endpoint, **QUICK}


def asked_since(server: Server, before: int) -> list[tuple[str, int]]:
    return [(one.asked.method, one.status) for one in server.network.requests[before:]]


def test_public_buckets_open_with_nothing_set_and_nothing_asked_twice(public: Server) -> None:
    before = len(public.network.requests)
    backend = open_backend(public.at("x"), **endpoint(public))
    assert backend.get_many([*ITEMS, "nothing"]) == ITEMS
    assert sorted(asked_since(public, before)) == [("GET", 200), ("GET", 200), ("GET", 404)]
    assert backend.list_dir("") == ["0", "zarr.json"]


def test_nothing_to_write_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(AccessRefused, match="no credentials were found"):
        open_backend("s3://bucket/x", mode="r+")
    assert open_backend("s3://bucket/x", mode="a", skip_signature=True).read_only


def test_stale_keys_do_not_close_a_public_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in STALE.items():
        monkeypatch.setenv(name, value)
    with s3_server(public=True) as server:
        open_backend(server.at("x"), mode="a", **server.options).put_many(ITEMS)
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        before = len(server.network.requests)
        backend = open_backend(server.at("x"))
        assert backend.get_many(ITEMS) == ITEMS
        assert len(asked_since(server, before)) <= 2 * len(ITEMS) + 1
        settled = len(server.network.requests)
        assert backend.get_ranges([("0/c/0", 1, 2)]) == [b"23"]
        assert asked_since(server, settled) == [("GET", 206)]


def test_the_environment_the_files_and_the_options_open_a_private_bucket(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with s3_server() as server:
        open_backend(server.at("x"), mode="a", **server.options).put_many(ITEMS)
        keys = server.options
        folder = tmp_path / "home" / ".aws"
        folder.mkdir(parents=True)
        (folder / "credentials").write_text(
            f"[lab]\naws_access_key_id = {keys['access_key_id']}\n"
            f"aws_secret_access_key = {keys['secret_access_key']}\n"
        )
        (folder / "config").write_text(
            f"[profile lab]\nregion = us-east-1\nendpoint_url = {server.endpoint}\n"
        )
        assert open_backend(server.at("x"), profile="lab").get_many(ITEMS) == ITEMS
        with monkeypatch.context() as patch:
            patch.setenv("AWS_PROFILE", "lab")
            assert open_backend(server.at("x")).get_many(ITEMS) == ITEMS
            open_backend(server.at("x"), mode="r+").put_many({"new": b"1"})
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        assert open_backend(server.at("x")).get_many(["new"]) == {"new": b"1"}


def test_profiles_whose_keys_a_program_gives(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("boto3")
    with s3_server() as server:
        open_backend(server.at("x"), mode="a", **server.options).put_many(ITEMS)
        keys = {"Version": 1, "AccessKeyId": server.options["access_key_id"]}
        (tmp_path / "said.json").write_text(
            json.dumps({**keys, "SecretAccessKey": server.options["secret_access_key"]})
        )
        told = f"import pathlib; print(pathlib.Path({str(tmp_path / 'said.json')!r}).read_text())"
        (tmp_path / "told.py").write_text(told)
        (tmp_path / "config").write_text(
            f"[profile lab]\nregion = us-east-1\nendpoint_url = {server.endpoint}\n"
            f"credential_process = {sys.executable} {tmp_path / 'told.py'}\n"
            "[profile broken]\ncredential_process = /nothing/there\n"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
        assert open_backend(server.at("x"), profile="lab").get_many(ITEMS) == ITEMS
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
        broken = open_backend(server.at("x"), profile="broken")
        with pytest.raises(AccessRefused, match="AWS profile 'broken' and then with no cred"):
            broken.get_many(ITEMS)


def test_a_private_bucket_says_what_was_tried_and_what_to_set(private: Server) -> None:
    backend = open_backend(private.at("x"), **endpoint(private))
    with pytest.raises(
        AccessRefused, match=r"/x may not be read: .* no credentials; set"
    ) as caught:
        backend.get_many(ITEMS)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    wrong = {"access_key_id": "AK", "secret_access_key": "hunter2"}
    if private.url.startswith("gs"):
        wrong = {"bearer_token": "hunter2"}
    given = open_backend(private.at("x"), **wrong, **endpoint(private))
    with pytest.raises(AccessRefused, match="the credentials given; set") as caught:
        given.get_many(ITEMS)
    assert "hunter2" not in f"{caught.value!r}{given!r}"


def test_who_may_read_and_not_write_is_told_so() -> None:
    with s3_server() as server, serving(_reads_only(), Network()) as at:
        open_backend(server.at("x"), mode="a", **server.options).put_many(ITEMS)
        backend = open_backend(server.at("x"), mode="r+", **{**server.options, "endpoint": at})
        assert backend.get_many(ITEMS) == ITEMS
        with pytest.raises(AccessRefused, match="may not be written to with the credentials given"):
            backend.put_many({"y": b""})


@pytest.mark.parametrize("web", [False, True])
def test_places_that_answer_forbidden_for_what_is_not_there(web: bool, tmp_path: Path) -> None:
    """As buckets do that let everybody read and nobody list."""
    for key, value in ITEMS.items():
        (tmp_path / "bucket" / "x" / key).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "bucket" / "x" / key).write_bytes(value)
    network = Network()
    with serving(_hides(tmp_path), network) as at:
        place = f"{at}/bucket/x" if web else "s3://bucket/x"
        backend = open_backend(place, **({} if web else {"endpoint": at}), **QUICK)
        assert backend.get_many([*ITEMS, "nothing", "0/c/1"]) == ITEMS
        assert len(network.requests) <= 2 * 4 + 3
        before = len(network.requests)
        assert backend.get_ranges([("nothing", 0, 1), ("0/c/0", 0, 1)]) == [None, b"1"]
        assert len(network.requests) == before + 2
        with pytest.raises(StoreUnlistable):
            backend.list_dir("")


def test_keys_that_expire_are_not_taken_for_absence(tmp_path: Path) -> None:
    code = [b""]

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        if code[0]:
            return _refusal(start, code[0])
        if environ["PATH_INFO"].endswith("zarr.json"):
            start("200 OK", [("ETag", '"1"'), ("Last-Modified", _DATE)])
            return [b"{}"]
        return _refusal(start, b"AccessDenied")

    with serving(app, Network()) as at:
        backend = open_backend("s3://b/x", endpoint=at, **_KEYS, **QUICK)
        assert backend.get_many(["zarr.json", "nothing"]) == {"zarr.json": b"{}"}
        for code[0] in (b"ExpiredToken", b"InvalidAccessKeyId", b"SignatureDoesNotMatch"):
            with pytest.raises(AccessRefused, match="may not be read with the credentials given"):
                backend.get_many(["zarr.json"])


def test_a_bucket_in_another_region_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network()
    told = {"header": "eu-west-3"}

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/eu-west-3/"):
            start("200 OK", [("ETag", '"1"'), ("Last-Modified", _DATE)])
            return [b"{}"]
        headers = [("x-amz-bucket-region", told["header"])] if told["header"] else []
        start("301 Moved Permanently", headers)
        return [b""]

    with serving(app, network) as at:
        monkeypatch.setattr(region, "ENDPOINT", at + "/{region}")
        backend = open_backend("s3://bucket/x", client_options={"allow_http": True})
        assert backend.get_many(["zarr.json"]) == {"zarr.json": b"{}"}
        assert [(r.asked.method, r.asked.path) for r in network.requests] == [
            ("GET", "/us-east-1/bucket/x/zarr.json"),
            ("HEAD", "/us-east-1/bucket"),
            ("GET", "/eu-west-3/bucket/x/zarr.json"),
        ]
        for lie in ("", "evil.example/", "eu-west-3.evil"):
            told["header"] = lie
            backend = open_backend("s3://bucket/x", client_options={"allow_http": True})
            with pytest.raises(StoreError, match="in another region: set AWS_REGION"):
                backend.get_many(["zarr.json"])


@pytest.mark.parametrize("url", ["s3://bucket/x", "gs://bucket/x", "az://container/x"])
def test_the_metadata_service_is_asked_where_it_was_chosen_only(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    metadata, bucket = Network(), Network()

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        del environ
        return _refusal(start, b"AccessDenied")

    with serving(app, metadata) as at, serving(app, bucket) as there:
        monkeypatch.setenv("AWS_METADATA_ENDPOINT", at)
        monkeypatch.setenv("GCE_METADATA_HOST", at.partition("//")[2])
        monkeypatch.setenv("AZURE_MSI_ENDPOINT", at)
        options = {"base_url" if url[0] == "g" else "endpoint": there, **QUICK}
        options |= {"account_name": "dev"} if url[0] == "a" else {}
        with pytest.raises(AccessRefused):
            open_backend(url, **options).get_many(["zarr.json"])
        assert bucket.requests
        assert not metadata.requests
        monkeypatch.setenv("ZARR_VECTORS_CREDENTIALS", "machine")
        with pytest.raises(StoreError):
            open_backend(url, **options).get_many(["zarr.json"])
        assert metadata.requests


def test_a_reader_writes_nothing_and_asks_for_nothing_to_write_with(
    public: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_store(public.at("read"), ndim=2, **public.options)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    before = len(public.network.requests)
    store = open_zv(public.at("read"), **endpoint(public))
    assert len(store[0].vertices.compute()) == 0
    root = open_store(public.at("read"), **endpoint(public))
    assert root.backend.read_only
    with pytest.raises(StoreError, match="read-only"):
        root.create_group("new")
    if public.url.startswith("s3"):
        with pytest.raises(AccessRefused, match="no credentials were found"):
            store[0].writer().add_attribute_sync("new", [])
    assert {method for method, _ in asked_since(public, before)} <= {"GET", "HEAD"}


def test_choices_and_options_that_are_unknown_are_refused() -> None:
    with pytest.raises(StoreError, match="credentials='everything' is unknown"):
        open_backend("s3://b/x", credentials="everything")
    with pytest.raises(StoreError, match="wibble"):
        open_backend("s3://b/x", wibble="1")


def test_web_addresses_take_no_keys_of_a_service(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str | None] = []

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        seen.append(environ.get("HTTP_AUTHORIZATION"))
        start("200 OK", [("ETag", '"1"'), ("Last-Modified", _DATE)])
        return [b"{}"]

    for name, value in STALE.items():
        monkeypatch.setenv(name, value)
    with serving(app, Network()) as at:
        assert open_backend(f"{at}/x").get_many(["zarr.json"]) == {"zarr.json": b"{}"}
        named = open_backend(at.replace("//", "//ann:pa%20ss@") + "/x")
        assert named.get_many(["zarr.json"]) == {"zarr.json": b"{}"}
        assert named.url == f"{at}/x"
    assert seen == [None, "Basic YW5uOnBhIHNz"]
    amazon = open_backend("https://bucket.s3.us-west-2.amazonaws.com/x")
    assert "skip_signature" in json.dumps(dict(amazon.zarr_store().store.config))


def test_a_password_is_asked_for_in_the_address(tmp_path: Path) -> None:
    (tmp_path / "zarr.json").write_bytes(b"{}")
    with http_server(tmp_path, password="hunter2") as server:  # noqa: S106 - of this server only
        assert open_backend(server.url, **QUICK).get_many(["zarr.json"]) == {"zarr.json": b"{}"}
        with pytest.raises(AccessRefused, match="put a user and password") as caught:
            open_backend(server.endpoint, **QUICK).get_many(["zarr.json"])
        wrong = server.url.replace("hunter2", "hunter3")
        with pytest.raises(AccessRefused, match="the user in the address") as caught:
            open_backend(wrong, **QUICK).get_many(["zarr.json"])
        assert "hunter" not in str(caught.value)


_DATE = "Sat, 21 Nov 2026 12:00:00 GMT"
_KEYS = {"access_key_id": "AK", "secret_access_key": "hunter2"}


def _refusal(start: Start, code: bytes) -> Iterable[bytes]:
    status = "400 Bad Request" if code == b"ExpiredToken" else "403 Forbidden"
    start(status, [("Content-Type", "application/xml")])
    return [REFUSED % code]


def _reads_only() -> App:
    from moto.server import create_backend_app

    real: App = create_backend_app("s3")

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"}:
            return _refusal(start, b"AccessDenied")
        return real(environ, start)

    return app


def _hides(folder: Path) -> App:
    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        path = folder / environ["PATH_INFO"].lstrip("/")
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or not path.is_file():
            return _refusal(start, b"AccessDenied")
        data = path.read_bytes()
        headers = [("ETag", '"1"'), ("Last-Modified", _DATE)]
        if environ["REQUEST_METHOD"] == "HEAD":
            headers.append(("Content-Length", str(len(data))))
        asked = environ.get("HTTP_RANGE", "")
        if not asked:
            start("200 OK", headers)
            return [data]
        first, _, last = asked.removeprefix("bytes=").partition("-")
        begin, end = int(first), min(int(last) + 1, len(data))
        start(
            "206 Partial Content",
            [*headers, ("Content-Range", f"bytes {begin}-{end - 1}/{len(data)}")],
        )
        return [data[begin:end]]

    return app
