from __future__ import annotations

import pytest

from zarr_vectors.core.metadata import (
    AttributeSpec,
    LevelMetadata,
    ParametricTypeDef,
    RootMetadata,
    VertexSpec,
    deserialise_parametric_types,
    serialise_parametric_types,
)
from zarr_vectors.core.metadata.multiscales import LevelTransform, transforms_of, with_transform
from zarr_vectors.exceptions import MetadataError

ROOT = {
    "zarr_vectors": {
        "zv_version": "0.7.0",
        "chunk_shape": [10.0, 10.0],
        "bounds": [[0, 0], [1, 2.5]],
        "geometry_types": ["point_cloud"],
        "base_bin_shape": [5.0, 5.0],
        "something_new": 1,
    },
    "multiscales": [{"axes": [{"name": "y", "type": "space", "unit": "nm"}, {"name": "x"}]}],
}
LEVEL = {
    "zarr_vectors_level": {
        "level": 1,
        "vertex_count": 7,
        "arrays_present": ["vertices"],
        "chunk_shape": [20.0, 20.0],
        "parent_level": 0,
        "inherited_num_objects": 3,
        "preserves_object_ids": True,
    }
}


def test_root_metadata_survives():
    meta = RootMetadata.from_dict(ROOT)
    assert meta.bounds == ((0.0, 0.0), (1.0, 2.5))
    assert [(axis.name, axis.unit) for axis in meta.axes] == [("y", "nm"), ("x", None)]
    assert meta.bin_shape == (5.0, 5.0)
    assert RootMetadata.from_dict({**meta.to_dict(), "multiscales": ROOT["multiscales"]}) == meta


def test_level_metadata_survives():
    meta = LevelMetadata.from_dict(LEVEL)
    assert meta.chunk_shape == (20.0, 20.0)
    assert meta.preserves_object_ids
    assert LevelMetadata.from_dict(meta.to_dict()) == meta


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("chunk_shape", None, "chunk_shape"),
        ("chunk_shape", [10.0, -1.0], "greater than 0"),
        ("chunk_shape", [10.0, float("inf")], "finite"),
        ("chunk_shape", [10.0, 10.0, 10.0], "3"),
        ("bounds", [[0, 0]], "two corners"),
        ("bounds", [[2, 0], [1, 1]], "inverted"),
        ("bounds", "0,1", "list"),
        ("geometry_types", ["cloud"], "geometry type"),
        ("base_bin_shape", [3.0, 5.0], "does not divide"),
        ("cross_level_depth", -2, "at least -1"),
        ("zv_version", 7, "string"),
    ],
)
def test_wrong_root_metadata_is_named(key, value, words):
    block = {**ROOT["zarr_vectors"], key: value}
    with pytest.raises(MetadataError, match=words):
        RootMetadata.from_dict({**ROOT, "zarr_vectors": block})


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("vertex_count", -1, "at least 0"),
        ("vertex_count", 1.5, "integer"),
        ("level", True, "integer"),
        ("object_sparsity", 0, "object_sparsity"),
        ("inherited_num_objects", None, "inherited_num_objects"),
        ("chunk_attribute_name", "kind", "values"),
        ("arrays_present", [1], "string"),
    ],
)
def test_wrong_level_metadata_is_named(key, value, words):
    block = {**LEVEL["zarr_vectors_level"], key: value}
    with pytest.raises(MetadataError, match=words):
        LevelMetadata.from_dict({"zarr_vectors_level": block})


def test_missing_blocks_are_named():
    with pytest.raises(MetadataError, match="zarr_vectors"):
        RootMetadata.from_dict({})
    with pytest.raises(MetadataError, match="zarr_vectors_level"):
        LevelMetadata.from_dict({})


def test_transforms_hold_bins():
    attributes = with_transform(ROOT, 1, LevelTransform((2.0, 2.0), (5.0, 5.0)))
    attributes = with_transform(attributes, 0, LevelTransform((1.0, 1.0), (2.5, 2.5)))
    found = transforms_of(attributes)
    assert list(found) == [0, 1]
    assert found[1].bin_shape == (10.0, 10.0)
    assert list(transforms_of(with_transform(attributes, 0, None))) == [1]
    assert "datasets" not in ROOT["multiscales"][0]


def test_attribute_metadata_survives():
    for spec in (
        AttributeSpec("a", VertexSpec.from_meta({}).dtype, unit="m", limits=(0.0, 1.0)),
        AttributeSpec("b", AttributeSpec.from_meta("b", {"dtype": "uint8"}).dtype, 3, (3,)),
    ):
        found = AttributeSpec.from_meta(spec.name, spec.to_meta())
        assert (found.dtype, found.row_shape, found.unit, found.limits) == (
            spec.dtype,
            spec.row_shape,
            spec.unit,
            spec.limits,
        )
    assert AttributeSpec.from_meta("c", {}).guessed
    assert AttributeSpec.from_meta("c", {"dtype": "int8", "channel_names": ["r", "g"]}).columns == 2


@pytest.mark.parametrize(
    ("meta", "words"),
    [
        ({"dtype": "object"}, "not a number"),
        ({"dtype": "nothing"}, "unknown dtype"),
        ({"dtype": "float32", "encoding": "dictionary", "categories": ["a"]}, "codes"),
        ({"dtype": "uint8", "encoding": "dictionary", "categories": [1]}, "string"),
        ({"dtype": "uint8", "row_shape": [0]}, "at least 1"),
    ],
)
def test_wrong_attribute_metadata_is_named(meta, words):
    with pytest.raises(MetadataError, match=words):
        AttributeSpec.from_meta("a", meta)


def test_parametric_types_survive():
    kinds = [ParametricTypeDef(1, "line", ("x",)), ParametricTypeDef(0, "plane", ("A", "B"))]
    assert deserialise_parametric_types(serialise_parametric_types(kinds)) == kinds[::-1]
    with pytest.raises(MetadataError, match="numbered"):
        deserialise_parametric_types({"a": {"name": "x", "coefficients": []}})
