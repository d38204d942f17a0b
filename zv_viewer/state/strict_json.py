"""JSON from files that anybody may have written: bounded, finite, no name twice."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

from zv_viewer.errors import InputError
from zv_viewer.state.schema import Json

MOST_BYTES = 16 << 20
"""A larger file is not read."""

MOST_DEPTH = 32
"""Lists and objects within one another."""

MOST_DIGITS = 40
"""Of a number."""


_STRINGS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_BRACKETS = re.compile(r"[\[\]{}]")


class BadJson(InputError):
    """A text that is not taken for JSON."""


def read_bounded(path: Path) -> str:
    """The text of a file.

    Raises:
        BadJson: It cannot be read, is too large, no plain file, or no UTF-8.
    """
    try:
        if not path.is_file():
            raise BadJson(f"{path} is no file")
        with path.open("rb") as file:
            found = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadJson(f"{path} cannot be read: {error.strerror}") from error
    if len(found) > MOST_BYTES:
        raise BadJson(f"{path} is larger than {MOST_BYTES >> 20} MiB")
    try:
        return found.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJson(f"{path} is no UTF-8 text") from error


def parse(text: str) -> Json:
    """The value of a JSON text.

    Raises:
        BadJson: It is none, is nested too deep, has a name twice, or a number that is not finite.
    """
    if deepest(text) > MOST_DEPTH:
        raise BadJson(f"it is nested more than {MOST_DEPTH} deep")
    try:
        return json.loads(
            text,
            parse_float=_number,
            parse_int=_whole,
            parse_constant=_constant,
            object_pairs_hook=_fields,
        )
    except json.JSONDecodeError as error:
        raise BadJson(f"it is no JSON: {error}") from error


def deepest(text: str) -> int:
    """How deep lists and objects lie in one another, by their brackets outside of strings."""
    depth = most = 0
    for found in _BRACKETS.finditer(_STRINGS.sub("", text)):
        depth += 1 if found[0] in "[{" else -1
        most = max(most, depth)
    return most


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise BadJson(f"the number {text[:20]} is too large")
    return value


def _whole(text: str) -> int:
    if len(text) > MOST_DIGITS:
        raise BadJson(f"a number has more than {MOST_DIGITS} digits")
    return int(text)


def _constant(text: str) -> float:
    raise BadJson(f"{text} is no number")


def _fields(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadJson("it has a name twice")
    return found
