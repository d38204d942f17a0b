"""The plugin manifest, found by the distribution's name, and the functions it names."""

from __future__ import annotations

import importlib
import inspect
from importlib.resources import files

import pytest

npe2 = pytest.importorskip("npe2", reason="the plugin manifest needs the viewer extra")


@pytest.fixture(scope="module")
def manifest() -> object:
    return npe2.PluginManifest.from_distribution("zv-viewer")


def test_it_is_found_by_distribution_name(manifest) -> None:
    assert manifest.name == "zv-viewer"
    assert manifest.package_metadata.version


def test_every_command_names_a_function_that_exists(manifest) -> None:
    manifest.validate_imports()
    for command in manifest.contributions.commands:
        module, _, name = command.python_name.partition(":")
        assert callable(getattr(importlib.import_module(module), name))


def test_docks_are_made_from_the_menu_and_from_python(manifest) -> None:
    """napari looks for the viewer in two places."""
    names = {command.id: command.python_name for command in manifest.contributions.commands}
    for widget in manifest.contributions.widgets:
        module, _, name = names[widget.command].partition(":")
        make = getattr(importlib.import_module(module), name)
        for call in (make, make.__init__):
            assert list(inspect.signature(call).parameters) == ["napari_viewer"], name


def test_every_contribution_uses_a_command_of_ours(manifest) -> None:
    known = {command.id for command in manifest.contributions.commands}
    contributions = manifest.contributions
    used = {item.command for item in contributions.readers}
    used |= {item.command for item in contributions.widgets}
    used |= {item.command for item in contributions.sample_data}
    used |= {item.command for menu in contributions.menus.values() for item in menu}
    assert used == known


def test_the_menus_are_ones_that_napari_offers(manifest) -> None:
    actions = pytest.importorskip("napari._app_model.constants", reason="needs napari")
    offered = {member.value for member in actions.MenuId}
    assert set(manifest.contributions.menus) <= offered


def test_the_icon_is_in_the_package(manifest) -> None:
    package, _, name = manifest.icon.partition(":")
    assert files(package).joinpath(name).is_file()
