"""Buckets of two dialects, kept in memory: S3, and what Google's service calls its XML API.

Signatures are not checked, only the name of the key: a wrong secret reads. Of the second dialect
there are no generations, and a copy that must not replace anything is not refused.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from urllib.parse import quote, unquote

from zarr_vectors.testing.servers.network import Network
from zarr_vectors.testing.servers.server import Server
from zarr_vectors.testing.servers.wsgi import App, Environ, Start, serving

QUICK = {
    "client_options": {"allow_http": True, "timeout": "3s", "connect_timeout": "3s"},
    "retry_config": {
        "max_retries": 3,
        "retry_timeout": timedelta(seconds=15),
        "backoff": {
            "init_backoff": timedelta(milliseconds=5),
            "max_backoff": timedelta(milliseconds=50),
            "base": 2,
        },
    },
}
"""Options by which tests of faults do not wait long."""

_ACCOUNT = "123456789012"
_KEY, _SECRET = "AKIAZVTESTKEY0000001", "zv-test-secret-4f1d0c9b7a"
_TOKEN = "zv-test-token-83b1e6d2c5"  # noqa: S105 - of this server only


@contextmanager
def s3_server(*, public: bool = False) -> Iterator[Server]:
    """An S3 service with one fresh bucket.

    Args:
        public: Everybody may read the bucket without a key.
    """
    network = Network()
    with _bucket(public=public) as name, serving(_named_key(_moto()), network, _handler()) as at:
        keys = {"access_key_id": _KEY, "secret_access_key": _SECRET}
        yield Server(
            url=f"s3://{name}",
            endpoint=at,
            network=network,
            options={**keys, "region": "us-east-1", "endpoint": at, **QUICK},
            environment={
                "AWS_ACCESS_KEY_ID": _KEY,
                "AWS_SECRET_ACCESS_KEY": _SECRET,
                "AWS_REGION": "us-east-1",
                "AWS_ENDPOINT_URL": at,
                "AWS_ALLOW_HTTP": "true",
            },
            secrets=(_SECRET,),
        )


@contextmanager
def gcs_server(*, public: bool = False) -> Iterator[Server]:
    """A service that speaks the XML dialect of Google's buckets, with one fresh bucket.

    Args:
        public: Everybody may read the bucket without a token.
    """
    network = Network()
    with _bucket(public=public) as name, serving(_as_google(_moto()), network, _handler()) as at:
        yield Server(
            url=f"gs://{name}",
            endpoint=at,
            network=network,
            options={"base_url": at, "bearer_token": _TOKEN, **QUICK},
            environment={"GOOGLE_BASE_URL": at, "GOOGLE_BEARER_TOKEN": _TOKEN},
            secrets=(_TOKEN,),
        )


@contextmanager
def _bucket(*, public: bool) -> Iterator[str]:
    from moto.s3.models import get_canned_acl, s3_backends

    service = s3_backends[_ACCOUNT]["aws"]
    name = f"zv{uuid.uuid4().hex[:12]}"
    service.create_bucket(name, "us-east-1")
    if public:  # its objects take after it
        service.put_bucket_acl(name, get_canned_acl("public-read"))
    try:
        yield name
    finally:
        bucket = service.buckets.pop(name)
        bucket.keys.clear()


def _moto() -> App:
    from moto.server import create_backend_app

    app: App = create_backend_app("s3")
    return _one_at_a_time(app)


def _handler() -> object:
    from moto.moto_server.werkzeug_app import MotoRequestHandler

    return MotoRequestHandler


def _refuse(start: Start, code: str) -> Iterable[bytes]:
    body = f"<Error><Code>{code}</Code><Message>The key is not known.</Message></Error>".encode()
    start("403 Forbidden", [("Content-Type", "application/xml")])
    return [body]


def _one_at_a_time(app: App) -> App:
    """Requests with conditions after one another: a service checks and does in one."""
    lock = threading.Lock()

    def in_turn(environ: Environ, start: Start) -> Iterable[bytes]:
        if "HTTP_IF_NONE_MATCH" not in environ and "HTTP_IF_MATCH" not in environ:
            return app(environ, start)
        with lock:
            return app(environ, start)

    return in_turn


def _named_key(app: App) -> App:
    def checked(environ: Environ, start: Start) -> Iterable[bytes]:
        said = environ.get("HTTP_AUTHORIZATION")
        if said is not None and f"Credential={_KEY}/" not in said:
            return _refuse(start, "InvalidAccessKeyId")
        return app(environ, start)

    return checked


def _as_google(app: App) -> App:
    names = {"HTTP_X_GOOG_COPY_SOURCE": "HTTP_X_AMZ_COPY_SOURCE"}

    def translated(environ: Environ, start: Start) -> Iterable[bytes]:
        environ = {names.get(key, key): value for key, value in environ.items()}
        said = environ.pop("HTTP_AUTHORIZATION", None)
        if said is not None and said != f"Bearer {_TOKEN}":
            return _refuse(start, "AccessDenied")
        if said is not None:
            environ["HTTP_AUTHORIZATION"] = (
                f"AWS4-HMAC-SHA256 Credential={_KEY}/20260101/us-east-1/s3/aws4_request, "
                "SignedHeaders=host, Signature=0"
            )
        if environ.pop("HTTP_X_GOOG_IF_GENERATION_MATCH", None) == "0":
            environ["HTTP_IF_NONE_MATCH"] = "*"
        # slashes of keys come as %2F
        where, mark, query = environ["REQUEST_URI"].partition("?")
        plain = f"{quote(unquote(where))}{mark}{query}"
        return app({**environ, "REQUEST_URI": plain, "RAW_URI": plain}, start)

    return translated
