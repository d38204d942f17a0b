"""What a view should show, what to load for it, what to draw meanwhile; no clock, no chance."""

from zv_viewer.planning.budget import BYTES_SHARE, Caps
from zv_viewer.planning.cell_objects import CellObjects
from zv_viewer.planning.cells import build_cells, level_errors
from zv_viewer.planning.coverage import covered_cells, draw_set, holes, items_in_view
from zv_viewer.planning.demand import Demand
from zv_viewer.planning.frustum import visible_cells
from zv_viewer.planning.holding import HOLD_S, Fallen
from zv_viewer.planning.joint import granted, joint_shares
from zv_viewer.planning.motion import Motion
from zv_viewer.planning.object_cover import affordable_object_draw_set, object_draw_set
from zv_viewer.planning.object_coverage import object_holes, objects_in_view, shown_parts
from zv_viewer.planning.plan import MARGIN_PX, plan_view, view_demand
from zv_viewer.planning.selected import SELECTION_SHARE, selected_objects
from zv_viewer.planning.viewed import opened_cells

__all__ = [
    "BYTES_SHARE",
    "HOLD_S",
    "MARGIN_PX",
    "SELECTION_SHARE",
    "Caps",
    "CellObjects",
    "Demand",
    "Fallen",
    "Motion",
    "affordable_object_draw_set",
    "build_cells",
    "covered_cells",
    "draw_set",
    "granted",
    "holes",
    "items_in_view",
    "joint_shares",
    "level_errors",
    "object_draw_set",
    "object_holes",
    "objects_in_view",
    "opened_cells",
    "plan_view",
    "selected_objects",
    "shown_parts",
    "view_demand",
    "visible_cells",
]
