"""What the expression of a new attribute may name, as far as it is known without reading. Pure."""

from __future__ import annotations

from zv_viewer.edits.scopes import Scope
from zv_viewer.model.objects import ObjectTable
from zv_viewer.model.scene import SceneInfo
from zv_viewer.sources.face_values import PREFIX

OBJECT_ID = "object_id"


def names_known(scene: SceneInfo, table: ObjectTable | None, scope: Scope) -> tuple[str, ...]:
    """Names of attributes, axes and the like.

    Args:
        scene: The store.
        table: Its objects; None where they are not read.
        scope: Whose attribute is written.
    """
    if scope == "object":
        columns = () if table is None else table.columns
        return (*(column.name for column in columns), OBJECT_ID)
    stored = [info.name for info in scene.attributes if not info.computed]
    of_faces = [name.removeprefix(PREFIX) for name in stored if name.startswith(PREFIX)]
    of_vertices = [name for name in stored if not name.startswith(PREFIX)]
    first = of_faces if scope == "face" else []
    return (*first, *of_vertices, *scene.axis_names, OBJECT_ID)
