"""Whether a store has what was asked for; if not, one sentence that says what it has."""

from __future__ import annotations

from zv_viewer.errors import InputError
from zv_viewer.model.scene import SceneInfo


def check_attribute(scene: SceneInfo, name: str) -> None:
    """Raise :class:`InputError` unless the store has the vertex attribute."""
    names = [attribute.name for attribute in scene.attributes]
    if name not in names:
        known = f"it has {', '.join(names)}" if names else "it has none"
        raise InputError(f"{scene.url} has no vertex attribute {name!r}; {known}")


def check_level(scene: SceneInfo, number: int) -> None:
    """Raise :class:`InputError` unless the store has the level."""
    numbers = [level.index for level in scene.levels]
    if number not in numbers:
        raise InputError(
            f"{scene.url} has no level {number}; it has {', '.join(map(str, numbers))}"
        )
