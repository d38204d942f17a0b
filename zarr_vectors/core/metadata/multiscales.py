"""The NGFF ``multiscales`` block as plain values: axes, and the only record of levels' bins.

A level's ``scale`` is its bin ratio to level 0 and its ``translation`` half its bin shape; neither
is a transform of vertices.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zarr_vectors.constants import MULTISCALES_KEY
from zarr_vectors.core.metadata.axes import NgffAxis
from zarr_vectors.core.metadata.fields import items_of, mapping_of, numbers_of

FORMAT = "zarr_vectors"
_LEVEL = re.compile(r"[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class LevelTransform:
    """What ``multiscales`` says of one level's bins."""

    scale: tuple[float, ...]
    """Bin ratio to level 0."""
    translation: tuple[float, ...] | None = None
    """Half the bin shape, world units; None where it is not written."""

    @property
    def bin_shape(self) -> tuple[float, ...] | None:
        """The level's bin shape, world units."""
        half = self.translation
        return None if half is None or not all(half) else tuple(2 * x for x in half)


def new_block(axes: Iterable[NgffAxis]) -> list[dict[str, Any]]:
    """A ``multiscales`` value without levels."""
    return [
        {
            "version": "0.4",
            "name": "default",
            "axes": [axis.to_dict() for axis in axes],
            "datasets": [],
            "metadata": {"format": FORMAT},
        }
    ]


def transforms_of(attributes: Mapping[str, Any]) -> dict[int, LevelTransform]:
    """Transforms by level, from root attributes.

    Raises:
        MetadataError: An entry is not what it must be.
    """
    found = {}
    for entry in _datasets(attributes):
        path = str(entry.get("path", ""))
        if _LEVEL.fullmatch(path) is None:
            continue
        scale, translation = None, None
        for step in items_of(entry.get("coordinateTransformations", ()), "a level's transforms"):
            kind = mapping_of(step, "a level's transform").get("type")
            if kind == "scale":
                scale = numbers_of(step.get("scale"), f"the scale of level {path}")
            elif kind == "translation":
                name = f"the translation of level {path}"
                translation = numbers_of(step.get("translation"), name)
        if scale is not None:
            found[int(path)] = LevelTransform(scale, translation)
    return found


def with_transform(
    attributes: Mapping[str, Any], level: int, transform: LevelTransform | None
) -> dict[str, Any]:
    """Root attributes with a level's transform put in, replaced, or (None) taken out."""
    blocks = [dict(block) for block in attributes.get(MULTISCALES_KEY) or new_block(())]
    kept = [e for e in blocks[0].get("datasets", ()) if str(e.get("path")) != str(level)]
    if transform is not None:
        steps: list[dict[str, Any]] = [{"type": "scale", "scale": list(transform.scale)}]
        if transform.translation is not None and any(transform.translation):
            steps.append({"type": "translation", "translation": list(transform.translation)})
        kept.append({"path": str(level), "coordinateTransformations": steps})
    blocks[0]["datasets"] = sorted(kept, key=_level_of)
    return {**attributes, MULTISCALES_KEY: blocks}


def _datasets(attributes: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    blocks = attributes.get(MULTISCALES_KEY) or [{}]
    first = mapping_of(items_of(blocks, MULTISCALES_KEY)[0], "multiscales[0]")
    entries = items_of(first.get("datasets", ()), "multiscales datasets")
    return [mapping_of(entry, "a multiscales dataset") for entry in entries]


def _level_of(entry: Mapping[str, Any]) -> tuple[int, str]:
    path = str(entry.get("path", ""))
    return (int(path), path) if _LEVEL.fullmatch(path) else (-1, path)
