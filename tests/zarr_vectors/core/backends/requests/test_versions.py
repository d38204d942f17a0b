"""Which answers are from before: by the tags and times of services."""

from __future__ import annotations

import random

import pytest

from zarr_vectors.core.backends.requests import Version, Versions
from zarr_vectors.core.backends.requests.versions import MOST_KEYS


def test_an_earlier_time_is_older_and_a_later_one_is_not() -> None:
    seen = Versions()
    assert not seen.is_older("k", Version("b", 20))
    assert seen.is_older("k", Version("a", 10))
    assert not seen.is_older("k", Version("b", 20))
    assert not seen.is_older("k", Version("c", 30))
    assert seen.is_older("k", Version("b", 20))
    assert seen.newest == 30
    assert not seen.is_older("other", Version("a", 10))


def test_within_one_second_tags_tell() -> None:
    seen = Versions()
    for tag in "abc":
        assert not seen.is_older("k", Version(tag, 10))
    assert seen.is_older("k", Version("a", 10))
    assert seen.is_older("k", Version("b", 10))
    assert not seen.is_older("k", Version("c", 10))


def test_what_was_replaced_by_us_is_older_before_it_was_read_again() -> None:
    seen = Versions()
    assert not seen.is_older("k", Version("a", 10))
    seen.wrote("k", "b")
    assert seen.is_older("k", Version("a", 10))
    assert not seen.is_older("k", Version("b", 10))
    seen.wrote("k", "")
    assert seen.is_older("k", Version("b", 10))


def test_old_content_stored_again_is_new() -> None:
    seen = Versions()
    assert not seen.is_older("k", Version("a", 10))
    assert not seen.is_older("k", Version("b", 20))
    assert not seen.is_older("k", Version("a", 30))
    seen.wrote("j", "x")
    seen.wrote("j", "y")
    seen.wrote("j", "x")
    assert not seen.is_older("j", Version("x", 5))


@pytest.mark.parametrize("version", [Version("", 0), Version("a", 0), Version("", 5)])
def test_services_that_tell_little_are_believed(version: Version) -> None:
    seen = Versions()
    for _ in range(3):
        assert not seen.is_older("k", version)
    assert seen.of("k") == str(version)
    assert seen.of("none") == ""


def test_any_order_of_stale_answers_is_noticed() -> None:
    chance = random.Random(0)  # noqa: S311 - chance, not secrecy
    for _ in range(300):
        seen = Versions()
        history = [Version(f"t{n}", chance.choice([0, n // 2 + 1])) for n in range(6)]
        newest = -1
        for _ in range(20):
            n = chance.randrange(min(newest + 2, 6))
            older = seen.is_older("k", history[n])
            assert older == (n < newest)
            newest = max(newest, n)


def test_memory_is_bounded() -> None:
    seen = Versions()
    for number in range(MOST_KEYS + 10):
        seen.is_older(str(number), Version("a", 1))
    assert len(seen._known) == MOST_KEYS
    assert seen.of("0") == ""
