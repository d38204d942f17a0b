"""Addresses of stores that were opened, the latest first, without anything secret in them."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from platformdirs import user_state_path

from zarr_vectors.core.backends import redact

log = logging.getLogger(__name__)

KEPT = 20


def safe_address(address: str) -> str:
    """An address as it may be shown and kept: without user info, query and blanks around it."""
    return redact(address.strip())


def with_latest(known: Sequence[str], address: str) -> list[str]:
    """The addresses with another one first, none twice, ``KEPT`` at most."""
    latest = safe_address(address)
    return [latest, *(one for one in known if one != latest)][:KEPT] if latest else list(known)


def addresses() -> list[str]:
    """Those known, the latest first; none where nothing readable is kept."""
    try:
        found = json.loads(_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):  # never kept, or no JSON
        return []
    return [one for one in found if isinstance(one, str)] if isinstance(found, list) else []


def remember(address: str) -> None:
    """Keep an address as the latest; where it cannot be kept, a line in the log says so."""
    file = _file()
    text = json.dumps(with_latest(addresses(), address), indent=1)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, unfinished = tempfile.mkstemp(dir=file.parent, prefix=".addresses-")
    except OSError as error:
        log.info("the address is not kept: %s", error)
        return
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(text + "\n")
        os.replace(unfinished, file)
    except OSError as error:
        log.info("the address is not kept: %s", error)
        with suppress(OSError):
            os.unlink(unfinished)


def _file() -> Path:
    folder = os.environ.get("ZV_VIEWER_CACHE") or user_state_path("zv-viewer")
    return Path(folder) / "addresses.json"
