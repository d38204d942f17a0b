"""How an attribute becomes one float32 per row, and that float a colour."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from zv_viewer.errors import InputError
from zv_viewer.model.scene import AttributeInfo

ColourMode: TypeAlias = Literal["plain", "scalar", "category", "rgb"]
Float32 = npt.NDArray[np.float32]

DEFAULT_COLORMAP = "viridis"
TABLE = 256


@dataclass(frozen=True, eq=False, slots=True)
class ColourSpec:
    """What a layer needs to colour by an attribute.

    Args:
        attribute: Its name, or None for one plain colour.
        mode: How values are meant.
        lut: (N, 4) float32 in 0 to 1.
        limits: Values at both ends of the table, for ``scalar``; None while nobody knows them.
        colormap: Name of the table.
    """

    attribute: str | None
    mode: ColourMode
    lut: Float32
    limits: tuple[float, float] | None
    colormap: str | None = None

    def with_limits(self, limits: tuple[float, float]) -> ColourSpec:
        """The same with limits that have become known."""
        return replace(self, limits=limits)


def colours_for(
    info: AttributeInfo | None,
    *,
    colormap: str | None = None,
    limits: tuple[float, float] | None = None,
) -> ColourSpec:
    """The colours of an attribute.

    Args:
        info: The attribute, or None for plain.
        colormap: One of :func:`colormap_names`; ``viridis`` when None.
        limits: Values at the ends; those recorded in the store when None.

    Returns:
        The colours. ``limits`` is None where the store recorded none: the values of the coarsest
        level then give them, once (``LodController.value_limits``).

    Raises:
        InputError: There is no such colormap, or a limit is not finite.
    """
    if info is None:
        return ColourSpec(None, "plain", np.ones((1, 4), np.float32), None)
    mode = mode_of(info)
    if mode == "category":
        return ColourSpec(info.name, mode, category_table(len(info.categories or ())), None)
    if mode == "rgb":
        return ColourSpec(info.name, mode, np.ones((1, 4), np.float32), None)
    name = colormap or DEFAULT_COLORMAP
    if limits is not None and not np.isfinite(limits).all():
        raise InputError(f"colour limits are finite numbers, not {limits}")
    known = info.limits if info.columns == 1 else None
    return ColourSpec(info.name, mode, colormap_table(name), limits or known, name)


def mode_of(info: AttributeInfo) -> ColourMode:
    """How an attribute's values are meant.

    Strings are categories; three or four columns of unsigned numbers, or of fractions, are colours;
    any other columns are a vector, coloured by its length.
    """
    if info.categories is not None:
        return "category"
    if info.columns in (3, 4):
        dtype = np.dtype(info.dtype)
        fractions = (
            dtype.kind == "f"
            and info.limits is not None
            and info.limits[0] >= 0
            and info.limits[1] <= 1
        )
        if dtype.kind == "u" or fractions:
            return "rgb"
    return "scalar"


def first_choice(attributes: Sequence[AttributeInfo]) -> AttributeInfo | None:
    """The attribute to colour by before anybody chose: colours, else categories, else a number."""
    for mode in ("rgb", "category", "scalar"):
        for info in attributes:
            if mode_of(info) == mode and (mode == "rgb" or info.columns == 1):
                return info
    return None


def told_by_float32(info: AttributeInfo) -> bool:
    """Whether the one float32 of a row is the very value the store has."""
    dtype = np.dtype(info.dtype)
    return info.columns == 1 and (
        info.categories is not None
        or (dtype.kind in "iub" and dtype.itemsize <= 2)
        or (dtype.kind == "f" and dtype.itemsize <= 4)
    )


def pack_values(info: AttributeInfo, values: npt.NDArray[np.generic]) -> Float32:
    """One float32 per row.

    Args:
        info: The attribute.
        values: (N,) or (N, C), as read.

    Returns:
        (N,) the value; the category's code; ``r * 65536 + g * 256 + b``, exact in float32; or the
        length of a vector.
    """
    mode = mode_of(info)
    if mode == "rgb":
        full = _full_scale(info)
        given = values[:, :3].astype(np.float64)
        parts = np.nan_to_num(given) * (255 / full)
        r, g, b = np.clip(np.rint(parts), 0, 255).astype(np.int64).T
        packed = np.asarray(r << 16 | g << 8 | b, np.float32)
        packed[np.isnan(given).all(axis=1)] = np.nan  # no colour at all is not black
        return packed
    with np.errstate(over="ignore"):
        if values.ndim == 2:
            if values.shape[1] == 1:
                values = values[:, 0]
            else:
                length = np.linalg.norm(values.astype(np.float64), axis=1)
                return np.asarray(length, np.float32)
        return np.asarray(values, np.float32)


def missing_values(rows: int) -> Float32:
    """(rows,) values of rows that have none."""
    return np.full(rows, np.nan, np.float32)


def range_of(values: list[Float32]) -> tuple[float, float] | None:
    """Smallest and largest finite value, or None where there is none."""
    finite = [part[np.isfinite(part)] for part in values]
    finite = [part for part in finite if len(part)]
    if not finite:
        return None
    return float(min(part.min() for part in finite)), float(max(part.max() for part in finite))


def colormap_names() -> tuple[str, ...]:
    """The colormaps there are."""
    return tuple(_continuous())


def colormap_table(name: str) -> Float32:
    """(256, 4) float32 colours along a colormap."""
    if name not in _continuous():
        known = ", ".join(_continuous())
        raise InputError(f"there is no colormap {name!r}; there are {known}")
    knots = np.array([_rgb(text) for text in _continuous()[name]])
    at = np.linspace(0, len(knots) - 1, TABLE)
    table = np.ones((TABLE, 4), np.float32)
    for channel in range(3):
        table[:, channel] = np.interp(at, np.arange(len(knots)), knots[:, channel])
    return table


def category_table(categories: int) -> Float32:
    """(N, 4) float32 colours of categories; the palette begins again where it ends."""
    palette = np.array([(*_rgb(text), 1.0) for text in _palette()], np.float32)
    return palette[: max(min(categories, len(palette)), 1)]


def _full_scale(info: AttributeInfo) -> float:
    """The stored number that means full intensity; one for the whole attribute, at every level."""
    dtype = np.dtype(info.dtype)
    if dtype == np.uint8:
        return 255.0
    if dtype.kind == "f":
        return 1.0
    if info.limits is not None and info.limits[1] <= 255:
        return 255.0
    return 65535.0


def _rgb(text: str) -> tuple[float, float, float]:
    r, g, b = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return r, g, b


@cache
def _continuous() -> dict[str, list[str]]:
    maps: dict[str, list[str]] = json.loads(_resource("continuous.json"))["colormaps"]
    return maps


@cache
def _palette() -> list[str]:
    colours: list[str] = json.loads(_resource("categorical.json"))["colors"]
    return colours


def _resource(name: str) -> str:
    path = files("zv_viewer").joinpath("resources", "colormaps", name)
    return path.read_text(encoding="utf-8")
