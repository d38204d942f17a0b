from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.constants import MAX_DOCUMENT_BYTES
from zarr_vectors.core.codecs import BYTES, VLEN_BYTES, ZSTD_0
from zarr_vectors.core.documents import (
    BlobNodes,
    array_document,
    array_node,
    blob_document,
    dump_json,
    group_document,
    parse_document,
)
from zarr_vectors.exceptions import ArrayError, MetadataError, ZVError


def document(**changes: object) -> dict[str, object]:
    found = json.loads(array_document([4, 2], "float32", [BYTES], chunk_shape=[2, 2]))
    return {**found, **changes}


def grid(shape: object) -> dict[str, object]:
    return {"name": "regular", "configuration": {"chunk_shape": shape}}


def test_documents_come_back() -> None:
    attributes = {"a": [1, 2.5, None, "é"], "b": {}}
    assert parse_document(group_document(attributes), "here")["attributes"] == attributes
    data = array_document(
        [5], "variable_length_bytes", [VLEN_BYTES, ZSTD_0], chunk_shape=[3], fill_value=""
    )
    node = array_node(parse_document(data, "here"), "here")
    assert (node.shape, node.chunk_shape, node.fill_value) == ((5,), (3,), "")
    assert node.chunk_key((1,)) == "c/1"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"3",
        b"{",
        b'{"a": 1, "a": 2}',
        b'{"x": {"a": 1, "b": 2, "a": 1}}',
        b'{"a":' * 100_000,
        b"[" * 100_000,
        b"\xff\xfe",
        b" " * (MAX_DOCUMENT_BYTES + 1),
    ],
)
def test_what_is_no_document_is_refused(text: bytes) -> None:
    with pytest.raises(MetadataError, match="here"):
        parse_document(text, "here")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"x", object()])
def test_what_json_has_no_word_for_is_refused(value: object) -> None:
    with pytest.raises(MetadataError, match="JSON"):
        dump_json({"a": value})


@pytest.mark.parametrize(
    "changes",
    [
        {"node_type": "group"},
        {"zarr_format": 2},
        {"shape": [-1, 2]},
        {"shape": [2**63, 2]},
        {"shape": [1.5, 2]},
        {"shape": [True, 2]},
        {"shape": "42"},
        {"shape": [4]},
        {"chunk_grid": grid([0, 2])},
        {"chunk_grid": grid([2**63, 2])},
        {"chunk_grid": grid(None)},
        {"chunk_grid": {"name": "rectilinear"}},
        {"chunk_grid": None},
        {"chunk_key_encoding": {"name": "v2"}},
        {"chunk_key_encoding": {"name": "default", "configuration": {"separator": "../"}}},
        {"codecs": [{"name": "pickle"}]},
        {"data_type": {"name": "struct"}},
        {"storage_transformers": [{"name": "x"}]},
    ],
)
def test_arrays_out_of_the_ordinary_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(ArrayError, match="here"):
        array_node(document(**changes), "here")


def test_attributes_must_be_an_object() -> None:
    with pytest.raises(MetadataError, match="attributes"):
        array_node(document(attributes=[]), "here")


@given(st.integers(0, 10**17))
def test_blobs_say_their_size(size: int) -> None:
    nodes = BlobNodes()
    compressed = array_document([size], "uint8", [BYTES, ZSTD_0], chunk_shape=[max(size, 1)])
    spaced = json.dumps(json.loads(compressed), indent=2).encode()
    for _ in range(2):  # the second time a document is compared with the first
        assert nodes.read(blob_document(size), "x") == (size, nodes.read(blob_document(1), "x")[1])
        for data in (compressed, spaced):
            assert nodes.read(data, "x")[0] == size
            assert not nodes.read(data, "x")[1].plain
        assert nodes.read(blob_document(size), "x")[1].plain


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"shape":[9]', b'"shape":[10]'),
        (b'"chunk_shape":[9]', b'"chunk_shape":[4]'),
        (b'"chunk_shape":[9]', b'"chunk_shape":[99]'),
        (b'"uint8"', b'"int8"'),
        (b'"shape":[9]', b'"shape":[-9]'),
        (b'"shape":[9]', b'"shape":[3,3]'),
        (b'{"name":"bytes"}', b'{"name":"vlen-bytes"}'),
        (b'"node_type":"array"', b'"node_type":"group"'),
        (b'"attributes":{}', b'"attributes":{},"attributes":{}'),
        (b'"zarr_format":3', b'"zarr_format":3,"shape":[5]'),
    ],
)
def test_blobs_out_of_the_ordinary_are_refused(old: bytes, new: bytes) -> None:
    data = blob_document(9)
    assert old in data
    nodes = BlobNodes()
    nodes.read(blob_document(9), "here")
    with pytest.raises(ZVError, match="here"):
        nodes.read(data.replace(old, new), "here")


@given(st.data())
def test_the_shortcut_answers_as_the_whole_way_does(data: st.DataObject) -> None:
    text = bytearray(blob_document(data.draw(st.integers(0, 999))))
    at = data.draw(st.integers(0, len(text) - 1))
    text[at] = data.draw(st.sampled_from(b'0123456789"{}[],: ab'))
    warm = BlobNodes()
    warm.read(blob_document(7), "x")
    answers = []
    for read in (warm.read, BlobNodes()._parse):
        try:
            answers.append(read(bytes(text), "x"))
        except ZVError as error:
            answers.append(type(error))
    assert answers[0] == answers[1]
