"""x runs across the canvas, whatever the store's order of axes."""

import numpy as np
import pytest

from zv_viewer.model.scene import SceneInfo


@pytest.mark.parametrize(
    ("names", "order"),
    [
        (("x", "y", "z"), (2, 1, 0)),
        (("z", "y", "x"), (0, 1, 2)),
        (("x", "y"), (1, 0)),
        (("t", "x", "y", "z"), (0, 3, 2, 1)),
        (("x", "y", "z", "w"), (3, 2, 1, 0)),
        (("X", "Y", "Z"), (2, 1, 0)),
        (("a", "b", "c"), (0, 1, 2)),
        (("x", "x", "y"), (0, 1, 2)),
    ],
)
def test_display_order(names: tuple[str, ...], order: tuple[int, ...]) -> None:
    bounds = np.array([[0.0] * len(names), [1.0] * len(names)])
    scene = SceneInfo("u", "n", "0.7.0", "g", names, (None,) * len(names), bounds, (), (), 1.0)
    assert scene.display_order == order


@pytest.mark.parametrize(
    ("names", "is_map", "up"),
    [
        (("x", "y", "z"), True, True),
        (("X", "Y"), True, True),
        (("x", "y", "z"), False, False),
        (("lat", "lon"), True, False),
    ],
)
def test_north_is_up_on_maps_only(names: tuple[str, ...], is_map: bool, up: bool) -> None:
    bounds = np.array([[0.0] * len(names), [1.0] * len(names)])
    units = (None,) * len(names)
    scene = SceneInfo("u", "n", "0.7.0", "g", names, units, bounds, (), (), 1.0, is_map=is_map)
    assert scene.north_up is up
