"""Values that say what a window shows, put into force; what they name is checked first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from napari.layers.utils.plane import ClippingPlane

from zv_viewer.errors import InputError
from zv_viewer.layers.view import apply_view
from zv_viewer.model.objects import ObjectTable
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.model.view import ViewState
from zv_viewer.objects import Showing
from zv_viewer.rows import InBall, InBox, InOutline, RowRule, ValueRange
from zv_viewer.session import StoreSession
from zv_viewer.session.checks import check_attribute, check_level
from zv_viewer.session.filtering import filtering_of
from zv_viewer.session.objects import ObjectsOfSession
from zv_viewer.session.sizing import sizing_of
from zv_viewer.state.document import (
    CanvasState,
    LayerState,
    ObjectsState,
    Ranges,
    ViewFile,
    WindowView,
)
from zv_viewer.views.capture import plane_offset

LOOKS = ("adaptive_size", "value_size", "point_size", "density_true", "round_points", "shaded")


def budget_of(view: ViewFile) -> Budget:
    """The caps of a view."""
    return Budget(view.caps.vertices, view.caps.bytes, view.caps.card_bytes)


def settings_of_layer(view: ViewFile, layer: LayerState, base: LodSettings) -> LodSettings:
    """The settings of a layer of a view; what a view does not hold is as in ``base``."""
    lod = layer.lod
    return replace(
        base,
        budget=budget_of(view),
        quality_px=lod.quality_px,
        density_max=lod.density_max,
        level_lock=lod.level_lock,
    )


def apply_window(viewer: Any, view: WindowView) -> None:  # noqa: ANN401 - a napari viewer
    """Move camera and sliders; the axes of the view are the last of the viewer's.

    Raises:
        InputError: The viewer has fewer axes.
    """
    dims, axes = viewer.dims, len(view.center)
    extra = dims.ndim - axes
    if extra < 0:
        raise InputError(f"the view has {axes} axes; what is open has {dims.ndim}")
    dims.ndisplay = view.ndisplay
    dims.order = (*range(extra), *(extra + axis for axis in view.order))
    dims.margin_left = (*dims.margin_left[:extra], *view.margin_left)
    dims.margin_right = (*dims.margin_right[:extra], *view.margin_right)
    viewer.scene.camera.orientation = view.orientation
    apply_view(
        viewer, ViewState(view.ndisplay, view.center, view.zoom, view.angles, view.perspective)
    )
    viewer.scene.camera.angles = view.angles
    viewer.scene.camera.perspective = view.perspective


def apply_canvas(viewer: Any, canvas: CanvasState) -> None:  # noqa: ANN401 - a napari viewer
    """Background, bar of scale and arrows; the size is the window's affair."""
    now = np.asarray(viewer.canvas.background_color[:3], float)
    if not np.allclose(now, canvas.background, atol=1 / 512):
        viewer.canvas.background_color_override = (*canvas.background, 1.0)
    viewer.canvas.overlays.scale_bar.visible = canvas.scale_bar
    viewer.canvas.overlays.axes.visible = canvas.axes


def check_layer(session: StoreSession, state: LayerState) -> None:
    """Raise :class:`InputError` where a store lacks what its part of a view names."""
    scene = session.scene
    if scene is None:
        raise InputError(f"{session.path} is not open")
    named = [] if state.colours.attribute is None else [state.colours.attribute]
    for name in (*named, *(name for rule in state.filters for name in rule.attributes)):
        check_attribute(scene, name)
    if state.lod.level_lock is not None:
        check_level(scene, state.lod.level_lock)
    if state.place is not None:
        _check_place(np.asarray(state.place), state.name, scene.ndim)
    for rule in state.filters:
        _check_rule(rule, state.name, scene)


def _check_place(place: npt.NDArray[np.float64], name: str, ndim: int) -> None:
    if len(place) != ndim + 1 or not np.array_equal(place[-1], np.eye(ndim + 1)[-1]):
        raise InputError(f"the place of layer {name!r} is not one of {ndim} axes")
    size = np.abs(place[:-1, :-1]).max()
    if not abs(np.linalg.det(place[:-1, :-1] / (size or 1.0))) > 1e-12:
        raise InputError(f"the place of layer {name!r} leaves nothing of it to be seen")


def _check_rule(rule: RowRule, name: str, scene: SceneInfo) -> None:
    sizes = {len(rule.low), len(rule.high)} if isinstance(rule, InBox) else set()
    if isinstance(rule, InBall):
        sizes = {len(rule.centre)}
    if isinstance(rule, InOutline):
        sizes = {scene.ndim} if max(rule.displayed) < scene.ndim else set(rule.displayed)
    if not sizes <= {scene.ndim}:
        raise InputError(f"a filter of layer {name!r} is not of {scene.ndim} axes")
    if isinstance(rule, ValueRange) and rule.column >= scene.attribute(rule.attribute).columns:
        raise InputError(f"a filter of layer {name!r} names a column that is not there")


def apply_layer(session: StoreSession, state: LayerState) -> None:
    """Put a layer's part of a view into force, its objects, camera and budget aside."""
    if session.layers != state.kind:
        session.use_layers(state.kind)
    layer = session.layer
    _apply_place(layer, state)
    colours = state.colours
    session.color_by(colours.attribute, colormap=colours.colormap, limits=colours.limits)
    if colours.attribute is None:
        layer.set_colours("plain", colours.plain)
    for name in LOOKS:
        value = getattr(state.look, name)
        if hasattr(layer, name) and (value is not None or name in {"point_size", "value_size"}):
            setattr(layer, name, value)
    if state.look.line_width is not None and hasattr(layer, "line_widths"):
        least, most = layer.line_widths or (0.0, np.inf)
        layer.line_width = min(max(state.look.line_width, least), most)
    layer.blending = state.blending
    layer.opacity = state.opacity
    offset = plane_offset(layer)
    layer.experimental_clipping_planes.clear()
    for plane in state.planes:
        place = tuple(float(part) for part in np.asarray(plane.position) - offset)
        layer.experimental_clipping_planes.append(
            ClippingPlane(position=place, normal=plane.normal, enabled=plane.enabled)
        )
    filtering = filtering_of(session)
    if filtering.rules != state.filters:
        filtering.set_rules(state.filters)
    session.weight = state.lod.weight


def apply_sizes(session: StoreSession, state: LayerState) -> None:
    """Sizes by an attribute of their own; the table of objects is there where it is needed."""
    sizing, sizes = sizing_of(session), state.sizes
    if sizes is None:
        sizing.clear()
    else:
        sizing.choose(sizes.of, sizes.key, limits=sizes.limits, pixels=sizes.pixels)


def apply_shapes(session: StoreSession, state: LayerState) -> None:
    """Hide the parametric objects that a view hides, once they are read."""
    shapes = session.shapes
    if shapes is not None:
        for number in range(len(shapes.objects)):
            shown = number not in state.shapes_hidden
            if shapes.is_shown(number) != shown:
                shapes.show(number, shown=shown)


def needs_table(state: LayerState, objects: ObjectsOfSession | None) -> bool:
    """Whether a layer's part of a view needs the table of objects."""
    if objects is None:
        return False
    colours = state.object_colours
    by_column = colours is not None and colours.column != "(id)"
    by_size = state.sizes is not None and state.sizes.of == "object"
    return state.objects is not None or by_column or by_size or objects.table is not None


def apply_objects(objects: ObjectsOfSession, state: LayerState) -> None:
    """Put into force what a view makes of objects; their table is there where it is needed."""
    table = objects.table
    made = state.objects
    if table is not None:
        objects.set_filters(() if made is None else made.filters)
        objects.set_search("" if made is None else made.search)
        objects.set_showing(Showing() if made is None else _showing(table, made))
        for one in () if made is None else made.group_colours:
            if one.group < len(table.groups):
                objects.set_group_colour(one.group, one.rgb)
    colours = state.object_colours
    if colours is None:
        objects.colour_by(None)
    else:
        objects.colour_by(colours.column, colormap=colours.colormap, limits=colours.limits)


def _showing(table: ObjectTable, made: ObjectsState) -> Showing:
    return Showing(
        hidden=_mask(table, made.hidden) if made.hidden else None,
        isolated=None if made.isolated is None else _mask(table, made.isolated),
        selected=_mask(table, made.selected) if made.selected else None,
        groups_off=frozenset(group for group in made.groups_off if group < len(table.groups)),
        ghost=made.ghost,
    )


def _mask(table: ObjectTable, ranges: Ranges) -> npt.NDArray[np.bool_]:
    """(O,) the objects whose ids lie in the ranges."""
    first = np.searchsorted(table.ids, [low for low, _ in ranges])
    last = np.searchsorted(table.ids, [high for _, high in ranges], side="right")
    steps = np.zeros(len(table) + 1, np.int64)
    np.add.at(steps, first, 1)
    np.add.at(steps, np.maximum(last, first), -1)
    return np.asarray(np.cumsum(steps)[:-1] > 0)


def _apply_place(layer: Any, state: LayerState) -> None:  # noqa: ANN401 - a layer of ours
    """Put the store where the view has it: by napari's outer transform, the others as at first."""
    extra, ndim = layer.ndim - layer.scene.ndim, layer.scene.ndim
    whole = np.eye(ndim + 1) if state.place is None else np.asarray(state.place)
    layer.scale = (1.0,) * layer.ndim
    layer.rotate = np.eye(layer.ndim)
    layer.shear = np.zeros(layer.ndim * (layer.ndim - 1) // 2)
    layer.translate = (*(0.0,) * extra, *layer.store_offset)
    matrix = np.eye(extra + ndim + 1)
    matrix[extra:, extra:] = whole
    layer.affine = matrix
