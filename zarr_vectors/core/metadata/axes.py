"""Axes of a store: names, kinds and units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zarr_vectors.core.metadata.fields import mapping_of, required, text_of
from zarr_vectors.exceptions import MetadataError

DEFAULT_NAMES = ("x", "y", "z", "w")
_KIND_ORDER = {"time": 0, "channel": 1, "space": 3}


@dataclass(frozen=True, slots=True)
class NgffAxis:
    """One axis. ``type`` is ``space``, ``time``, ``channel`` or a word of the writer's own."""

    name: str
    type: str = "space"
    unit: str | None = None

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NgffAxis:
        """Parse one entry of ``multiscales[0].axes``."""
        entry = mapping_of(data, "an axis")
        name = text_of(required(entry, "name", "an axis"), "an axis name")
        kind = text_of(entry.get("type", "space"), f"the type of axis {name!r}")
        unit = entry.get("unit")
        return cls(
            name, kind, None if unit is None else text_of(unit, f"the unit of axis {name!r}")
        )

    def to_dict(self) -> dict[str, str]:
        """As stored; an unknown unit is left out."""
        entry = {"name": self.name, "type": self.type}
        return entry if self.unit is None else {**entry, "unit": self.unit}


def default_axes(
    ndim: int, names: Sequence[str] | None = None, units: Sequence[str | None] | None = None
) -> tuple[NgffAxis, ...]:
    """Space axes x, y, z, w, or the given names and units.

    Raises:
        MetadataError: More than 4 axes without names, or lists of another length than ``ndim``.
    """
    if names is None:
        if ndim > len(DEFAULT_NAMES):
            raise MetadataError(f"{ndim} axes need names: only {len(DEFAULT_NAMES)} have defaults")
        names = DEFAULT_NAMES[:ndim]
    if units is None:
        units = (None,) * ndim
    if len(names) != ndim or len(units) != ndim:
        raise MetadataError(
            f"{len(names)} axis names and {len(units)} axis units given for {ndim} axes"
        )
    axes = tuple(NgffAxis(n, "space", u or None) for n, u in zip(names, units, strict=True))
    validate_axes(axes)
    return axes


def validate_axes(axes: Sequence[NgffAxis]) -> None:
    """Check names, kinds and their order: time, channel, others, space; at least two space axes.

    Raises:
        MetadataError: One sentence on the first thing wrong.
    """
    names = [axis.name for axis in axes]
    if len(set(names)) != len(names):
        raise MetadataError(f"axis names must differ: {names}")
    kinds = [_KIND_ORDER.get(axis.type, 2) for axis in axes]
    if kinds != sorted(kinds):
        raise MetadataError(
            f"axes must come as time, channel, others, space: {[axis.type for axis in axes]}"
        )
    if kinds.count(3) < 2:
        raise MetadataError(f"at least two axes must be space: {[axis.type for axis in axes]}")
