"""Valid bytes and JSON made hostile: flips, cuts, splices, absurd numbers; the same from a seed."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

Path = tuple[str | int, ...]

WORDS: Final = (
    *(struct.pack("<q", n) for n in (0, -1, 1, 2**31, 2**32, 2**62, 2**63 - 1, -(2**63))),
    *(struct.pack("<I", n) for n in (0, 2**32 - 1, 1, 2**31, 2**31 - 1, 2**16, 256)),
    struct.pack("<d", float("nan")),
    struct.pack("<d", float("inf")),
)
"""Eight and four bytes that are an integer or a float at the edge of its range."""

VALUES: Final[tuple[Any, ...]] = (
    *(0, -1, 1, 2, 3, 2**31, 2**32, 2**53, 2**62, 2**63 - 1, 2**63, 2**64, 10**400, -(10**400)),
    *(0.0, -0.0, 0.5, 1e308, -1e308, 5e-324, float("nan"), float("inf"), float("-inf")),
    *(None, True, False, "", "0", "-1", "x", "..", "a/b", "a,", "\0", "\ud800", "²", "9" * 5000),
    *("float32", "int8", ">f8", "i4,i4", "(2,)f4", "O", "NaN", "zstd", "x" * 100_000),
    *(
        [],
        {},
        [[]],
        [0],
        [None],
        [[], [0]],
        ["x", 1],
        {"": ""},
        {"name": "zstd"},
        [{}],
        [2**62] * 3,
    ),
    *([float("nan")] * 3, [1e308] * 3, [0] * 3, [-1] * 3, list(range(40)), ["0.0.0", "0.0"]),
)
"""What a field of a JSON document may hold instead of what it should."""


def nested(depth: int) -> list[Any]:
    """An empty list within ``depth`` lists."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


class Mutator:
    """A stream of mutated values, the same from the same seed.

    Args:
        seed: Of the stream.
    """

    _BLOCK = 4096

    def __init__(self, *seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._drawn = self._stream()
        self._known: dict[int, tuple[Any, list[Path]]] = {}

    def below(self, limit: int) -> int:
        """A number in ``0 .. limit - 1``; 0 where there is none."""
        return next(self._drawn) % limit if limit > 0 else 0

    def pick(self, choices: Sequence[Any]) -> Any:  # noqa: ANN401 - whatever the choices are
        """One of the choices."""
        return choices[self.below(len(choices))]

    def bytes_of(self, data: bytes, other: bytes = b"") -> bytes:
        """``data`` after one to three changes.

        Args:
            data: A valid input.
            other: Another one, spliced in.
        """
        body = bytearray(data)
        for _ in range(1 + (self.below(8) > 4) + (self.below(8) > 5)):
            body = self._changed(body, other)
        return bytes(body)

    def json_of(self, document: Any) -> Any:  # noqa: ANN401 - JSON
        """A copy of a JSON value with one to three fields changed, taken out or put in."""
        found = document
        for _ in range(1 + (self.below(8) > 4) + (self.below(8) > 5)):
            found = self._replaced(found, self.pick(self._paths(found, known=found is document)))
        return found

    def _paths(self, document: Any, *, known: bool) -> list[Path]:  # noqa: ANN401 - JSON
        if not known:
            return paths_of(document)
        if id(document) not in self._known:
            self._known[id(document)] = document, paths_of(document)
        return self._known[id(document)][1]

    def _changed(self, body: bytearray, other: bytes) -> bytearray:
        size = len(body)
        at, kind = self.below(size), self.below(10)
        if kind < 2 and size:
            body[at] ^= 1 << self.below(8)
        elif kind == 2 and size:
            body[at] = self.below(256)
        elif kind < 6:  # a field: mostly aligned, mostly near the start, where headers are
            word = self.pick(WORDS)
            at = self.below(min(size, 96) if self.below(4) else size)
            at -= at % 4 if self.below(4) else 0
            body[at : at + len(word)] = word[: max(size - at, 0)]
        elif kind == 6:
            del body[at:]
        elif kind == 7:
            del body[at : at + 1 + self.below(16)]
        elif kind == 8:
            length = 1 + self.below(64)
            start = self.below(size)
            body[at:at] = body[start : start + length] if self.below(2) else bytes(length)
        else:
            start = self.below(len(other))
            if self.below(2):
                body[at:] = other[start:]
            else:
                body[at : at + 64] = other[start : start + 64]
        return body

    def _replaced(self, value: Any, path: Path) -> Any:  # noqa: ANN401 - JSON
        if not path:
            return self.pick(VALUES) if self.below(8) == 0 else value
        copy: Any = dict(value) if isinstance(value, dict) else list(value)
        key = path[0]
        if len(path) > 1:
            copy[key] = self._replaced(value[key], path[1:])
            return copy
        kind, old = self.below(10), copy[key]
        if kind == 0:
            del copy[key]
        elif kind == 1 and isinstance(copy, list):
            copy.append(old if self.below(2) else self.pick(VALUES))
        elif kind == 2:
            copy[key] = [old]
        elif kind == 3 and isinstance(copy, dict):
            copy[key] = copy[self.pick(list(copy))]
        elif kind == 4 and type(old) in {int, float} and abs(old) < 2**64:
            copy[key] = old + self.pick((-1, 1, 0.5))
        else:
            copy[key] = self.pick(VALUES)
        return copy

    def _stream(self) -> Iterator[int]:
        while True:
            yield from self._rng.integers(0, 2**63, self._BLOCK).tolist()


def paths_of(document: Any, most: int = 500) -> list[Path]:  # noqa: ANN401 - JSON
    """Ways to the values inside a JSON value, its root first."""
    found: list[Path] = [()]
    for path in found:
        value = document
        for key in path:
            value = value[key]
        if isinstance(value, Mapping):
            found += [(*path, key) for key in value]
        elif isinstance(value, list):
            found += [(*path, key) for key in range(len(value))]
        if len(found) > most:
            break
    return found
