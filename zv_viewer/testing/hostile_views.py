"""Documents of views as somebody with bad intentions would write them."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

Json = Any
Draw = Callable[[int], int]
"""A number from 0 up to one that is given, which does not count."""

DEEP: Json = []
for _ in range(40):
    DEEP = [DEEP]

HOSTILE: tuple[Json, ...] = (
    None,
    True,
    "",
    "x",
    "../../../../etc/passwd",
    "/etc/passwd",
    "file:///etc/passwd",
    "file://evil.example/share",
    "s3://key:secret@bucket/cells?token=secret",
    "http://127.0.0.1:1/cells",
    "__import__('os').system('true')",
    "{0.__class__}",
    "\x00",
    "\ud800",
    "a" * 5000,
    "é" * 300,
    0,
    -1,
    1,
    2,
    0.5,
    -0.0,
    5e-324,
    1e300,
    -1e300,
    1e-300,
    float("nan"),
    float("inf"),
    2**31,
    -(2**63),
    2**63,
    10**39,
    [],
    {},
    [[]],
    [0] * 2000,
    [1e300] * 3,
    {"rule": "in_box"},
    {"rule": "os.system", "command": "true"},
    {"$ref": "#"},
    DEEP,
)
"""What is put in places of a document."""


def places_of(value: Json, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where anything is in a JSON value: names and numbers from the top."""
    yield above
    if isinstance(value, dict):
        for key in value:
            yield from places_of(value[key], (*above, key))
    elif isinstance(value, list):
        for key in range(len(value)):
            yield from places_of(value[key], (*above, key))


def harmed(document: Json, draw: Draw, times: int = 1) -> Json:
    """A document with some places taken out, put in, swapped or made hostile.

    Args:
        document: It stays as it is.
        draw: Decides.
        times: How often.
    """
    found = copy.deepcopy(document)
    for _ in range(times):
        everywhere = [place for place in places_of(found) if place]
        if not everywhere:
            return found
        place = everywhere[draw(len(everywhere))]
        owner = _at(found, place[:-1])
        kind, value = draw(6), copy.deepcopy(HOSTILE[draw(len(HOSTILE))])
        if kind == 0:
            del owner[place[-1]]
        elif kind == 1 and isinstance(owner, dict):
            owner["__class__"] = value
        elif kind == 1:
            owner.insert(place[-1], value)
        elif kind == 2:
            owner[place[-1]] = copy.deepcopy(_at(found, everywhere[draw(len(everywhere))]))
        else:
            owner[place[-1]] = value
    return found


def _at(value: Json, place: tuple[Any, ...]) -> Json:
    for key in place:
        value = value[key]
    return value
