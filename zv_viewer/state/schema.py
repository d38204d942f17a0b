"""Whether a JSON value is what a schema says: the part of JSON Schema that the published one uses.

The schema is the viewer's own; what is checked may come from anybody. Work is bounded by the size
of the value: nothing is looked up but definitions of the same schema.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from zv_viewer.errors import InputError

Json = Any
"""What ``json.loads`` gives."""

SCHEMA = "view-state.schema.json"
ROOT = "#"
CAMERA_PATH = "#/$defs/camera_path"


class NotAsSaid(InputError):
    """A value is not what the schema says; the message names the place and what is wrong."""


@cache
def published_schema() -> dict[str, Json]:
    """The schema, as published."""
    text = files("zv_viewer").joinpath("resources", SCHEMA).read_text(encoding="utf-8")
    schema: dict[str, Json] = json.loads(text)
    return schema


def check(value: Json, reference: str = ROOT) -> None:
    """Check a value against the published schema, or a part of it.

    Raises:
        NotAsSaid: It is something else.
    """
    _check(value, _definition(reference), "the file")


def _definition(reference: str) -> dict[str, Json]:
    found = published_schema()
    for name in reference.split("/")[1:]:
        found = found[name]
    return found


def _check(value: Json, schema: dict[str, Json], where: str) -> None:
    if "$ref" in schema:
        schema = {**_definition(schema["$ref"]), **schema}
        schema.pop("$ref")
    if "oneOf" in schema:
        _check(value, _branch(value, schema["oneOf"], where), where)
        return
    if "const" in schema and not _same(value, schema["const"]):
        raise NotAsSaid(f"{where} is not {schema['const']!r}")
    if "enum" in schema and not any(_same(value, one) for one in schema["enum"]):
        words = ", ".join(map(str, schema["enum"]))
        raise NotAsSaid(f"{where} is none of {words}")
    if "type" in schema:
        _check_type(value, schema["type"], where)
    if isinstance(value, str):
        _check_size(len(value), schema, where, "Length", "characters")
    elif isinstance(value, list):
        _check_size(len(value), schema, where, "Items", "entries")
        for place, one in enumerate(value if "items" in schema else ()):
            _check(one, schema["items"], f"{where}[{place}]")
    elif isinstance(value, dict):
        _check_fields(value, schema, where)
    elif _is_number(value):
        _check_number(value, schema, where)


def _check_type(value: Json, types: str | list[str], where: str) -> None:
    wanted = [types] if isinstance(types, str) else types
    if not any(_TYPES[name](value) for name in wanted):
        raise NotAsSaid(f"{where} is no {' or '.join(wanted)}")


def _check_size(size: int, schema: dict[str, Json], where: str, kind: str, unit: str) -> None:
    least, most = schema.get(f"min{kind}", 0), schema.get(f"max{kind}", size)
    if not least <= size <= most:
        limits = f"{least}" if least == most else f"{least} to {most}"
        raise NotAsSaid(f"{where} has {size} {unit}, not {limits}")


def _check_number(value: float, schema: dict[str, Json], where: str) -> None:
    if "minimum" in schema and value < schema["minimum"]:
        raise NotAsSaid(f"{where} is less than {schema['minimum']}")
    if "exclusiveMinimum" in schema and value <= schema["exclusiveMinimum"]:
        raise NotAsSaid(f"{where} is not above {schema['exclusiveMinimum']}")
    if "maximum" in schema and value > schema["maximum"]:
        raise NotAsSaid(f"{where} is more than {schema['maximum']}")


def _check_fields(value: dict[str, Json], schema: dict[str, Json], where: str) -> None:
    known = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            raise NotAsSaid(f"{where} has no {name!r}")
    for name, one in value.items():
        if name not in known:
            raise NotAsSaid(f"{where} has a field {name[:80]!r} that nobody knows")
        _check(one, known[name], f"{where}.{name}" if where != "the file" else name)


def _branch(value: Json, branches: list[dict[str, Json]], where: str) -> dict[str, Json]:
    """The one that a value is meant for: of its type, with its ``rule``."""
    resolved = [_definition(one["$ref"]) if "$ref" in one else one for one in branches]
    fitting = [one for one in resolved if _TYPES[one["type"]](value)]
    if isinstance(value, dict) and len(fitting) > 1:
        rule = value.get("rule")
        fitting = [one for one in fitting if one["properties"]["rule"]["const"] == rule]
    if len(fitting) != 1:
        raise NotAsSaid(f"{where} is of no kind that is known")
    return fitting[0]


def _is_number(value: Json) -> bool:
    """Finite: JSON has no others, but a value made by a program may."""
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool)


def _is_integer(value: Json) -> bool:
    return _is_number(value) and value == int(value)


def _same(value: Json, other: Json) -> bool:
    return bool(value == other) and isinstance(value, bool) == isinstance(other, bool)


_TYPES: dict[str, Callable[[Json], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": _is_integer,
    "number": _is_number,
    "null": lambda value: value is None,
}
