"""Running a WSGI application on 127.0.0.1 behind a :class:`Network`."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from zarr_vectors.testing.servers.network import Asked, Network, Request

Environ = dict[str, Any]
Start = Callable[..., Any]
App = Callable[[Environ, Start], Iterable[bytes]]
Headers = list[tuple[str, str]]

_REFUSED = {
    "slow_down": ("503 Slow Down", "SlowDown", "Please reduce your request rate."),
    "throttle": ("429 Too Many Requests", "TooManyRequests", "Too many requests."),
    "error": ("500 Internal Server Error", "InternalError", "We encountered an internal error."),
}
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)


class BehindNetwork:
    """An application whose requests wait, fail and are noted as its network says.

    Args:
        app: The application.
        network: The network.
    """

    def __init__(self, app: App, network: Network) -> None:
        self.app = app
        self.network = network
        self._kept: dict[tuple[str, ...], tuple[str, Headers, bytes]] = {}

    def __call__(self, environ: Environ, start: Start) -> Iterable[bytes]:
        """Answer one request."""
        began = time.monotonic()
        asked, fault = self.network.arrive(_asked(environ))
        self.network.delay(asked)
        status, headers, body = "", cast("Headers", []), b""
        if fault in _REFUSED:
            status, headers, body = _refusal(fault)
        elif fault == "hang":
            self.network.wait(self.network.hang_s)
        elif fault != "reset":
            if fault == "no_range":
                environ = {k: v for k, v in environ.items() if k != "HTTP_RANGE"}
            status, headers, body = self._answer(environ, asked, fault)
        lost = fault in {"hang", "reset", "lost"}
        code = 0 if lost else int(status.split()[0])
        ended = time.monotonic()
        self.network.note(Request(asked, code, fault, began, ended, 0 if lost else len(body)))
        if lost:
            _reset(environ)
        write = start(status, headers)
        if fault == "half":
            write(body[: len(body) // 2])
            _reset(environ)
        return [body]

    def _answer(self, environ: Environ, asked: Asked, fault: str) -> tuple[str, Headers, bytes]:
        key = (asked.method, asked.path, asked.query, asked.range)
        if fault == "stale" and key in self._kept:
            return self._kept[key]
        answer = _run(self.app, environ)
        if self.network.remember and not fault and asked.method in {"GET", "HEAD"}:
            self._kept[key] = answer
        return answer


@contextmanager
def serving(app: App, network: Network, handler: Any = None) -> Iterator[str]:  # noqa: ANN401
    """Serve an application behind a network; gives ``http://127.0.0.1:PORT``.

    Args:
        app: The application.
        network: What is between.
        handler: Class of werkzeug's request handler, its own by default.
    """
    from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

    base: type[WSGIRequestHandler] = handler or WSGIRequestHandler

    class Handler(base):  # type: ignore[misc, valid-type]
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else an answer's head waits for its body: 40 ms

        def log(self, type: str, message: str, *args: Any) -> None:  # noqa: ANN401
            """Nothing: the network keeps the log."""

    class Listener(ThreadedWSGIServer):
        daemon_threads = False  # the end waits for them
        request_queue_size = 128

        def __init__(self) -> None:
            self.sockets: set[socket.socket] = set()
            super().__init__("127.0.0.1", 0, BehindNetwork(app, network), Handler)

        def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
            self.sockets.add(request)
            super().process_request(request, client_address)

        def shutdown_request(self, request: Any) -> None:  # noqa: ANN401
            self.sockets.discard(request)
            super().shutdown_request(request)

    server = Listener()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="test server")
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        network.closing.set()
        server.shutdown()
        thread.join()
        for open_socket in list(server.sockets):  # clients keep theirs open
            _shut(open_socket)
        server.server_close()


def _asked(environ: Environ) -> Asked:
    return Asked(
        number=0,
        method=environ["REQUEST_METHOD"],
        path=environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace"),
        query=environ.get("QUERY_STRING", ""),
        range=environ.get("HTTP_RANGE") or environ.get("HTTP_X_MS_RANGE") or "",
    )


def _run(app: App, environ: Environ) -> tuple[str, Headers, bytes]:
    """Everything an application answers."""
    said: list[tuple[str, Headers]] = []
    parts: list[bytes] = []

    def start(status: str, headers: Headers, exc_info: Any = None) -> Any:  # noqa: ANN401
        said.append((status, headers))
        return parts.append

    answer = app(environ, start)
    try:
        parts.extend(answer)
    finally:
        if hasattr(answer, "close"):
            answer.close()
    status, headers = said[-1]
    body = b"".join(parts)
    bare = int(status.split()[0]) in {204, 304} or environ["REQUEST_METHOD"] == "HEAD"
    if not bare and not any(name.lower() == "content-length" for name, _ in headers):
        headers = [*headers, ("Content-Length", str(len(body)))]
    return status, headers, body


def _refusal(fault: str) -> tuple[str, Headers, bytes]:
    status, code, message = _REFUSED[fault]
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>".encode()
    return status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))], body


def _reset(environ: Environ) -> None:
    """Cut the connection, and stop the handler."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
    _shut(connection)
    raise ConnectionResetError("cut on purpose")


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # the other side was quicker
        return
