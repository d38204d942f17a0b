"""Camera paths: legs relative to any store's extent, or views recorded one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from zv_viewer.errors import FlightError
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.view import ViewState

FLIGHT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Leg:
    """One part of a flight.

    Args:
        name: ``overview``, ``zoom``, ``pan``, ``orbit``, ``slab`` or ``back``.
        steps: Camera steps in it.
        extent_fraction: Width of the view at the end of the leg, as a part of the store's extent.
        degrees: Turn of an orbit.
        perspective: Field of view in degrees.
    """

    name: str
    steps: int
    extent_fraction: float = 1.0
    degrees: float = 360.0
    perspective: float = 0.0


@dataclass(frozen=True, slots=True)
class Flight:
    """Legs to fit to a store, or views that were recorded in one."""

    legs: tuple[Leg, ...] = ()
    views: tuple[ViewState, ...] = ()

    def steps_for(self, scene: SceneInfo, canvas: tuple[float, float]) -> tuple[ViewState, ...]:
        """The views to take, in order, on a canvas of (width, height) logical pixels."""
        if self.views:
            for view in self.views:
                if len(view.center) != scene.ndim:
                    raise FlightError(
                        f"the flight was recorded in {len(view.center)} dimensions; "
                        f"the store has {scene.ndim}"
                    )
            return self.views
        return tuple(_fly(self.legs, scene, canvas))


def default_flight() -> Flight:
    """The flight flown when none is named: it fits any store."""
    text = files("zv_viewer").joinpath("resources/flights/default.json").read_text("utf-8")
    return parse_flight(json.loads(text), "default")


def load_flight(path: Path) -> Flight:
    """Read a flight; :class:`FlightError` says what is wrong with the file."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise FlightError(f"cannot read the flight {path}: {error.strerror}") from error
    except json.JSONDecodeError as error:
        raise FlightError(f"the flight {path} is not JSON: {error}") from error
    return parse_flight(raw, str(path))


def parse_flight(raw: Any, name: str) -> Flight:  # noqa: ANN401 - it is what json.loads returned
    """A flight from parsed JSON: ``version`` 1 and ``legs`` or ``views``."""
    if not isinstance(raw, dict) or raw.get("version") != FLIGHT_VERSION:
        raise FlightError(f"the flight {name} is not a version {FLIGHT_VERSION} flight")
    try:
        legs = tuple(Leg(**leg) for leg in raw.get("legs", ()))
        views = tuple(
            ViewState(
                ndisplay=int(view["ndisplay"]),
                center=tuple(float(x) for x in view["center"]),
                zoom=float(view["zoom"]),
                angles=_three(view.get("angles", (0, 0, 90))),
                perspective=float(view.get("perspective", 0)),
            )
            for view in raw.get("views", ())
        )
    except (TypeError, KeyError, ValueError) as error:
        raise FlightError(f"the flight {name} has a step that makes no sense: {error}") from error
    unknown = {leg.name for leg in legs} - set(_LEGS)
    if unknown or not (legs or views) or any(leg.steps < 1 for leg in legs):
        raise FlightError(
            f"the flight {name} needs views, or legs of at least one step out of {', '.join(_LEGS)}"
        )
    return Flight(legs, views)


def save_flight(path: Path, views: Iterable[ViewState]) -> None:
    """Write recorded views as a flight."""
    document = {"version": FLIGHT_VERSION, "views": [asdict(view) for view in views]}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def densest_place(scene: SceneInfo) -> tuple[float, ...]:
    """(D,) middle of the fullest chunk of the finest level."""
    level = scene.levels[0]
    if not len(level.counts):
        return tuple(scene.origin.tolist())
    chunk = level.chunks[int(np.argmax(level.counts)), -scene.ndim :]
    middle = (chunk + 0.5) * level.chunk_shape
    return tuple(np.clip(middle, scene.bounds[0], scene.bounds[1]).tolist())


def fit_zoom(scene: SceneInfo, canvas: tuple[float, float], fraction: float = 1.0) -> float:
    """Pixels per world unit at which ``fraction`` of the largest shown extent spans the canvas."""
    extent = scene.bounds[1] - scene.bounds[0]
    shown = float(extent[list(scene.display_order[-3:])].max()) or 1.0
    return min(canvas) / (shown * fraction)


def _three(values: Iterable[float]) -> tuple[float, float, float]:
    a, b, c = (float(value) for value in values)
    return a, b, c


def _fly(
    legs: tuple[Leg, ...], scene: SceneInfo, canvas: tuple[float, float]
) -> Iterator[ViewState]:
    ndisplay = 3 if scene.ndim >= 3 else 2
    home = ViewState(ndisplay, tuple(scene.origin.tolist()), fit_zoom(scene, canvas))
    view = home
    for leg in legs:
        ready = replace(view, perspective=leg.perspective, ndisplay=ndisplay)
        for view in _LEGS[leg.name](leg, ready, home, scene, canvas):
            yield view


def _overview(
    leg: Leg, view: ViewState, home: ViewState, scene: SceneInfo, canvas: tuple[float, float]
) -> Iterator[ViewState]:
    for turn in np.linspace(0, 20, leg.steps):
        yield replace(home, angles=(0.0, float(turn), 90.0), perspective=leg.perspective)


def _zoom(
    leg: Leg, view: ViewState, home: ViewState, scene: SceneInfo, canvas: tuple[float, float]
) -> Iterator[ViewState]:
    goal = fit_zoom(scene, canvas, leg.extent_fraction)
    yield from _blend(view, densest_place(scene), goal, leg.steps)


def _pan(
    leg: Leg, view: ViewState, home: ViewState, scene: SceneInfo, canvas: tuple[float, float]
) -> Iterator[ViewState]:
    extent = scene.bounds[1] - scene.bounds[0]
    axis = scene.display_order[-1]
    start = np.array(view.center)
    for part in np.linspace(0, 1, leg.steps):
        place = start.copy()
        reach = start[axis] - scene.bounds[0, axis] + part * extent[axis]
        place[axis] = scene.bounds[0, axis] + reach % max(extent[axis], 1e-12)
        yield replace(view, center=tuple(place.tolist()))


def _orbit(
    leg: Leg, view: ViewState, home: ViewState, scene: SceneInfo, canvas: tuple[float, float]
) -> Iterator[ViewState]:
    goal = fit_zoom(scene, canvas, leg.extent_fraction)
    start = np.array(view.angles)
    approach = max(leg.steps // 10, 1)
    for step in range(leg.steps):
        blend = min(step / approach, 1.0)
        zoom = float(np.exp((1 - blend) * np.log(view.zoom) + blend * np.log(goal)))
        turn = leg.degrees * step / leg.steps
        yield replace(view, zoom=zoom, angles=_three(start + np.array([0.0, turn, 0.0])))


def _slab(
    leg: Leg, view: ViewState, home: ViewState, scene: SceneInfo, canvas: tuple[float, float]
) -> Iterator[ViewState]:
    axis = scene.display_order[max(scene.ndim - 3, 0)]
    zoom = fit_zoom(scene, canvas, leg.extent_fraction)
    lo, hi = scene.bounds[:, axis]
    for part in np.linspace(0.05, 0.95, leg.steps):
        place = np.array(home.center)
        if scene.ndim > 2:
            place[axis] = lo + part * (hi - lo)
        yield ViewState(2, tuple(place.tolist()), zoom)


def _back(
    leg: Leg, view: ViewState, home: ViewState, scene: SceneInfo, canvas: tuple[float, float]
) -> Iterator[ViewState]:
    yield from _blend(replace(view, angles=home.angles), home.center, home.zoom, leg.steps)


def _blend(
    view: ViewState, center: tuple[float, ...], zoom: float, steps: int
) -> Iterator[ViewState]:
    start, goal = np.array(view.center), np.array(center)
    for part in np.linspace(0, 1, steps):
        log_zoom = (1 - part) * np.log(view.zoom) + part * np.log(zoom)
        ease = 1 - (1 - part) ** 3
        place = (1 - ease) * start + ease * goal
        yield replace(view, center=tuple(place.tolist()), zoom=float(np.exp(log_zoom)))


_LegFunction = Callable[
    [Leg, ViewState, ViewState, SceneInfo, tuple[float, float]], Iterator[ViewState]
]
_LEGS: dict[str, _LegFunction] = {
    "overview": _overview,
    "zoom": _zoom,
    "pan": _pan,
    "orbit": _orbit,
    "slab": _slab,
    "back": _back,
}
