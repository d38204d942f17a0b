"""What went wrong with a request, and whether asking again may help.

Clients of buckets and web servers have no common errors: some carry a status, some say it in their
text, some raise what the system raised. All are brought to one value here.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zarr_vectors.core.backends.urls import redact

_STATUS = re.compile(r"non-2xx status code: (\d{3})")
_KIND = re.compile(r"\bkind: (Connect|Timeout|Interrupted|Request|Decode|Unknown)\b")
_NO_HOST = ("ConnectError", "dns error", "ConnectionRefused")
_KINDS = {"Connect": "offline", "Timeout": "timeout", "Interrupted": "cut", "Request": "cut"}
_SLOW_DOWN = frozenset({429, 503, 509})
_SERVER = frozenset({500, 502, 504, 520, 521, 522, 523, 524})
_ASKED_TOO_MUCH = ("SlowDown", "TooManyRequests", "ServerBusy", "RequestTimeout")
_MOST_TEXT = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """A request that failed in a way another try may mend.

    Attributes:
        trouble: One of :data:`zarr_vectors.exceptions.TROUBLES`.
        text: What is known of it, without credentials.
        after_s: Seconds the server asked to wait; None where it did not.
    """

    trouble: str
    text: str
    after_s: float | None = None


class CutShort(Exception):
    """An answer ended before its length; raised by those who read bodies."""


class OutOfDate(Exception):
    """An answer older than one that was given before; raised by those who read bodies."""


def fault_of(error: BaseException) -> Fault | None:
    """The fault behind an error; None where trying again cannot help."""
    text = describe(error)
    if isinstance(error, CutShort):
        return Fault("cut", text)
    if isinstance(error, OutOfDate):
        return Fault("server", text)
    if isinstance(error, TimeoutError):
        return Fault("timeout", str(error) or "no answer in time")
    status = status_of(error)
    if status is not None:
        return _of_status(status, text, _retry_after(error))
    if isinstance(error, ConnectionRefusedError | socket.gaierror):
        return Fault("offline", text)
    if isinstance(error, ConnectionError):
        return Fault("cut", text)
    return _of_client(error, text)


def status_of(error: BaseException) -> int | None:
    """HTTP status an error stands for; None where it says none."""
    for name in ("status", "status_code", "http_status_code"):
        value = getattr(error, name, None)
        if isinstance(value, int) and 100 <= value < 600:
            return value
    answer = getattr(error, "response", None)
    if isinstance(answer, Mapping):  # as botocore has it
        value = _metadata(answer).get("HTTPStatusCode")
        return value if isinstance(value, int) else None
    found = _STATUS.search(str(error).partition("\n")[0])
    return int(found[1]) if found else None


def describe(error: BaseException) -> str:
    """One line about an error, without credentials."""
    lines = redact(f"{type(error).__name__}: {error}").splitlines() or [""]
    return lines[0].strip()[:_MOST_TEXT]


def _of_status(status: int, text: str, after_s: float | None) -> Fault | None:
    if status in _SLOW_DOWN or (status == 400 and any(word in text for word in _ASKED_TOO_MUCH)):
        return Fault("throttled", text, after_s)
    if status == 408:
        return Fault("timeout", text, after_s)
    return Fault("server", text, after_s) if status in _SERVER else None


def _of_client(error: BaseException, text: str) -> Fault | None:
    """By what a client library says, which is all there is."""
    module = type(error).__module__.partition(".")[0]
    if module == "obstore":
        whole = str(error)
        found = _KIND.search(whole)
        if found is None:  # another part than was asked for is as good as none
            return Fault("cut", text) if "UnexpectedRange" in whole else None
        kind = found[1]
        if kind == "Unknown" and "redirect" in whole.partition("\n")[0]:
            return None
        if kind == "Connect" or any(word in whole for word in _NO_HOST):
            return Fault("offline", text)
        return Fault(_KINDS.get(kind, "server"), text)
    name = type(error).__name__
    if module in {"aiohttp", "botocore", "requests", "urllib3"}:
        if "Timeout" in name:
            return Fault("timeout", text)
        if "Connector" in name or "EndpointConnection" in name:
            return Fault("offline", text)
        if any(word in name for word in ("Payload", "Disconnected", "Connection", "Incomplete")):
            return Fault("cut", text)
    return None


def _retry_after(error: BaseException) -> float | None:
    headers: Any = getattr(error, "headers", None)
    answer = getattr(error, "response", None)
    if headers is None and isinstance(answer, Mapping):
        headers = _metadata(answer).get("HTTPHeaders")
    if not isinstance(headers, Mapping):
        return None
    value = headers.get("Retry-After", headers.get("retry-after"))
    try:
        seconds = float(value)
    except (TypeError, ValueError):  # a date, or nothing
        return None
    return seconds if 0 <= seconds < 1e6 else None


def _metadata(answer: Mapping[Any, Any]) -> Mapping[Any, Any]:
    found = answer.get("ResponseMetadata")
    return found if isinstance(found, Mapping) else {}
