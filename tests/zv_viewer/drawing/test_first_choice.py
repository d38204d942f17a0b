"""What a store is coloured by before anybody chose."""

from zv_viewer.drawing.colours import first_choice
from zv_viewer.model.scene import AttributeInfo

NUMBER = AttributeInfo("depth", "float32")
VECTOR = AttributeInfo("normal", "float32", 3)
KIND = AttributeInfo("kind", "uint8", 1, ("a", "b"))
RGB = AttributeInfo("rgb", "uint8", 3)


def test_colours_then_categories_then_numbers() -> None:
    assert first_choice([NUMBER, VECTOR, KIND, RGB]) is RGB
    assert first_choice([NUMBER, VECTOR, KIND]) is KIND
    assert first_choice([VECTOR, NUMBER]) is NUMBER


def test_nothing_suits() -> None:
    assert first_choice([]) is None
    assert first_choice([VECTOR]) is None
