"""A napari plugin and desktop app for Zarr Vectors stores of any size."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zv_viewer.session import StoreSession, open_store
    from zv_viewer.views import load_view, save_view

    __version__: str

__all__ = ["StoreSession", "__version__", "load_view", "open_store", "save_view"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - PEP 562
    if name == "__version__":
        from importlib.metadata import version

        return version("zv-viewer")
    if name in ("open_store", "StoreSession"):
        return getattr(import_module("zv_viewer.session"), name)
    if name in ("load_view", "save_view"):
        return getattr(import_module("zv_viewer.views"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
