"""Files of graphs and meshes harmed one by one: named by array and store, never read wrongly."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.exceptions import ArrayError, ZVError
from zarr_vectors.types.graphs import read_graph, write_graph
from zarr_vectors.types.meshes import read_mesh, write_mesh

VERSIONS = ["0.7.0", "0.9.2"]
ARRAYS = {
    "0.7.0": [
        "vertices",
        "vertex_fragments",
        "links/0",
        "cross_chunk_links/0",
        "link_attributes/weight/0",
        "cross_chunk_link_attributes/weight/0",
        "object_index",
    ],
    "0.9.2": [
        "vertices",
        "vertex_fragments",
        "links/0/0.0.0",
        "links/0/+1.0.0",
        "link_attributes/weight/0/0.0.0",
        "link_attributes/weight/0/+1.0.0",
        "object_index",
    ],
}


@pytest.fixture(scope="module", params=[(v, k) for v in VERSIONS for k in ("skeleton", "mesh")])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with links of every sort; folders above name kind and version."""
    version, kind = request.param
    store = tmp_path_factory.mktemp("whole") / kind / version
    rng = np.random.default_rng(4)
    points = rng.uniform(0.5, 19.5, (80, 3)) * [1, 0.5, 0.5]
    options = {"chunk_shape": (10.0,) * 3, "format_version": version}
    options["object_ids"] = np.arange(80) // 40
    if kind == "mesh":
        faces = np.array([rng.permutation(40)[:3] + 40 * (k % 2) for k in range(120)])
        write_mesh(store, points, faces, face_attributes={"weight": np.arange(120.0)}, **options)
    else:
        edges = np.array([(k, k // 40 * 40 + (k % 40) // 2) for k in range(80) if k % 40])
        columns = {"weight": np.arange(78.0)}
        write_graph(store, points, edges, kind=kind, link_attributes=columns, **options)
    return store


def read(store: Path) -> None:
    if store.parent.name == "mesh":
        read_mesh(store, face_attribute_names=["weight"], object_ids=[0, 1])
    else:
        read_graph(store, link_attribute_names=["weight"], object_ids=[0, 1])


def array_of(store: Path, number: int) -> str:
    array = ARRAYS[store.name][number]
    if store.parent.name == "mesh" and store.name == "0.9.2":  # two relative chunks, not one
        array = array.replace("0/0.0.0", "0/0.0.0_0.0.0").replace("+1.0.0", "0.0.0_+1.0.0")
    return array


def files_of(store: Path, array: str) -> list[Path]:
    files = (store / "0" / array).rglob("*")
    return sorted(path for path in files if path.is_file() and path.name != "zarr.json")


@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("harm", ["cut", "lose"])
def test_files_cut_or_lost_are_named(whole: Path, tmp_path: Path, number: int, harm: str) -> None:
    read(whole)
    array = array_of(whole, number)
    store = tmp_path / whole.parent.name / whole.name
    shutil.copytree(whole, store)
    file = files_of(store, array)[0]
    if harm == "cut":
        file.write_bytes(file.read_bytes()[:-5])
    else:
        file.unlink()
    with pytest.raises(ZVError) as caught:
        read(store)
    assert array.split("/")[0] in str(caught.value)
    assert store.as_uri() in str(caught.value)


@pytest.mark.parametrize("number", [2, 3])
def test_rows_that_are_not_there_are_named(whole: Path, tmp_path: Path, number: int) -> None:
    store = tmp_path / whole.parent.name / whole.name
    shutil.copytree(whole, store)
    file = files_of(store, array_of(whole, number))[0]
    data = bytearray(file.read_bytes())
    data[-8:] = (10**6).to_bytes(8, "little")
    file.write_bytes(data)
    with pytest.raises(ArrayError, match=r"0/links.*names row 1000000 of"):
        read(store)


def test_a_fragment_beyond_its_chunk_is_named(whole: Path, tmp_path: Path) -> None:
    store = tmp_path / whole.parent.name / whole.name
    shutil.copytree(whole, store)
    file = files_of(store, "vertex_fragments")[0]
    data = bytearray(file.read_bytes())
    data[-12:-4] = (10**6).to_bytes(8, "little")
    file.write_bytes(data)
    with pytest.raises(ArrayError, match=r"0/vertex_fragments"):
        read(store)
    if store.parent.name == "skeleton":  # it says where parents are
        with pytest.raises(ArrayError, match=r"0/vertex_fragments"):
            read_graph(store)
