"""Many values read into one buffer, against the same values read one by one."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.core.backends import local_reads
from zarr_vectors.core.backends.joined import ABSENT
from zarr_vectors.core.backends.local import LocalBackend
from zarr_vectors.core.paths import check_key, check_keys
from zarr_vectors.exceptions import StoreError

VALUES = {f"a/c/{i}/{j}": bytes([i, j]) * (7 * i + j) for i in range(3) for j in range(4)}
KEYS = [*VALUES, "a/c/9/9", "a/c/1", "none", "a/c/0/3"]
"""With an absent key, a folder, an absent folder, and a key of a folder left before."""


@pytest.fixture(params=["one call", "one by one", "without readv"])
def place(tmp_path, monkeypatch, request):
    if request.param == "one by one":
        monkeypatch.setattr("zarr_vectors.core.backends.beneath._find_openat2", lambda: None)
    if request.param == "without readv":
        monkeypatch.setattr(local_reads, "_read_parts", local_reads._read_in_turn)
    made = LocalBackend(tmp_path, read_only=False)
    made.put_many(VALUES)
    return made


@pytest.mark.parametrize("head", [0, 8])
@pytest.mark.parametrize("room", [None, 0, 5, 4096])
def test_as_one_by_one(place, head, room):
    given = None if room is None else np.full(room, 255, np.uint8)
    found = place.get_joined(KEYS, head, given)
    alone = {key: data for k in KEYS for key, data in place.get_many([k]).items()}
    assert place.get_many(KEYS) == alone
    expected = [alone.get(key) for key in KEYS]
    assert found.sizes.tolist() == [ABSENT if v is None else len(v) for v in expected]
    assert found.data.tobytes() == b"".join(v[head:] for v in expected if v is not None)
    heads = [(v or b"")[:head].ljust(head, b"\0") for v in expected]
    assert found.heads.tobytes() == b"".join(heads)
    assert found.bodies().sum() == len(found.data)
    if room == 4096:
        assert np.shares_memory(found.data, given)


def test_a_value_larger_than_the_room(place):
    large = os.urandom(200_000)
    place.put_many({"large": large, "small": b"xy"})
    found = place.get_joined(["small", "large", "small"], 1)
    assert found.data.tobytes() == b"y" + large[1:] + b"y"


def test_no_link_leads_out(place, tmp_path_factory):
    root = place.local_path
    (root / "a/c/0/in").symlink_to(root / "a/c/2/3")
    assert place.get_joined(["a/c/0/0", "a/c/0/1", "a/c/0/in"]).sizes[-1] == len(VALUES["a/c/2/3"])
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret").write_bytes(b"secret")
    (root / "a/c/0/out").symlink_to(outside / "secret")
    (root / "a/c/way").symlink_to(outside)
    for keys in (["a/c/0/0", "a/c/0/1", "a/c/0/out"], ["a/c/way/secret"] * 3):
        with pytest.raises(StoreError, match="out of the store"):
            place.get_joined(keys)


def test_what_is_asked_is_counted(place):
    before = place.stats.total.requests
    found = place.get_joined(list(VALUES), 2)
    assert place.stats.total.requests == before + len(VALUES)
    assert place.stats.total.bytes_read >= len(found.data)


letters = st.text("abcnopmrxul019/._\n-A\\ ", max_size=12)


@given(st.lists(letters, max_size=6))
def test_keys_are_checked_together_as_alone(keys):
    try:
        for key in keys:
            check_key(key)
    except StoreError:
        with pytest.raises(StoreError):
            check_keys(keys)
    else:
        check_keys(keys)
