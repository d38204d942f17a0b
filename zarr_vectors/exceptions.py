"""Errors of the library: one tree, so that one ``except`` catches what a store can do wrong.

A message is one sentence naming what, where, expected and got. What a store says of itself is in
many of them, so that they are made plain text here, whoever prints them.
"""

from __future__ import annotations

from zarr_vectors._text import plain


class ZVError(Exception):
    """Base of every error raised on purpose."""

    def __init__(self, message: str = "") -> None:
        super().__init__(plain(message))


ZVFError = ZVError
"""Older name of :class:`ZVError`."""


class ZVWarning(UserWarning):
    """What a store says that cannot be told from its bytes, and what is returned instead."""

    def __init__(self, message: str = "") -> None:
        super().__init__(plain(message))


class StoreError(ZVError):
    """A store, level or key that is missing, unreadable, unwritable or not a Zarr Vectors store."""


class StoreUnreachable(StoreError):
    """A place that did not answer, or not well enough: nothing is wrong with what it holds.

    Trying again later may help; of any other error it does not.

    Attributes:
        trouble: One of ``TROUBLES``.
    """

    def __init__(self, message: str, *, trouble: str = "offline") -> None:
        super().__init__(message)
        self.trouble = trouble


TROUBLES = ("offline", "timeout", "throttled", "server", "cut")
"""No connection; no answer in time; asked to slow down; an error of the server; half an answer."""


class StoreUnlistable(StoreError):
    """A place that does not tell which keys it holds, as a plain web server, and was asked to."""


class AccessRefused(StoreError):
    """A place that may not be read, or written to, by whoever asked; says who that was."""


class Cancelled(ZVError):
    """The caller gave up on what it had asked for; see ``core.backends.CancelScope``."""


class MetadataError(ZVError):
    """Metadata that is malformed or contradicts itself."""


class ArrayError(ZVError):
    """Array data that is damaged, or arguments that do not fit the array.

    Attributes:
        array: Logical path of the array, where one is to blame.
        chunk: Coordinates of the chunk, where one is to blame.
    """

    def __init__(
        self, message: str, *, array: str | None = None, chunk: tuple[int, ...] | None = None
    ) -> None:
        super().__init__(message)
        self.array = array
        self.chunk = chunk


class ChunkingError(ZVError):
    """Positions or shapes that cannot be cut into chunks."""


class ConventionError(ZVError):
    """A stored convention that is unknown or does not allow the request."""


class ValidationError(ZVError):
    """A store that breaks the format."""


class IngestError(ZVError):
    """Input that cannot be turned into a store."""


class ExportError(ZVError):
    """A store that cannot be turned into another format."""


class CoarseningError(ZVError):
    """A coarser level that cannot be built as asked."""


class DracoError(ZVError):
    """A Draco bitstream that is damaged or cannot be decoded here."""
