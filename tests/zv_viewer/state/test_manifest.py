"""What a picture was made of, and why another one of the same view differs."""

from __future__ import annotations

import json

from zv_viewer.state.manifest import (
    DrawnChunk,
    DrawnStore,
    PictureFile,
    manifest,
    parse_manifest,
    why_other,
)
from zv_viewer.state.writing import text_of


def made(whole_view, sha="1", rows=5, digest="d", state="s", renderer="soft", chunk=(0, 1)):
    printed = whole_view.layers[0].fingerprint
    drawn = DrawnStore("s3://b", printed, (DrawnChunk(2, chunk, rows, True, digest),))
    picture = PictureFile("p.png", sha, (4, 3))
    return manifest(picture, state, {"renderer": renderer}, [drawn])


def test_why_a_picture_is_another(whole_view) -> None:
    before = parse_manifest(text_of(made(whole_view)))
    assert before["stores"][0]["chunks"] == [
        {"level": 2, "chunk": [0, 1], "rows": 5, "in_view": True, "digest": "d"}
    ]
    assert why_other(before, made(whole_view)) == ""
    assert why_other(before, made(whole_view, "2", state="t")) == ""
    assert why_other(before, made(whole_view, "2")) == "nothing that is known has changed"
    assert why_other(before, made(whole_view, "2", renderer="card")) == (
        "renderer is card, was soft"
    )
    assert why_other(before, made(whole_view, "2", digest="e")) == (
        "chunk [0, 1] of level 2 of store 0 holds other rows"
    )
    other = why_other(before, made(whole_view, "2", chunk=(0, 2)))
    assert "chunk [0, 2] of level 2 of store 0 was not drawn" in other
    assert "chunk [0, 1] of level 2 of store 0 is not drawn any more" in other


def test_a_file_that_is_no_manifest_says_nothing(whole_view) -> None:
    now = made(whole_view)
    for text in ("", "[]", "{}", "[" * 1000, '{"format": "zv-picture-manifest"}'):
        assert why_other(parse_manifest(text), now) == ""
    odd = {**json.loads(text_of(now)), "stores": [{"chunks": [3, {"chunk": 4}]}, 5], "drawn_by": 1}
    odd["picture"] = {"sha256": "9"}
    assert why_other(odd, now)
