"""Rules about vertices and objects as JSON, and back: each by its name, open ends as null."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from zv_viewer.objects import (
    AttributeRange,
    CategorySet,
    Filter,
    GroupSet,
    IdSet,
    RandomShare,
    TextSearch,
)
from zv_viewer.objects.filters import LengthRange
from zv_viewer.rows import CategoryIs, InBall, InBox, InOutline, RandomRows, RowRule, ValueRange
from zv_viewer.state.schema import Json

ROW_RULES: dict[str, Callable[..., RowRule]] = {
    "value_range": ValueRange,
    "category_is": CategoryIs,
    "in_box": InBox,
    "in_ball": InBall,
    "in_outline": InOutline,
    "random_rows": RandomRows,
}
OBJECT_RULES: dict[str, Callable[..., Filter]] = {
    "attribute_range": AttributeRange,
    "length_range": LengthRange,
    "category_set": CategorySet,
    "group_set": GroupSet,
    "text_search": TextSearch,
    "id_set": IdSet,
    "random_share": RandomShare,
}
_NAMES: dict[object, str] = {made: name for name, made in {**ROW_RULES, **OBJECT_RULES}.items()}

_OPEN = {"low": -math.inf, "high": math.inf, "centre": math.nan}
"""What null stands for."""

_SETS = frozenset({"codes", "categories", "groups", "ids"})


def rule_json(rule: RowRule | Filter) -> dict[str, Json]:
    """A rule as JSON."""
    found: dict[str, Json] = {"rule": _NAMES[type(rule)]}
    for field in fields(rule):  # type: ignore[arg-type]  # every rule is a dataclass
        found[field.name] = _json(getattr(rule, field.name))
    return found


def row_rule(raw: dict[str, Json]) -> RowRule:
    """A rule about vertices, of JSON that the schema allows."""
    return ROW_RULES[raw["rule"]](**_arguments(raw))


def object_rule(raw: dict[str, Json]) -> Filter:
    """A rule about objects, of JSON that the schema allows."""
    return OBJECT_RULES[raw["rule"]](**_arguments(raw))


def _arguments(raw: dict[str, Json]) -> dict[str, Any]:
    return {name: _value(name, one) for name, one in raw.items() if name != "rule"}


def _value(name: str, raw: Json) -> Any:  # noqa: ANN401 - what the rule of that name takes
    if name in _SETS:
        return frozenset(int(one) if name != "categories" else one for one in raw)
    if isinstance(raw, list):
        return tuple(_value(name, one) for one in raw)
    if raw is None:
        return _OPEN[name]
    if name in {"column", "seed", "displayed"} and isinstance(raw, float):
        return int(raw)
    return raw


def _json(value: Any) -> Json:  # noqa: ANN401 - whatever a rule holds
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_json(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
