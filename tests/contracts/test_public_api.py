"""Every documented name: there, with its signature, and with a test that would fail if it lied.

A row is a path, what is documented of it, and the test of its behaviour. Signatures hold the names,
kinds and defaults that are documented: ``ANY`` stands for a default that is not, ``_`` for a name
that is not. Beyond them a function may take more, all of it optional.
"""

from __future__ import annotations

import ast
import importlib
import inspect
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

TESTS = Path(__file__).resolve().parents[1]
ANY = object()
PROPERTY, CLASS, ERROR = "property", "class", "error"

TUTORIAL = "lazy/test_tutorial.py::"
AGAIN = "lazy/test_again.py::"
LAZY = "lazy/test_store.py::"
LINES = "lazy/test_polylines.py::"
LINKED = "reading/test_linked_chunks.py::"
WRITER = "lazy/test_writer.py::"
STORE = "core/test_store.py::"
SMALL = "core/test_small.py::"
GROUP = "core/test_group.py::"
CHUNKS = "core/arrays/test_chunks.py::"

COMMON = (
    "bin_shape=None, bounds=None, dtype='float32', backend=None, chunk_by_attribute=None, "
    "out_of_bounds='raise', format_version=ANY"
)
FILTERS = "level=0, bbox=None, object_ids=None, group_ids=None, chunks=None"

ROWS: list[tuple[str, str, str]] = [
    # lazy: stores
    (
        "lazy:open_zv",
        "(path, *, backend=None, **backend_kwargs)",
        TUTORIAL + "test_another_driver_in_place",
    ),
    (
        "lazy:open_zv",
        "(path, *, cache_size=ANY, n_workers=ANY)",
        TUTORIAL + "test_caches_and_workers",
    ),
    ("lazy:ZVStore", "(root, meta)", TUTORIAL + "test_views_and_stores_by_their_parts"),
    ("lazy:ZVStore.__getitem__", "(self, _)", LAZY + "test_a_missing_level_is_named"),
    ("lazy:ZVStore.headers", PROPERTY, "headers/test_registry.py::test_headers_come_and_go"),
    ("lazy:ZVStore.object_levels", "(self, oid)", TUTORIAL + "test_objects_across_levels"),
    (
        "lazy:ZVStore.set_backend",
        "(self, backend, **kw)",
        TUTORIAL + "test_another_driver_in_place",
    ),
    ("lazy:ZVStore.again", "(self)", AGAIN + "test_the_state_changes_with_every_commit"),
    ("lazy:ZVStore.state", PROPERTY, AGAIN + "test_the_state_changes_with_every_commit"),
    (
        "lazy:ZVStore.being_written",
        PROPERTY,
        AGAIN + "test_a_writer_at_work_is_told_and_not_seen",
    ),
    *[
        (f"lazy:ZVStore.{name}", PROPERTY, TUTORIAL + "test_a_store_tells_what_it_is")
        for name in (
            "levels chunk_shape bin_shape base_bin_shape bins_per_chunk geometry_types bounds ndim "
            "zv_version path url geometry_type spatial_dims bounding_box n_objects"
        ).split()
    ],
    *[
        (f"lazy:ZVStore.{name}", "(self, level)", TUTORIAL + "test_each_level_tells_what_it_is")
        for name in "vertex_count bin_shape_at bin_ratio_at object_count_at".split()
    ],
    (
        "lazy:ZVStore.read",
        "(self, level=None, bbox=None, target_resolution=None, attributes=None)",
        TUTORIAL + "test_reading_a_level",
    ),
    (
        "lazy:ZVStore.auto_level",
        "(self, target_resolution)",
        TUTORIAL + "test_reading_at_a_resolution",
    ),
    (
        "lazy:ZVStore.iter_chunks",
        "(self, level, bbox=None, prefetch=ANY, n_workers=ANY)",
        TUTORIAL + "test_each_chunk_is_fetched_once_and_few_at_a_time",
    ),
    ("lazy:ZVStore.raw_array", "(self, path, level)", TUTORIAL + "test_raw_vertices"),
    (
        "lazy:ZVStore.level_group",
        "(self, level)",
        TUTORIAL + "test_groups_and_fragments_underneath",
    ),
    ("lazy:ZVStore.close", "(self)", TUTORIAL + "test_caches_and_workers"),
    ("lazy:ZVStore.__enter__", "(self)", TUTORIAL + "test_caches_and_workers"),
    # lazy: levels
    ("lazy.level:ZVLevel", CLASS, TUTORIAL + "test_each_level_tells_what_it_is"),
    ("lazy:ZVLevel.vertices", PROPERTY, LAZY + "test_collections_agree_with_the_reader"),
    ("lazy:ZVLevel.attributes", PROPERTY, LAZY + "test_collections_agree_with_the_reader"),
    ("lazy:ZVLevel.writer", "(self)", WRITER + "test_one_writer_at_a_time"),
    (
        "lazy:ZVLevel.filter",
        "(self, *, bbox=None, object_ids=None, group_ids=None)",
        LAZY + "test_views_by_object_and_group",
    ),
    ("lazy:ZVLevel.polylines", PROPERTY, LINES + "test_polylines_by_object"),
    *[
        (f"lazy:ZVLevel.{name}", PROPERTY, TUTORIAL + "test_each_level_tells_what_it_is")
        for name in (
            "vertex_count bin_shape bin_ratio chunk_shape object_sparsity chunk_keys chunk_count "
            "level_index preserves_object_ids inherited_num_objects"
        ).split()
    ],
    *[
        (f"lazy:ZVLevel.{name}", PROPERTY, "types/test_points.py::test_a_store_chunked_by_strings")
        for name in "chunk_dims chunk_attribute_name attribute_values".split()
    ],
    (
        "lazy:ZVLevel.read_attribute_chunk",
        "(self, value)",
        "types/test_points.py::test_a_store_chunked_by_strings",
    ),
    (
        "lazy:ZVLevel.read_linked_chunks",
        "(self, coords, attributes=())",
        LINKED + "test_chunk_by_chunk_is_the_whole",
    ),
    ("reading.linked_chunks:LinkedChunks", CLASS, LINKED + "test_chunk_by_chunk_is_the_whole"),
    ("lazy:ZVLevel.links_per_vertex", PROPERTY, LINKED + "test_what_is_told_without_reading"),
    ("lazy:ZVStore.object_ids", PROPERTY, LINKED + "test_what_is_told_without_reading"),
    (
        "lazy:ZVLevel.shared_fragments",
        PROPERTY,
        "core/test_metadata.py::test_level_metadata_survives",
    ),
    ("lazy:ZVLevel.has_object", "(self, oid)", TUTORIAL + "test_objects_across_levels"),
    ("lazy:ZVLevel.present_oids", PROPERTY, TUTORIAL + "test_objects_across_levels"),
    ("lazy:ZVLevel.object_index", PROPERTY, LAZY + "test_objects_of_a_level"),
    (
        "lazy:ZVLevel.rechunk",
        "(self, by, *, bins=ANY, output=ANY, categorical=ANY)",
        TUTORIAL + "test_rechunking_from_a_level",
    ),
    (
        "lazy.arrays:ZVVertexCollection.compute",
        "(self)",
        LAZY + "test_collections_agree_with_the_reader",
    ),
    (
        "lazy.arrays:ZVVertexCollection.__getitem__",
        "(self, _)",
        LAZY + "test_a_chunk_that_is_not_there_is_empty",
    ),
    ("lazy.arrays:ZVVertexCollection.to_delayed", "(self)", TUTORIAL + "test_deferred_work"),
    (
        "lazy.arrays:ZVAttributeCollection.compute",
        "(self)",
        LAZY + "test_collections_agree_with_the_reader",
    ),
    ("lazy.arrays:ZVAttributeCollection.to_delayed", "(self)", TUTORIAL + "test_deferred_work"),
    # lazy: views and polylines
    (
        "lazy:ZVView",
        "(group, root_meta, level_meta, all_chunk_keys, spec)",
        TUTORIAL + "test_views_and_stores_by_their_parts",
    ),
    (
        "lazy:ZVView.filter",
        "(self, *, bbox=None, object_ids=None, group_ids=None)",
        LAZY + "test_filters_intersect_in_either_order",
    ),
    ("lazy:ZVView.vertices", PROPERTY, TUTORIAL + "test_views"),
    ("lazy:ZVView.compute", "(self)", TUTORIAL + "test_views"),
    ("lazy:ZVPolylineCollection", "(group, ndim=3)", LINES + "test_polylines_by_object"),
    ("lazy:ZVPolylineCollection.count", PROPERTY, LINES + "test_polylines_by_object"),
    ("lazy:ZVPolylineCollection.object_ids", PROPERTY, LINES + "test_polylines_by_object"),
    ("lazy:ZVPolylineCollection.__getitem__", "(self, _)", LINES + "test_polylines_by_object"),
    ("lazy:ZVPolylineCollection.items", "(self)", LINES + "test_polylines_by_object"),
    ("lazy:ZVPolylineCollection.compute", "(self)", LINES + "test_polylines_by_object"),
    (
        "lazy:ZVPolylineCollection.filter",
        "(self, *, object_ids=None, length_range=None)",
        LINES + "test_a_range_of_lengths_is_inclusive",
    ),
    # writer
    ("lazy.writer:ZVWriter", "(level)", WRITER + "test_one_writer_at_a_time"),
    *[
        (f"lazy.writer:ZVWriter.{name}{twin}", signature, WRITER + test)
        for name, signature, test in (
            (
                "add_attribute",
                "(self, name, values, *, dtype=None)",
                "test_attributes_are_added_in_row_order",
            ),
            (
                "add_node_attribute",
                "(self, name, values, *, dtype=None)",
                "test_attributes_are_added_in_row_order",
            ),
            (
                "add_face_attribute",
                "(self, name, values, *, dtype=None)",
                "test_face_attributes_have_a_row_for_each_face_inside_a_chunk",
            ),
            (
                "add_object_attribute",
                "(self, name, values, *, dtype=None)",
                "test_object_attributes_of_sparse_ids",
            ),
            (
                "append_vertices",
                "(self, positions, *, object_ids=None, dtype=None)",
                "test_vertices_are_appended",
            ),
            ("commit", "(self)", "test_all_that_is_staged_is_written_together"),
            ("compact", "(self)", "test_compacting_commits"),
        )
        for twin in ("", "_sync")
    ],
    # core.store
    (
        "core.store:create_store",
        "(path, *, bounds=ANY, chunk_shape=ANY, axes=ANY, geometry_types=ANY, crs=ANY, ndim=ANY, "
        "vertex_dtype='float32', vertex_encoding='raw', links_convention=ANY, "
        "object_index_convention=ANY, cross_chunk_strategy=ANY, cross_level_depth=ANY, "
        "cross_level_storage=ANY, reduction_factor=ANY, base_bin_shape=ANY, "
        "format_capabilities=ANY, backend=ANY, **backend_kwargs)",
        STORE + "test_a_new_store_is_empty_and_has_defaults",
    ),
    (
        "core.store:open_store",
        "(path, mode='r', *, backend=None, **kw)",
        STORE + "test_opening_and_modes",
    ),
    (
        "core.store:set_bounds",
        "(root, new_bounds, *, force=False)",
        STORE + "test_bounds_shrink_by_force",
    ),
    (
        "core.store:create_resolution_level",
        "(root, level, level_metadata)",
        STORE + "test_levels_come_and_go",
    ),
    ("core.store:get_resolution_level", "(root, level)", STORE + "test_levels_come_and_go"),
    ("core.store:list_resolution_levels", "(root)", STORE + "test_levels_come_and_go"),
    (
        "core.store:add_resolution_level",
        "(root, level_index, bin_ratio, *, object_sparsity=1.0, coarsening_method='manual', "
        "parent_level=None)",
        STORE + "test_levels_come_and_go",
    ),
    (
        "core.store:remove_resolution_level",
        "(root, level_index)",
        STORE + "test_levels_come_and_go",
    ),
    (
        "core.store:read_root_metadata",
        "(root)",
        STORE + "test_a_new_store_is_empty_and_has_defaults",
    ),
    ("core.store:read_level_metadata", "(root, level)", STORE + "test_levels_come_and_go"),
    ("core.store:store_info", "(root)", SMALL + "test_all_that_is_told_of_a_store"),
    ("core.store:list_available_ratios", "(root)", SMALL + "test_ratios_of_levels"),
    ("core.store:get_parametric_group", "(root)", SMALL + "test_the_group_of_parametric_objects"),
    ("core.store:read_parametric_types", "(root)", STORE + "test_parametric_types_are_kept"),
    ("core.store:write_parametric_types", "(root, _)", STORE + "test_parametric_types_are_kept"),
    ("core.store:session_for", "(group)", "core/backends/test_icechunk.py::test_snapshots"),
    (
        "core.store:commit",
        "(group, message='zarr-vectors write')",
        "core/backends/test_icechunk.py::test_snapshots",
    ),
    ("core.store:discard_changes", "(group)", "core/backends/test_icechunk.py::test_snapshots"),
    (
        "core.store:rebind",
        "(group, backend, **kw)",
        STORE + "test_local_stores_have_no_transactions",
    ),
    (
        "core.store:FsGroup",
        "(path, *, create=False)",
        GROUP + "test_making_an_fs_group_by_hand_is_deprecated",
    ),
    # core.group
    *[
        (f"core.group:Group.{name}", kind, GROUP + test)
        for name, kind, test in (
            ("attrs", PROPERTY, "test_attributes_are_a_mapping"),
            ("create_group", "(self, name)", "test_navigation"),
            ("require_group", "(self, name)", "test_navigation"),
            ("__getitem__", "(self, _)", "test_an_array_is_no_group"),
            ("__contains__", "(self, _)", "test_navigation"),
            ("__iter__", "(self)", "test_navigation"),
            ("write_bytes", "(self, array, key, data)", "test_bytes_of_chunks"),
            ("read_bytes", "(self, array, key)", "test_bytes_of_chunks"),
            ("chunk_exists", "(self, _, __)", "test_bytes_of_chunks"),
            ("list_chunks", "(self, array)", "test_bytes_of_chunks"),
            ("write_array_meta", "(self, array, meta)", "test_array_metadata"),
            ("read_array_meta", "(self, array)", "test_array_metadata"),
            ("array_exists", "(self, _)", "test_array_metadata"),
            ("delete_subtree", "(self, _)", "test_navigation"),
            ("batched_writes", "(self)", "test_batched_writes_happen_together_at_the_end"),
            ("batched_reads", "(self, plan)", "test_batched_reads_are_one_request"),
            ("path", PROPERTY, "test_where_a_group_is"),
            ("url", PROPERTY, "test_where_a_group_is"),
            ("backend", PROPERTY, "test_where_a_group_is"),
            ("zarr_group", PROPERTY, "test_where_a_group_is"),
        )
    ],
    # names others import; dtype and axes are the store's own where they are not given
    (
        "core.arrays:list_chunk_keys",
        "(_, array='vertices')",
        CHUNKS + "test_vertices_in_either_precision",
    ),
    (
        "core.arrays:read_chunk_vertices",
        "(_, __, dtype=ANY, ndim=ANY)",
        CHUNKS + "test_vertices_in_either_precision",
    ),
    (
        "core.arrays:write_chunk_vertices",
        "(_, __, groups, dtype=ANY)",
        CHUNKS + "test_vertices_in_either_precision",
    ),
    (
        "core.arrays:write_chunk_attributes",
        "(_, name, __, groups, dtype=ANY)",
        CHUNKS + "test_attributes_keep_dtype_and_width",
    ),
    (
        "core.arrays:read_chunk_attributes",
        "(_, name, __)",
        CHUNKS + "test_attributes_keep_dtype_and_width",
    ),
    (
        "core.arrays:read_chunk_links",
        "(_, __, dtype=np.int64, link_width=None, *, delta=0)",
        "core/arrays/test_links.py::test_groups_of_a_chunk_come_back",
    ),
    (
        "core.arrays:count_link_groups",
        "(_, __)",
        "core/arrays/test_links.py::test_groups_of_a_chunk_come_back",
    ),
    ("core.arrays:read_all_object_manifests", "(_)", CHUNKS + "test_objects_and_their_attributes"),
    (
        "core.arrays:write_object_index",
        "(_, manifests, sid_ndim, *, total_objects=None)",
        CHUNKS + "test_objects_and_their_attributes",
    ),
    ("core.arrays:create_vertices_array", "(_)", CHUNKS + "test_vertices_in_either_precision"),
    (
        "core.arrays:create_attribute_array",
        "(_, name)",
        CHUNKS + "test_attributes_keep_dtype_and_width",
    ),
    (
        "core.arrays:create_object_attributes_array",
        "(_, name)",
        CHUNKS + "test_objects_and_their_attributes",
    ),
    (
        "core.arrays:write_object_attributes",
        "(_, name, data)",
        CHUNKS + "test_objects_and_their_attributes",
    ),
    (
        "core.arrays:read_object_attributes",
        "(_, name)",
        CHUNKS + "test_objects_and_their_attributes",
    ),
    (
        "core.arrays:read_fragment_index",
        "(_, array, chunk)",
        TUTORIAL + "test_groups_and_fragments_underneath",
    ),
    *[
        (f"encoding.fragments:FragmentIndex.{name}", PROPERTY, CHUNKS + "test_fragments_of_a_chunk")
        for name in ("num_fragments", "num_range_fragments", "num_explicit_fragments")
    ],
    *[
        (
            f"encoding.fragments:ChunkFragmentIndex.{name}",
            "(self, _)",
            "encoding/test_fragments.py::test_fragments_are_numbered_from_zero",
        )
        for name in ("is_range", "range", "indices", "indices_view")
    ],
    *[
        (f"core.metadata:{name}.{method}", signature, "core/test_metadata.py::" + test)
        for name, test in (
            ("RootMetadata", "test_root_metadata_survives"),
            ("LevelMetadata", "test_level_metadata_survives"),
        )
        for method, signature in (
            ("from_dict", "(_)"),
            ("to_dict", "(self)"),
            ("validate", "(self)"),
        )
    ],
    ("core.metadata:NgffAxis", "(name)", SMALL + "test_axes_say_what_they_are"),
    (
        "core.metadata:ParametricTypeDef",
        "(type_id, name, coefficients)",
        SMALL + "test_kinds_of_parametric_objects",
    ),
    ("core.metadata:compute_bin_shape", "(_, __)", SMALL + "test_bins_and_ratios"),
    ("core.metadata:compute_bin_ratio", "(_, __)", SMALL + "test_bins_and_ratios"),
    ("core.metadata:validate_bin_shape_divides_chunk", "(_, __)", SMALL + "test_bins_and_ratios"),
    ("core.metadata:serialise_parametric_types", "(_)", SMALL + "test_kinds_of_parametric_objects"),
    (
        "core.metadata:deserialise_parametric_types",
        "(_)",
        SMALL + "test_kinds_of_parametric_objects",
    ),
    (
        "core.multiscale:upsert_level_transform",
        "(root, level, *, scale, translation=None)",
        STORE + "test_transforms_can_be_read_and_put",
    ),
    (
        "core.multiscale:read_level_transform",
        "(root, level)",
        STORE + "test_transforms_can_be_read_and_put",
    ),
    (
        "spatial.chunking:assign_chunks",
        "(positions, chunk_shape)",
        "spatial/test_chunking.py::test_chunks_are_assigned_in_order",
    ),
    (
        "spatial.boundary:chunk_local_to_global_offsets",
        "(level_group)",
        "core/arrays/test_links.py::test_where_chunks_start",
    ),
    ("encoding.ragged:encode_ragged_floats", "(_)", SMALL + "test_ragged_floats"),
    (
        "core.backends:resolve_backend_name",
        "(url, explicit=None, *, env_override=None)",
        "core/backends/test_registry.py::test_the_scheme_chooses",
    ),
    (
        "core.backends:StorageBackend",
        CLASS,
        "core/backends/test_backends.py::test_values_come_back",
    ),
    (
        "core.backends.icechunk_backend:make_icechunk_session",
        "(url, *, mode='r+', branch='main', snapshot_id=None)",
        "core/backends/test_icechunk.py::test_snapshots",
    ),
    # errors
    *[
        (
            f"exceptions:{name}",
            ERROR,
            "../contracts/test_public_api.py::test_a_documented_name_is_what_it_is_said_to_be",
        )
        for name in (
            "ZVError ZVFError StoreError MetadataError ArrayError ChunkingError ConventionError "
            "ValidationError IngestError ExportError CoarseningError DracoError"
        ).split()
    ],
    # geometry
    (
        "types.points:write_points",
        f"(store_path, positions, *, chunk_shape=None, vertex_attributes=None, object_ids=None, "
        f"object_attributes=None, groups=None, group_attributes=None, {COMMON})",
        "types/test_points.py::test_what_is_written_is_read",
    ),
    (
        "types.points:read_points",
        f"(store_path, *, {FILTERS}, attribute_names=None, attribute_filter=None, backend=None)",
        "types/test_points.py::test_filters_intersect",
    ),
    (
        "types.polylines:write_polylines",
        "(store_path, polylines, *, chunk_shape, vertex_attributes=None, object_attributes=None, "
        f"groups=None, group_attributes=None, geometry_type='streamline', {COMMON})",
        "types/test_polylines.py::test_what_is_written_is_read",
    ),
    (
        "types.polylines:read_polylines",
        f"(store_path, *, {FILTERS}, attribute_filter=None, backend=None)",
        "types/test_polylines.py::test_chunks_crop_and_every_run_left_is_a_polyline",
    ),
    (
        "types.graphs:write_graph",
        "(store_path, positions, edges, *, chunk_shape=ANY, kind='graph', vertex_attributes=None, "
        f"link_attributes=None, object_attributes=None, object_ids=None, {COMMON})",
        "types/test_graphs.py::test_what_is_written_is_read",
    ),
    (
        "types.graphs:read_graph",
        f"(store_path, *, {FILTERS}, attribute_filter=None, backend=None)",
        "types/test_graphs.py::test_filters_drop_edges_with_an_end_outside",
    ),
    (
        "types.meshes:write_mesh",
        "(store_path, vertices, faces, *, chunk_shape=ANY, encoding='raw', vertex_attributes=None, "
        f"object_attributes=None, object_ids=None, draco_quantization_bits=11, {COMMON})",
        "types/test_meshes.py::test_what_is_written_is_read",
    ),
    (
        "types.meshes:read_mesh",
        f"(store_path, *, {FILTERS}, attribute_filter=None, backend=None)",
        "types/test_meshes.py::test_filters_drop_faces_with_a_corner_outside",
    ),
    (
        "types.lines:write_lines",
        "(store_path, endpoints, *, chunk_shape=ANY, vertex_attributes=None, "
        f"object_attributes=None, {COMMON})",
        "types/test_lines.py::test_what_is_written_is_read",
    ),
    (
        "types.lines:read_lines",
        "(store_path, *, level=0, object_ids=None, bbox=None, attribute_filter=None)",
        "types/test_lines.py::test_boxes_keep_lines_with_an_end_inside",
    ),
    (
        "types.parametric:write_parametric_objects",
        "(store_path, objects, *, object_attributes=None, groups=None, group_attributes=None, "
        "custom_types=None, create_new_store=False, store_kwargs=None)",
        "types/test_parametric.py::test_what_is_written_is_read",
    ),
    (
        "types.parametric:read_parametric_objects",
        "(store_path)",
        "types/test_parametric.py::test_none_at_all",
    ),
    # levels
    (
        "multiresolution.coarsen:coarsen_level",
        "(store_path, source_level, target_level, *, coarsen_factor=1.0, sparsity_factor=1.0, "
        "chunk_scale_factor=1, sparsity_strategy='random', sparsity_seed=None, "
        "cross_level_storage='none')",
        "multiresolution/test_linked.py::test_one_level_from_another",
    ),
    (
        "multiresolution.coarsen:build_pyramid",
        "(store_path, *, factors=ANY, chunk_scale_factors=None, sparsity_strategy='random', "
        "sparsity_seed=None, cross_level_depth=1, cross_level_storage='explicit')",
        "multiresolution/test_linked.py::test_levels_equal_the_slow_way",
    ),
    # around it
    (
        "validate:validate",
        "(store_path, *, level=3)",
        "validate/test_damage.py::test_levels_are_1_to_5",
    ),
    *[
        (
            f"validate:ValidationResult.{name}",
            kind,
            "validate/test_sound.py::test_what_is_written_is_sound",
        )
        for name, kind in (
            ("ok", PROPERTY),
            ("warnings", PROPERTY),
            ("errors", PROPERTY),
            ("summary", "(self)"),
        )
    ],
    ("rechunk:rechunk", "(store_path, spec, output=None)", "test_rechunk.py::test_by_object"),
    (
        "rechunk:RechunkSpec",
        "(by, bins=None, spatial_chunk_shape=None, prefix_dim_name=None, categorical=False)",
        "test_rechunk.py::test_in_space",
    ),
    ("rechunk:rechunk_by_attribute", "(store_path, _)", "test_rechunk.py::test_by_kind_of_vertex"),
    (
        "sharding.io:shard_store",
        "(store_path, layout, shard_size=64, *, arrays=None)",
        "sharding/test_shards.py::test_packed_reads_the_same",
    ),
    (
        "sharding.io:unshard_store",
        "(store_path)",
        "sharding/test_shards.py::test_packed_reads_the_same",
    ),
    (
        "sharding.io:is_sharded",
        "(store_path)",
        "sharding/test_shards.py::test_packed_reads_the_same",
    ),
    (
        "sharding.io:get_shard_info",
        "(store_path)",
        "sharding/test_shards.py::test_packed_reads_the_same",
    ),
    ("sharding.io:reshard", "(store_path, _)", "sharding/test_shards.py::test_packed_again"),
    (
        "headers.registry:HeaderRegistry",
        "(store)",
        "headers/test_registry.py::test_headers_come_and_go",
    ),
    (
        "headers.registry:HeaderRegistry.add",
        "(self, _, __)",
        "headers/test_registry.py::test_headers_come_and_go",
    ),
    *[
        (
            f"headers.registry:HeaderRegistry.{name}",
            "(self, _)",
            "headers/test_registry.py::test_headers_come_and_go",
        )
        for name in ("get", "has", "remove")
    ],
    (
        "headers.registry:HeaderRegistry.available_formats",
        PROPERTY,
        "headers/test_registry.py::test_headers_come_and_go",
    ),
]


def lookup(path: str) -> Any:
    module, _, names = path.partition(":")
    found: Any = importlib.import_module(f"zarr_vectors.{module}")
    for name in names.split("."):
        if isinstance(found, type):
            static = inspect.getattr_static(found, name)
            found = static if isinstance(static, property) else getattr(found, name)
        else:
            found = getattr(found, name)
    return found


def documented(signature: str) -> inspect.Signature:
    place: dict[str, Any] = {"ANY": ANY, "np": np}
    exec(f"def documented{signature}: ...", place)  # noqa: S102 - the table above
    found: inspect.Signature = inspect.signature(place["documented"])
    return found


@pytest.mark.parametrize(("path", "told"), [(row[0], row[1]) for row in ROWS])
def test_a_documented_name_is_what_it_is_said_to_be(path: str, told: str) -> None:
    found = lookup(path)
    assert found.__doc__ or path.partition(".")[2].startswith("__") or "__" in path, (
        "no words on it"
    )
    if told == PROPERTY:
        assert isinstance(found, property)
    elif told == CLASS:
        assert inspect.isclass(found)
    elif told == ERROR:
        base = lookup("exceptions:ZVError")
        assert issubclass(found, base)
        assert issubclass(base, Exception)
    else:
        assert_signature(inspect.signature(found), documented(told))


def assert_signature(ours: inspect.Signature, told: inspect.Signature) -> None:
    kind = inspect.Parameter
    positional = [p for p in ours.parameters.values() if p.kind is kind.POSITIONAL_OR_KEYWORD]
    known = set()
    for place, parameter in enumerate(told.parameters.values()):
        if parameter.kind is kind.VAR_KEYWORD:
            assert any(p.kind is kind.VAR_KEYWORD for p in ours.parameters.values())
            continue
        if parameter.kind is kind.KEYWORD_ONLY:
            own = ours.parameters[parameter.name]
            assert own.kind in (kind.KEYWORD_ONLY, kind.POSITIONAL_OR_KEYWORD)
        else:
            own = positional[place]
            assert own.name == parameter.name or not parameter.name.strip("_")
        known.add(own.name)
        if parameter.default is not kind.empty and parameter.default is not ANY:
            assert own.default == parameter.default, own
        elif parameter.default is ANY:
            assert own.default is not kind.empty or own.name == "chunk_shape", own
    for own in ours.parameters.values():
        variable = own.kind in (kind.VAR_KEYWORD, kind.VAR_POSITIONAL)
        assert own.name in known or own.default is not kind.empty or variable, own


@cache
def functions_of(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text())
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in tree.body if isinstance(node, kinds))


@pytest.mark.parametrize("named", sorted({row[2] for row in ROWS}))
def test_what_is_documented_is_tested(named: str) -> None:
    file, _, test = named.partition("::")
    place = TESTS / "zarr_vectors" / file
    names = functions_of(place)
    assert test in names


def test_the_check_can_fail() -> None:
    def ours(a: int, b: int = 2, *, c: int = 3) -> None: ...

    signature = inspect.signature(ours)
    for told in ("(a, b=2, *, c=3)", "(a)", "(_, b=ANY, *, c)"):
        assert_signature(signature, documented(told))
    for told in ("(b, a)", "(a, b=3)", "(a, *, c=4)", "(a, **more)", "(b)", "()"):
        with pytest.raises(AssertionError):
            assert_signature(signature, documented(told))
    for told in ("(a, b=2, d=1)", "(a, *, d)"):
        with pytest.raises((AssertionError, KeyError, IndexError)):
            assert_signature(signature, documented(told))
