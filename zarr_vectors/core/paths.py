"""The one key builder: names to store keys, every segment checked before any store is asked.

Store metadata and callers name arrays, groups and attributes; a name that could leave the store's
root, or that some system cannot keep as a file name, is refused here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence

from zarr_vectors.constants import NODE
from zarr_vectors.core.keys import try_parse_key
from zarr_vectors.exceptions import ArrayError, StoreError

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")
_WINDOWS_ONLY = re.compile(r'[<>:"|?*]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)", re.I)
_PLAIN = (
    r"(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:[./]|\Z))"
    r"[a-z0-9_+-](?:[a-z0-9_+.-]{0,100}[a-z0-9_+-])?"
)
_PLAIN_KEY = re.compile(rf"{_PLAIN}(?:/{_PLAIN})*", re.ASCII | re.IGNORECASE)
_PLAIN_LETTERS = re.compile(r"[a-z0-9_+./\n-]*", re.ASCII)
_DOUBTFUL = (
    *("//", "/.", "./", "\n.", ".\n", "\n/", "/\n", "\n\n"),
    *("con", "prn", "aux", "nul", "com", "lpt"),
)
"""What a key of plain letters has in it, if it is not harmless: an empty segment, one that begins
or ends with a dot, or one that Windows reserves."""
_MAX_BYTES = 255
_FEW = 3
_DELTA = re.compile(r"0|[+-][1-9][0-9]{0,3}", re.ASCII)
_OFFSET = re.compile(r"(?:0|[+-][1-9][0-9]{0,17})(?:\.(?:0|[+-][1-9][0-9]{0,17}))*", re.ASCII)


def name_fault(name: str, *, windows: bool = os.name == "nt") -> str | None:
    """Why ``name`` cannot be one path segment, or None where it can.

    Args:
        name: One segment, e.g. an attribute name.
        windows: Also refuse what only Windows cannot keep.
    """
    if name in {"", ".", ".."}:
        return "it is empty or a dot path"
    if "/" in name or "\\" in name:
        return "it holds a path separator"
    if _CONTROL.search(name):
        return "it holds a control character"
    if _DRIVE.match(name):
        return "it starts like a drive"
    if name[-1] in ". ":
        return "it ends in a dot or a space"
    if _RESERVED.fullmatch(name.split(".")[0].rstrip(" ")):
        return "it is reserved on Windows"
    if windows and _WINDOWS_ONLY.search(name):
        return "it holds a character Windows does not allow"
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return "it is not valid text"
    return f"it is longer than {_MAX_BYTES} bytes" if size > _MAX_BYTES else None


def check_name(name: str, what: str = "name") -> str:
    """``name`` itself, where it can be one path segment below a group.

    Raises:
        StoreError: The name could leave the root or cannot be kept as a file name.
    """
    fault = name_fault(name) or (f"it is {NODE}" if name.lower() == NODE else None)
    if fault is not None:
        raise StoreError(f"{what} {_shown(name)} is not allowed: {fault}")
    return name


def check_key(key: str) -> str:
    """``key`` itself, where every segment of it is harmless.

    Raises:
        StoreError: A segment could leave the root or cannot be kept as a file name.
    """
    if _PLAIN_KEY.fullmatch(key):
        return key
    for segment in key.split("/"):
        fault = name_fault(segment)
        if fault is not None:
            raise StoreError(f"key {_shown(key)} is not allowed: {fault}")
    return key


def check_keys(keys: Sequence[str]) -> None:
    """:func:`check_key` of many keys, at a fraction of the cost of one by one.

    Raises:
        StoreError: A segment could leave the root or cannot be kept as a file name.
    """
    if len(keys) < _FEW:
        for key in keys:
            check_key(key)
        return
    text = "\n".join(("", *keys, ""))
    plain = _PLAIN_LETTERS.fullmatch(text) is not None and max(map(len, keys), default=0) <= 100
    plain = plain and text.count("\n") == len(keys) + 1
    if not plain or any(part in text for part in _DOUBTFUL):
        for key in keys:
            check_key(key)


def join(*parts: str) -> str:
    """Key of path parts; a part may hold several segments, an empty part is the root.

    Raises:
        StoreError: A segment could leave the root or cannot be kept as a file name.
    """
    key = "/".join(part for part in parts if part)
    return check_key(key) if key else ""


def node(path: str) -> str:
    """Key of the document describing the node at ``path`` (``""`` is the root)."""
    return join(path, NODE)


def parents(path: str) -> list[str]:
    """Paths of the groups above ``path``, the root first: ``a/b`` -> ``["", "a"]``."""
    segments = path.split("/")
    return ["/".join(segments[:end]) for end in range(len(segments))] if path else []


def array_path(level: int, *names: str) -> str:
    """Logical path of an array of a level: ``array_path(0, "vertex_attributes", "gene")``.

    Raises:
        StoreError: The level is negative or a name is not allowed.
    """
    if level < 0:
        raise StoreError(f"level {level} is not allowed: levels count from 0")
    return "/".join((str(level), *(check_name(name, "array name") for name in names)))


def format_delta(delta: int) -> str:
    """Segment of a level distance: ``0``, ``+1``, ``-2``."""
    return f"{delta:+d}" if delta else "0"


def parse_delta(segment: str) -> int | None:
    """Level distance of a segment, or None where it is none."""
    return int(segment) if _DELTA.fullmatch(segment) else None


def format_offsets(offsets: Sequence[Sequence[int]]) -> str:
    """Segment of relative chunk offsets: ``+1.0.-1``; several joined by ``_``; none: ``self``."""
    return "_".join(".".join(format_delta(n) for n in offset) for offset in offsets) or "self"


def parse_offsets(segment: str) -> list[tuple[int, ...]] | None:
    """Relative chunk offsets of a segment, or None where it is none."""
    if segment == "self":
        return []
    parts = segment.split("_")
    if not all(_OFFSET.fullmatch(part) for part in parts):
        return None
    return [tuple(map(int, part.split("."))) for part in parts]


def level_numbers(names: Iterable[str]) -> list[int]:
    """Levels among the child names of a root: those that are bare integers, ascending."""
    numbers = (try_parse_key(name) for name in names)
    return sorted(n[0] for n in numbers if n is not None and len(n) == 1 and n[0] >= 0)


def format_chunk(coords: Iterable[int]) -> str:
    """Chunk coordinates as shown in messages: ``(0, -1, 2)``."""
    return f"({', '.join(map(str, coords))})"


def check_rank(coords: tuple[int, ...], rank: int, array: str) -> None:
    """Compare a chunk's rank with its array's.

    Raises:
        ArrayError: They differ.
    """
    if len(coords) != rank:
        raise ArrayError(
            f"chunk {coords} of {array} has {len(coords)} components, expected {rank}",
            array=array,
            chunk=coords,
        )


def _shown(name: str) -> str:
    return ascii(name if len(name) <= 80 else f"{name[:77]}...")
