"""Words shared by every layer: the shapes of the plain values that cross module borders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

ChunkCoords: TypeAlias = tuple[int, ...]
"""Absolute chunk coordinates, one int per axis; may be negative.

Rank ``D``, or ``D + 1`` on an attribute-chunked level (leading component: the attribute bin).
"""

ObjectManifest: TypeAlias = list[tuple[ChunkCoords, int]]
"""Ordered ``(chunk, fragment)`` pairs whose rows, concatenated, are one object."""

BoundingBox: TypeAlias = tuple[Sequence[float], Sequence[float]]
"""``(min corner, max corner)`` in world units, both ends inclusive."""

FormatVersion: TypeAlias = Literal["0.7.0", "0.9.2"]

FloatArray: TypeAlias = npt.NDArray[np.floating]
IntArray: TypeAlias = npt.NDArray[np.int64]
AnyArray: TypeAlias = npt.NDArray[np.generic]
