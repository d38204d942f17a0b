"""Secrets of an address go to its host and to no other; nobody is led to plain addresses."""

from __future__ import annotations

import datetime
import ssl
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from zarr_vectors.core.backends import open_backend
from zarr_vectors.exceptions import AccessRefused, StoreError
from zarr_vectors.testing.servers import Network
from zarr_vectors.testing.servers.wsgi import App, Environ, Start, serving

pytestmark = pytest.mark.usefixtures("nobody")

Seen = list[dict[str, str]]


def elsewhere(seen: Seen) -> App:
    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        seen.append({name: str(value) for name, value in environ.items()})
        start("200 OK", [("ETag", '"1"'), ("Last-Modified", "Sat, 21 Nov 2026 12:00:00 GMT")])
        return [b"{}"]

    return app


@pytest.fixture
def led() -> Iterator[tuple[str, Seen, Network]]:
    """A server that sends everybody on, what the other one saw, and the first one's log."""
    seen: Seen = []
    network = Network()
    with serving(elsewhere(seen), Network()) as there:

        def app(environ: Environ, start: Start) -> Iterable[bytes]:
            to = there.replace("127.0.0.1", "localhost") + environ["PATH_INFO"]
            start("302 Found", [("Location", to)])
            return [b""]

        with serving(app, network) as here:
            yield here, seen, network


def test_tokens_and_headers_of_ones_own_are_not_carried_on(
    led: tuple[str, Seen, Network],
) -> None:
    here, seen, _ = led
    for address, options in (
        (f"{here}/a?token=hunter2", {}),
        (f"{here}/a", {"client_options": {"default_headers": {"X-Api-Key": "hunter2"}}}),
    ):
        backend = open_backend(address, **options)
        with pytest.raises(AccessRefused, match="sends on to localhost") as caught:
            backend.get_many(["zarr.json"])
        assert "hunter2" not in str(caught.value)
    assert not seen


def test_others_are_led_on_and_say_nothing_of_who_they_are(led: tuple[str, Seen, Network]) -> None:
    here, seen, network = led
    assert open_backend(f"{here}/a").get_many(["zarr.json"]) == {"zarr.json": b"{}"}
    assert len(network.requests) == 1
    named = here.replace("//", "//ann:hunter2@")
    assert open_backend(f"{named}/a").get_many(["zarr.json"]) == {"zarr.json": b"{}"}
    assert len(seen) == 2
    assert "hunter2" not in str(seen)
    assert not any("HTTP_AUTHORIZATION" in one for one in seen)


def test_a_token_is_sent_with_every_request_to_its_own_server() -> None:
    seen: Seen = []
    with serving(elsewhere(seen), Network()) as here:
        backend = open_backend(f"{here}/a?token=hunter2")
        assert backend.get_many(["zarr.json", "x"]) == {"zarr.json": b"{}", "x": b"{}"}
    assert {one["QUERY_STRING"] for one in seen} == {"token=hunter2"}
    assert len(seen) == 3


def test_secure_addresses_do_not_lead_to_plain_ones(tmp_path: Path) -> None:
    seen: Seen = []
    with serving(elsewhere(seen), Network()) as plain:

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(302)
                self.send_header("Location", f"{plain}{self.path}")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        server.socket = _secured(tmp_path).wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            backend = open_backend(
                f"https://127.0.0.1:{server.server_port}/a",
                client_options={"allow_invalid_certificates": True},
            )
            with pytest.raises(StoreError):
                backend.get_many(["zarr.json"])
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
    assert not seen


def _secured(folder: Path) -> ssl.SSLContext:
    """A context with a certificate nobody has signed."""
    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "made.pem").write_bytes(made.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "made.pem", folder / "key.pem")
    return context
