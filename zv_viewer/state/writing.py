"""A view as JSON: the same view gives the same text."""

from __future__ import annotations

import hashlib
import json
from dataclasses import fields, is_dataclass

from zv_viewer.state.document import FORMAT, VERSION, ViewFile
from zv_viewer.state.rules import rule_json
from zv_viewer.state.schema import Json, check

RULES = frozenset({"filters"})


def document_of(view: ViewFile) -> dict[str, Json]:
    """The JSON value of a view-state file.

    Raises:
        InputError: A number in it is not what the schema allows.
    """
    document = {"format": FORMAT, "version": VERSION, **plain(view)}
    check(document)
    return document


def text_of(document: Json) -> str:
    """The text of a file, to be read by people too."""
    return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def digest_of(document: Json) -> str:
    """SHA-256 of a JSON value, whatever the order of its names and the blanks of its text."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def plain(value: object) -> Json:
    """A value made of dataclasses and tuples as JSON."""
    if is_dataclass(value) and not isinstance(value, type):
        return {
            field.name: (
                [rule_json(rule) for rule in getattr(value, field.name)]
                if field.name in RULES
                else plain(getattr(value, field.name))
            )
            for field in fields(value)
        }
    if isinstance(value, tuple):
        return [plain(one) for one in value]
    return value
