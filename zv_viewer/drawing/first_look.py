"""What a store is coloured by before anybody chose, so that its first picture tells something."""

from __future__ import annotations

from dataclasses import dataclass

from zv_viewer.drawing.colours import first_choice, mode_of
from zv_viewer.model.scene import SceneInfo


@dataclass(frozen=True, slots=True)
class FirstLook:
    """Colours by a vertex attribute, by object, or plain where both are unset."""

    attribute: str | None = None
    by_object: bool = False


def first_look(scene: SceneInfo, *, objects: bool = True) -> FirstLook:
    """Colours the store itself brings; else streamlines by direction, others object by object.

    Points, and what is one object only, have the colours of their first attribute that tells
    something: categories, else a number.

    Args:
        scene: The store.
        objects: Whether the layer can give each object a colour.
    """
    stored = [info for info in scene.attributes if not info.computed]
    brought = next((info for info in stored if mode_of(info) == "rgb"), None)
    if brought is not None:
        return FirstLook(brought.name)
    computed = next((info for info in scene.attributes if info.computed), None)
    if computed is not None and scene.geometry == "streamline":
        return FirstLook(computed.name)
    if objects and scene.by_object and (scene.objects >= 0).sum() > 1:
        return FirstLook(by_object=True)
    chosen = first_choice(stored) or computed
    return FirstLook(None if chosen is None else chosen.name)
