"""Containers of Azure: its variables, its connection string, and public ones with nothing set."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from zarr_vectors.core.backends import open_backend
from zarr_vectors.exceptions import AccessRefused
from zarr_vectors.testing.servers import Server, azure_server
from zarr_vectors.testing.servers.buckets import QUICK

pytestmark = pytest.mark.usefixtures("nobody")

ITEMS = {"zarr.json": b"{}", "0/c/0": b"123456"}


@pytest.fixture(scope="module", params=[False, True], ids=["private", "public"])
def container(request: pytest.FixtureRequest, azurite: None) -> Iterator[tuple[Server, bool]]:
    with azure_server(public=request.param) as server:
        open_backend(server.at("x"), mode="a", **server.options).put_many(ITEMS)
        yield server, request.param


def test_nothing_set(container: tuple[Server, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    server, public = container
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", str(server.options["account_name"]))
    before = len(server.network.requests)
    backend = open_backend(server.at("x"), endpoint=server.options["endpoint"], **QUICK)
    if public:
        assert backend.get_many([*ITEMS, "nothing"]) == ITEMS
        assert backend.get_ranges([("0/c/0", -2, 2)]) == [b"56"]
        assert len(server.network.requests) - before <= 5
    else:
        with pytest.raises(AccessRefused, match=r"no credentials; set AZURE_STORAGE_ACCOUNT"):
            backend.get_many(ITEMS)


def test_its_variables(container: tuple[Server, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    server, _ = container
    options = server.options
    key, account, at = (str(options[n]) for n in ("account_key", "account_name", "endpoint"))
    with monkeypatch.context() as patch:
        patch.setenv(
            "AZURE_STORAGE_CONNECTION_STRING",
            f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};BlobEndpoint={at};",
        )
        assert open_backend(server.at("x"), **QUICK).get_many(ITEMS) == ITEMS
        open_backend(server.at("x"), mode="r+", **QUICK).put_many({"new": b"1"})
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", account)
    monkeypatch.setenv("AZURE_STORAGE_ENDPOINT", at)
    monkeypatch.setenv("AZURE_STORAGE_KEY", key)
    backend = open_backend(server.at("x"), **QUICK)
    assert backend.get_many(["new"]) == {"new": b"1"}
    assert key not in repr(backend) + backend.url + str(vars(backend))


def test_a_wrong_key(container: tuple[Server, bool], monkeypatch: pytest.MonkeyPatch) -> None:
    server, public = container
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", str(server.options["account_name"]))
    monkeypatch.setenv("AZURE_STORAGE_KEY", "aHVudGVyMg==")
    backend = open_backend(server.at("x"), endpoint=server.options["endpoint"], **QUICK)
    if public:
        assert backend.get_many(ITEMS) == ITEMS
    else:
        with pytest.raises(AccessRefused, match=r"AZURE_STORAGE_KEY holds and then") as caught:
            backend.get_many(ITEMS)
        assert "aHVudGVyMg" not in str(caught.value)
    writing = open_backend(server.at("x"), mode="r+", endpoint=server.options["endpoint"], **QUICK)
    with pytest.raises(AccessRefused, match=r"may not be written to.* AZURE_STORAGE_KEY"):
        writing.put_many({"y": b""})
