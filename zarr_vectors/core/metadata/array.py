"""Metadata of the vertex arrays: element types, columns, categories."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from zarr_vectors.core.metadata.fields import integer_of, items_of, number_of, text_of, texts_of
from zarr_vectors.encoding.ragged import is_number_name
from zarr_vectors.exceptions import MetadataError

KINDS = "biuf"
"""NumPy kinds an array may hold: bool, signed, unsigned, float."""

_MOST_COLUMNS = 2**20


def dtype_of(value: object, what: str) -> np.dtype[Any]:
    """A stored NumPy type name as a little-endian dtype.

    Raises:
        MetadataError: Not the name of a number or bool.
    """
    name = text_of(value, f"the dtype of {what}")
    if not is_number_name(name):
        raise MetadataError(f"{what} has the unknown dtype {name[:60]!r}, which is not a number")
    return np.dtype(name).newbyteorder("<")


@dataclass(frozen=True, slots=True)
class VertexSpec:
    """The vertices array: (N, D) rows of ``dtype``."""

    dtype: np.dtype[Any]
    encoding: str = "raw"

    @classmethod
    def from_meta(cls, meta: Mapping[str, Any]) -> VertexSpec:
        """Parse the array's metadata; float32, raw where it says nothing."""
        dtype = dtype_of(meta.get("dtype", "float32"), "the vertices array")
        if dtype.kind != "f":
            raise MetadataError(f"vertices have the dtype {dtype.name!r}, which is not a float")
        return cls(dtype, text_of(meta.get("encoding", "raw"), "the encoding of vertices"))

    def to_meta(self) -> dict[str, Any]:
        """As stored."""
        return {"zv_array": "vertices", "dtype": self.dtype.name, "encoding": self.encoding}


@dataclass(frozen=True, slots=True)
class AttributeSpec:
    """A per-vertex attribute: (N,) or (N, C) rows of ``dtype``, or codes into ``categories``."""

    name: str
    dtype: np.dtype[Any]
    """As stored: of a categorical attribute, the type of its codes."""
    columns: int = 1
    row_shape: tuple[int, ...] = ()
    """``()`` for (N,) values, ``(C,)`` for (N, C)."""
    categories: tuple[str, ...] | None = None
    missing_code: int | None = None
    """The code that stands for no category, where there is one."""
    unit: str | None = None
    description: str | None = None
    limits: tuple[float, float] | None = None
    """Smallest and largest finite value at level 0, where recorded."""
    channel_names: tuple[str, ...] | None = None
    guessed: bool = field(default=False, compare=False)
    """The store does not say the dtype; float32 is what its writer means."""

    @classmethod
    def from_meta(cls, name: str, meta: Mapping[str, Any]) -> AttributeSpec:
        """Parse the metadata of ``vertex_attributes/<name>``.

        Raises:
            MetadataError: A field is not what it must be.
        """
        what = f"attribute {name!r}"
        dtype = dtype_of(meta.get("dtype", "float32"), what)
        channels = meta.get("channel_names")
        names = None if channels is None else texts_of(channels, f"the channel names of {what}")
        if "row_shape" in meta:
            shape = tuple(
                integer_of(n, f"the row shape of {what}", least=1)
                for n in items_of(meta["row_shape"], f"the row shape of {what}")
            )
        else:
            shape = (len(names),) if names else ()
        columns = math.prod(shape)
        if columns > _MOST_COLUMNS:
            raise MetadataError(f"{what} claims {columns} values per vertex")
        categories, missing = None, None
        if meta.get("encoding") == "dictionary":
            categories = texts_of(meta.get("categories", ()), f"the categories of {what}")
            if dtype.kind not in "iu":
                raise MetadataError(f"the codes of {what} have the dtype {dtype.name!r}")
            if meta.get("_FillValue") is not None:
                missing = integer_of(meta["_FillValue"], f"the missing code of {what}")
        unit, description = meta.get("unit"), meta.get("description")
        return cls(
            name=name,
            dtype=dtype,
            columns=columns,
            row_shape=shape,
            categories=categories,
            missing_code=missing,
            unit=None if unit is None else text_of(unit, f"the unit of {what}"),
            description=None if description is None else text_of(description, what),
            limits=_limits(meta.get("statistics"), what),
            channel_names=names,
            guessed="dtype" not in meta,
        )

    def to_meta(self) -> dict[str, Any]:
        """As stored; ``row_shape`` is left to the layouts that know it."""
        meta: dict[str, Any] = {
            "zv_array": "attribute",
            "name": self.name,
            "dtype": self.dtype.name,
            "row_shape": list(self.row_shape),
        }
        if self.row_shape:
            names = self.channel_names or tuple(f"ch{i}" for i in range(self.columns))
            meta["channel_names"] = list(names)
        if self.categories is not None:
            meta |= {
                "encoding": "dictionary",
                "categories": list(self.categories),
                "ordered": False,
            }
            if self.missing_code is not None:
                meta["_FillValue"] = self.missing_code
        if self.unit is not None:
            meta["unit"] = self.unit
        if self.description is not None:
            meta["description"] = self.description
        if self.limits is not None:
            meta["statistics"] = {"min": self.limits[0], "max": self.limits[1]}
        return meta

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return self.dtype.itemsize * self.columns

    def rows(self, values: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """Flat stored elements as (n,) or (n, C)."""
        return values.reshape(-1, *self.row_shape) if self.row_shape else values


def _limits(value: object, what: str) -> tuple[float, float] | None:
    if not isinstance(value, Mapping) or "min" not in value or "max" not in value:
        return None
    name = f"the statistics of {what}"
    return number_of(value["min"], name), number_of(value["max"], name)
