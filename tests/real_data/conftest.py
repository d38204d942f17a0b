"""Real files, converted once by the code the pages show."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


def example(name: str) -> ModuleType:
    """The example of that name as a module."""
    spec = spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def laz(test_data: Path) -> Path:
    """LiDAR returns."""
    return test_data / "lidar" / "autzen_trim.laz"


@pytest.fixture(scope="session")
def lidar_store(laz: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The LiDAR file as a store."""
    store = tmp_path_factory.mktemp("lidar") / "autzen.zarrvectors"
    example("lidar").convert(str(laz), str(store))
    return store


@pytest.fixture(scope="session")
def tables(test_data: Path) -> list[Path]:
    """Synapse tables, one per neuron."""
    return sorted((test_data / "neurons" / "synapses").glob("*.csv"))


@pytest.fixture(scope="session")
def synapse_store(tables: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables as one store."""
    store = tmp_path_factory.mktemp("synapses") / "synapses.zarrvectors"
    example("synapses").convert(str(store), *map(str, tables))
    return store


@pytest.fixture(scope="session")
def tracts(test_data: Path) -> Path:
    """Streamlines."""
    return test_data / "tracts" / "tracks300.trk"


@pytest.fixture(scope="session")
def tracts_example() -> ModuleType:
    """The example that converts streamlines."""
    pytest.importorskip("nibabel")
    return example("tracts")


@pytest.fixture(scope="session")
def tract_store(
    tracts_example: ModuleType, tracts: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The streamlines as a store."""
    store = tmp_path_factory.mktemp("tracts") / "tracts.zarrvectors"
    tracts_example.convert(str(tracts), str(store))
    return store


@pytest.fixture(scope="session")
def skeletons(test_data: Path) -> list[Path]:
    """Skeletons, one per neuron."""
    return sorted((test_data / "neurons" / "swc").glob("*.swc"))


@pytest.fixture(scope="session")
def skeleton_store(skeletons: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The skeletons as one store."""
    store = tmp_path_factory.mktemp("skeletons") / "neurons.zarrvectors"
    example("skeletons").convert(str(store), *map(str, skeletons))
    return store


@pytest.fixture(scope="session")
def meshes(test_data: Path) -> list[Path]:
    """Meshes of two neurons, and a surface in another file format."""
    neurons = test_data / "neurons"
    return [*sorted((neurons / "ply").glob("*.ply"))[:2], neurons / "neuropil.obj"]


@pytest.fixture(scope="session")
def mesh_store(meshes: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The meshes as one store."""
    pytest.importorskip("trimesh")
    store = tmp_path_factory.mktemp("meshes") / "meshes.zarrvectors"
    example("meshes").convert(str(store), *map(str, meshes))
    return store
