"""Counts and picked vertices in words."""

from __future__ import annotations

from zv_viewer.controller.counting import Counted
from zv_viewer.controller.telling import StoredRow, Value
from zv_viewer.model.objects import ObjectTable
from zv_viewer.model.scene import SceneInfo
from zv_viewer.objects import GROUP, column_of, keys_of
from zv_viewer.objects.columns import title_of
from zv_viewer.session.picking import Picked

Line = tuple[str, str]
"""What it is about, and what it says."""


def counted_words(scene: SceneInfo, counted: Counted | None) -> str:
    """How many vertices a filter keeps, and on which level that was found out."""
    if counted is None:
        return "counting"
    finest = scene.levels[0]
    if counted.level == finest.index:
        return f"{counted.kept:,} of {counted.of:,} vertices, counted on level {counted.level}"
    if counted.lacks:
        names = ", ".join(repr(name) for name in counted.lacks)
        return f"level {counted.level} has no {names}: nothing of it is drawn; count to know more"
    about = round(counted.kept / max(counted.of, 1) * finest.vertex_count)
    return (
        f"about {about:,} of {finest.vertex_count:,} vertices, estimated on level {counted.level}"
    )


def picked_lines(scene: SceneInfo, picked: Picked, table: ObjectTable | None) -> list[Line]:
    """All that is known of a vertex, line by line."""
    what, shown = picked.what, picked.what.shown
    lines = [] if shown.object_id is None else [("object", str(shown.object_id))]
    for axis, name in enumerate(scene.axis_names):
        unit = scene.axis_units[axis]
        lines.append((f"{name} ({unit})" if unit else name, f"{shown.position[axis]:.8g}"))
    lines += _values(scene, shown)
    chunk = ", ".join(map(str, shown.chunk))
    lines.append(("chunk", f"({chunk}), vertex {shown.row}"))
    lines.append(("level shown", str(shown.level)))
    if what.wanted is not None:
        lines.append(("level wanted", str(what.wanted)))
    lines.append(("error", f"{what.error_px:.2g} px"))
    lines.append(("not finer", picked.reason))
    if what.exact is not None and what.exact is not shown:
        place = ", ".join(f"{number:.8g}" for number in what.exact.position)
        lines.append((f"nearest on level {what.exact.level}", f"({place})"))
        lines += [(f"{name}, exactly", text) for name, text in _values(scene, what.exact)]
    lines += [("trouble", problem) for problem in what.problems]
    if table is not None and shown.object_id is not None:
        lines += _object_lines(table, shown.object_id)
    return lines


def _values(scene: SceneInfo, row: StoredRow) -> list[Line]:
    found = []
    for name, value in row.values.items():
        unit = scene.attribute(name).unit
        found.append((f"{name} ({unit})" if unit else name, _text(value)))
    return found


def _text(value: Value) -> str:
    if isinstance(value, str):
        return value
    return ", ".join(f"{x:.8g}" if isinstance(x, float) else str(x) for x in value)


def _object_lines(table: ObjectTable, number: int) -> list[Line]:
    rows = table.rows_of([number])
    if not len(rows):
        return []
    own = table.taken(rows)
    lines = []
    for key in keys_of(own)[1:]:
        column = column_of(own, key)
        if key == GROUP:
            groups = (g for g in range(len(own.groups)) if len(own.groups.rows(g)))
            text = ", ".join(own.groups.names[g] for g in groups)
        elif column.categories is not None:
            code = int(column.values[0])
            text = column.categories[code] if code >= 0 else ""
        else:
            text = _text((column.values[0].item(),)) if column.known[0] else ""
        lines.append((f"object's {title_of(own, key)}", text))
    return lines
