"""The public paths that stay, each with the parameters it is documented with."""

from __future__ import annotations

import importlib
import inspect

import pytest

FUNCTIONS = {
    "zarr_vectors.core.store:create_store": (
        "path bounds chunk_shape axes geometry_types crs ndim vertex_dtype vertex_encoding "
        "links_convention object_index_convention cross_chunk_strategy cross_level_depth "
        "cross_level_storage reduction_factor base_bin_shape format_capabilities backend "
        "format_version"
    ),
    "zarr_vectors.core.store:open_store": "path mode backend",
    "zarr_vectors.core.store:create_resolution_level": "root level level_metadata",
    "zarr_vectors.core.store:get_resolution_level": "root level",
    "zarr_vectors.core.store:list_resolution_levels": "root",
    "zarr_vectors.core.store:read_root_metadata": "root",
    "zarr_vectors.core.store:read_level_metadata": "root level",
    "zarr_vectors.lazy:open_zv": "path backend",
    "zarr_vectors.types.points:write_points": (
        "store_path positions chunk_shape vertex_attributes object_ids object_attributes groups "
        "group_attributes bin_shape bounds dtype backend chunk_by_attribute out_of_bounds "
        "format_version"
    ),
    "zarr_vectors.types.points:read_points": (
        "store_path level bbox object_ids group_ids chunks attribute_names attribute_filter backend"
    ),
    "zarr_vectors.types.graphs:write_graph": (
        "store_path positions edges chunk_shape bin_shape bounds kind vertex_attributes "
        "link_attributes object_attributes object_ids dtype backend chunk_by_attribute "
        "out_of_bounds is_tree node_attributes edge_attributes format_version"
    ),
    "zarr_vectors.types.graphs:read_graph": (
        "store_path level object_ids bbox chunks attribute_filter backend"
    ),
    "zarr_vectors.types.meshes:write_mesh": (
        "store_path vertices faces chunk_shape bin_shape bounds encoding vertex_attributes "
        "object_attributes object_ids dtype draco_quantization_bits backend chunk_by_attribute "
        "out_of_bounds format_version"
    ),
    "zarr_vectors.types.meshes:read_mesh": (
        "store_path level bbox object_ids chunks attribute_filter backend"
    ),
    "zarr_vectors.multiresolution.coarsen:build_pyramid": (
        "store_path factors chunk_scale_factors sparsity_strategy sparsity_seed "
        "cross_level_depth cross_level_storage"
    ),
    "zv_viewer:open_store": "viewer path",
    "zv_viewer:save_view": "viewer path",
    "zv_viewer:load_view": "viewer path stores force",
}

CLASSES = {
    "zarr_vectors.core.group:Group": "attrs create_group require_group array_exists list_chunks",
    "zarr_vectors.core.metadata:RootMetadata": "from_dict to_dict",
    "zarr_vectors.core.metadata:LevelMetadata": "from_dict to_dict",
    "zarr_vectors.core.backends:StorageBackend": "",
    "zarr_vectors.lazy:ZVStore": "levels chunk_shape bin_shape bounds ndim vertex_count read close",
    "zarr_vectors.lazy:ZVLevel": "vertices attributes filter vertex_count chunk_keys",
    "zarr_vectors.lazy:ZVView": "filter vertices compute",
    "zarr_vectors.lazy.level:ZVLevel": "vertices",
}

ERRORS = (
    "StoreError MetadataError ArrayError ChunkingError ConventionError ValidationError IngestError "
    "ExportError CoarseningError DracoError"
).split()


def lookup(path: str) -> object:
    module, _, name = path.partition(":")
    return getattr(importlib.import_module(module), name)


@pytest.mark.parametrize("path", FUNCTIONS)
def test_a_public_function_has_its_documented_parameters(path: str) -> None:
    function = lookup(path)
    assert inspect.isroutine(function)
    assert function.__doc__
    missing = set(FUNCTIONS[path].split()) - set(inspect.signature(function).parameters)
    assert not missing


@pytest.mark.parametrize("path", CLASSES)
def test_a_public_class_has_its_documented_members(path: str) -> None:
    thing = lookup(path)
    assert inspect.isclass(thing)
    assert thing.__doc__
    assert not [name for name in CLASSES[path].split() if not hasattr(thing, name)]


def test_errors_share_one_base() -> None:
    errors = importlib.import_module("zarr_vectors.exceptions")
    assert errors.ZVFError is errors.ZVError
    for name in ERRORS:
        assert issubclass(getattr(errors, name), errors.ZVError)


@pytest.mark.parametrize("package", ["zarr_vectors", "zv_viewer"])
def test_a_package_exports_what_it_says(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__all__
    for name in module.__all__:
        assert getattr(module, name) is not None
