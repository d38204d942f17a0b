"""The loop that turns camera moves into layer updates; without a window and without a clock."""

from zv_viewer.controller.loop import LodController
from zv_viewer.controller.stats import Failure, LodStats

__all__ = ["Failure", "LodController", "LodStats"]
