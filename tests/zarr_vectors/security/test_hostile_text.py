"""Names of strangers are shown as text: no terminal obeys them, no sentence is hidden by them."""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors._text import MOST_CHARACTERS, plain
from zarr_vectors.constants import NODE, ROOT_KEY
from zarr_vectors.exceptions import ArrayError, StoreError, ZVWarning
from zarr_vectors.types.points import write_points
from zarr_vectors.validate import validate
from zv_viewer.cli import main

OBEYED = (
    "\x1b[2J\x1b]0;owned\x07",
    "\u202egnp.exe",
    "a\rb",
    "a\nb: no errors",
    "\x9b31m",
    "\u2066x",
)
OBEYED += ("\ud800", "\u200b", "\u2028", "\x00", "\x7f\x08")


@pytest.mark.parametrize("name", OBEYED)
def test_an_error_shows_what_is_not_printed(name: str) -> None:
    for error in (StoreError(f"no array {name}"), ArrayError(f"no array {name}", array="x")):
        assert str(error).isprintable()
        assert str(error).startswith("no array ")
        assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - of this test
    with pytest.warns(ZVWarning) as told:
        warnings.warn(f"no array {name}", ZVWarning, stacklevel=1)
    assert str(told[0].message).isprintable()


def test_a_long_name_is_cut_in_the_middle() -> None:
    text = str(StoreError("the store " + "x" * 10**6 + " has no root"))
    assert len(text) < MOST_CHARACTERS + 50
    assert text.startswith("the store xx")
    assert text.endswith("xx has no root")
    assert "999" in text


@given(st.text())
def test_printable_text_stays_as_it_is(text: str) -> None:
    shown = plain(text)
    assert shown.isprintable()
    assert (shown == text) == text.isprintable()


@pytest.mark.parametrize("name", OBEYED[:4])
@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
def test_what_info_and_validation_say(
    name: str, version: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names of axes, units, geometry and attributes of a store that was edited."""
    write_points(
        tmp_path / "s",
        np.zeros((3, 3)),
        chunk_shape=(1.0,) * 3,
        vertex_attributes={"age": np.arange(3)},
        attribute_units={"age": "year"},
        format_version=version,
    )
    for path in (tmp_path / "s").rglob(NODE):
        document = json.loads(path.read_text())
        attributes = document.get("attributes", {})
        for axis in attributes.get(ROOT_KEY, {}).get("axes", []):
            axis["name"], axis["unit"] = f"{axis['name']}{name}", name
        if "unit" in attributes:
            attributes["unit"] = name
        path.write_text(json.dumps(document))
    result = validate(tmp_path / "s")
    assert all(text.isprintable() for text in (*result.errors, *result.warnings))
    for flags in ([], ["--json"]):
        main(["info", *flags, str(tmp_path / "s")])
        said = capsys.readouterr()
        shown = (said.out + said.err).replace("\n", "")
        assert shown
        assert shown.isprintable()
