"""Views written down: values, their JSON, its schema; no store, no window."""

from zv_viewer.state.document import LayerState, ViewFile, WindowView
from zv_viewer.state.reading import BadView, read_view_file, view_of_document, view_of_text
from zv_viewer.state.writing import digest_of, document_of, text_of

__all__ = [
    "BadView",
    "LayerState",
    "ViewFile",
    "WindowView",
    "digest_of",
    "document_of",
    "read_view_file",
    "text_of",
    "view_of_document",
    "view_of_text",
]
