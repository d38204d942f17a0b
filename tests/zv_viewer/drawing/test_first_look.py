"""What a store is coloured by before anybody chose."""

from dataclasses import replace

import numpy as np
import pytest

from zv_viewer.drawing.first_look import FirstLook, first_look
from zv_viewer.drawing.palette import NOBODYS, colours_of_ids
from zv_viewer.model.scene import AttributeInfo, SceneInfo
from zv_viewer.sources.drawable import link_width, with_direction

DEPTH = AttributeInfo("depth", "float32")
KIND = AttributeInfo("kind", "uint8", 1, ("a", "b"))
RGB = AttributeInfo("rgb", "uint8", 3)


def scene(geometry: str, attributes: tuple[AttributeInfo, ...], objects: int) -> SceneInfo:
    box = np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]])
    plain = SceneInfo("u", "n", "0.7.0", geometry, tuple("zyx"), (None,) * 3, box, (), (), 1.0)
    width = link_width(geometry)
    return replace(
        plain,
        attributes=with_direction(geometry, attributes),
        link_width=width,
        objects=np.arange(-1, objects),
    )


@pytest.mark.parametrize(
    ("geometry", "attributes", "objects", "expected"),
    [
        ("streamline", (DEPTH,), 5, FirstLook("direction")),
        ("streamline", (DEPTH, RGB), 5, FirstLook("rgb")),
        ("polyline", (DEPTH,), 5, FirstLook(by_object=True)),
        ("polyline", (), 1, FirstLook("direction")),
        ("line", (), 5, FirstLook(by_object=True)),
        ("skeleton", (DEPTH,), 2, FirstLook(by_object=True)),
        ("mesh", (DEPTH, KIND), 5, FirstLook(by_object=True)),
        ("mesh", (DEPTH, KIND), 1, FirstLook("kind")),
        ("mesh", (RGB,), 5, FirstLook("rgb")),
        ("graph", (), 1, FirstLook()),
        ("point_cloud", (DEPTH, KIND), 0, FirstLook("kind")),
        ("point_cloud", (), 0, FirstLook()),
    ],
)
def test_the_first_look(
    geometry: str, attributes: tuple[AttributeInfo, ...], objects: int, expected: FirstLook
) -> None:
    assert first_look(scene(geometry, attributes, objects)) == expected


def test_a_layer_that_cannot_tell_objects_apart_shows_an_attribute() -> None:
    assert first_look(scene("mesh", (DEPTH,), 5), objects=False) == FirstLook("depth")


def test_an_object_keeps_its_colour_whatever_is_around_it() -> None:
    ids = np.array([7, 2**62, 0, 3, -1])
    colours = colours_of_ids(ids)
    assert colours[::-1].tolist() == colours_of_ids(ids[::-1]).tolist()
    assert colours[4].tolist() == list(NOBODYS)
    assert colours[:4].max(axis=1).min() >= 0.75 * 255 - 1


def test_neighbours_are_told_apart() -> None:
    colours = colours_of_ids(np.arange(2000)).astype(int)
    assert len(np.unique(colours, axis=0)) > 1990
    hues = np.histogram(np.argmax(colours, axis=1), 3)[0]
    assert hues.min() > 550
