"""What a place is opened with is seen nowhere: not in errors, logs, texts of objects, files.

Every kind of credentials is a canary: a text that occurs nowhere else. Places are asked that are
not there, that refuse, that fail, and that answer.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import pickle
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from zarr_vectors.core.backends import StorageBackend, open_backend
from zarr_vectors.core.backends.requests import Policy, Retrying
from zarr_vectors.core.group import group_at
from zarr_vectors.core.handle import open_handle
from zarr_vectors.exceptions import ZVError
from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.data import cloud, points_store
from zarr_vectors.testing.servers import Server, from_number, http_server, where
from zarr_vectors.validate import validate
from zv_viewer.addresses import addresses, remember

NOWHERE = "http://127.0.0.1:1"  # nothing listens at this port
QUICK = {
    "client_options": {"allow_http": True, "timeout": "2s", "connect_timeout": "1s"},
    "retry_config": {"max_retries": 0, "retry_timeout": timedelta(seconds=1)},
}
AT_ONCE = Policy(retrying=Retrying(tries=2, tries_offline=1, first_s=0.01))
KEY = base64.b64encode(b"canary-azure-account-key-32-bytes!").decode()
SIGNATURE = "canarySig+/abc%3D"


@dataclass(frozen=True)
class Case:
    """Credentials for a place."""

    name: str
    url: str
    secrets: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


S3 = {
    "access_key_id": "AKIACANARYCANARY0001",
    "secret_access_key": "canary/secret+key",
    "session_token": "canary-session-token",
}
SAS = f"sv=2024&sig={SIGNATURE}&se=2030"
CASES = [
    Case(
        "s3 options",
        "s3://bucket/x",
        tuple(S3.values()),
        {**S3, "region": "us-east-1", "endpoint": NOWHERE, **QUICK},
    ),
    Case(
        "s3 environment",
        "s3://bucket/x",
        tuple(S3.values()),
        QUICK,
        {f"AWS_{name.upper()}": value for name, value in S3.items()}
        | {"AWS_ENDPOINT_URL": NOWHERE, "AWS_REGION": "us-east-1"},
    ),
    Case(
        "s3 endpoint with a password",
        "s3://bucket/x",
        ("canary-password",),
        {**S3, "endpoint": "http://canary:canary-password@127.0.0.1:1", **QUICK},
    ),
    Case(
        "azure key",
        "az://container/x",
        (KEY,),
        {"account_name": "someone", "account_key": KEY, "endpoint": NOWHERE, **QUICK},
    ),
    Case(
        "azure signature",
        "az://container/x",
        (SIGNATURE, "canarySig"),
        {"account_name": "someone", "sas_key": SAS, "endpoint": NOWHERE, **QUICK},
    ),
    Case(
        "azure environment",
        "az://container/x",
        (KEY,),
        QUICK,
        {
            "AZURE_STORAGE_CONNECTION_STRING": "DefaultEndpointsProtocol=http;AccountName=someone;"
            f"AccountKey={KEY};BlobEndpoint={NOWHERE}/someone"
        },
    ),
    Case(
        "google token",
        "gs://bucket/x",
        ("canary-bearer-token",),
        {"bearer_token": "canary-bearer-token", "base_url": NOWHERE, **QUICK},
    ),
    Case("password", "http://me:canary-password@127.0.0.1:1/x", ("canary-password",), QUICK),
    Case(
        "quoted password",
        f"http://me:{quote('canary@p/w:?#', safe='')}@127.0.0.1:1/x",
        ("canary@p/w:?#", quote("canary@p/w:?#", safe="")),
        QUICK,
    ),
    *(
        Case(f"raw password {mark}", f"http://me:can{mark}canary@127.0.0.1:1/x", ("canary",), QUICK)
        for mark in "/?#@"
    ),
    Case("query", "http://127.0.0.1:1/x?token=canary-query-token", ("canary-query-token",), QUICK),
    Case(
        "header",
        "http://127.0.0.1:1/x",
        ("canary-header-token",),
        {**QUICK, "client_options": {"default_headers": {"X-Token": "canary-header-token"}}},
    ),
]


QUERY = next(case for case in CASES if case.name == "query")


class Watch:
    """All text that came out of anything, to be looked through for secrets."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []

    def keep(self, what: str, text: object) -> None:
        """Remember a text."""
        self.texts.append((what, text if isinstance(text, str) else repr(text)))

    def told(self, error: BaseException) -> None:
        """Everything an error and those it came from say."""
        seen: set[int] = set()
        waiting: list[BaseException | None] = [error]
        while waiting:
            one = waiting.pop()
            if one is None or id(one) in seen:
                continue
            seen.add(id(one))
            self.keep("error", f"{one!s} {one!r} {one.args!r} {getattr(one, '__notes__', '')}")
            self.keep("fields of an error", repr(getattr(one, "__dict__", {})))
            waiting += [one.__cause__, one.__context__]
        self.keep("traceback", "".join(traceback.format_exception(error)))

    def look(self, what: str, thing: object) -> None:
        """The texts of an object, and of what it is made of."""
        for text in (str, repr, format):
            self.keep(f"{text.__name__} of {what}", text(thing))
        with suppress(Exception):  # what cannot be pickled gives nothing away
            self.keep(f"pickle of {what}", pickle.dumps(thing).decode("latin-1"))

    def none_of(self, secrets: tuple[str, ...]) -> None:
        """See that no secret is in any text.

        Raises:
            AssertionError: One is.
        """
        assert self.texts
        spelled = [s for secret in secrets for s in spellings(secret)]
        found = [(what, text) for what, text in self.texts if any(s in text for s in spelled)]
        assert not found, [(what, text[:300]) for what, text in found]


def spellings(secret: str) -> set[str]:
    """A secret as it is and as addresses, headers and JSON have it."""
    plain = {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}
    coded = {base64.b64encode(s.encode()).decode().rstrip("=") for s in (secret, f"me:{secret}")}
    return plain | coded


@contextmanager
def watching(caplog: pytest.LogCaptureFixture) -> Iterator[Watch]:
    """A watch that also takes all that is logged, whatever the level."""
    watch = Watch()
    with caplog.at_level(logging.DEBUG):
        yield watch
    watch.keep("log", caplog.text)


def ask(watch: Watch, what: str, call: Callable[[], object]) -> object:
    """What a call answers; what it says where it fails."""
    try:
        answer = call()
    except ZVError as error:
        watch.told(error)
        return None
    watch.look(what, answer)
    return answer


def use(watch: Watch, place: StorageBackend) -> None:
    """All that is done with a place."""
    watch.look("address", place.url)
    ask(watch, "values", lambda: place.get_many(["zarr.json", "a"]))
    ask(watch, "ranges", lambda: place.get_ranges([("zarr.json", 0, 3)]))
    ask(watch, "names", lambda: place.list_dir(""))
    ask(watch, "new", lambda: place.put_many({"a": b"b"}))
    ask(watch, "handle", lambda: open_handle(place))
    ask(watch, "store", lambda: open_zv(place))
    ask(watch, "zarr store", lambda: str(place.zarr_store()))
    watch.look("counts", place.stats)
    watch.keep("findings", validate(place).summary())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_place_that_is_not_there(
    case: Case, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in case.environment.items():
        monkeypatch.setenv(name, value)
    with watching(caplog) as watch:
        for mode in ("r", "r+"):
            place: Any = ask(
                watch,
                "backend",
                partial(open_backend, case.url, mode=mode, policy=AT_ONCE, **case.options),
            )
            if place is not None:
                use(watch, place)
    watch.none_of(case.secrets)


@pytest.mark.parametrize("case", [CASES[7], QUERY], ids=lambda case: case.name)
def test_by_fsspec(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    with watching(caplog) as watch:
        place: Any = ask(watch, "backend", lambda: open_backend(case.url, backend="fsspec"))
        if place is not None:
            use(watch, place)
    watch.none_of(case.secrets)


PROGRAM = """
import faulthandler, sys
from zarr_vectors.lazy import open_zv
faulthandler.dump_traceback_later(0.5, file=sys.stderr)
try:
    print(open_zv(sys.argv[1]))
finally:
    faulthandler.dump_traceback(file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("case", "program"),
    [
        (CASES[1], ["-m", "zv_viewer", "info"]),
        (CASES[7], ["-c", PROGRAM]),
        (QUERY, ["-m", "zv_viewer", "info"]),
    ],
    ids=lambda value: value.name if isinstance(value, Case) else value[0],
)
def test_what_programs_print(case: Case, program: list[str], tmp_path: Path) -> None:
    """The command, and a program that dies of the error; the environment holds the credentials."""
    environment = {**os.environ, **case.environment, "ZV_VIEWER_CACHE": str(tmp_path)}
    watch = Watch()
    done = subprocess.run(
        [sys.executable, *program, case.url],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode
    assert done.stderr
    watch.keep(program[1], done.stdout + done.stderr)
    for path in tmp_path.rglob("*"):
        watch.keep(str(path), path.read_text(errors="replace") if path.is_file() else "")
    watch.none_of(case.secrets)


# places that answer


def written(server: Server, watch: Watch) -> str:
    """A store written and read at a server, its network failing at times."""
    url = server.at("secrets")
    options = {**server.options, "policy": AT_ONCE}
    place = open_backend(url, mode="w", **options)
    points_store(place, cloud(12), chunk=100.0)
    watch.look("backend", place)
    store = open_zv(open_backend(url, **options))
    for what, thing in (
        ("store", store),
        ("level", store[0]),
        ("vertices", store[0].vertices),
        ("attributes", store[0].attributes),
        ("handle", open_handle(place)),
        ("group", group_at(open_handle(place).layout)),
    ):
        watch.look(what, thing)
    server.network.rule = from_number(1, "error")
    ask(watch, "failing", lambda: open_backend(url, **options).get_many(["zarr.json"]))
    server.network.rule = where(lambda asked: True, "reset")
    ask(watch, "failing", lambda: open_backend(url, **options).get_many(["zarr.json"]))
    server.network.clear()
    other = {k: f"{v}x" if v in server.secrets else v for k, v in options.items()}
    ask(watch, "refused", lambda: open_backend(url, **other).get_many(["zarr.json"]))
    for key in place.keys_below(""):
        watch.keep(key, place.get_many([key])[key].decode("latin-1"))
    return url


@pytest.mark.parametrize("name", ["s3", "gcs", "azure"])
def test_a_bucket_that_answers(
    name: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    server: Server = request.getfixturevalue(name)
    assert server.secrets
    with watching(caplog) as watch:
        written(server, watch)
    assert len(watch.texts) > 60
    watch.none_of(server.secrets)


def test_a_web_server_with_a_password(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    points_store(tmp_path / "store", cloud(20), chunk=50.0)
    password = "canary-web-password"  # noqa: S105
    with http_server(tmp_path, password=password) as server, watching(caplog) as watch:
        store = open_zv(open_backend(server.at("store"), **server.options))
        watch.look("store", store)
        assert len(store[0].vertices.compute()) == 20
        wrong = server.at("store").replace(password, f"{password}-not")
        ask(watch, "refused", lambda: open_zv(open_backend(wrong, **server.options)))
        ask(watch, "absent", lambda: open_zv(open_backend(server.at("no"), **server.options)))
    watch.none_of(server.secrets)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_addresses_that_are_remembered(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZV_VIEWER_CACHE", str(tmp_path))
    remember(case.url)
    watch = Watch()
    assert addresses()
    for path in tmp_path.iterdir():
        watch.keep(path.name, path.read_text())
    watch.none_of(case.secrets)


# the search itself


def test_a_secret_that_is_told_is_found() -> None:
    secret = "canary-of-the-test"  # noqa: S105
    for tell in (
        lambda: ValueError(secret),
        lambda: ValueError(f"http://x/?t={quote(secret)}"),
        lambda: ValueError(base64.b64encode(f"me:{secret}".encode()).decode()),
    ):
        watch = Watch()
        try:
            try:
                raise tell()
            except ValueError:
                raise KeyError("x") from None
        except KeyError as error:
            watch.told(error)
        with pytest.raises(AssertionError, match="error"):
            watch.none_of((secret,))
