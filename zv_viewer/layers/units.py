"""Units of a store's axes as napari knows them, and what one of a layer is in the viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pint

from zv_viewer.layers.untyped import NapariValue
from zv_viewer.model.scene import SceneInfo

if TYPE_CHECKING:
    from napari import Viewer

Float = npt.NDArray[np.float64]

NO_UNIT = "pixel"
"""napari's name for an axis without a unit."""


def units_of(scene: SceneInfo) -> tuple[str, ...]:
    """(D,) names napari takes; axes whose unit is unknown to it have none."""
    return tuple(unit if _known(unit) else NO_UNIT for unit in map(str, scene.axis_units))


def has_scale(scene: SceneInfo) -> bool:
    """Whether lengths along the canvas' horizontal axis have a unit."""
    return units_of(scene)[scene.display_order[-1]] != NO_UNIT


def in_world(viewer: Viewer, layer: NapariValue) -> Float:
    """(D,) what one unit of each of a layer's axes is in units of the viewer.

    Where layers have different units of one kind, napari shows all in the smallest of them; where
    the kinds differ, numbers count as they are.
    """
    shown = viewer.layers.units
    if shown is None:
        return np.ones(layer.ndim)
    registry = _registry()
    pairs = zip(layer.units, shown[-layer.ndim :], strict=True)
    return np.array([_base(registry, own) / _base(registry, unit) for own, unit in pairs])


def unit_text(unit: NapariValue) -> str:
    """A unit as it is written beside a number; empty where there is none."""
    return "" if str(unit) == NO_UNIT else f"{unit:~P}"


def _base(registry: NapariValue, unit: NapariValue) -> float:
    return float(registry.get_base_units(unit)[0])


def _known(unit: str) -> bool:
    """Whether this is the name of a unit; formulas, as pint takes them, are not asked for."""
    if not unit.isidentifier() or unit == "None":
        return False
    return unit in _registry()


def _registry() -> NapariValue:
    return pint.get_application_registry()  # type: ignore[no-untyped-call]  # pint's
