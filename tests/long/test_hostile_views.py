"""View-state files by somebody else, opened in a window: shown, or refused in one sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from zarr_vectors import build_pyramid
from zarr_vectors.testing.kinds import make_store
from zv_viewer import load_view, save_view
from zv_viewer.errors import InputError
from zv_viewer.session import open_store, sessions_in
from zv_viewer.state import BadView, document_of, view_of_document, view_of_text
from zv_viewer.testing.hostile_views import harmed

pytestmark = [pytest.mark.gui, pytest.mark.once]

WIDE = {"chunk_shape": (40.0,) * 3, "bin_shape": (20.0,) * 3}
KINDS = (("points", "0.7.0"), ("skeleton", "0.9.2"))


@pytest.fixture
def window(make_napari_viewer: Callable, tmp_path: Path) -> Any:
    """A window, and a view of two stores saved from it."""
    viewer = make_napari_viewer(show=True)
    for kind, version in KINDS:
        make_store(kind, tmp_path / kind, format_version=version, **WIDE)
        build_pyramid(tmp_path / kind, factors=[(2, 1)])
        session = open_store(viewer, tmp_path / kind)
        assert session.wait(60)
        session.color_by("age")
    document = document_of(save_view(viewer, tmp_path / "view.json"))
    for session in sessions_in(viewer.layers):
        session.close()
    viewer.layers.clear()
    return viewer, document, tmp_path / "view.json"


def draw_of(chance: np.random.Generator) -> Callable[[int], int]:
    return lambda count: int(chance.integers(count))


def accepted(document: Any, chance: np.random.Generator) -> Iterator[Any]:
    """Harmed documents that are views by the schema, one after the other."""
    while True:
        found = harmed(document, draw_of(chance), int(chance.integers(1, 4)))
        with suppress(InputError):
            view_of_document(found)
            yield found


def opened(viewer: Any, document: Any, file: Path, seconds: float) -> bool:
    """Whether a harmed view is shown; an error but those told fails the test."""
    file.write_text(json.dumps(document), encoding="utf-8")
    restoring = load_view(viewer, file, force=True)
    shown = restoring.wait(seconds)
    assert not restoring.busy, document
    if restoring.error is not None:
        assert restoring.error
        assert "\n" not in restoring.error
    assert shown or restoring.error is not None, document
    viewer.screenshot(canvas_only=True, flash=False)
    return restoring.error is None


def test_some_harmed_views_in_a_window(window, short_seed: int) -> None:
    viewer, document, file = window
    chance = np.random.default_rng(short_seed)
    views = accepted(document, chance)
    shown = [opened(viewer, next(views), file, 60.0) for _ in range(6)]
    assert any(shown)
    file.write_text("[" * 10_000, encoding="utf-8")
    with pytest.raises(BadView):
        load_view(viewer, file)


@pytest.mark.slow
def test_many_harmed_views(window, long_seed: int, clock: Any, figures: Callable) -> None:
    viewer, document, file = window
    chance = np.random.default_rng(long_seed)
    views = accepted(document, chance)
    parsed = read = shown = tried = 0
    while clock:
        for _ in range(10):
            parsed += 1
            text = json.dumps(harmed(document, draw_of(chance), int(chance.integers(1, 5))))
            with suppress(InputError):
                view_of_text(text)
                read += 1
        tried += 1
        shown += opened(viewer, next(views), file, 60.0)
    figures(f"seed {long_seed}: {read} of {parsed} files are views; {shown} of {tried} shown")
    assert 0 < read < parsed
    assert shown > 0
