"""Group attributes as a mapping, numpy values turned into JSON on the way in."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Any

import numpy as np

from zarr_vectors.constants import OUTLINE_KEY
from zarr_vectors.core.layouts.base import KeepsGroups
from zarr_vectors.exceptions import MetadataError, StoreError

_MOST_DEPTH = 64


def to_json(value: object, depth: int = 0) -> Any:  # noqa: ANN401 - JSON is any of six types
    """``value`` with numpy arrays and scalars, tuples and sets as plain JSON values.

    Raises:
        MetadataError: The value has no JSON form, or is nested too deeply.
    """
    if depth > _MOST_DEPTH:
        raise MetadataError(f"attributes are nested more than {_MOST_DEPTH} deep")
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, np.generic | np.ndarray):
        return to_json(value.tolist(), depth + 1)
    if isinstance(value, dict):
        return {str(key): to_json(item, depth + 1) for key, item in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(to_json(item, depth + 1) for item in value)
    if isinstance(value, list | tuple | range):
        return [to_json(item, depth + 1) for item in value]
    raise MetadataError(f"a {type(value).__name__} cannot be stored as an attribute")


class GroupAttributes(MutableMapping[str, Any]):
    """Attributes of one group; every access reads or writes the stored document.

    Args:
        layout: Where the group is.
        path: Its path.
    """

    def __init__(self, layout: KeepsGroups, path: str) -> None:
        self._layout = layout
        self._path = path

    def __repr__(self) -> str:
        return f"GroupAttributes({self.to_dict()!r})"

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - any JSON value
        return self.to_dict()[key]

    def __setitem__(self, key: str, value: object) -> None:
        self.update({key: value})

    def __delitem__(self, key: str) -> None:
        known = self.to_dict()
        del known[key]
        self.replace(known)

    def __iter__(self) -> Iterator[str]:
        return iter(self.to_dict())

    def __len__(self) -> int:
        return len(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """All attributes, read in one go.

        Raises:
            StoreError: The group is gone.
        """
        found = self._layout.get_attrs([self._path]).get(self._path)
        if found is None:
            raise StoreError(f"there is no group {self._path or 'at the root'}")
        return found

    def update(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as dict.update
        """Merge into the attributes, in one write."""
        self.replace({**self.to_dict(), **dict(*args, **kwargs)})

    def replace(self, attributes: dict[str, Any]) -> None:
        """Store these attributes and no others."""
        self._layout.put_attrs({self._path: to_json(attributes)})
        if self._path:
            forget_outline(self._layout)


def forget_outline(layout: KeepsGroups) -> None:
    """Take out what the root records of its levels, which no longer holds."""
    root = layout.get_attrs([""]).get("", {})
    if OUTLINE_KEY in root:
        del root[OUTLINE_KEY]
        layout.put_attrs({"": root})
