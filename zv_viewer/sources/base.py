"""What loading asks of a store: a description, then the chunks of one cell at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from zv_viewer.model.fingerprint import Fingerprint
from zv_viewer.model.links import RawLinks
from zv_viewer.model.objects import ObjectTable
from zv_viewer.model.scene import SceneInfo
from zv_viewer.model.shapes import ParametricObject

if TYPE_CHECKING:
    from zarr_vectors.core.handle import StoreHandle


@dataclass(frozen=True, eq=False, slots=True)
class RawCell:
    """Rows of some chunks of one level, chunk after chunk.

    ``positions`` is (N, D) in the store's dtype; ``values`` maps attribute names to (N,) or (N, C)
    arrays in their own dtype (categories as codes); ``links`` is None for points, whose rows are
    those stored.
    """

    positions: npt.NDArray[np.floating]
    values: dict[str, npt.NDArray[np.generic]]
    fetched_bytes: int
    requests: int
    links: RawLinks | None = None


@dataclass(frozen=True, slots=True)
class Network:
    """How the place a store is in has answered lately.

    Args:
        remote: Whether there is a network between it and us.
        latency_s: Median seconds of a request; None where nothing was timed.
        bytes_per_s: While requests were under way; None where nothing was timed.
        in_flight: Requests under way.
        retries: Requests that were sent again, from the start.
        failing: By what requests have failed since the last answer, a word of ``TROUBLES``; empty
            where the last one was answered. failing_s: For how many seconds.
        trouble: How a request failed lately, in words; empty where none did.
    """

    remote: bool = False
    latency_s: float | None = None
    bytes_per_s: float | None = None
    in_flight: int = 0
    retries: int = 0
    failing: str = ""
    failing_s: float = 0.0
    trouble: str = ""


class Scope(Protocol):
    """Reads that are given up together: those of its block, by whoever calls :meth:`cancel`."""

    def __enter__(self) -> object:
        """Reads of this thread are in the scope from now on."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """They are not any more."""
        ...

    def cancel(self) -> None:
        """End those under way, as far as the store can; they raise ``Cancelled``."""
        ...


class ChunkSource(Protocol):
    """A store behind the viewer; called from worker threads, raises ``zarr_vectors`` errors."""

    def describe(self) -> SceneInfo:
        """Read metadata only."""
        ...

    def read(
        self, level: int, chunks: npt.NDArray[np.int64], attributes: Sequence[str] = ()
    ) -> RawCell:
        """Read chunks, (M, R) coordinates, of store level ``level``, with attribute values."""
        ...

    def read_values(
        self, level: int, chunks: npt.NDArray[np.int64], attribute: str
    ) -> tuple[npt.NDArray[np.generic], int, int]:
        """(values, fetched bytes, requests) of one attribute, of the rows stored in the chunks.

        Those are the rows of :meth:`read`, or with links what ``RawLinks.stored`` tells of.
        """
        ...

    def network(self) -> Network:
        """How the store answers; asks for nothing."""
        ...

    def scope(self) -> Scope:
        """A new scope for reads of this source."""
        ...

    def close(self) -> None:
        """Release caches and connections."""
        ...


Progress = Callable[[str], None]
"""Told in a few words what is being read; what it raises ends the reading."""


class ObjectReader(Protocol):
    """Reads the table in two steps; called from a worker."""

    def read(self, progress: Progress) -> ObjectTable:
        """Ids, attributes and groups."""
        ...

    def complete(self, table: ObjectTable, progress: Progress) -> ObjectTable:
        """The same with what takes longer to find out."""
        ...


@dataclass(frozen=True, slots=True)
class News:
    """What became of a store since it was read: ``changed``, or is ``being_written`` right now."""

    changed: bool = False
    being_written: bool = False


@runtime_checkable
class Watched(Protocol):
    """A source that can be read anew when somebody else has written to its store."""

    def news(self) -> News:
        """Look at the store's metadata; called from a worker."""
        ...

    def folders(self) -> tuple[str, ...]:
        """Folders on this machine that change when the store does."""
        ...

    def again(self) -> ChunkSource:
        """The store as it is now, through the same connection; called from a worker."""
        ...

    @property
    def may_change(self) -> bool:
        """Whether somebody may write to it: nobody does to an archive."""
        ...


@runtime_checkable
class KnowsChanges(Protocol):
    """A source read anew that may know which levels are as they were."""

    def unchanged(self, level: int, attribute: str | None) -> bool:
        """Whether rows of a level, and values of an attribute, are surely as they were before."""
        ...


@runtime_checkable
class Writable(Protocol):
    """A source of a store that may be written to."""

    def writable(self) -> StoreHandle:
        """The store as it is now, open for writing; StoreError where it cannot be."""
        ...


@dataclass(frozen=True, slots=True)
class Copied:
    """What was written to a store: its vertices, and a sentence of what is not in it."""

    vertices: int
    lost: str = ""


@runtime_checkable
class CopiesObjects(Protocol):
    """A source that can write some of its objects to a store of their own."""

    def copy_objects(
        self, ids: npt.NDArray[np.int64], out: str, progress: Callable[[float], None]
    ) -> Copied:
        """Write them whole, in little memory. Called from a worker.

        Args:
            ids: (n,) ascending.
            out: Where; nothing may be there yet.
            progress: Told the share that is done; what it raises ends the work.
        """
        ...


@runtime_checkable
class KnowsFingerprint(Protocol):
    """A source that can tell what its store's metadata says, in short."""

    def fingerprint(self) -> Fingerprint:
        """Of the store as it was read; called from a worker."""
        ...


@runtime_checkable
class KnowsShapes(Protocol):
    """A source that may list objects told by coefficients."""

    def shapes(self) -> tuple[ParametricObject, ...]:
        """Read them; called from a worker."""
        ...


@runtime_checkable
class KnowsObjects(Protocol):
    """A source that may have a table of objects."""

    def objects(self) -> ObjectReader | None:
        """What reads the table; None where there are no objects."""
        ...


@runtime_checkable
class KnowsAttributes(Protocol):
    """A source that can tell what a level has."""

    def attributes_of(self, level: int) -> frozenset[str]:
        """Names of the attributes of vertices that a level keeps; called from a worker."""
        ...


@runtime_checkable
class KnowsRowObjects(Protocol):
    """A source of points that may tell which object each belongs to."""

    def objects_of_rows(
        self, level: int, chunks: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], int, int]:
        """(ids, fetched bytes, requests) of the rows stored in chunks, in order; called in workers.

        ``NO_OBJECT`` for a row of none, and where the level does not keep the ids of level 0.
        """
        ...


@runtime_checkable
class KnowsPlaces(Protocol):
    """A source that can tell where objects run."""

    def chunks_of_objects(
        self, ids: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Chunks of the finest level; called from a worker.

        Args:
            ids: Of the objects; unknown ones are passed over.

        Returns:
            (n,) ids found, ascending; (n + 1,) and (T, R): object ``i`` runs through
            ``chunks[start[i]:start[i + 1]]``.
        """
        ...
