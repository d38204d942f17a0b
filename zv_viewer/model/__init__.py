"""The viewer's nouns: frozen values of numbers, with no idea of files, threads or windows."""

from zv_viewer.model.camera import Camera
from zv_viewer.model.cells import CellTree
from zv_viewer.model.chunks import CellArrays
from zv_viewer.model.links import NO_OBJECT, LinkArrays, OpenLinks, RawLinks
from zv_viewer.model.plan import DrawItem, DrawSet, Request, Tier, ViewPlan
from zv_viewer.model.scene import AttributeInfo, LevelInfo, SceneInfo
from zv_viewer.model.settings import Budget, LodSettings, default_settings
from zv_viewer.model.update import NOT_DRAWN, LayerSink, LayerUpdate
from zv_viewer.model.view import ViewState

__all__ = [
    "NOT_DRAWN",
    "NO_OBJECT",
    "AttributeInfo",
    "Budget",
    "Camera",
    "CellArrays",
    "CellTree",
    "DrawItem",
    "DrawSet",
    "LayerSink",
    "LayerUpdate",
    "LevelInfo",
    "LinkArrays",
    "LodSettings",
    "OpenLinks",
    "RawLinks",
    "Request",
    "SceneInfo",
    "Tier",
    "ViewPlan",
    "ViewState",
    "default_settings",
]
