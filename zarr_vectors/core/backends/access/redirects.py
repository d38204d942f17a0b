"""Whether a web server sends those who ask it to another one, who would be told secrets.

The driver follows redirects, and takes along what stands in the query and in headers of one's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

_TIMEOUT_S = 5.0


class _Stay(HTTPRedirectHandler):
    """The answer itself is wanted, wherever it points to."""

    def redirect_request(self, *args: object) -> None:
        """Go nowhere."""


def staying() -> OpenerDirector:
    """Opens web addresses without going where they point to."""
    return build_opener(_Stay)


def leads_to(url: str, headers: Mapping[str, str]) -> str:
    """Host a server sends on to, ``""`` where it is the same or there is none.

    Args:
        url: What is asked for.
        headers: Sent along.
    """
    request = Request(url, headers=dict(headers), method="HEAD")  # noqa: S310 - http or https
    try:
        answer = staying().open(request, timeout=_TIMEOUT_S)
    except HTTPError as error:
        answer = error
    except (URLError, OSError, ValueError):  # whoever asks next is told so
        return ""
    with answer:
        to = answer.headers.get("Location") if 300 <= answer.status < 400 else None
    target = urlsplit(urljoin(url, to or ""))
    return "" if _origin(target) == _origin(urlsplit(url)) else target.hostname or "nowhere"


def _origin(parts: object) -> tuple[object, ...]:
    return tuple(getattr(parts, name) for name in ("scheme", "hostname", "port"))
