"""Resources and typing markers are found through the packages, wherever those are installed."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest


@pytest.mark.parametrize("name", ["icon.svg", "icon.png"])
def test_the_icon_is_there(name: str) -> None:
    assert len(files("zv_viewer").joinpath("resources", name).read_bytes()) > 500


@pytest.mark.parametrize(
    "name",
    [
        "samples.json",
        "flights/default.json",
        "colormaps/categorical.json",
        "view-state.schema.json",
    ],
)
def test_a_data_file_is_json(name: str) -> None:
    text = files("zv_viewer").joinpath("resources", *name.split("/")).read_text(encoding="utf-8")
    assert isinstance(json.loads(text), dict)


def test_colours_for_categories_are_distinct_colours() -> None:
    path = files("zv_viewer").joinpath("resources", "colormaps", "categorical.json")
    palette = json.loads(path.read_text(encoding="utf-8"))
    colours = [*palette["colors"], palette["missing"]]
    assert len(set(colours)) == len(colours) >= 20
    assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in colours)


@pytest.mark.parametrize("package", ["zarr_vectors", "zv_viewer"])
def test_a_package_says_that_it_is_typed(package: str) -> None:
    assert files(package).joinpath("py.typed").is_file()
