"""Views of stores: saved, shown again, flown through, exported."""

from zv_viewer.views.files import load_view, save_view
from zv_viewer.views.restoring import Restoring

__all__ = ["Restoring", "load_view", "save_view"]
