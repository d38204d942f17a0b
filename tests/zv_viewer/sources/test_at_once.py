"""Calls made together: results in order, the caller's context, the first error."""

import threading

import pytest

from zarr_vectors.core.backends import CancelScope
from zarr_vectors.core.backends.requests.cancelling import current_scope
from zv_viewer.sources.at_once import at_once


def test_they_run_together_within_the_callers_scope() -> None:
    together = threading.Barrier(3)

    def call(number: int) -> tuple[int, object]:
        together.wait(10)
        return number, current_scope()

    with CancelScope() as scope:
        found = at_once(call, [3, 1, 2])
    assert found == [(3, scope), (1, scope), (2, scope)]


def test_the_first_error_is_raised() -> None:
    def fail(number: int) -> int:
        if number > 1:
            raise ValueError(str(number))
        return number

    with pytest.raises(ValueError, match="2"):
        at_once(fail, [1, 2, 3])
    assert at_once(fail, []) == []
