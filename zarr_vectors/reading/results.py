"""What reads return: frozen values that also answer to ``result["positions"]``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, NoReturn

from zarr_vectors.typing import AnyArray, FloatArray, IntArray

if TYPE_CHECKING:
    _Fields = Mapping[str, Any]
else:

    class _Fields(Mapping, dict):
        """A dict to whoever asks, whose items are the fields of a subclass."""

        __slots__ = ()


class Answer(_Fields):
    """Fields by name; those that are None are not there. A dict that cannot be changed."""

    __slots__ = ()

    def _names(self) -> list[str]:
        names = (f.name for f in fields(self))  # type: ignore[arg-type]  # subclasses are dataclasses
        return [name for name in names if getattr(self, name) is not None]

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401  one type per field
        if key not in self._names():
            raise KeyError(key)
        return getattr(self, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __reduce__(self) -> tuple[Any, ...]:
        mine = fields(self)  # type: ignore[arg-type]  # subclasses are dataclasses
        return _again, (type(self), {f.name: getattr(self, f.name) for f in mine})

    def _frozen(self, *_args: object, **_options: object) -> NoReturn:
        raise TypeError(f"{type(self).__name__} cannot be changed: copy() makes a dict that can")

    __setitem__ = __delitem__ = _frozen
    clear = pop = popitem = setdefault = update = __ior__ = _frozen

    def copy(self) -> dict[str, Any]:
        """The fields as a dict of its own."""
        return dict(self.items())


def _again(kind: type[Answer], values: dict[str, Any]) -> Answer:
    return kind(**values)


@dataclass(frozen=True, eq=False, slots=True)
class PointsResult(Answer):
    """Vertices of a point cloud, chunk after chunk; filtered by object, object after object.

    Attributes:
        positions: (M, D) float as stored, world units.
        vertex_attributes: name -> (M,) or (M, C) in the stored dtype; strings for categories.
        vertex_count: M.
        object_ids: (M,) int64 where filtered by object or group, else None.
        level: The level read.
    """

    positions: FloatArray
    vertex_attributes: dict[str, AnyArray]
    vertex_count: int
    object_ids: IntArray | None = None
    level: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class ChunkRows(Answer):
    """The rows of one chunk in stored order.

    Attributes:
        positions: (n, D) float as stored, world units.
        attributes: name -> (n,) or (n, C).
    """

    positions: FloatArray
    attributes: dict[str, AnyArray] = field(default_factory=dict)


@dataclass(frozen=True, eq=False, slots=True)
class GraphResult(Answer):
    """Vertices and the edges between them; of a skeleton, edges are (child, parent).

    Attributes:
        positions: (N, D) float as stored, world units.
        edges: (M, 2) int64 rows of ``positions``.
        node_count: N.
        edge_count: M.
        vertex_attributes: name -> (N,) or (N, C); strings for categories.
        link_attributes: name -> (M,) or (M, C).
        object_ids: (N,) int64 where filtered by object or group, else None.
        level: The level read.
    """

    positions: FloatArray
    edges: IntArray
    node_count: int
    edge_count: int
    vertex_attributes: dict[str, AnyArray] = field(default_factory=dict)
    link_attributes: dict[str, AnyArray] = field(default_factory=dict)
    object_ids: IntArray | None = None
    level: int = 0


@dataclass(frozen=True, eq=False, slots=True)
class MeshResult(Answer):
    """Vertices and the faces between them; winding and first corner as written.

    Attributes:
        vertices: (N, D) float as stored, world units.
        faces: (F, L) int64 rows of ``vertices``.
        vertex_count: N.
        face_count: F.
        vertex_attributes: name -> (N,) or (N, C); strings for categories.
        face_attributes: name -> (F,) or (F, C).
        object_ids: (N,) int64 where filtered by object or group, else None.
        level: The level read.
    """

    vertices: FloatArray
    faces: IntArray
    vertex_count: int
    face_count: int
    vertex_attributes: dict[str, AnyArray] = field(default_factory=dict)
    face_attributes: dict[str, AnyArray] = field(default_factory=dict)
    object_ids: IntArray | None = None
    level: int = 0
