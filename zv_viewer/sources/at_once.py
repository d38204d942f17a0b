"""Calls that wait for a network, made together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

THREADS = 8


def at_once(call: Callable[[T], R], items: Iterable[T]) -> list[R]:
    """Results of ``call`` on each item, in order; the first error is raised.

    What the caller's context holds, such as a scope that gives requests up, holds for all.
    """
    with ThreadPoolExecutor(THREADS) as pool:
        futures = [pool.submit(copy_context().run, call, item) for item in items]
        return [future.result() for future in futures]
