"""What a window shows of stores, as values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from zv_viewer.errors import InputError
from zv_viewer.layers.camera import settle_centre
from zv_viewer.layers.carrying import place_of
from zv_viewer.layers.clip_planes import plane_axes
from zv_viewer.layers.linked import CellLines, CellMesh
from zv_viewer.layers.view import read_view
from zv_viewer.model.fingerprint import Fingerprint
from zv_viewer.model.objects import Int, ObjectTable
from zv_viewer.objects import ALL_SHOWN, group_colours
from zv_viewer.session import StoreSession, sessions_in
from zv_viewer.session.filtering import filtering_of
from zv_viewer.session.objects import ObjectsOfSession
from zv_viewer.session.sizing import sizing_of
from zv_viewer.state.document import (
    CanvasState,
    CapsState,
    ColoursState,
    GroupColour,
    LayerState,
    LodState,
    LookState,
    Matrix,
    ObjectColoursState,
    ObjectsState,
    PlaneState,
    Ranges,
    SizesState,
    ViewFile,
    WindowView,
)
from zv_viewer.views.places import plain_address

NO_STORE = "no store is open, so there is no view to save"


def capture(viewer: Any, prints: Mapping[StoreSession, Fingerprint]) -> ViewFile:  # noqa: ANN401
    """The present view of the stores in a viewer.

    Args:
        viewer: The napari viewer.
        prints: Fingerprints of its stores, which take a worker to find out.

    Raises:
        InputError: No store is open.
    """
    sessions = [one for one in sessions_in(viewer.layers) if one in prints]
    if not sessions:
        raise InputError(NO_STORE)
    first = sessions[0]
    budget = first.settings.budget
    settle_centre(viewer, sessions[-1].layer)
    return ViewFile(
        canvas=_canvas(viewer),
        view=window_view(viewer),
        caps=CapsState(budget.vertices, budget.bytes, budget.card_bytes, automatic=first.automatic),
        layers=tuple(_layer(one, prints[one]) for one in sessions),
    )


def window_view(viewer: Any) -> WindowView:  # noqa: ANN401 - a napari viewer
    """Camera and sliders of a viewer."""
    view, dims = read_view(viewer), viewer.dims
    depth, vertical, horizontal = (str(word) for word in viewer.scene.camera.orientation)
    return WindowView(
        ndisplay=int(view.ndisplay),
        center=_numbers(view.center),
        zoom=float(view.zoom),
        angles=view.angles,
        perspective=float(view.perspective),
        order=tuple(int(axis) for axis in dims.order),
        margin_left=_numbers(dims.margin_left),
        margin_right=_numbers(dims.margin_right),
        orientation=(depth, vertical, horizontal),
    )


def _canvas(viewer: Any) -> CanvasState:  # noqa: ANN401 - a napari viewer
    height, width = viewer.canvas.size
    red, green, blue = (float(part) for part in viewer.canvas.background_color[:3])
    overlays = viewer.canvas.overlays
    return CanvasState(
        (int(width), int(height)),
        (red, green, blue),
        scale_bar=bool(overlays.scale_bar.visible),
        axes=bool(overlays.axes.visible),
    )


def _layer(session: StoreSession, printed: Fingerprint) -> LayerState:
    layer, scene, settings = session.layer, session.scene, session.settings
    objects, shapes = session.objects, session.shapes
    hidden: tuple[int, ...] = ()
    if shapes is not None:
        hidden = tuple(n for n in range(len(shapes.objects)) if not shapes.is_shown(n))
    return LayerState(
        url=plain_address(session.path if scene is None else scene.url),
        fingerprint=printed,
        name=str(layer.name),
        kind=session.layers,
        visible=bool(layer.visible),
        opacity=float(layer.opacity),
        blending=str(layer.blending),
        place=_place(layer),
        colours=_colours(session),
        object_colours=None if objects is None else _object_colours(objects),
        look=_look(layer),
        sizes=_sizes(session),
        planes=_planes(layer),
        filters=filtering_of(session).rules,
        objects=None if objects is None else _objects(objects),
        shapes_hidden=hidden,
        lod=LodState(
            float(settings.quality_px),
            float(settings.density_max),
            settings.level_lock,
            float(session.weight),
        ),
    )


def _place(layer: Any) -> Matrix | None:  # noqa: ANN401 - a layer of ours
    """Where the layer has the store; None where the store's coordinates are the world's."""
    from napari.utils.transforms import Affine

    ndim = layer.scene.ndim
    parts = place_of(layer, 0, np.zeros(ndim))
    world = parts.pop("affine")
    parts.pop("units")
    whole = np.asarray(world) @ Affine(**parts).affine_matrix
    if np.array_equal(whole, np.eye(ndim + 1)):
        return None
    return tuple(_numbers(row) for row in whole)


def _colours(session: StoreSession) -> ColoursState:
    spec, own = session.colours, session.layer.colouring
    red, green, blue = (float(part) for part in own.lut[0]) if own.mode == "plain" else (1.0,) * 3
    if spec is None:
        return ColoursState(None, None, None, (red, green, blue))
    limits = None if spec.limits is None else (float(spec.limits[0]), float(spec.limits[1]))
    return ColoursState(spec.attribute, spec.colormap, limits, (red, green, blue))


def _object_colours(objects: ObjectsOfSession) -> ObjectColoursState | None:
    if objects.coloured_by is None:
        return None
    colormap, limits = objects.colours_along
    return ObjectColoursState(objects.coloured_by, colormap, limits)


def _look(layer: Any) -> LookState:  # noqa: ANN401 - a layer of ours
    adaptive = getattr(layer, "adaptive_size", None)
    by_value = getattr(layer, "value_size", None)
    size = getattr(layer, "point_size", None)
    return LookState(
        point_size=None if size is None else float(size),
        adaptive_size=adaptive,
        value_size=by_value,
        density_true=getattr(layer, "density_true", None),
        round_points=getattr(layer, "round_points", None),
        line_width=float(layer.line_width) if isinstance(layer, CellLines) else None,
        shaded=layer.shaded if isinstance(layer, CellMesh) else None,
    )


def _sizes(session: StoreSession) -> SizesState | None:
    spec = sizing_of(session).spec
    return None if spec is None else SizesState(spec.of, spec.key, spec.limits, spec.pixels)


def _planes(layer: Any) -> tuple[PlaneState, ...]:  # noqa: ANN401 - a layer of ours
    """Clipping planes, at places in the store's coordinates."""
    offset = plane_offset(layer)
    found = []
    for plane in layer.experimental_clipping_planes:
        x, y, z = (float(part) for part in np.asarray(plane.position) + offset)
        a, b, c = (float(part) for part in plane.normal)
        found.append(PlaneState((x, y, z), (a, b, c), bool(plane.enabled)))
    return tuple(found)


def plane_offset(layer: Any) -> npt.NDArray[np.float64]:  # noqa: ANN401 - a layer of ours
    """(3,) what lies between the store's coordinates and the layer's, where planes have numbers."""
    axes = list(plane_axes(layer))
    offset = np.zeros(3)
    offset[3 - len(axes) :] = np.asarray(layer.store_offset, float)[axes]
    return offset


def _objects(objects: ObjectsOfSession) -> ObjectsState | None:
    table = objects.table
    if table is None:
        return None
    showing, usual = objects.showing, group_colours(table.groups)
    own = objects.group_colours
    changed = np.flatnonzero((own != usual).any(axis=1)) if own.shape == usual.shape else ()
    isolated = showing.isolated
    state = ObjectsState(
        search=objects.search,
        filters=objects.filters,
        hidden=_ranges(table, showing.hidden),
        isolated=None if isolated is None else _ranges(table, isolated),
        selected=_ranges(table, showing.selected),
        groups_off=tuple(sorted(showing.groups_off)),
        ghost=showing.ghost,
        group_colours=tuple(
            GroupColour(int(group), (int(own[group, 0]), int(own[group, 1]), int(own[group, 2])))
            for group in changed
        ),
    )
    return None if state == NOTHING_MADE else state


NOTHING_MADE = ObjectsState("", (), (), None, (), (), ALL_SHOWN.ghost, ())


def _ranges(table: ObjectTable, mask: npt.NDArray[np.bool_] | None) -> Ranges:
    """Ids of some rows of the table, runs of rows as their first and last id."""
    if mask is None or not mask.any():
        return ()
    edges: Int = np.flatnonzero(np.diff(mask, prepend=False, append=False))
    firsts, lasts = table.ids[edges[::2]], table.ids[edges[1::2] - 1]
    return tuple(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _numbers(values: Any) -> tuple[float, ...]:  # noqa: ANN401 - what napari gives
    return tuple(float(value) for value in values)
