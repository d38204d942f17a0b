"""Reading single fields of stored JSON: the value in its own type, or one clear sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

from zarr_vectors.exceptions import MetadataError

_LARGEST = 2**63 - 1


def mapping_of(value: object, what: str) -> Mapping[str, Any]:
    """``value`` as a JSON object."""
    if not isinstance(value, dict | Mapping):
        raise MetadataError(f"{what} must be a JSON object, not {type(value).__name__}")
    return value


def required(data: Mapping[str, Any], key: str, what: str) -> Any:  # noqa: ANN401  JSON
    """``data[key]``, which must be there."""
    if key not in data:
        raise MetadataError(f"{what} lacks {key!r}")
    return data[key]


def text_of(value: object, what: str) -> str:
    """``value`` as a string."""
    if not isinstance(value, str):
        raise MetadataError(f"{what} must be a string, not {value!r}")
    return value


def integer_of(value: object, what: str, *, least: int | None = None) -> int:
    """``value`` as an int, which floats without a fraction also are."""
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole:
        raise MetadataError(f"{what} must be an integer, not {value!r}")
    number = int(cast("float", value))
    if least is not None and number < least:
        raise MetadataError(f"{what} must be at least {least}, not {number}")
    if abs(number) > _LARGEST:
        raise MetadataError(f"{what} does not fit 64 bits")
    return number


def number_of(value: object, what: str) -> float:
    """``value`` as a finite float."""
    try:
        if not isinstance(value, bool) and isinstance(value, int | float) and math.isfinite(value):
            return float(value)
    except OverflowError:  # an integer of hundreds of digits
        raise MetadataError(f"{what} does not fit a float") from None
    raise MetadataError(f"{what} must be a finite number, not {value!r}")


def numbers_of(
    value: object, what: str, *, count: int | None = None, positive: bool = False
) -> tuple[float, ...]:
    """``value`` as a tuple of finite floats."""
    items = items_of(value, what)
    numbers = tuple(items)
    if any(type(item) is not float for item in numbers) or not all(map(math.isfinite, numbers)):
        each = f"each entry of {what}"
        numbers = tuple(number_of(item, each) for item in items)
    if count is not None and len(numbers) != count:
        raise MetadataError(f"{what} has {len(numbers)} entries, the store has {count} axes")
    if positive and not all(number > 0 for number in numbers):
        raise MetadataError(f"{what} must be greater than 0, not {list(numbers)}")
    return numbers


def texts_of(value: object, what: str) -> tuple[str, ...]:
    """``value`` as a tuple of strings."""
    items = items_of(value, what)
    if all(type(item) is str for item in items):
        return tuple(items)
    each = f"each entry of {what}"
    return tuple(text_of(item, each) for item in items)


def items_of(value: object, what: str) -> Sequence[Any]:
    """``value`` as a list."""
    if isinstance(value, str) or not isinstance(value, list | tuple | Sequence):
        raise MetadataError(f"{what} must be a list, not {value!r}")
    return value
