"""Kinds of parametric objects and the names of their coefficients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from zarr_vectors.core.metadata.fields import integer_of, mapping_of, required, text_of, texts_of
from zarr_vectors.exceptions import MetadataError


@dataclass(frozen=True, slots=True)
class ParametricTypeDef:
    """One kind: its number in object rows, its name, and its coefficients in row order."""

    type_id: int
    name: str
    coefficients: tuple[str, ...]


def serialise_parametric_types(types: Iterable[ParametricTypeDef]) -> dict[str, Any]:
    """As stored: type number -> name and coefficients."""
    return {
        str(kind.type_id): {"name": kind.name, "coefficients": list(kind.coefficients)}
        for kind in types
    }


def deserialise_parametric_types(data: Mapping[str, Any]) -> list[ParametricTypeDef]:
    """Kinds in ascending number.

    Raises:
        MetadataError: A key is no number, or an entry lacks its name or coefficients.
    """
    kinds = []
    for key, value in mapping_of(data, "parametric_types").items():
        what = f"parametric type {key!r}"
        try:
            number = int(key)
        except ValueError as error:
            raise MetadataError(f"{what} must be numbered") from error
        entry = mapping_of(value, what)
        name = text_of(required(entry, "name", what), f"the name of {what}")
        names = texts_of(required(entry, "coefficients", what), f"the coefficients of {what}")
        kinds.append(ParametricTypeDef(integer_of(number, what, least=0), name, names))
    return sorted(kinds, key=lambda kind: kind.type_id)
