"""How a store is coloured, and the limits of its colours where nobody recorded them."""

from __future__ import annotations

from zv_viewer.drawing.colours import ColourSpec, colours_for
from zv_viewer.model.scene import SceneInfo
from zv_viewer.session.contents import Contents
from zv_viewer.session.feed import Feed


class Colouring:
    """The colours of one store; ``spec`` is None until somebody chose.

    Args:
        feed: The store.
        contents: Its objects, which may have colours of their own.
    """

    def __init__(self, feed: Feed, contents: Contents) -> None:
        self._feed, self._contents = feed, contents
        self.spec: ColourSpec | None = None

    def choose(
        self,
        attribute: str | None,
        colormap: str | None = None,
        limits: tuple[float, float] | None = None,
    ) -> None:
        """Colour by an attribute, or plainly; KeyError where the store has no such attribute."""
        scene, controller = self._feed.need()
        info = None if attribute is None else scene.attribute(attribute)
        self.spec = colours_for(info, colormap=colormap, limits=limits)
        controller.set_attribute(attribute)
        objects = self._contents.objects
        if objects is not None and objects.coloured_by is not None:
            objects.colour_by(None)
        self.learn_limits()
        self.apply()

    def follow(self, scene: SceneInfo) -> None:
        """Colour a store that was read anew as before, new categories too."""
        spec = self.spec
        if spec is not None and spec.attribute is not None:
            known = {info.name: info for info in scene.attributes}
            if spec.attribute not in known:
                self.spec = colours_for(None)
            elif spec.mode == "category":
                self.spec = colours_for(known[spec.attribute], colormap=spec.colormap, limits=None)
        self.apply()

    def learn_limits(self) -> bool:
        """Colour limits that nobody recorded are found once, then stay; True when they are."""
        spec, controller = self.spec, self._feed.controller
        if spec is None or spec.mode != "scalar" or spec.limits is not None or controller is None:
            return False
        limits = controller.value_limits
        if limits is None:
            return False
        self.spec = spec.with_limits(limits)
        self.apply()
        return True

    def apply(self) -> None:
        """Give the colours to the layer."""
        if self.spec is not None:
            self._feed.layer.set_colours(self.spec.mode, self.spec.lut, self.spec.limits)
