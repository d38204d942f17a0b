"""What the plugin manifest names: each a few lines that call the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from zv_viewer.widgets.appearance import AppearanceDock
    from zv_viewer.widgets.filters_dock import FiltersDock
    from zv_viewer.widgets.lod import LodWidget
    from zv_viewer.widgets.objects_dock import ObjectsDock
    from zv_viewer.widgets.parametric import ShapesDock
    from zv_viewer.widgets.quality_dock import QualityDock
    from zv_viewer.widgets.views_dock import ViewsDock
    from zv_viewer.widgets.write_attribute import WriteAttribute

Make = TypeVar("Make", bound=Callable[..., Any])
LayerData = tuple[Any, dict[str, Any], str]
SUFFIXES = (".zarrvectors", ".zv", ".zarrvectors.zip", ".zv.zip")
NO_LAYERS: list[tuple[None]] = [(None,)]
"""What a reader returns when it adds its layers itself."""


def from_python_too(make: Make) -> Make:
    """A dock that ``viewer.window.add_plugin_dock_widget`` can make as well as the menu.

    The menu looks for the viewer among the arguments of a function, the other in its ``__init__``.
    """
    make.__init__ = make  # type: ignore[method-assign]
    return make


def napari_get_reader(path: str | Sequence[str]) -> Callable[..., list[tuple[None]]] | None:
    """A reader for Zarr Vectors stores, or None for anything else; looks at one small file."""
    paths = [path] if isinstance(path, str | Path) else list(path)
    if paths and all(looks_like_store(str(one)) for one in paths):
        return read_into_viewer
    return None


def looks_like_store(path: str) -> bool:
    """Whether a path is a Zarr Vectors store: a folder by its metadata, others by their name."""
    if "://" in path or path.endswith(".zip"):
        return path.split("?")[0].rstrip("/").endswith(SUFFIXES)
    try:
        document = json.loads((Path(path) / "zarr.json").read_bytes())
    except (OSError, ValueError):
        return False
    attributes = document.get("attributes") if isinstance(document, dict) else None
    return isinstance(attributes, dict) and "zarr_vectors" in attributes


def read_into_viewer(path: str | Sequence[str], *_: object) -> list[tuple[None]]:
    """Open stores in the current viewer; their layers follow as soon as the metadata is read."""
    import napari

    viewer = napari.current_viewer()
    if viewer is None:
        raise RuntimeError("open a viewer first: stores are drawn live, not read whole")
    for one in [path] if isinstance(path, str | Path) else path:
        _show(viewer, str(one))
    return NO_LAYERS


@from_python_too
def make_lod_widget(napari_viewer: Any) -> LodWidget:  # noqa: ANN401 - napari's public proxy
    """The level-of-detail dock."""
    from zv_viewer.widgets.show_store import make_dock

    return make_dock(napari_viewer)


@from_python_too
def make_objects_widget(napari_viewer: Any) -> ObjectsDock:  # noqa: ANN401 - napari's public proxy
    """The objects dock."""
    from zv_viewer.widgets.objects_dock import ObjectsDock

    return ObjectsDock(napari_viewer)


@from_python_too
def make_appearance_widget(napari_viewer: Any) -> AppearanceDock:  # noqa: ANN401 - as above
    """The appearance dock."""
    from zv_viewer.widgets.appearance import AppearanceDock

    return AppearanceDock(napari_viewer)


@from_python_too
def make_filters_widget(napari_viewer: Any) -> FiltersDock:  # noqa: ANN401 - as above
    """The filters dock."""
    from zv_viewer.widgets.filters_dock import FiltersDock

    return FiltersDock(napari_viewer)


@from_python_too
def make_write_attribute_widget(napari_viewer: Any) -> WriteAttribute:  # noqa: ANN401 - as above
    """The dock that writes attributes."""
    from zv_viewer.widgets.write_attribute import WriteAttribute

    return WriteAttribute(napari_viewer)


@from_python_too
def make_shapes_widget(napari_viewer: Any) -> ShapesDock:  # noqa: ANN401 - as above
    """The dock of planes, lines and spheres."""
    from zv_viewer.widgets.parametric import ShapesDock

    return ShapesDock(napari_viewer)


@from_python_too
def make_quality_widget(napari_viewer: Any) -> QualityDock:  # noqa: ANN401 - as above
    """The dock about the quality of pyramids."""
    from zv_viewer.widgets.quality_dock import QualityDock

    return QualityDock(napari_viewer)


@from_python_too
def make_views_widget(napari_viewer: Any) -> ViewsDock:  # noqa: ANN401 - as above
    """The dock of views, ways of the camera and exports."""
    from zv_viewer.widgets.show_view import make_views_dock

    return make_views_dock(napari_viewer)


def save_view_command() -> None:
    """Ask for a file and save the view of the current viewer there."""
    import napari

    from zv_viewer.widgets.show_view import ask_to_save

    ask_to_save(napari.current_viewer())


def open_view_command() -> None:
    """Ask for a file and show the view it holds in the current viewer."""
    import napari

    from zv_viewer.widgets.show_view import ask_to_open

    ask_to_open(napari.current_viewer())


def reload_command() -> None:
    """Read the stores of the layers selected anew, or all."""
    import napari

    from zv_viewer.widgets.keys import reload_stores

    reload_stores(napari.current_viewer())


def lock_command() -> None:
    """Lock the stores of the layers selected at the level they show, or unlock them."""
    import napari

    from zv_viewer.widgets.keys import toggle_lock

    toggle_lock(napari.current_viewer())


def open_store_command() -> None:
    """Ask for a store and open it in the current viewer."""
    import napari

    from zv_viewer.widgets.show_store import ask_for_store

    ask_for_store(napari.current_viewer())


def copy_shown_command() -> None:
    """Copy what the selected stores show to layers of napari's own."""
    import napari

    from zv_viewer.widgets.drawn_by import copy_selected

    copy_selected(napari.current_viewer())


def sample_cells() -> list[LayerData]:
    """The sample of cells in a tissue block."""
    return _sample("cells")


def sample_transcripts() -> list[LayerData]:
    """The sample of transcripts in a tissue slice."""
    return _sample("transcripts")


def sample_tracts() -> list[LayerData]:
    """The sample of streamlines in bundles."""
    return _sample("tracts")


def sample_neurons() -> list[LayerData]:
    """The sample of neurons' skeletons."""
    return _sample("neurons")


def sample_bodies() -> list[LayerData]:
    """The sample of bodies as meshes."""
    return _sample("bodies")


def _sample(name: str) -> list[LayerData]:
    import napari

    from zv_viewer.widgets.show_store import show_sample

    return [show_sample(napari.current_viewer(), name)]


def _show(viewer: Any, path: str) -> None:  # noqa: ANN401 - a napari viewer
    from zv_viewer.widgets.show_store import show_store

    show_store(viewer, path)
