"""Which stores the viewer draws, and what it says of the others."""

from __future__ import annotations

from collections.abc import Iterable

from zv_viewer.errors import InputError

DRAWN = frozenset({"point_cloud"})
"""Kinds of geometry that are drawn. A store that names none is taken for points."""

_MANY = {"mesh": "meshes"}


def undrawn(geometry_types: Iterable[str]) -> str:
    """What of a store is not drawn, as in ``graphs and meshes``; empty where all of it is."""
    kinds = sorted(set(geometry_types) - DRAWN)
    names = [_MANY.get(kind, f"{kind.replace('_', ' ')}s") for kind in kinds]
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def check_drawable(url: str, geometry_types: Iterable[str]) -> None:
    """Raise :class:`InputError` unless all that a store holds can be drawn."""
    kinds = undrawn(geometry_types)
    if kinds:
        raise InputError(
            f"{url} holds {kinds}, which the viewer does not draw yet; "
            f"`zv-view info` says what is in it"
        )
