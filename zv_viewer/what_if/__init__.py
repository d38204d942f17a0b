"""Another pyramid, built in memory for a part of a store: its errors, bytes and switches."""

from zv_viewer.what_if.box import Box, box_around, rows_in
from zv_viewer.what_if.question import Question, command, parse_steps, python_call
from zv_viewer.what_if.trial import MOST_VERTICES, Trial, TrialLevel, try_pyramid

__all__ = [
    "MOST_VERTICES",
    "Box",
    "Question",
    "Trial",
    "TrialLevel",
    "box_around",
    "command",
    "parse_steps",
    "python_call",
    "rows_in",
    "try_pyramid",
]
