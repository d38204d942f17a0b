"""Ways of the camera: through their keyframes, smoothly, the shortest way round."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from zv_viewer.errors import InputError
from zv_viewer.state.document import WindowView
from zv_viewer.state.path import CameraPath, Keyframe, path_json, path_of_document, read_path_file
from zv_viewer.state.writing import text_of

HOME = WindowView(
    3,
    (0.0, 0.0, 0.0),
    1.0,
    (0.0, 0.0, 90.0),
    0.0,
    (0, 1, 2),
    (0.0,) * 3,
    (0.0,) * 3,
    ("towards", "down", "right"),
)

number = st.floats(-1000, 1000)
view = st.builds(
    lambda center, zoom, angles, perspective: replace(
        HOME, center=center, zoom=zoom, angles=angles, perspective=perspective
    ),
    st.tuples(number, number, number),
    st.floats(0.001, 1000),
    st.tuples(*[st.floats(-180, 180)] * 3),
    st.floats(0, 120),
)
path = st.lists(st.builds(Keyframe, st.floats(0.1, 20), view), min_size=1, max_size=5).map(
    lambda frames: CameraPath(tuple(frames))
)


def turn(view: WindowView) -> Rotation:
    return Rotation.from_euler("XYZ", -np.array(view.angles), degrees=True)


@given(path)
def test_it_goes_through_its_keyframes(path: CameraPath) -> None:
    for time, frame in zip(path.times, path.keyframes, strict=True):
        found = path.at(float(time))
        np.testing.assert_allclose(found.center, frame.view.center, atol=1e-9)
        assert found.zoom == pytest.approx(frame.view.zoom)
        assert (turn(found).inv() * turn(frame.view)).magnitude() < 1e-6
    assert path.at(-1.0) == path.keyframes[0].view
    assert path.at(path.seconds + 1) == path.keyframes[-1].view


@given(path, st.floats(0, 1))
def test_between_two_keyframes_nothing_is_beyond_them_by_far(path: CameraPath, part: float) -> None:
    """Every number stays within those of the keyframes, or a third of their span outside."""
    found = path.at(part * path.seconds)
    zooms = np.log([one.view.zoom for one in path.keyframes])
    slack = (zooms.max() - zooms.min()) / 3 + 1e-9
    assert zooms.min() - slack <= np.log(found.zoom) <= zooms.max() + slack
    for axis in range(3):
        places = [one.view.center[axis] for one in path.keyframes]
        slack = (max(places) - min(places)) / 3 + 1e-9
        assert min(places) - slack <= found.center[axis] <= max(places) + slack


@given(path)
def test_a_file_holds_it(path: CameraPath) -> None:
    path = replace(path, keyframes=(replace(path.keyframes[0], seconds=0.0), *path.keyframes[1:]))
    assert path_of_document(json.loads(text_of(path_json(path)))) == path


def test_a_turn_takes_the_shortest_way() -> None:
    left, right = (replace(HOME, angles=(0.0, angle, 90.0)) for angle in (170.0, -170.0))
    path = CameraPath((Keyframe(0, left), Keyframe(2, right)))
    half = (turn(left).inv() * turn(path.at(1.0))).magnitude()
    assert np.degrees(half) == pytest.approx(10.0)


def test_a_view_of_other_axes_is_due_when_it_is() -> None:
    flat = replace(HOME, ndisplay=2, zoom=5.0)
    path = CameraPath((Keyframe(0, HOME), Keyframe(1, flat), Keyframe(1, replace(flat, zoom=10.0))))
    assert path.at(0.999) == HOME
    assert path.at(1.0).ndisplay == 2
    assert path.at(1.5).zoom == pytest.approx(50**0.5)


def test_frames_are_the_movie() -> None:
    path = CameraPath((Keyframe(0, HOME), Keyframe(2, replace(HOME, center=(0.0, 0.0, 10.0)))))
    frames = path.frames(5)
    assert len(frames) == 11
    np.testing.assert_allclose([one.center[2] for one in frames], np.arange(11.0), atol=1e-12)
    assert CameraPath((Keyframe(3, HOME),)).frames(30) == (HOME,)
    with pytest.raises(InputError, match="frames"):
        path.frames(1e6)


def test_files_that_hold_no_path(tmp_path) -> None:
    one = path_json(CameraPath((Keyframe(0, HOME), Keyframe(1, HOME))))
    for change, what in (
        (lambda d: d["keyframes"].clear(), "has 0 entries"),
        (lambda d: d["keyframes"][1].update(seconds=0), "not later"),
        (lambda d: d["keyframes"][1]["view"].update(order=[0, 0, 1]), "order of axes"),
        (lambda d: d.update(run="me"), "nobody knows"),
    ):
        changed = json.loads(json.dumps(one))
        change(changed)
        (tmp_path / "path.json").write_text(json.dumps(changed))
        with pytest.raises(InputError, match=what) as caught:
            read_path_file(tmp_path / "path.json")
        assert "holds no camera path" in str(caught.value)
