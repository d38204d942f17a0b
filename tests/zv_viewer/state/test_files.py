"""View-state files: what is written is read again, and nothing else is read."""

from __future__ import annotations

import copy
import json
import math
import os
from dataclasses import replace

import numpy as np
import pytest

from zv_viewer.errors import InputError
from zv_viewer.state import (
    BadView,
    digest_of,
    document_of,
    read_view_file,
    text_of,
    view_of_document,
    view_of_text,
)
from zv_viewer.state.schema import CAMERA_PATH, check, published_schema

jsonschema = pytest.importorskip("jsonschema", reason="comes with napari")


def test_a_view_is_read_as_it_was_written(whole_view) -> None:
    text = text_of(document_of(whole_view))
    again = view_of_text(text)
    assert text_of(document_of(again)) == text
    # NaN, an axis that does not count, is not equal to itself
    ball, was = again.layers[0].filters[3], whole_view.layers[0].filters[3]
    assert (ball.centre[0], ball.radius) == (was.centre[0], was.radius)
    assert math.isnan(ball.centre[1])
    rules = list(again.layers[0].filters)
    rules[3] = was
    assert replace(again, layers=(replace(again.layers[0], filters=tuple(rules)),)) == whole_view


def test_the_digest_is_of_what_is_said_not_of_how_it_is_written(whole_view) -> None:
    document = document_of(whole_view)
    turned = dict(reversed(document.items()))
    assert digest_of(json.loads(json.dumps(turned))) == digest_of(document)
    document["view"]["zoom"] += 1e-9
    assert digest_of(document) != digest_of(turned | {"view": document_of(whole_view)["view"]})


def test_the_schema_is_one_and_the_file_is_what_it_says(whole_view) -> None:
    schema = published_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(document_of(whole_view))


def places(value, path=()):
    """Where anything is in a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


ODD = (None, True, "x", "", -1, 0, 1, 2, 0.5, 1e300, -(2**70), [], {}, [1, 2], {"rule": "in_box"})


def test_our_check_agrees_with_json_schema(whole_view) -> None:
    """Fields put in, taken out and replaced at random are judged as a validator judges them."""
    validator = jsonschema.Draft202012Validator(published_schema())
    chance, document = np.random.default_rng(5), document_of(whole_view)
    everywhere = list(places(document))[1:]
    good = 0
    for _ in range(400):
        changed = copy.deepcopy(document)
        *above, last = everywhere[chance.integers(len(everywhere))]
        owner = changed
        for key in above:
            owner = owner[key]
        kind = chance.integers(3)
        if kind == 0:
            del owner[last]
        elif kind == 1:
            owner[last] = ODD[chance.integers(len(ODD))]
        elif isinstance(owner, dict):
            owner["colour"] = 1
        else:
            owner.append(ODD[chance.integers(len(ODD))])
        try:
            check(changed)
        except InputError as error:
            ours = str(error)
            assert "\n" not in ours
        else:
            ours = ""
        assert (not ours) == validator.is_valid(changed), (above, last, ours)
        good += not ours
    assert 20 < good < 380


def test_a_camera_path_is_in_the_same_schema(whole_view) -> None:
    view = document_of(whole_view)["view"]
    path = {"format": "zv-camera-path", "version": 1, "keyframes": [{"seconds": 0, "view": view}]}
    check(path, CAMERA_PATH)
    path["keyframes"][0]["then"] = 1
    with pytest.raises(InputError, match=r"keyframes\[0\] has a field 'then'"):
        check(path, CAMERA_PATH)


def said(text: str) -> str:
    with pytest.raises(BadView) as caught:
        view_of_text(text)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 300
    return message


def test_hostile_texts_are_refused_in_one_sentence(whole_view) -> None:
    good = text_of(document_of(whole_view))
    assert "nested" in said("[" * 100_000)
    assert "nested" in said('{"a":' * 5_000 + "1" + "}" * 5_000)
    assert "NaN is no number" in said(good.replace('"zoom": 2.5', '"zoom": NaN'))
    assert "Infinity is no number" in said(good.replace('"zoom": 2.5', '"zoom": -Infinity'))
    assert "too large" in said(good.replace('"zoom": 2.5', '"zoom": 1e999'))
    assert "digits" in said(good.replace('"zoom": 2.5', '"zoom": ' + "9" * 100_000))
    assert "twice" in said(good.replace('"zoom": 2.5', '"zoom": 2.5, "zoom": 3'))
    assert "nobody knows" in said(good.replace('"zoom"', '"__class__": 1, "zoom"', 1))
    assert "nobody knows" in said(good.replace('"url"', '"storage_options": {}, "url"', 1))
    assert "kind" in said(good.replace('"rule": "in_box"', '"rule": "os.system"'))
    assert "version 2" in said(good.replace('"version": 1', '"version": 2'))
    assert "order of axes" in said(good.replace("   3,\n   2,\n   1", "   3,\n   3,\n   1", 1))
    assert "is no JSON" in said("import os")
    assert "is no object" in said("[]")
    assert "is no object" in said("null")


def test_a_deep_string_is_no_depth(whole_view) -> None:
    layer = replace(whole_view.layers[0], name='[[{"\\' * 100)
    text = text_of(document_of(replace(whole_view, layers=(layer,))))
    assert view_of_text(text).layers[0].name == layer.name


def test_files_that_are_none(tmp_path, whole_view) -> None:
    for name, content, what in (
        ("large", b"[" + b" " * (16 << 20), "larger than 16 MiB"),
        ("binary", b"\xff\xfe\x00", "no UTF-8"),
        ("program", b"#!/bin/sh\nrm -rf ~\n", "holds no view: it is no JSON"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=what):
            read_view_file(tmp_path / name)
    with pytest.raises(InputError, match="no file"):
        read_view_file(tmp_path)
    os.mkfifo(tmp_path / "pipe")  # would wait for ever
    with pytest.raises(InputError, match="no file"):
        read_view_file(tmp_path / "pipe")


def test_reading_opens_no_other_file(tmp_path, whole_view) -> None:
    import sys

    layer = replace(whole_view.layers[0], url="/etc/passwd", name="../../x")
    file = tmp_path / "view.json"
    file.write_text(text_of(document_of(replace(whole_view, layers=(layer,)))), encoding="utf-8")
    published_schema()
    opened: list[str] = []
    watching = True

    def hook(event: str, args: tuple[object, ...]) -> None:
        if watching and event in {"open", "exec", "compile", "import", "subprocess.Popen"}:
            opened.append(f"{event} {args[0]}")

    sys.addaudithook(hook)
    try:
        view = read_view_file(file)
    finally:
        watching = False
    assert opened == [f"open {file}"]
    assert view.layers[0].url == "/etc/passwd"


def test_a_view_with_a_number_that_is_none_is_not_written(whole_view) -> None:
    view = replace(whole_view, view=replace(whole_view.view, zoom=0.0))
    with pytest.raises(InputError, match="zoom is less than 1e-18"):
        document_of(view)
    assert view_of_document(document_of(whole_view)).caps == whole_view.caps
