"""Views saved to files and shown from them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from zv_viewer.errors import InputError
from zv_viewer.model.fingerprint import Fingerprint
from zv_viewer.session import StoreSession, sessions_in
from zv_viewer.sources.base import KnowsFingerprint
from zv_viewer.state import ViewFile, document_of, read_view_file, text_of
from zv_viewer.views.capture import capture
from zv_viewer.views.places import from_folder, in_folder
from zv_viewer.views.restoring import Restoring


def save_view(viewer: Any, path: str | os.PathLike[str]) -> ViewFile:  # noqa: ANN401
    """Save what a viewer shows of its stores.

    Camera, sliders, colours, sizes, filters, what was made of objects, caps and levels; addresses
    without user, query and options, and fingerprints of the stores. Layers that show no store are
    not in it.

    Args:
        viewer: The napari viewer.
        path: The file, JSON; replaced where it exists.

    Returns:
        What was saved.

    Raises:
        InputError: No store is open, or the file cannot be written.
    """
    viewer = getattr(viewer, "__wrapped__", viewer)
    view = capture(viewer, fingerprints(open_sessions(viewer)))
    write_view(view, Path(path))
    return view


def load_view(
    viewer: Any,  # noqa: ANN401 - a napari viewer or its public proxy
    path: str | os.PathLike[str],
    *,
    stores: Sequence[str] = (),
    force: bool = False,
    **options: Any,  # noqa: ANN401 - each kind of place has options of its own
) -> Restoring:
    """Show a view that was saved; returns at once, stores open in the background.

    Args:
        viewer: The napari viewer; its stores that are not in the view are closed.
        path: The file.
        stores: Where the stores are now, one for each layer; where the file says by default.
        force: Show stores that have changed since, as they are now.
        options: For opening the stores, as of ``open_store``; a view holds none.

    Returns:
        What is under way: ``done`` and ``failed(message)`` are signals, ``notes`` says what has
        changed; ``wait()`` waits for the settled view.

    Raises:
        InputError: The file holds no view; one sentence says why.
    """
    view = read_with_places(Path(path))
    return Restoring(viewer, view, stores, force=force, options=options)


def open_sessions(viewer: Any) -> list[StoreSession]:  # noqa: ANN401 - a napari viewer
    """The stores of a viewer that can be told again; those of a program's memory cannot."""
    found = [one for one in sessions_in(viewer.layers) if one.controller is not None]
    return [one for one in found if isinstance(one.controller.source, KnowsFingerprint)]  # type: ignore[union-attr]


def fingerprints(sessions: Sequence[StoreSession]) -> Mapping[StoreSession, Fingerprint]:
    """What the stores are; for a worker, as it may take a while."""
    found: dict[StoreSession, Fingerprint] = {}
    for session in sessions:
        source = None if session.controller is None else session.controller.source
        if isinstance(source, KnowsFingerprint):
            found[session] = source.fingerprint()
    return found


def write_view(view: ViewFile, path: Path) -> None:
    """Write a view; the file is there whole, or as it was.

    Stores in the file's folder, or below it, are named from there.

    Raises:
        InputError: It cannot be written.
    """
    folder = path.resolve().parent
    layers = tuple(replace(one, url=from_folder(folder, one.url)) for one in view.layers)
    write_text(path, text_of(document_of(replace(view, layers=layers))))


def read_with_places(path: Path) -> ViewFile:
    """The view of a file, its stores where they lie.

    Raises:
        InputError: It holds none.
    """
    view = read_view_file(path)
    folder = path.resolve().parent
    return replace(
        view, layers=tuple(replace(one, url=in_folder(folder, one.url)) for one in view.layers)
    )


def write_text(path: Path, text: str) -> None:
    """Write a file; it is there whole, or as it was.

    Raises:
        InputError: It cannot be written.
    """
    unfinished = path.with_name(f".{path.name[:40]}.{os.getpid()}")
    try:
        unfinished.write_text(text, encoding="utf-8")
        os.replace(unfinished, path)
    except OSError as error:
        with suppress(OSError):
            unfinished.unlink()
        raise InputError(f"{path} cannot be written: {error.strerror}") from error
