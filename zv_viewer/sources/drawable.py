"""As what the viewer draws a store."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from zv_viewer.model.scene import AttributeInfo

PATHS = frozenset({"line", "polyline", "streamline"})
"""Kinds of geometry whose edges run along curves."""
EDGES = PATHS | {"graph", "skeleton"}
"""Kinds of geometry whose links are edges."""
FACES = frozenset({"mesh"})
"""Kinds of geometry whose links are faces."""
POINTS = "point_cloud"

DIRECTION = AttributeInfo("direction", "uint8", columns=3, computed=True)
"""Colours of curves by which way they run."""

_MANY = {"mesh": "meshes"}


def drawn_as(geometry_types: Iterable[str]) -> str:
    """The kind of geometry a store is drawn as: faces where it has some, else edges, else points.

    A store that names none is taken for points. Of several kinds of edges it is the first named;
    all of them are drawn alike.
    """
    kinds = list(geometry_types)
    for among in (FACES, EDGES, {POINTS}):
        found = [kind for kind in kinds if kind in among]
        if found:
            return found[0]
    return POINTS


def link_width(kind: str) -> int:
    """Ends of the links of a kind of geometry; 0 where nothing is joined."""
    return 3 if kind in FACES else 2 if kind in EDGES else 0


def mixed_warning(geometry_types: Collection[str]) -> str | None:
    """What of a store of several kinds is not seen, in words; None where all of it is."""
    kind = drawn_as(geometry_types)
    hidden = set(geometry_types) - {kind}
    if kind in EDGES:
        hidden -= EDGES
    if not hidden:
        return None
    return f"the store is drawn as {_in_words({kind})}; its {_in_words(hidden)} are not seen"


def with_direction(kind: str, attributes: tuple[AttributeInfo, ...]) -> tuple[AttributeInfo, ...]:
    """The attributes of a store, and :data:`DIRECTION` of curves unless one has that name."""
    if kind not in PATHS or any(info.name == DIRECTION.name for info in attributes):
        return attributes
    return (*attributes, DIRECTION)


def _in_words(kinds: Iterable[str]) -> str:
    names = [_MANY.get(kind, f"{kind.replace('_', ' ')}s") for kind in sorted(kinds)]
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
