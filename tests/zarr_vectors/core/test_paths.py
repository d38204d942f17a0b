from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.core import paths
from zarr_vectors.exceptions import ArrayError, StoreError

RESERVED = ["con", "PRN", "Aux", "nul", "COM1", "lpt9", "nul.txt", "CON.", "aux .x", "CONIN$"]
SEGMENTS = ["", ".", "..", "a\\b", "\\\\host\\share", "a\0", "\0", "a\nb", "C:", "C:x", "c:\\x"]
SEGMENTS += ["x.", "x ", "...", " ", "\x7f", "\ud800", "n" * 256, "é" * 128, *RESERVED]
HOSTILE = sorted(
    {
        form.format(name)
        for name, form in itertools.product(
            SEGMENTS, ["{}", "0/{}", "{}/x", "0/{}/zarr.json", "0/vertices/{}/c/0", "../{}"]
        )
    }
    | {"/etc/passwd", "//host/share", "a//b", "a/", "/", "0/../../x", "..", "a/./b"}
)
HARMLESS = ["gene", "0", "-1.0.3", "+1.0.-1_+1.0.0", "a b", "größe", "__shard_000001", "console"]
HARMLESS += ["com", "com10", "x.y", ".hidden", "a" * 255, "100%", "auxiliary"]


def test_there_are_enough_hostile_names() -> None:
    assert len(HOSTILE) >= 150


@pytest.mark.parametrize("key", [key for key in HOSTILE if key != ""])
def test_hostile_keys_are_refused(key: str) -> None:
    with pytest.raises(StoreError, match="not allowed"):
        paths.check_key(key)
    with pytest.raises(StoreError, match="not allowed"):
        paths.join("0", key, "zarr.json")


@pytest.mark.parametrize("name", HARMLESS)
def test_harmless_names_pass(name: str) -> None:
    assert paths.check_name(name) == name
    assert paths.join("0", "vertex_attributes", name) == f"0/vertex_attributes/{name}"


@pytest.mark.parametrize("name", ["gene:b", "a|b", "what?", 'a"b', "a*", "<x>"])
def test_some_names_only_windows_cannot_keep(name: str) -> None:
    assert paths.name_fault(name, windows=False) is None
    assert paths.name_fault(name, windows=True) is not None


@given(st.text(max_size=20))
def test_the_fast_check_never_lets_through_what_the_slow_one_refuses(key: str) -> None:
    faults = [paths.name_fault(segment, windows=False) for segment in key.split("/")]
    if any(faults):
        with pytest.raises(StoreError):
            paths.check_key(key)
    else:
        assert paths.check_key(key) == key


@given(st.text("/.CONconNULnul123abc_", max_size=12))
def test_the_two_checks_agree_on_nearly_reserved_names(key: str) -> None:
    refused = any(paths.name_fault(segment, windows=False) for segment in key.split("/"))
    try:
        paths.check_key(key)
    except StoreError:
        assert refused
    else:
        assert not refused


def test_a_name_that_would_hide_a_document_is_refused() -> None:
    for name in ("zarr.json", "Zarr.JSON"):
        with pytest.raises(StoreError, match=r"zarr\.json"):
            paths.check_name(name)


def test_messages_show_names_safely() -> None:
    with pytest.raises(StoreError) as caught:
        paths.check_name("\x1b[31m" + "x" * 5000)
    assert "\x1b" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_parents_of_a_path() -> None:
    assert paths.parents("0/vertex_attributes/gene") == ["", "0", "0/vertex_attributes"]
    assert paths.parents("") == []


def test_array_paths() -> None:
    assert paths.array_path(2, "vertex_attributes", "gene") == "2/vertex_attributes/gene"
    with pytest.raises(StoreError, match="level"):
        paths.array_path(-1, "vertices")
    with pytest.raises(StoreError, match="not allowed"):
        paths.array_path(0, "vertex_attributes", "a/b")


@given(st.integers(-999, 999))
def test_deltas_come_back(delta: int) -> None:
    assert paths.parse_delta(paths.format_delta(delta)) == delta


@given(st.lists(st.tuples(*[st.integers(-99, 99)] * 3), max_size=3))
def test_offsets_come_back(offsets: list[tuple[int, ...]]) -> None:
    assert paths.parse_offsets(paths.format_offsets(offsets)) == offsets


def test_documented_segments() -> None:
    assert paths.format_offsets([(1, -1, 0), (1, 0, 0)]) == "+1.-1.0_+1.0.0"
    assert [paths.format_delta(d) for d in (0, 1, -2)] == ["0", "+1", "-2"]
    for text in ("1", "+0", "-0", "", "+", "00"):
        assert paths.parse_delta(text) is None
        assert paths.parse_offsets(text) is None


def test_levels_are_bare_integers() -> None:
    assert paths.level_numbers(["10", "2", "0", "parametric", "-1", "1.0", "01"]) == [0, 2, 10]


def test_rank_is_named() -> None:
    paths.check_rank((1, 2), 2, "0/vertices")
    with pytest.raises(ArrayError, match="expected 3"):
        paths.check_rank((1, 2), 3, "0/vertices")
