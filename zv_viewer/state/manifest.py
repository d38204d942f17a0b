"""What a picture was made of, as JSON beside it: the view, the program, every chunk drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zv_viewer.model.fingerprint import Fingerprint
from zv_viewer.state.schema import Json
from zv_viewer.state.strict_json import BadJson, parse
from zv_viewer.state.writing import plain

FORMAT = "zv-picture-manifest"
VERSION = 1


@dataclass(frozen=True, slots=True)
class DrawnChunk:
    """Rows of a chunk that are in a picture.

    Args:
        level: Number of the level in the store.
        chunk: Coordinates of the chunk.
        rows: Vertices of it that were drawn.
        in_view: Whether the view meets its box; the coarsest level is drawn beyond the view too.
        digest: Of positions and values drawn, in the order of the store.
    """

    level: int
    chunk: tuple[int, ...]
    rows: int
    in_view: bool
    digest: str


@dataclass(frozen=True, slots=True)
class DrawnStore:
    """A store in a picture: where it is, what it was, and the chunks drawn."""

    url: str
    fingerprint: Fingerprint
    chunks: tuple[DrawnChunk, ...]


@dataclass(frozen=True, slots=True)
class PictureFile:
    """The picture: its file's name, SHA-256 of the file, (width, height)."""

    name: str
    sha256: str
    size: tuple[int, int]


def manifest(
    picture: PictureFile,
    state_sha256: str,
    drawn_by: dict[str, str],
    stores: Sequence[DrawnStore],
    notes: Sequence[str] = (),
) -> Json:
    """The manifest of a picture.

    Args:
        picture: The file.
        state_sha256: Digest of the view's JSON.
        drawn_by: Versions of programs, and the renderer.
        stores: What was drawn of which.
        notes: What had changed since the view was saved.
    """
    return {
        "format": FORMAT,
        "version": VERSION,
        "picture": plain(picture),
        "state_sha256": state_sha256,
        "drawn_by": drawn_by,
        "notes": list(notes),
        "stores": [plain(store) for store in stores],
    }


def why_other(before: Json, now: Json) -> str:
    """Why two pictures of one view differ, in a few words; empty where they do not, or need not.

    Args:
        before: The manifest of one; anything else says nothing.
        now: That of the other.
    """
    if not isinstance(before, dict) or before.get("format") != FORMAT:
        return ""
    if before.get("state_sha256") != now["state_sha256"]:
        return ""
    was = before.get("picture")
    if not isinstance(was, dict) or was.get("sha256") == now["picture"]["sha256"]:
        return ""
    return "; ".join(_reasons(before, now)) or "nothing that is known has changed"


def parse_manifest(text: str) -> Json:
    """The manifest of a text; None where it is none."""
    try:
        return parse(text)
    except BadJson:
        return None


def _reasons(before: dict[str, Json], now: dict[str, Json]) -> list[str]:
    found = []
    programs = before.get("drawn_by")
    for name, version in now["drawn_by"].items():
        old = programs.get(name) if isinstance(programs, dict) else None
        if old != version:
            found.append(f"{name} is {version}, was {str(old)[:80]}")
    return found + _other_chunks(_chunks(before), _chunks(now))


def _other_chunks(old: dict[Json, Json], new: dict[Json, Json]) -> list[str]:
    found = []
    differ = [key for key in old.keys() & new.keys() if old[key] != new[key]]
    for what, keys in (
        ("holds other rows", differ),
        ("was not drawn", list(new.keys() - old.keys())),
        ("is not drawn any more", list(old.keys() - new.keys())),
    ):
        if keys:
            place, level, chunk = min(keys)
            more = f", nor are {len(keys) - 1} others as they were" if len(keys) > 1 else ""
            found.append(f"chunk {chunk} of level {level} of store {place} {what}{more}")
    return found


def _chunks(document: dict[str, Json]) -> dict[Json, Json]:
    found = {}
    stores = document.get("stores")
    for place, store in enumerate(stores if isinstance(stores, list) else ()):
        chunks = store.get("chunks") if isinstance(store, dict) else None
        for one in chunks if isinstance(chunks, list) else ():
            if isinstance(one, dict) and isinstance(one.get("chunk"), list):
                key = (place, str(one.get("level")), str(one["chunk"]))
                found[key] = (one.get("rows"), one.get("digest"))
    return found
