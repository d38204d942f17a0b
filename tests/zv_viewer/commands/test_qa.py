"""``zv-view qa`` as it is called."""

from __future__ import annotations

import base64
import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

from zarr_vectors.lazy import open_zv
from zv_viewer.cli import main
from zv_viewer.qa.report import Report
from zv_viewer.testing.pyramid_faults import plant_hole
from zv_viewer.testing.pyramid_scenes import a_scene, make_pyramid

pytestmark = pytest.mark.once


def test_a_sound_pyramid_exits_with_0_and_its_errors_are_stored(tmp_path, capsys):
    store = tmp_path / "s"
    make_pyramid(a_scene("objects"), store, "0.9.2")
    before = open_zv(str(store))[1].error
    assert main(["qa", str(store), "--json", str(tmp_path / "r.json"), "--write-errors"]) == 0
    assert "0 errors" in capsys.readouterr().out
    report = Report.from_json(json.loads((tmp_path / "r.json").read_text()))
    written = open_zv(str(store))[1].error
    assert written.p95 == report.levels[1].error_p95
    assert 0 < written.p95 <= before.p95


def test_a_hole_exits_with_1_and_is_on_the_page(tmp_path, capsys):
    store, page = tmp_path / "s", tmp_path / "r.html"
    plant_hole(a_scene("points"), store, "0.7.0")
    assert main(["qa", str(store), "--html", str(page)]) == 1
    said = capsys.readouterr().out
    assert "error: hole at level 1 (chunk 0.0.0)" in said
    assert "build_pyramid" in said
    text = page.read_text()
    assert "hole" in text
    drawings = re.findall(r"<svg.*?</svg>", text)
    assert len(drawings) >= 4
    for drawing in drawings:
        ElementTree.fromstring(drawing)  # noqa: S314  ours
    pictures = re.findall(r"<img src='data:image/png;base64,([^']+)'", text)
    assert len(pictures) == 3  # a level each
    assert all(base64.b64decode(picture).startswith(b"\x89PNG") for picture in pictures)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nothing"], "there is no store at"),
        (["."], "is not a Zarr Vectors store"),
        (["nothing", "--html", "no/r.html"], "does not exist"),
        (["nothing", "--json", "."], "is a folder"),
    ],
)
def test_bad_input_is_told_in_a_sentence(words, told, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["qa", *words]) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
