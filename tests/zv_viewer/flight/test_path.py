"""Flights fit any store, and a file that makes no sense is one sentence."""

import json

import numpy as np
import pytest

from zv_viewer.errors import FlightError
from zv_viewer.flight.path import (
    Flight,
    Leg,
    default_flight,
    densest_place,
    fit_zoom,
    load_flight,
    parse_flight,
    save_flight,
)
from zv_viewer.model.scene import LevelInfo, SceneInfo

CANVAS = (800.0, 600.0)


def scene(ndim: int) -> SceneInfo:
    level = LevelInfo(
        index=0,
        chunk_shape=np.full(ndim, 10.0),
        bin_shape=np.full(ndim, 10.0),
        chunks=np.array([[0] * ndim, [3] * ndim, [5] * ndim]),
        counts=np.array([5, 70, 6]),
        counts_exact=True,
        error=0.0,
        error_source="stored",
    )
    bounds = np.array([[0.0] * ndim, [60.0] * ndim])
    axes = ("t", "z", "y", "x")[-ndim:]
    return SceneInfo(
        "u", "n", "0.7.0", "point_cloud", axes, (None,) * ndim, bounds, (level,), (), 12.0
    )


@pytest.mark.parametrize("ndim", [2, 3, 4])
def test_default_flight_has_enough_steps_and_stays_inside(ndim: int) -> None:
    views = default_flight().steps_for(scene(ndim), CANVAS)
    assert len(views) >= 300
    for view in views:
        assert len(view.center) == ndim
        assert all(-1e-9 <= place <= 60 + 1e-9 for place in view.center)
        assert view.ndisplay == 2 or ndim >= 3
    assert {view.ndisplay for view in views} == ({2} if ndim == 2 else {2, 3})
    closest = max(view.zoom for view in views)
    assert closest == pytest.approx(fit_zoom(scene(ndim), CANVAS, 1 / 200))


def test_densest_place_is_the_middle_of_the_fullest_chunk() -> None:
    assert densest_place(scene(3)) == (35.0, 35.0, 35.0)


def test_pan_covers_one_extent_and_comes_round() -> None:
    flight = Flight((Leg("zoom", 2, extent_fraction=0.1), Leg("pan", 61, extent_fraction=0.1)))
    places = [view.center[-1] for view in flight.steps_for(scene(3), CANVAS)[2:]]
    assert places[0] == pytest.approx(places[-1])
    assert max(places) - min(places) > 58


def test_recorded_views_come_back_equal(tmp_path) -> None:
    views = default_flight().steps_for(scene(3), CANVAS)
    save_flight(tmp_path / "f.json", views)
    assert load_flight(tmp_path / "f.json").steps_for(scene(3), CANVAS) == views


def test_a_recording_of_another_dimension_is_refused(tmp_path) -> None:
    save_flight(tmp_path / "f.json", default_flight().steps_for(scene(3), CANVAS))
    with pytest.raises(FlightError, match="recorded in 3 dimensions; the store has 2"):
        load_flight(tmp_path / "f.json").steps_for(scene(2), CANVAS)


@pytest.mark.parametrize(
    "raw",
    [
        [],
        {},
        {"version": 2, "legs": []},
        {"version": 1},
        {"version": 1, "legs": [{"name": "loop", "steps": 3}]},
        {"version": 1, "legs": [{"name": "pan", "steps": 0}]},
        {"version": 1, "legs": [{"steps": 3}]},
        {"version": 1, "views": [{"ndisplay": 4, "center": [0, 0], "zoom": 1}]},
        {"version": 1, "views": [{"ndisplay": 2, "center": [0, 0], "zoom": 0}]},
        {"version": 1, "views": [{"ndisplay": 2, "center": "ab", "zoom": 1}]},
    ],
)
def test_nonsense_is_one_sentence(raw) -> None:
    with pytest.raises(FlightError) as caught:
        parse_flight(raw, "x.json")
    assert "x.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_or_broken_files_are_named(tmp_path) -> None:
    with pytest.raises(FlightError, match=r"none\.json"):
        load_flight(tmp_path / "none.json")
    (tmp_path / "broken.json").write_text("{")
    with pytest.raises(FlightError, match="not JSON"):
        load_flight(tmp_path / "broken.json")
    (tmp_path / "good.json").write_text(
        json.dumps({"version": 1, "legs": [{"name": "pan", "steps": 1}]})
    )
    assert load_flight(tmp_path / "good.json").legs[0].steps == 1
