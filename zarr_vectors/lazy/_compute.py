"""Work put off until asked for: Dask where it is loaded or asked for, else a stand-in alike."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any, Generic, Protocol, TypeVar, cast

T_co = TypeVar("T_co", covariant=True)


class Deferred(Protocol[T_co]):
    """Anything with a ``compute``."""

    def compute(self) -> T_co:
        """Do the work."""
        ...


class Later(Generic[T_co]):
    """A call that has not been made yet."""

    def __init__(self, call: Callable[[], T_co], label: str) -> None:
        self._call = call
        self._label = label

    def __repr__(self) -> str:
        return f"Later({self._label})"

    def compute(self) -> T_co:
        """Make the call."""
        return self._call()


def later(call: Callable[[], T_co], label: str) -> Deferred[T_co]:
    """A call put off; nothing is imported for it."""
    return Later(call, label)


def delayed(call: Callable[[], T_co], label: str) -> Deferred[T_co]:
    """A call put off as ``dask.delayed`` where Dask is installed."""
    if find_spec("dask") is None:
        return Later(call, label)
    from dask.delayed import delayed as dask_delayed

    make = cast("Callable[..., Any]", dask_delayed)
    return cast("Deferred[T_co]", make(call, name=None, pure=False)())
