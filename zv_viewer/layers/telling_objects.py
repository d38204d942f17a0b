"""What layers that draw objects one by one have in common: looks and colours of objects."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zv_viewer.layers.object_states import ObjectStates, UInt8
from zv_viewer.layers.untyped import NapariValue

Float32 = npt.NDArray[np.float32]


class TellsObjects:
    """Goes before a layer in the bases, which keeps ``_objects`` in step with its scene.

    ``events.view`` tells when it begins to matter, or does not any more, which objects rows have.
    """

    events: NapariValue
    _objects: ObjectStates

    @property
    def object_looks(self) -> UInt8:
        """(O,) code of :class:`zv_viewer.model.objects.Look` of each object."""
        return self._objects.looks

    def set_object_looks(self, looks: npt.ArrayLike) -> None:
        """Hide, fade, show or select objects, (O,) codes of ``Look``; no row is uploaded."""
        ghosts, told = self._objects.ghosts, self.tells_objects
        self._objects.set_looks(np.asarray(looks, np.uint8))
        if ghosts != self._objects.ghosts or told != self.tells_objects:
            self.events.look()
        if told != self.tells_objects:
            self.events.view()
        self._redraw()

    def set_object_colours(self, colours: npt.ArrayLike | None) -> None:
        """Colour objects, (O, 3) or (O, 4) in 0 to 1 (a fourth column is ignored).

        None: rows are coloured by their values again.
        """
        table = None if colours is None else np.asarray(colours, np.float32)[:, :3]
        told = self.tells_objects
        self._objects.set_colours(table)
        self.events.look()
        if told != self.tells_objects:
            self.events.view()
        self._redraw()

    def _redraw(self) -> None:
        """Show what objects look like now, in the thumbnail too."""
        raise NotImplementedError

    @property
    def tells_objects(self) -> bool:
        """Whether it matters to the picture which object a row belongs to."""
        return self._objects.coloured or not self._objects.all_normal

    @property
    def object_colours(self) -> Float32 | None:
        """(O, 3) colours of objects in 0 to 1; None where rows are coloured by their values."""
        states = self._objects
        return states.colours(np.arange(len(states), dtype=np.uint32)) if states.coloured else None

    @property
    def objects_coloured(self) -> bool:
        """Whether objects have colours of their own."""
        return self._objects.coloured

    @property
    def lets_through(self) -> bool:
        """Whether some objects are faded, so that what lies behind them is seen."""
        return self._objects.ghosts

    @property
    def object_table(self) -> tuple[int, int]:
        """Lines and objects a line of the table of objects."""
        lines, width, _ = self._objects.texels.shape
        return lines, width
