"""Planes, lines, spheres and other objects told by coefficients, as a store lists them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class ParametricObject:
    """One object.

    Args:
        kind: ``plane``, ``line``, ``sphere``, or a kind of the store's own.
        name: What it is called.
        coefficients: Numbers that tell it, world units, in the order of ``names``.
        names: What each number is.
        attributes: name -> a number, or several.
        groups: Numbers of the groups it is in.
    """

    kind: str
    name: str
    coefficients: tuple[float, ...]
    names: tuple[str, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    groups: tuple[int, ...] = ()
