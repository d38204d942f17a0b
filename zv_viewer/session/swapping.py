"""Layers of one kind for layers of another, and what napari's own are given at most."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from napari.layers import Layer

from zv_viewer.controller import LodController
from zv_viewer.drawing.colours import ColourSpec
from zv_viewer.drawing.joints import Joints
from zv_viewer.layers.carrying import AnyLayer, carry_look, carry_place
from zv_viewer.layers.copying import copy_of
from zv_viewer.layers.drawn_rows import DrawnRows, drawn_rows
from zv_viewer.layers.object_states import ObjectStates
from zv_viewer.layers.standard_layer import Ceiling
from zv_viewer.layers.view import apply_view, read_view
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.settings import LodSettings


@dataclass(frozen=True, eq=False, slots=True)
class Copied:
    """A layer with a copy of what was drawn, and how many vertices those are."""

    layer: Layer
    vertices: int
    scene: SceneInfo

    @property
    def text(self) -> str:
        """How much of the store it is, a sentence."""
        whole = self.scene.levels[0].vertex_count
        return (
            f"'{self.layer.name}' holds the {self.vertices:,} vertices drawn now; "
            f"{self.scene.name} has {whole:,} at its finest level"
        )


def with_vertices(settings: LodSettings, vertices: int) -> LodSettings:
    """The settings with another budget of vertices."""
    return replace(settings, budget=replace(settings.budget, vertices=vertices))


def within_ceiling(
    settings: LodSettings, ceiling: Ceiling | None, *, automatic: bool
) -> LodSettings:
    """Settings with no more vertices than a layer is given; ``automatic``: of its own accord."""
    if ceiling is None:
        return settings
    most = ceiling.usual if automatic else ceiling.most
    return with_vertices(settings, min(settings.budget.vertices, most))


def show_instead(
    viewer: Any,  # noqa: ANN401 - a napari viewer
    old: AnyLayer,
    new: AnyLayer,
) -> None:
    """Put ``new`` where ``old`` is in the list of layers, and in its looks; the view stays."""
    carry_place(old, new)
    carry_look(old, new)
    view, selected = read_view(viewer), old in viewer.layers.selection
    viewer.layers.insert(viewer.layers.index(old), new)
    viewer.layers.remove(old)
    new.name = old.name  # taken while both are there
    if selected:
        viewer.layers.selection.active = new
    apply_view(viewer, replace(view, center=view.center[-viewer.dims.ndim :]))


def rows_shown(controller: LodController, layer: AnyLayer) -> tuple[DrawnRows, ObjectStates | None]:
    """What a layer shows now, of whichever kind it is, and the looks of its objects."""
    drawn = controller.drawn
    states = None
    if layer.scene.by_object:
        states = ObjectStates(len(layer.scene.objects))
        if drawn.object_levels is not None:
            states.set_levels(drawn.object_levels)
        states.set_looks(layer.object_looks)
        states.set_colours(layer.object_colours)
    cells = {cell.cell: cell for cell in drawn.cells}
    joints = Joints()
    for cell, arrays in cells.items():
        if arrays.links is not None:
            joints.put(cell, arrays.links.open)
    joined = joints.update(cells).added if states is not None else ()
    width = max(layer.scene.link_width, 2)
    return drawn_rows(cells, drawn.items, states, joined, width=width), states


def copy_shown(controller: LodController, layer: AnyLayer, colours: ColourSpec | None) -> Copied:
    """An ordinary layer of napari's with what ``layer`` shows now; on no viewer yet."""
    rows, states = rows_shown(controller, layer)
    attribute = None if colours is None else colours.attribute
    return Copied(copy_of(layer, rows, states, attribute), len(rows), layer.scene)
