"""Every kind of sample is a store of that geometry, cut as its definition says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.types.graphs import read_graph
from zarr_vectors.types.meshes import read_mesh
from zarr_vectors.types.polylines import read_polylines
from zarr_vectors.validate import validate
from zv_viewer.samples import EXTENT, make_sample, samples

KINDS = {
    "cells": "point_cloud",
    "tracts": "streamline",
    "neurons": "skeleton",
    "bodies": "mesh",
}


@pytest.mark.parametrize("name", KINDS)
def test_a_small_one(name: str, tmp_path: Path) -> None:
    path = tmp_path / "store.zarrvectors"
    sample = replace(samples()[name], vertices=5000, chunk=250.0, bin=62.5, levels=3)
    make_sample(sample, path)
    with open_zv(path) as store:
        assert store.geometry_type == KINDS[name]
        counts = [store[number].vertex_count for number in store.levels]
        assert len(counts) == 3
        assert counts == sorted(counts, reverse=True)
        assert 0.7 * 5000 <= counts[0] <= 5000
        assert [axis.unit for axis in store.axes] == ["micrometer"] * 3
        assert np.asarray(store.bounds).tolist() == [[0.0] * 3, [EXTENT] * 3]
    assert validate(path).ok


def test_what_is_joined(tmp_path: Path) -> None:
    for name in ("tracts", "neurons", "bodies"):
        sample = replace(samples()[name], vertices=5000, chunk=250.0, bin=62.5, levels=2)
        make_sample(sample, tmp_path / name)
    lines = read_polylines(tmp_path / "tracts")["offsets"]
    assert np.diff(lines).tolist() == [50] * 100
    tree = read_graph(tmp_path / "neurons")
    assert len(tree["edges"]) == 5000 - 10
    body = read_mesh(tmp_path / "bodies")
    edges = np.sort(body["faces"][:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    _, times = np.unique(edges, axis=0, return_counts=True)
    assert (times == 2).all()


def test_definitions_name_known_kinds_and_bins_that_divide_chunks() -> None:
    for sample in samples().values():
        assert sample.kind in {*KINDS, "transcripts"}
        assert (sample.chunk / sample.bin).is_integer()
