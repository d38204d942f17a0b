"""How large rows are drawn as points: a rule, and the layers that follow one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from zv_viewer.errors import InputError
from zv_viewer.layers.buffers import SIZE
from zv_viewer.layers.placed import PlacedCells
from zv_viewer.layers.untyped import NapariValue
from zv_viewer.model.chunks import CellArrays

MOST_PX = 100
"""Canvas pixels of a point at most."""


def check_pixels(ends: tuple[float, float]) -> None:
    """Raise where these are no sizes, smaller and larger in any order."""
    if not 0 < min(ends) <= max(ends) <= MOST_PX:
        raise InputError(f"sizes are between 0 and {MOST_PX} canvas pixels, not {ends}")


@dataclass(frozen=True, slots=True)
class SizeRule:
    """Sizes along an attribute of its own, whatever rows are coloured by.

    Args:
        of: ``vertex``: a number of each row; ``object``: one of each object.
        key: Name of the attribute, or key of the column of objects.
        limits: Values that have the first and the second size; between them sizes are between.
        pixels: Canvas pixels. What has no value has the first size.
    """

    of: Literal["vertex", "object"]
    key: str
    limits: tuple[float, float]
    pixels: tuple[float, float]

    def __post_init__(self) -> None:
        check_pixels(self.pixels)
        if not np.isfinite(self.limits).all():
            raise InputError(f"limits of sizes are finite numbers, not {self.limits}")

    @property
    def uniform(self) -> tuple[float, float, float, float]:
        """Value at the start, 1 / (end - start), and both sizes in canvas pixels."""
        low, high = self.limits
        least = max(abs(low), abs(high), 1.0) * float(np.finfo(np.float32).eps)
        span = high - low if abs(high - low) >= least else least
        return low, 1.0 / span, *self.pixels


class SizeDrawer(Protocol):
    """What draws rows of some size."""

    def size_rows(self, sized: bool) -> None:
        """Have a number for the size of each row, none known yet; False: have none."""


class SizedLayer:
    """Goes before a layer in the bases; tells its drawer of the rule by ``events.look``."""

    events: NapariValue
    _value_size: tuple[float, float] | None = None
    _placed: PlacedCells
    _size_rule: SizeRule | None = None
    _object_sizes: npt.NDArray[np.float32] | None = None
    _sized: str | None = None

    def _make_sizes(self, drawer: SizeDrawer) -> None:
        """Have on the card what rows are sized by while it counts, and only then."""
        rule = self._size_rule
        sized = rule.key if rule is not None and rule.of == "vertex" else None
        if sized != self._sized:
            self._sized = sized
            self._placed.forget(SIZE)
            drawer.size_rows(sized is not None)

    def _own_sizes(self, arrays: CellArrays) -> CellArrays:
        """A cell without the sizes of another rule."""
        return arrays if arrays.extras.sized_by == self._sized else replace(arrays, sizes=None)

    @property
    def has_points(self) -> bool:
        """Whether there is anything whose size can be seen."""
        return True

    @property
    def value_size(self) -> tuple[float, float] | None:
        """Canvas pixels at both ends of the colours, where these are along a scale; else None."""
        return self._value_size

    @value_size.setter
    def value_size(self, ends: tuple[float, float] | None) -> None:
        if ends is not None:
            check_pixels(ends)
        self._value_size = ends
        self.events.look()

    @property
    def size_rule(self) -> SizeRule | None:
        """The attribute that says how large rows are drawn; None: none does."""
        return self._size_rule

    @property
    def object_sizes(self) -> npt.NDArray[np.float32] | None:
        """(O,) what the rule goes by where it is one of objects."""
        return self._object_sizes

    def size_by(
        self, rule: SizeRule | None, of_objects: npt.NDArray[np.float32] | None = None
    ) -> None:
        """Draw rows as large as a rule says.

        Args:
            rule: The rule; its values come with the cells where it is one of vertices. Until then
                rows have its first size.
            of_objects: (O,) a value of each object, NaN for none, where it is one of objects.
        """
        self._size_rule, self._object_sizes = rule, of_objects
        self.events.look()
