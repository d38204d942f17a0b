"""A plain web server: files of a folder, ranges of them, and no listing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zarr_vectors.testing.servers.buckets import QUICK
from zarr_vectors.testing.servers.network import Network
from zarr_vectors.testing.servers.server import Server
from zarr_vectors.testing.servers.wsgi import Environ, Start, serving


@contextmanager
def http_server(folder: str | Path, *, password: str = "") -> Iterator[Server]:
    """A web server for a folder; it knows GET and HEAD, and answers 404 to all else.

    Args:
        folder: What it serves.
        password: Asked of the user ``reader``; nothing is asked where empty.
    """
    from werkzeug.datastructures import Authorization
    from werkzeug.exceptions import HTTPException, NotFound, Unauthorized
    from werkzeug.security import safe_join
    from werkzeug.utils import send_file
    from werkzeug.wrappers import Request

    wanted = Authorization("basic", {"username": "reader", "password": password})

    def app(environ: Environ, start: Start) -> Iterable[bytes]:
        request = Request(environ)
        try:
            if password and request.authorization != wanted:
                raise Unauthorized
            path = safe_join(str(Path(folder).resolve()), request.path.lstrip("/"))
            if request.method not in {"GET", "HEAD"} or path is None or not Path(path).is_file():
                raise NotFound
            answer = send_file(
                path, environ, mimetype="application/octet-stream", conditional=True, etag=True
            )
        except HTTPException as error:
            return error.get_response(environ)(environ, start)
        return answer(environ, start)

    network = Network()
    with serving(app, network) as at:
        host = at.partition("://")[2]
        named = f"http://reader:{password}@{host}" if password else at
        secrets = (password,) if password else ()
        yield Server(url=named, endpoint=at, network=network, options=QUICK, secrets=secrets)
