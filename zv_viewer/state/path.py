"""A way of the camera: views at times, and the view at any time between them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.spatial.transform import Rotation, Slerp

from zv_viewer.errors import InputError
from zv_viewer.state.document import WindowView
from zv_viewer.state.reading import BadView, check_axes, made
from zv_viewer.state.schema import CAMERA_PATH, Json, check
from zv_viewer.state.strict_json import parse, read_bounded
from zv_viewer.state.writing import plain

Float = npt.NDArray[np.float64]

FORMAT = "zv-camera-path"
VERSION = 1

EULER = "XYZ"
"""Order of napari's angles, each taken the other way round."""

MOST_FRAMES = 100_000
"""Of one movie."""


@dataclass(frozen=True, slots=True)
class Keyframe:
    """A view, and how many seconds after the keyframe before it is reached."""

    seconds: float
    view: WindowView


@dataclass(frozen=True, slots=True)
class CameraPath:
    """Keyframes in order, at least one; the first is at 0 s.

    Between two of them the middle of the canvas and the logarithm of the zoom run along smooth
    curves through all of them, directions turn the shortest way. Where two keyframes show other
    numbers of axes, or these in another order, the first stays until the second is due.
    """

    keyframes: tuple[Keyframe, ...]

    @property
    def times(self) -> Float:
        """(K,) seconds at which each keyframe is reached."""
        return np.cumsum([0.0, *(one.seconds for one in self.keyframes[1:])])

    @property
    def seconds(self) -> float:
        """How long it takes."""
        return float(self.times[-1])

    def at(self, seconds: float) -> WindowView:
        """The view at a time; before the first keyframe and after the last these."""
        times = self.times
        after = int(np.searchsorted(times, seconds, side="right"))
        if after == 0:
            return self.keyframes[0].view
        if after == len(times):
            return self.keyframes[-1].view
        before = self.keyframes[after - 1].view
        if not _alike(before, self.keyframes[after].view):
            return before
        part = (seconds - times[after - 1]) / (times[after] - times[after - 1])
        run = self._run(after - 1)
        curve = np.array([_numbers(self.keyframes[k].view) for k in run])
        place = run.index(after - 1)
        values = _hermite(times[list(run)], curve, place, float(part))
        return _view(before, values, _turned(before, self.keyframes[after].view, float(part)))

    def frames(self, per_second: float) -> tuple[WindowView, ...]:
        """The views of a movie, the first and the last keyframe among them.

        Raises:
            InputError: There would be too many.
        """
        count = round(self.seconds * per_second) + 1
        if count > MOST_FRAMES:
            raise InputError(f"the way would have {count:,} frames; {MOST_FRAMES:,} are the most")
        return tuple(self.at(float(t)) for t in np.linspace(0.0, self.seconds, count))

    def _run(self, place: int) -> range:
        """The keyframes around one that can be joined by a curve."""
        first = last = place
        views = [one.view for one in self.keyframes]
        while first > 0 and _alike(views[first - 1], views[first]):
            first -= 1
        while last + 1 < len(views) and _alike(views[last], views[last + 1]):
            last += 1
        return range(first, last + 1)


def path_json(path: CameraPath) -> Json:
    """The JSON value of a camera path's file."""
    document = {"format": FORMAT, "version": VERSION, **plain(path)}
    check(document, CAMERA_PATH)
    return document


def path_of_document(document: Json) -> CameraPath:
    """The camera path of a JSON value.

    Raises:
        InputError: It is none.
    """
    check(document, CAMERA_PATH)
    path = made(CameraPath, {"keyframes": document["keyframes"]})
    for one in path.keyframes:
        check_axes(one.view)
    axes = {len(one.view.center) for one in path.keyframes}
    if len(axes) > 1:
        raise BadView("its keyframes are of different numbers of axes")
    if any(one.seconds <= 0 for one in path.keyframes[1:]):
        raise BadView("a keyframe is not later than the one before")
    return path


def read_path_file(path: Path) -> CameraPath:
    """The camera path of a file.

    Raises:
        InputError: It holds none; one sentence says why.
    """
    text = read_bounded(path)
    try:
        return path_of_document(parse(text))
    except InputError as error:
        raise BadView(f"{path} holds no camera path: {error}") from error


def _alike(one: WindowView, other: WindowView) -> bool:
    return (one.ndisplay, one.order, one.orientation) == (
        other.ndisplay,
        other.order,
        other.orientation,
    )


def _numbers(view: WindowView) -> list[float]:
    """What runs along curves: centre, logarithm of the zoom, perspective, margins."""
    return [
        *view.center,
        float(np.log(view.zoom)),
        view.perspective,
        *view.margin_left,
        *view.margin_right,
    ]


def _view(like: WindowView, values: Float, angles: Float) -> WindowView:
    axes = len(like.center)
    numbers = [float(value) for value in values]
    first, second, third = (float(angle) for angle in angles)
    return replace(
        like,
        center=tuple(numbers[:axes]),
        zoom=float(np.exp(numbers[axes])),
        perspective=min(max(numbers[axes + 1], 0.0), 179.0),
        angles=(first, second, third),
        margin_left=tuple(max(number, 0.0) for number in numbers[axes + 2 : 2 * axes + 2]),
        margin_right=tuple(max(number, 0.0) for number in numbers[2 * axes + 2 :]),
    )


def _turned(before: WindowView, after: WindowView, part: float) -> Float:
    """Angles between those of two views, the shortest way round."""
    if before.angles == after.angles:
        return np.array(before.angles)
    ends = Rotation.from_euler(EULER, -np.array([before.angles, after.angles]), degrees=True)
    turned = Slerp([0.0, 1.0], ends)(part)
    return np.asarray(-turned.as_euler(EULER, degrees=True))


def _hermite(times: Float, values: Float, place: int, part: float) -> Float:
    """The curve through (K, N) values after ``place``, as smooth as three neighbours tell.

    Nothing overshoots a keyframe that is an extreme, or is repeated.
    """
    steps = np.diff(times)[:, None]
    slopes = np.diff(values, axis=0) / steps
    tangents = np.zeros_like(values)
    if len(slopes) > 1:
        ahead, behind = slopes[1:], slopes[:-1]
        inner = (behind * steps[1:] + ahead * steps[:-1]) / (steps[1:] + steps[:-1])
        limit = 3 * np.minimum(np.abs(ahead), np.abs(behind))
        inner = np.sign(inner) * np.minimum(np.abs(inner), limit)
        tangents[1:-1] = np.where(ahead * behind > 0, inner, 0.0)
    # Both ends begin and end at the speed of the first and last leg.
    tangents[0], tangents[-1] = slopes[0], slopes[-1]
    if len(slopes) == 1:
        return np.asarray(values[0] + part * (values[1] - values[0]))
    step = float(steps[place, 0])
    t2, t3 = part * part, part**3
    return np.asarray(
        (2 * t3 - 3 * t2 + 1) * values[place]
        + (t3 - 2 * t2 + part) * step * tangents[place]
        + (3 * t2 - 2 * t3) * values[place + 1]
        + (t3 - t2) * step * tangents[place + 1]
    )
