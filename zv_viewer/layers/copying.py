"""What a picture shows as a layer of napari's own that can be edited and saved."""

from __future__ import annotations

from napari.layers import Layer

from zv_viewer.layers.carrying import AnyLayer, place_of
from zv_viewer.layers.drawn_rows import DrawnRows, row_colours
from zv_viewer.layers.factory import standard_class
from zv_viewer.layers.object_states import ObjectStates
from zv_viewer.layers.standard_layer import Copied
from zv_viewer.layers.untyped import NapariValue


def copy_of(
    layer: AnyLayer, rows: DrawnRows, states: ObjectStates | None, attribute: str | None
) -> Layer:
    """An ordinary layer with rows of a store, as data in the store's coordinates.

    It is of the kind that shows the store where standard layers do. The values coloured by, and ids
    of objects, are features of it.

    Args:
        layer: What shows the store.
        rows: Those drawn.
        states: Looks and colours of objects; None for points.
        attribute: Name of the values.
    """
    scene, kind = layer.scene, standard_class(layer.scene)
    features: dict[str, NapariValue] = {}
    if attribute is not None:
        features[attribute] = rows.values
    if scene.by_object:
        features["object"] = scene.objects[rows.objects]
    extra = kind.extra_axes(scene)
    offset = kind.copy_offset(scene)
    copied = Copied(
        positions=rows.positions[:, : scene.ndim] + (scene.origin - offset),
        colours=row_colours(rows, layer.colouring, states),
        spacing=rows.spacing,
        links=rows.links,
        features=features,
        width=1.5 * float(layer.scale_factor),
    )
    return kind.copied(
        copied,
        name=f"{layer.name} (copy)",
        axis_labels=(*("",) * extra, *scene.axis_names),
        metadata={"copied_from": scene.url},
        **place_of(layer, extra, offset),
    )
