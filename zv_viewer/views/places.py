"""Where stores of a view lie: addresses as they are written into its file, and back."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from zv_viewer.addresses import safe_address


def plain_address(address: str) -> str:
    """An address as it may be kept: nothing secret in it, a local one as an absolute path."""
    safe = "::".join(_without_secrets(part) for part in address.strip().split("::"))
    safe = safe_address(safe)
    parts = urlsplit(safe)
    if parts.scheme == "file":
        return url2pathname(parts.path)
    return safe if "://" in safe else str(Path(safe).absolute())


def _without_secrets(address: str) -> str:
    """A URL up to its query, and no user of its server; anything else as it is."""
    scheme, apart, rest = address.partition("://")
    if not apart:
        return address
    server, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    return f"{scheme}://{server.rpartition('@')[2]}{slash}{path}"


def same_place(one: str, other: str) -> bool:
    """Whether two addresses are of one place, as far as they tell."""
    return plain_address(one) == plain_address(other)


def from_folder(folder: Path, address: str) -> str:
    """An address as it is written into a file of a folder: from there, where it lies below."""
    if "://" in address:
        return address
    with suppress(ValueError):
        return Path(address).resolve().relative_to(folder).as_posix()
    return address


def in_folder(folder: Path, address: str) -> str:
    """An address that a file of a folder holds, wherever one is."""
    return address if "://" in address or os.path.isabs(address) else str(folder / address)
