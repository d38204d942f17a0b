"""What a store's rows become on the way to a layer: arrays, slots, colours; numbers only."""

from zv_viewer.drawing.colours import (
    ColourMode,
    ColourSpec,
    colormap_names,
    colours_for,
    missing_values,
    mode_of,
    pack_values,
    range_of,
)
from zv_viewer.drawing.directions import direction_values
from zv_viewer.drawing.joints import Joint, JointChanges, Joints
from zv_viewer.drawing.links import (
    cells_of_chunks,
    joined_links,
    link_arrays,
    object_ranks,
    with_links,
)
from zv_viewer.drawing.points import Packed, cell_arrays, part_of
from zv_viewer.drawing.slots import PAGE, SlotTable, page_rows, pages_of, rows_for

__all__ = [
    "PAGE",
    "ColourMode",
    "ColourSpec",
    "Joint",
    "JointChanges",
    "Joints",
    "Packed",
    "SlotTable",
    "cell_arrays",
    "cells_of_chunks",
    "colormap_names",
    "colours_for",
    "direction_values",
    "joined_links",
    "link_arrays",
    "missing_values",
    "mode_of",
    "object_ranks",
    "pack_values",
    "page_rows",
    "pages_of",
    "part_of",
    "range_of",
    "rows_for",
    "with_links",
]
