"""View-state files by somebody else: a view that is what the schema says, or one sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from zv_viewer.errors import InputError
from zv_viewer.state import BadView, digest_of, document_of, text_of, view_of_document, view_of_text
from zv_viewer.state.path import path_json, path_of_document
from zv_viewer.testing.hostile_views import harmed
from zv_viewer.views.places import plain_address

QUIET = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=20,
)

HUNTER = "hunter2-0123456789"
WATCHED = {"open", "exec", "compile", "import", "subprocess.Popen", "os.system", "socket.connect"}
_seen: list[str] | None = None


def _hook(event: str, args: tuple[object, ...]) -> None:
    if _seen is not None and event in WATCHED:
        _seen.append(f"{event} {args[:1]}")


sys.addaudithook(_hook)


@contextmanager
def nothing_is_touched() -> Iterator[None]:
    """No file, program or address, and no code is run."""
    global _seen
    _seen = []
    try:
        yield
        assert _seen == []
    finally:
        _seen = None


def refused(call: Callable[[Any], Any], value: Any) -> Any:
    """What comes of it; None where it is refused in one short sentence."""
    try:
        with nothing_is_touched():
            return call(value)
    except InputError as error:
        said = str(error)
        assert said
        assert "\n" not in said
        assert len(said) < 400
        return None


@pytest.fixture(autouse=True)
def known(whole_view) -> None:
    """Types are looked up the first time; that is no look at the file."""
    view = document_of(view_of_document(document_of(whole_view)))["view"]
    path_of_document(way(view))


def way(view: dict[str, Any]) -> dict[str, Any]:
    frames = [{"seconds": float(k), "view": view} for k in range(3)]
    return {"format": "zv-camera-path", "version": 1, "keyframes": frames}


def draws(data: st.DataObject) -> Callable[[int], int]:
    return lambda count: data.draw(st.integers(0, count - 1))


@QUIET
@given(st.data())
def test_a_harmed_view_is_a_view_or_refused(whole_view, data: st.DataObject) -> None:
    document = harmed(document_of(whole_view), draws(data), data.draw(st.integers(1, 4)))
    view = refused(view_of_document, document)
    if view is not None:
        again = document_of(view)
        assert digest_of(document_of(view_of_document(again))) == digest_of(again)
    text = json.dumps(document)
    read = refused(view_of_text, text)
    assert read is None or view is not None
    if read is not None:
        assert text_of(document_of(read)) == text_of(document_of(view))


@QUIET
@given(st.data())
def test_a_harmed_way_is_a_way_or_refused(whole_view, data: st.DataObject) -> None:
    document = way(document_of(whole_view)["view"])
    path = refused(path_of_document, harmed(document, draws(data), data.draw(st.integers(1, 3))))
    if path is not None:
        assert path_of_document(path_json(path)) == path
        for seconds in (0.0, 0.7, path.seconds):
            path.at(seconds)


@QUIET
@given(ANY_JSON)
def test_any_json_is_refused(value: Any) -> None:
    assert refused(view_of_document, value) is None
    assert refused(path_of_document, value) is None
    assert refused(view_of_text, json.dumps(value)) is None


@QUIET
@given(st.text(max_size=200))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(BadView):
        view_of_text(text)


@QUIET
@given(
    st.sampled_from(["https", "http", "s3", "gs", "az", "file", "S3", "ftp"]),
    st.from_regex(r"[a-z]{1,5}(:[^@/\x00-\x20]{0,8})?", fullmatch=True),
    st.text(alphabet="abc%/.&=", max_size=12),
)
def test_no_secret_of_an_address_is_kept(scheme: str, user: str, path: str) -> None:
    for address in (
        f"{scheme}://{user}:{HUNTER}@host.example/{path}",
        f"{scheme}://host.example/{path}?{user}={HUNTER}",
        f"{scheme}://{HUNTER}@host.example/{path}#{HUNTER}",
        f" {scheme}://host.example/{path}?a=b&sig={HUNTER} ",
    ):
        assert HUNTER not in plain_address(address), address
