"""How a store is coloured, and the limits of its colours where nobody recorded them."""

from __future__ import annotations

from typing import Any

from zv_viewer.controller import LodController
from zv_viewer.drawing.colours import ColourSpec, colours_for
from zv_viewer.model.scene import SceneInfo


class Colouring:
    """The colours of one layer; ``spec`` is None until somebody chose."""

    def __init__(self) -> None:
        self.spec: ColourSpec | None = None

    def choose(
        self,
        scene: SceneInfo,
        attribute: str | None,
        colormap: str | None,
        limits: tuple[float, float] | None,
    ) -> None:
        """Colour by an attribute, or plainly; KeyError where the store has no such attribute."""
        info = None if attribute is None else scene.attribute(attribute)
        self.spec = colours_for(info, colormap=colormap, limits=limits)

    def follow(self, scene: SceneInfo) -> None:
        """Colour a store that was read anew as before, new categories too."""
        spec = self.spec
        if spec is None or spec.attribute is None:
            return
        known = {info.name: info for info in scene.attributes}
        if spec.attribute not in known:
            self.spec = colours_for(None)
        elif spec.mode == "category":
            self.spec = colours_for(known[spec.attribute], colormap=spec.colormap, limits=None)

    def learn_limits(self, controller: LodController, layer: Any) -> bool:  # noqa: ANN401 - ours
        """Colour limits that nobody recorded are found once, then stay; True when they are."""
        spec = self.spec
        if spec is None or spec.mode != "scalar" or spec.limits is not None:
            return False
        limits = controller.value_limits
        if limits is None:
            return False
        self.spec = spec.with_limits(limits)
        self.apply(layer)
        return True

    def apply(self, layer: Any) -> None:  # noqa: ANN401 - our layer
        """Give the colours to the layer."""
        if self.spec is not None and layer is not None:
            layer.set_colours(self.spec.mode, self.spec.lut, self.spec.limits)
