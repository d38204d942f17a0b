"""How large the vertices of one store are drawn, by an attribute of its own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

from qtpy.QtCore import QObject, Signal

from zv_viewer.drawing.colours import mode_of
from zv_viewer.errors import InputError
from zv_viewer.layers.sizing import SizedLayer, SizeRule
from zv_viewer.model.objects import ObjectTable
from zv_viewer.model.scene import AttributeInfo, SceneInfo
from zv_viewer.objects import ID, column_of, keys_of

if TYPE_CHECKING:
    from zv_viewer.session.session import StoreSession

Of = Literal["vertex", "object"]
PIXELS = (1.0, 10.0)
"""Canvas pixels at both ends unless others are asked for."""


@dataclass(frozen=True, slots=True)
class SizeSpec:
    """What was asked for.

    Args:
        of: Whose attribute it is.
        key: Name of the attribute of vertices, or key of the column of objects.
        limits: Values at both ends; None while nobody knows them.
        pixels: Canvas pixels at both ends.
    """

    of: Of
    key: str
    limits: tuple[float, float] | None
    pixels: tuple[float, float]


class Sizing(QObject):  # type: ignore[misc]  # qtpy is untyped
    """Sizes along one attribute, whatever gives the colours; used in the GUI thread.

    Signals: ``changed()`` when the sizes are others, or their limits have become known.

    Args:
        session: Open.
    """

    changed = Signal()

    def __init__(self, session: StoreSession) -> None:
        super().__init__()
        self._session = session
        self.spec: SizeSpec | None = None
        session.changed.connect(self._learn)
        session.layer_changed.connect(self._apply)
        session.reloaded.connect(self._on_reloaded)
        session.closed.connect(self._close)
        if session.objects is not None:
            session.objects.loaded.connect(self._on_objects)

    @property
    def can(self) -> bool:
        """Whether the layer draws points whose sizes can follow an attribute."""
        layer = self._session.layer
        return isinstance(layer, SizedLayer) and layer.has_points

    def choose(
        self,
        of: Of,
        key: str,
        *,
        limits: tuple[float, float] | None = None,
        pixels: tuple[float, float] = PIXELS,
    ) -> None:
        """Draw vertices as large as a number says; only that number is read and uploaded for it.

        Args:
            of: ``vertex`` or ``object``.
            key: An attribute of vertices, or a column of the table of objects.
            limits: Values that have the first and the second size; those recorded, or found in the
                coarsest level, when None.
            pixels: Canvas pixels, above 0 and at most 100. What has no value has the first.

        Raises:
            InputError: It is no number, there is none of that name, or the layer has no points.
        """
        session = self._session
        if not self.can:
            raise InputError(f"{session.path} is not drawn with points that have sizes")
        if of == "vertex":
            info = next((one for one in numbers_of(session.scene) if one.name == key), None)
            if info is None:
                raise InputError(f"{session.path} has no number called {key!r} for each vertex")
        elif session.objects is None or session.objects.table is None:
            raise InputError(f"the objects of {session.path} are not read")
        elif limits is None:
            limits = column_of(session.objects.table, key).limits or (0.0, 1.0)
        self.spec = SizeSpec(of, key, limits, pixels)
        self._apply()
        if session.controller is not None:
            session.controller.size_by(key if of == "vertex" else None)
        self._learn()
        self.changed.emit()

    def clear(self) -> None:
        """Sizes are not by an attribute of their own any more."""
        if self.spec is not None:
            self.spec = None
            self._apply()
            if self._session.controller is not None:
                self._session.controller.size_by(None)
            self.changed.emit()

    def _apply(self, *_: object) -> None:
        layer, spec, objects = self._session.layer, self.spec, self._session.objects
        if not isinstance(layer, SizedLayer):
            return
        if spec is None:
            layer.size_by(None)
            return
        if spec.limits is None:  # all alike until they are known
            rule = SizeRule(spec.of, spec.key, (0.0, 1.0), (spec.pixels[0], spec.pixels[0]))
        else:
            rule = SizeRule(spec.of, spec.key, spec.limits, spec.pixels)
        if spec.of == "object" and objects is not None and objects.table is not None:
            layer.size_by(rule, objects.numbers_of_layer(spec.key))
        else:
            layer.size_by(rule)

    def _learn(self, *_: object) -> None:
        """Limits that nobody recorded are found once, then stay."""
        spec, controller = self.spec, self._session.controller
        if spec is None or spec.of != "vertex" or spec.limits is not None or controller is None:
            return
        limits = controller.size_limits
        if limits is not None:
            self.spec = replace(spec, limits=limits)
            self._apply()
            self.changed.emit()

    def _on_reloaded(self, *_: object) -> None:
        spec, scene = self.spec, self._session.scene
        gone = spec is not None and spec.of == "vertex" and spec.key not in _names(scene)
        if gone:
            self.clear()
        else:
            self._apply()

    def _on_objects(self) -> None:
        if self.spec is not None and self.spec.of == "object":
            self._apply()

    def _close(self, *_: object) -> None:
        _known.pop(self._session, None)


def numbers_of(scene: SceneInfo | None) -> tuple[AttributeInfo, ...]:
    """The attributes of vertices that sizes can follow: one stored number each."""
    return tuple(
        info
        for info in (() if scene is None else scene.attributes)
        if info.columns == 1 and not info.computed and mode_of(info) == "scalar"
    )


def columns_of(table: ObjectTable | None) -> tuple[str, ...]:
    """The columns of objects that sizes can follow."""
    keys = () if table is None else keys_of(table)
    return tuple(
        key
        for key in keys
        if key != ID and table is not None and column_of(table, key).categories is None
    )


def _names(scene: SceneInfo | None) -> set[str]:
    return {info.name for info in numbers_of(scene)}


_known: WeakKeyDictionary[StoreSession, Sizing] = WeakKeyDictionary()


def sizing_of(session: StoreSession) -> Sizing:
    """The sizes of a session that is open; always the same ones."""
    if session not in _known:
        _known[session] = Sizing(session)
    return _known[session]
