"""Many short strings as one run of bytes, so that all of them are searched at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Int = npt.NDArray[np.int64]

PART = 50_000
"""Strings handled in one go: no other thread of the process runs meanwhile."""


@dataclass(frozen=True, eq=False, slots=True)
class TextIndex:
    """Strings joined so that all of them are searched at once.

    Args:
        data: (B,) uint8, the strings in lower case as UTF-8, a line end after each.
        starts: (n,) int64, where each begins.
    """

    data: npt.NDArray[np.uint8]
    starts: Int

    @classmethod
    def of(cls, texts: Sequence[Any]) -> TextIndex:
        """The index of some strings, or of other values by their ``str``."""
        parts, sizes = [], [np.zeros(1, np.int64)]
        for begin in range(0, len(texts), PART):
            lines = [_line(text) for text in texts[begin : begin + PART]]
            sizes.append(np.fromiter(map(len, lines), np.int64, len(lines)))
            parts.append(b"".join(lines))
        starts = np.cumsum(np.concatenate(sizes))[:-1]
        return cls(np.frombuffer(b"".join(parts), np.uint8), starts)


def _line(text: object) -> bytes:
    return (str(text).replace("\n", " ").lower() + "\n").encode("utf-8", "replace")
