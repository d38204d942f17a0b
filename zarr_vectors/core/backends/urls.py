"""What a store's address says: its scheme, the local path it may be, and no secrets."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_FILE = re.compile(r"file:", re.IGNORECASE)
_USER_INFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s?#\"']*@")
_QUERY = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://[^\s?#\"'<>)]*)[?#][^\s\"'<>)]*")


def scheme_of(address: str) -> str:
    """Lower-case scheme of a URL, ``""`` for a path; a scheme of one letter is a drive."""
    if _FILE.match(address):
        return "file"
    found = _SCHEME.match(address)
    return found[1].lower() if found else ""


def local_path(address: str, *, windows: bool = os.name == "nt") -> str:
    """Path text of a plain path or a ``file:`` URL.

    Args:
        address: Path or URL of scheme ``""`` or ``file``.
        windows: Read drives and UNC hosts as Windows does.
    """
    if not _FILE.match(address):
        return address
    parts = urlsplit(address)
    path = unquote(parts.path)
    host = "" if parts.netloc.lower() == "localhost" else parts.netloc
    if not windows:
        return f"//{host}{path}" if host else path
    path = path.replace("/", "\\")
    if host:
        return f"\\\\{host}{path}"
    return path[1:] if re.match(r"\\[A-Za-z]:", path) else path


def file_url(path: Path) -> str:
    """``file:`` URL of a local path."""
    return path.absolute().as_uri()


def redact(text: str) -> str:
    """``text`` with user info and query of every URL in it left out."""
    return _QUERY.sub(r"\1", _USER_INFO.sub(r"\1", text))


def join_url(url: str, name: str) -> str:
    """Address of a child of ``url``."""
    parts = urlsplit(url)
    path = f"{parts.path.rstrip('/')}/{quote(name, safe='/')}"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))
