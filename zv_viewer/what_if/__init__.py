"""Another pyramid, built in memory for a part of a store: its errors, bytes and switches."""

from zv_viewer.what_if.box import Box, box_around
from zv_viewer.what_if.levels import BoxLevel
from zv_viewer.what_if.present import levels_now
from zv_viewer.what_if.question import Question, command, parse_steps, python_call
from zv_viewer.what_if.trial import MOST_VERTICES, Trial, try_pyramid

__all__ = [
    "MOST_VERTICES",
    "Box",
    "BoxLevel",
    "Question",
    "Trial",
    "box_around",
    "command",
    "levels_now",
    "parse_steps",
    "python_call",
    "try_pyramid",
]
