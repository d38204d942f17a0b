"""What a store's address says: its scheme, the local path it may be, and no secrets."""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")
_FILE = re.compile(r"file:", re.IGNORECASE)
_USER_INFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^/\s?#\"']*)@")
_RAW_USER = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s@\[\]\"']*:(?!\d*(?:[/?#\s]|$))[^\s]*@")
_AMAZON = re.compile(r"(?:[a-z0-9.-]+\.)?s3(?:[.-][a-z0-9.-]+)?\.amazonaws\.com(?:\.cn)?", re.I)
_AZURE = re.compile(r"[a-z0-9]+\.(?:blob|dfs)\.core\.windows\.net", re.I)
_REF = re.compile(r"(?:branch|tag|snapshot)\.")
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


def bucket_of(url: str) -> str:
    """Bucket a URL such as ``s3://bucket/x`` names."""
    return urlsplit(url).netloc.rpartition("@")[2]


def split_user(url: str) -> tuple[str, str]:
    """A URL without its user info, and that as ``user:password``, ``""`` where it has none."""
    parts = urlsplit(url)
    user, mark, host = parts.netloc.rpartition("@")
    bare = urlunsplit((parts.scheme, host, parts.path, parts.query, ""))
    return bare, unquote(user) if mark else ""


def is_bucket_host(url: str) -> bool:
    """A web address that is a bucket's own and carries no user and no signature."""
    parts = urlsplit(url)
    if parts.scheme.lower() != "https" or parts.query or "@" in parts.netloc:
        return False
    return bool(_AMAZON.fullmatch(parts.netloc) or _AZURE.fullmatch(parts.netloc))


def is_zip(address: str, backend: str) -> bool:
    """An address of a zip file: it ends so, and is no folder where that can be seen."""
    if backend == "icechunk":
        return False
    if scheme_of(address) in {"", "file"}:
        path = local_path(address)
        return path.lower().endswith(".zip") and not os.path.isdir(path)
    return urlsplit(address).path.lower().endswith(".zip")


def split_zip(address: str) -> tuple[str, str, str]:
    """Folder and name of a zip file, and its address without secrets.

    A local one is where its links lead.
    """
    if scheme_of(address) in {"", "file"}:
        path = Path(os.path.realpath(local_path(address)))
        return os.fspath(path.parent), path.name, file_url(path)
    parts = urlsplit(address)
    folder, _, name = parts.path.rpartition("/")
    return urlunsplit(parts._replace(path=folder)), unquote(name), redact(address)


def redact(text: str) -> str:
    """``text`` with user info and query of every URL in it left out.

    What stands there in ``abfss://container@account`` and ``icechunk+s3://bucket@branch.main`` is
    no user and stays. A password that holds ``/``, ``?`` or ``#`` as they are is left out as well,
    though no address can be made of it.
    """
    text = _RAW_USER.sub(r"\1", text)
    return _QUERY.sub(r"\1", _USER_INFO.sub(_without_user, text))


def _without_user(found: re.Match[str]) -> str:
    scheme, user = found.groups()
    kind, rest = scheme.lower(), found.string[found.end() :]
    container = kind in {"abfs://", "abfss://"}
    bucket = kind.startswith("icechunk+") and _REF.match(rest) is not None
    return found[0] if (container or bucket) and not re.search("[:@]", user) else scheme


def join_query(url: str, name: str) -> str:
    """Address of a child of ``url`` with the query of that; it may hold secrets."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{quote(name)}", fragment=""))


def join_url(url: str, name: str) -> str:
    """Address of a child of ``url``."""
    parts = urlsplit(url)
    path = f"{parts.path.rstrip('/')}/{quote(name, safe='/')}"
    return urlunsplit((parts.scheme, parts.netloc, path, "", ""))
