"""Napari layers that show cells of a store: to napari Points, to the controller a sink.

What napari sees of one are the store's bounds, its transform, opacity and visibility; `data` is
empty. The rows live on the graphics card and are reached through :meth:`CellLayer.apply` only.
Layer coordinates are the store's; positions relative to the store's origin are a matter of drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Generic, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
from napari.layers import Points
from napari.utils.colormaps.standardize_color import transform_color
from napari.utils.events import Event

from zv_viewer.drawing.outlines import Outlines
from zv_viewer.drawing.slots import SlotTable
from zv_viewer.layers.buffers import Int, RowWrite
from zv_viewer.layers.matrices import slider_step
from zv_viewer.layers.placed import PlacedCells
from zv_viewer.layers.store_layer import LayerError, StoreLayer
from zv_viewer.layers.thumbnail import Sample, Samples
from zv_viewer.layers.tints import Part, TintRule, UInt8, page_texels
from zv_viewer.layers.units import units_of
from zv_viewer.layers.untyped import NapariEvent, NapariValue
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.update import LayerUpdate

Float = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Bool = npt.NDArray[np.bool_]


class Drawer(Protocol):
    """What puts a layer's rows on a canvas."""

    def write(self, writes: Sequence[RowWrite]) -> None:
        """Fill rows before the next frame."""

    def allocate(self, capacity: int) -> None:
        """Start over with room for ``capacity`` rows, none of them drawn."""

    def start_over(self) -> None:
        """Start over with the layer's scene, none of it drawn."""

    def tint(self, texels: UInt8 | None) -> None:
        """Colour page by page of rows, (H, W, 4); None: rows have their own colours."""

    def show_part(self, part: Part) -> None:
        """Draw on a part of the canvas only."""

    def centre(self) -> tuple[float, float, float] | None:
        """The canvas camera's centre (z, y, x), world units, or None before the first frame."""

    def card_bytes(self) -> int:
        """Bytes allocated on the graphics card."""

    def in_software(self) -> bool | None:
        """Whether no graphics card draws; None before the first draw."""

    def pixel_ratio(self) -> float:
        """Device pixels per canvas pixel."""


DrawerT = TypeVar("DrawerT", bound=Drawer)


class CellLayer(StoreLayer, Points, Generic[DrawerT]):  # type: ignore[misc]  # napari's layers are untyped here
    """Rows of a store, drawn cell by cell; :meth:`_show` says what is drawn of them.

    Emits ``events.look`` when its look changes, and ``events.view`` when a frame was drawn
    from another view than the one before. The latter comes from inside the paint event: a callback
    may only start a timer. (napari's camera events leave out moves below 1e-5 of the coordinate,
    which at large coordinates is a whole screen.)

    Args:
        scene: The store.
        capacity: Rows on the graphics card, rounded up to whole pages.
        name: Shown in the layer list.
    """

    ceiling = None
    """Vertices the layer is given at most: as the budget says."""

    pause_s = 0.0
    """Seconds between updates at least."""

    napari_name = ""
    """What napari calls such a layer: nothing, it is our own."""

    def __init__(self, scene: SceneInfo, capacity: int, *, name: str | None = None) -> None:
        if scene.ndim > 4:
            raise LayerError(f"{scene.name} has {scene.ndim} axes; at most 4 can be drawn")
        self.scene = scene
        self._slots = SlotTable(capacity)
        self._waiting: dict[int, CellArrays] = {}
        self._placed = PlacedCells()
        self._items: tuple[DrawItem, ...] = ()
        self._rows_drawn: int | None = None
        self._pictured: tuple[Sequence[int], float] | None = None
        self._samples = Samples(scene.origin)
        self._drawer: DrawerT | None = None
        self._marked: tuple[float, ...] | None = None
        self._tints: TintRule | None = None
        self._part = Part()
        self._outlines: Outlines | None = None
        super().__init__(
            np.zeros((0, scene.ndim)),
            ndim=scene.ndim,
            name=name or scene.name,
            border_width=0,
            antialiasing=0,
            size=2,
            axis_labels=scene.axis_names,
            units=units_of(scene),
            metadata={"zv_viewer": {"url": scene.url}},
        )
        self.events.add(look=Event, view=Event)
        self.events.visible.connect(self._upload)
        self.events.current_face_color.connect(self._on_current_face_color)

    # -- the sink ------------------------------------------------------------------------------

    @property
    def capacity(self) -> int:
        """Rows that fit, in whole pages per cell."""
        return self._slots.capacity

    @property
    def card_bytes(self) -> int:
        """Bytes allocated on the graphics card for rows and links, used or not."""
        return 0 if self._drawer is None else self._drawer.card_bytes()

    @property
    def rows_drawn(self) -> int:
        """Rows in the picture, before the slab."""
        if self._rows_drawn is None:
            self._rows_drawn = int(self._slots.runs(self._items)[:, 1].sum())
        return self._rows_drawn

    def apply(self, update: LayerUpdate) -> None:
        """Carry out one update; everything in it appears in the same frame.

        While the layer is hidden or on no canvas, cells wait in memory and go up when it shows.
        """
        self._rows_drawn = None
        for cell in update.drop:
            self._drop(cell)
        for arrays in update.put:
            self._put(arrays)
        if update.draw is not None:
            self._items = update.draw
        self._upload()
        if self._samples.worth_a_look(self._items):
            self._picture()

    def _drop(self, cell: int) -> None:
        self._slots.drop(cell)
        self._waiting.pop(cell, None)
        self._placed.drop(cell)
        self._samples.drop(cell)

    def _put(self, arrays: CellArrays) -> None:
        self._slots.put(arrays.cell, arrays.part_start)
        self._waiting[arrays.cell] = arrays
        self._samples.put(arrays)

    def use_scene(self, scene: SceneInfo, capacity: int) -> None:
        """Show the store in another state, with the same axes; the layer is empty then.

        Its place and its look stay.
        """
        self.scene = scene
        self._samples = Samples(scene.origin)
        self._forget(capacity)
        self._clear_extent()
        if self._drawer is not None:
            self._drawer.start_over()

    def set_capacity(self, capacity: int) -> None:
        """Make room for another number of rows; the layer is empty then, put its cells again."""
        self._forget(capacity)
        if self._drawer is not None:
            self._drawer.allocate(self.capacity)

    def _forget(self, capacity: int) -> None:
        self._slots = SlotTable(capacity)
        self._waiting.clear()
        self._placed.clear()
        self._items, self._rows_drawn = (), None
        self._samples.clear()

    def attach(self, drawer: DrawerT | None) -> None:
        """Draw through ``drawer`` from now on; None: the canvas is gone, and the cells with it."""
        self._drawer = drawer
        if drawer is None:
            self._forget(self.capacity)
        else:
            drawer.show_part(self._part)
            self._upload()

    def _upload(self, event: NapariEvent = None) -> None:
        if self._drawer is None or not self.visible:
            return
        writes = [write for arrays in self._waiting.values() for write in self._row_writes(arrays)]
        self._waiting.clear()
        if writes:
            self._drawer.write(writes)
        self._show(self._drawer)
        if self._tints is not None:
            self.tint_anew()

    def _row_writes(self, arrays: CellArrays) -> list[RowWrite]:
        """The uploads that place a cell's rows; columns that are there already stay."""
        runs = self._slots.rows(arrays.cell)
        columns = self._placed.place(arrays, runs)
        return [] if columns == frozenset() else row_writes(arrays, runs, columns)

    def _show(self, drawer: DrawerT) -> None:
        """Draw what is to be drawn, from the next frame on."""
        raise NotImplementedError

    # -- the look ------------------------------------------------------------------------------

    def _recolour(self) -> None:
        self.events.look()
        self._picture()

    def _on_current_face_color(self, event: NapariEvent = None) -> None:
        if self._colouring.mode == "plain":
            self.set_colours("plain", transform_color(self.current_face_color)[0])

    @property
    def tinted(self) -> bool:
        """Whether cells have colours of their own."""
        return self._tints is not None

    def set_tints(self, rule: TintRule | None) -> None:
        """Colour cells as a rule says, whatever is drawn of them; None: rows as their values say.

        The rule is asked again whenever other cells are drawn; see :meth:`tint_anew`.
        """
        self._tints = rule
        self.tint_anew()

    def tint_anew(self) -> None:
        """Ask the rule for the colours of the cells drawn; only these go to the card."""
        if self._drawer is None:
            return
        if self._tints is None:
            self._drawer.tint(None)
            return
        cells = np.array([item.cell for item in self._items if item.cell in self._slots], np.int64)
        self._drawer.tint(page_texels(self._slots, cells, self._tints(cells)))

    @property
    def outlines(self) -> Outlines | None:
        """Edges drawn over the layer, on the axes they were made for; None: none."""
        return self._outlines

    @outlines.setter
    def outlines(self, outlines: Outlines | None) -> None:
        if outlines is not self._outlines:
            self._outlines = outlines
            self.events.look()

    @property
    def part(self) -> Part:
        """The part of the canvas that the layer is drawn on."""
        return self._part

    @part.setter
    def part(self, part: Part) -> None:
        self._part = part
        if self._drawer is not None:
            self._drawer.show_part(part)

    @property
    def marked(self) -> tuple[float, ...] | None:
        """Where a ring is drawn around a vertex, (D,) store position; None: nowhere."""
        return self._marked

    @marked.setter
    def marked(self, position: tuple[float, ...] | None) -> None:
        if position != self._marked:
            self._marked = position
            self.events.look()

    # -- the view ------------------------------------------------------------------------------

    @property
    def store_offset(self) -> Float:
        """(D,) store position of the layer's zero: layer coordinates are the store's."""
        return np.zeros(self.scene.ndim)

    @property
    def axis_step(self) -> Float:
        """(D,) slider step, layer coordinates; the slab is as thick where no margins are set."""
        return slider_step(self.scene.bounds)

    def canvas_centre(self) -> tuple[float, float, float] | None:
        """The canvas's own centre (z, y, x), to the last digit; None before the first frame."""
        return None if self._drawer is None else self._drawer.centre()

    @property
    def in_software(self) -> bool | None:
        """Whether no graphics card draws; None before the first draw."""
        return None if self._drawer is None else self._drawer.in_software()

    def pixel_ratio(self) -> float:
        """Device pixels per canvas pixel; 1 before the first frame."""
        return 1.0 if self._drawer is None else self._drawer.pixel_ratio()

    # -- what napari asks of a layer -----------------------------------------------------------

    @property
    def _type_string(self) -> str:
        return "points"

    @property
    def _extent_data(self) -> Float:
        return self.scene.bounds.astype(float)

    @property
    def _extent_data_augmented(self) -> Float:
        return self._extent_data

    @cached_property
    def extent(self) -> NapariValue:
        """Bounds of the whole store, with a slider step that suits them."""
        plain = super().extent
        return plain._replace(step=plain.step * self.axis_step)

    def _get_value(self, position: NapariValue) -> None:
        return None

    def _get_value_3d(self, *args: NapariValue, **kwargs: NapariValue) -> None:
        return None

    def _update_thumbnail(self) -> None:
        """What napari calls after each move of a slider, too, which changes nothing here."""
        if self._pictured != (self._slice_input.displayed, self.opacity):
            self._picture()

    def _picture(self) -> None:
        """Make the thumbnail of what is drawn."""
        self._pictured = (self._slice_input.displayed, self.opacity)
        shape = self._thumbnail_shape
        axes = self._slice_input.displayed[-2:]
        image = self._samples.picture(self._items, self._paint, self.scene.bounds, axes, shape[:2])
        image[..., 3] *= self.opacity
        self.thumbnail = image

    def _paint(self, rows: Sample) -> tuple[Float32, Bool]:
        """(N, 3) colours of some rows, and (N,) which of them are drawn."""
        return self._colouring.colours(rows.values), np.ones(len(rows.values), bool)


def row_writes(
    arrays: CellArrays, runs: Int, columns: frozenset[str] | None = None
) -> list[RowWrite]:
    """The uploads that place a cell's rows at ``runs``, (R, 2) first row and rows, in order.

    ``columns`` are those to be filled; None: all.
    """
    links, writes, at = arrays.links, [], 0
    objects = arrays.objects if links is None else links.objects
    for start, rows in runs.tolist():
        part = slice(at, at + rows)
        values = None if arrays.values is None else arrays.values[part]
        kept = None if arrays.kept is None else arrays.kept[part]
        write = RowWrite(
            start,
            arrays.positions[part],
            values,
            arrays.spacing,
            objects=None if objects is None else objects[part],
            level=0 if links is None else links.level,
            columns=columns,
            kept=kept,
            sizes=None if arrays.sizes is None else arrays.sizes[part],
        )
        writes.append(write)
        at += rows
    return writes
