"""Attributes written to a store that is there: values, dry run, write, undo."""

from zv_viewer.edits.dry_run import DryRun, rehearse
from zv_viewer.edits.history import History
from zv_viewer.edits.request import Request
from zv_viewer.edits.saved import Edit
from zv_viewer.edits.sources import FromExpression, FromFeatures, FromFile, FromObjects, FromRule

__all__ = [
    "DryRun",
    "Edit",
    "FromExpression",
    "FromFeatures",
    "FromFile",
    "FromObjects",
    "FromRule",
    "History",
    "Request",
    "rehearse",
]
