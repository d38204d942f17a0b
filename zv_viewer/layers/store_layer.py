"""What all layers that show a store have in common: colours of values, and what they refuse."""

from __future__ import annotations

import numpy.typing as npt

from zv_viewer.drawing.colours import ColourMode
from zv_viewer.errors import InputError
from zv_viewer.layers.colours import PLAIN, Colouring, colouring
from zv_viewer.layers.untyped import NapariValue
from zv_viewer.model.scene import SceneInfo


class LayerError(InputError):
    """Something a layer that shows part of a store cannot do."""


class StoreLayer:
    """Goes before a layer of napari's in the bases."""

    scene: SceneInfo
    name: str
    _colouring: Colouring = PLAIN

    @property
    def colouring(self) -> Colouring:
        """How values become colours."""
        return self._colouring

    def set_colours(
        self,
        mode: ColourMode,
        lut: npt.ArrayLike | None = None,
        limits: tuple[float, float] | None = None,
    ) -> None:
        """Recolour at once, without an upload.

        Args:
            mode: ``plain``, ``scalar``, ``category`` or ``rgb``.
            lut: (N, 3) or (N, 4) colours in 0 to 1; one colour for ``plain``; not used by ``rgb``.
            limits: Values at both ends of the table, for ``scalar``.
        """
        self._colouring = colouring(mode, lut, limits)
        self._recolour()

    def _recolour(self) -> None:
        """Show the colours of now."""
        raise NotImplementedError

    def as_layer_data_tuple(self) -> NapariValue:
        """Refuse: what the layer holds is the part of the store in view, never its data."""
        raise LayerError(
            f"layer '{self.name}' shows the part of {self.scene.url} that is in view, so it cannot "
            "be saved, duplicated or converted; read the store itself with zarr_vectors.open_zv"
        )

    @property
    def editable(self) -> bool:
        """False, whoever asks: rows of a store are not moved by hand."""
        return False

    @editable.setter
    def editable(self, editable: bool) -> None:
        """Take no notice; napari's controls set it on every change of the axes shown."""
