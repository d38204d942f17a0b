"""A view as values: all that a window shows of stores, ready to be written down and shown again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from zv_viewer.model.fingerprint import Fingerprint
from zv_viewer.objects import Filter
from zv_viewer.rows import RowRule

FORMAT = "zv-view-state"
VERSION = 1

RGB = tuple[float, float, float]
"""Parts of a colour, 0 to 1."""

Ranges = tuple[tuple[int, int], ...]
"""Ids as first and last of runs, both included."""

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class CanvasState:
    """The canvas: (width, height) in pixels, its background, a bar of scale, arrows of axes."""

    size: tuple[int, int]
    background: RGB
    scale_bar: bool
    axes: bool


@dataclass(frozen=True, slots=True)
class WindowView:
    """Camera and sliders.

    Args:
        ndisplay: Axes shown.
        center: A number for each axis of the viewer, world units: the middle of the canvas, or
            where the slider is.
        zoom: Canvas pixels per world unit.
        angles: Degrees; used when three axes are shown.
        perspective: Field of view in degrees; 0 is orthographic.
        order: Axes of the viewer, those on the canvas last.
        margin_left: How far a slice reaches below its slider, for each axis.
        margin_right: And above.
        orientation: Where depth, vertical and horizontal axis of the canvas run.
    """

    ndisplay: int
    center: tuple[float, ...]
    zoom: float
    angles: tuple[float, float, float]
    perspective: float
    order: tuple[int, ...]
    margin_left: tuple[float, ...]
    margin_right: tuple[float, ...]
    orientation: tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class CapsState:
    """The budget of all layers together; ``automatic``: its vertices followed the frames."""

    vertices: int
    bytes: int
    card_bytes: int
    automatic: bool


@dataclass(frozen=True, slots=True)
class ColoursState:
    """Colours of vertices: by an attribute, or one plain colour."""

    attribute: str | None
    colormap: str | None
    limits: tuple[float, float] | None
    plain: RGB


@dataclass(frozen=True, slots=True)
class ObjectColoursState:
    """Colours of objects, by a column of their table."""

    column: str
    colormap: str | None
    limits: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class LookState:
    """Sizes, widths, shading; None for what does not concern the geometry."""

    point_size: float | None = None
    adaptive_size: tuple[float, float, float] | None = None
    value_size: tuple[float, float] | None = None
    density_true: bool | None = None
    round_points: bool | None = None
    line_width: float | None = None
    shaded: bool | None = None


@dataclass(frozen=True, slots=True)
class SizesState:
    """Sizes of points by an attribute of vertices or a column of objects; pixels at both ends."""

    of: Literal["vertex", "object"]
    key: str
    limits: tuple[float, float] | None
    pixels: tuple[float, float]


@dataclass(frozen=True, slots=True)
class PlaneState:
    """A clipping plane, as napari has it."""

    position: tuple[float, float, float]
    normal: tuple[float, float, float]
    enabled: bool


@dataclass(frozen=True, slots=True)
class GroupColour:
    """A group with a colour of the user's, parts 0 to 255."""

    group: int
    rgb: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ObjectsState:
    """What a user made of the objects; ``isolated`` None: nobody asked for that."""

    search: str
    filters: tuple[Filter, ...]
    hidden: Ranges
    isolated: Ranges | None
    selected: Ranges
    groups_off: tuple[int, ...]
    ghost: bool
    group_colours: tuple[GroupColour, ...]


@dataclass(frozen=True, slots=True)
class LodState:
    """How levels are chosen, and how much the layer's errors count."""

    quality_px: float
    density_max: float
    level_lock: int | None
    weight: float


@dataclass(frozen=True, slots=True)
class LayerState:
    """A store and how it is drawn.

    Args:
        url: Its address, without anything secret.
        fingerprint: What its metadata said.
        name: Of the layer.
        kind: Kind of layers asked for.
        visible: Whether it is to be seen.
        opacity: 0 to 1.
        blending: napari's word.
        place: (D + 1, D + 1) from the store's coordinates to the world's; None: they are the same.
        colours: Of vertices.
        object_colours: Of objects, before which those of vertices step back; None for none.
        look: Sizes and the like.
        sizes: Sizes by an attribute of their own; None for none.
        planes: Clipping planes.
        filters: Rules that vertices must meet.
        objects: What was made of objects; None where nobody looked at them.
        shapes_hidden: Numbers of parametric objects that are hidden.
        lod: Levels.
    """

    url: str
    fingerprint: Fingerprint
    name: str
    kind: Literal["auto", "fast", "standard"]
    visible: bool
    opacity: float
    blending: str
    place: Matrix | None
    colours: ColoursState
    object_colours: ObjectColoursState | None
    look: LookState
    sizes: SizesState | None
    planes: tuple[PlaneState, ...]
    filters: tuple[RowRule, ...]
    objects: ObjectsState | None
    shapes_hidden: tuple[int, ...]
    lod: LodState


@dataclass(frozen=True, slots=True)
class ViewFile:
    """All that a view-state file holds; layers from the lowest to the topmost."""

    canvas: CanvasState
    view: WindowView
    caps: CapsState
    layers: tuple[LayerState, ...]
