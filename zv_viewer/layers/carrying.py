"""One layer takes the place of another that shows the same store: where it lies, how it looks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from napari.utils.transforms import Affine

from zv_viewer.layers.cells import CellLayer
from zv_viewer.layers.object_states import ObjectStates, rows_by_id
from zv_viewer.layers.sizing import SizedLayer
from zv_viewer.layers.standard_layer import StandardLayer
from zv_viewer.layers.units import NO_UNIT
from zv_viewer.layers.untyped import NapariValue

Float = npt.NDArray[np.float64]
AnyLayer = CellLayer[NapariValue] | StandardLayer


def carry_look(old: AnyLayer, new: AnyLayer) -> None:
    """Give ``new`` colours, opacity, visibility, and what objects look like, as ``old`` has them.

    Where both have a size of points, that too; widths of lines and blending are each layer's own.
    """
    colours = old.colouring
    new.set_colours(colours.mode, colours.lut, colours.limits)
    new.opacity, new.visible = old.opacity, old.visible
    if old.scene.has_objects and new.scene.has_objects:
        carried = carried_states(old, new)
        new.set_object_looks(carried.looks)
        everyone = np.arange(len(carried), dtype=np.uint32)
        new.set_object_colours(carried.colours(everyone) if carried.coloured else None)
    if hasattr(old, "point_size"):
        new.point_size = old.point_size
    if isinstance(old, SizedLayer) and isinstance(new, SizedLayer):
        new.size_by(old.size_rule, old.object_sizes)


def carried_states(old: AnyLayer, new: AnyLayer) -> ObjectStates:
    """Looks and colours of the objects of ``new`` as ``old`` has them, by their ids."""
    was = ObjectStates(len(old.scene.objects))
    was.set_looks(old.object_looks)
    was.set_colours(old.object_colours)
    states = ObjectStates(len(new.scene.objects))
    states.take(was, rows_by_id(old.scene.objects, new.scene.objects))
    return states


def carry_place(old: AnyLayer, new: AnyLayer) -> None:
    """Give ``new`` transforms and units that put the store where ``old`` has it."""
    extra = new.ndim - new.scene.ndim
    for name, value in place_of(old, extra, new.store_offset).items():
        setattr(new, name, value)


def place_of(layer: AnyLayer, extra: int, offset: Float) -> dict[str, NapariValue]:
    """The transforms and units of another layer, for it to have the store where ``layer`` has it.

    Args:
        layer: A layer that shows a store.
        extra: Axes the other layer has before those of the store.
        offset: (D,) store position of the other layer's zero.
    """
    own = range(layer.ndim - layer.scene.ndim, layer.ndim)
    whole = Affine(
        scale=layer.scale, rotate=layer.rotate, shear=layer.shear, translate=layer.translate
    )
    place = whole.set_slice(own)
    place.translate = place.translate + place.linear_matrix @ (offset - layer.store_offset)
    shear = np.asarray(place.shear)
    if shear.ndim == 1:  # the elements above the diagonal, line by line
        shear = np.concatenate([np.zeros(extra * len(own)), shear])
    else:
        shear = _block(shear, extra)
    world = layer.affine.set_slice(own)
    return {
        "scale": (*(1.0,) * extra, *place.scale),
        "rotate": _block(place.rotate, extra),
        "shear": shear,
        "translate": (*(0.0,) * extra, *place.translate),
        "affine": _block(world.affine_matrix, extra),
        "units": (*(NO_UNIT,) * extra, *layer.units[own.start :]),
    }


def _block(matrix: Float, extra: int) -> Float:
    """The matrix of a transform with up to one axis before its own, on which it does nothing."""
    whole = np.eye(extra + len(matrix))
    whole[extra:, extra:] = matrix
    return whole
