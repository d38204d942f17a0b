"""A view from JSON that anybody may have written: checked first, then made into values."""

from __future__ import annotations

import types
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from zv_viewer.errors import InputError
from zv_viewer.objects import Filter
from zv_viewer.rows import RowRule
from zv_viewer.state.document import ViewFile, WindowView
from zv_viewer.state.rules import object_rule, row_rule
from zv_viewer.state.schema import Json, check
from zv_viewer.state.strict_json import parse, read_bounded

T = TypeVar("T")
_known: dict[type[Any], dict[str, Any]] = {}


class BadView(InputError):
    """A file that holds no view."""


def read_view_file(path: Path) -> ViewFile:
    """The view a file holds.

    Nothing is run and no other file is read; stores are opened by whoever shows the view.

    Raises:
        BadView: It holds none; one sentence says why.
    """
    try:
        return view_of_text(read_bounded(path))
    except BadView as error:
        raise BadView(f"{path} holds no view: {error}") from error


def view_of_text(text: str) -> ViewFile:
    """The view of a JSON text.

    Raises:
        BadView: It is none.
    """
    try:
        return view_of_document(parse(text))
    except InputError as error:
        raise error if isinstance(error, BadView) else BadView(str(error)) from error


def view_of_document(document: Json) -> ViewFile:
    """The view of a JSON value.

    Raises:
        InputError: It is none.
    """
    if isinstance(document, dict) and document.get("format") == "zv-view-state":
        version = document.get("version")
        if version != 1:
            raise BadView(f"it is of version {str(version)[:20]}, and 1 is what can be read")
    check(document)
    view = made(ViewFile, {name: document[name] for name in ("canvas", "view", "caps", "layers")})
    check_axes(view.view)
    for layer in view.layers:
        if layer.place is not None and any(len(row) != len(layer.place) for row in layer.place):
            raise BadView(f"the place of layer {layer.name!r} is no square matrix")
    return view


def check_axes(view: WindowView) -> None:
    """Raise :class:`BadView` where the numbers of a view are of different axes."""
    axes = len(view.center)
    if sorted(view.order) != list(range(axes)):
        raise BadView(f"the order of axes is none of {axes} axes")
    if not len(view.margin_left) == len(view.margin_right) == axes or view.ndisplay > axes:
        raise BadView(f"the view is of {axes} axes, and some of its numbers are not")


def made(kind: type[T], raw: dict[str, Json]) -> T:
    """A dataclass of JSON that the schema allows."""
    hints = _hints(kind)
    return kind(**{name: _value(hints[name], one) for name, one in raw.items()})


def _hints(kind: type[Any]) -> dict[str, Any]:
    """Types of the fields of a dataclass."""
    if kind not in _known:
        named = get_type_hints(kind)
        _known[kind] = {field.name: named[field.name] for field in fields(kind)}
    return _known[kind]


def _value(hint: Any, raw: Json) -> Any:  # noqa: ANN401 - what the hint says
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        one = next(arm for arm in get_args(hint) if arm is not type(None))
        return None if raw is None else _value(one, raw)
    if hint is RowRule:
        return row_rule(raw)
    if hint is Filter:
        return object_rule(raw)
    if origin is Literal or hint in (str, bool):
        return raw
    if hint in (int, float):
        return hint(raw)
    if origin is tuple:
        arms = get_args(hint)
        if len(arms) == 2 and arms[1] is Ellipsis:
            return tuple(_value(arms[0], one) for one in raw)
        return tuple(_value(arm, one) for arm, one in zip(arms, raw, strict=True))
    return made(hint, raw)
