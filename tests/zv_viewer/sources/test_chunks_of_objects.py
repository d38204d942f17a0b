"""Where objects run, by their manifests, is where cells of the finest level have rows of them."""

from pathlib import Path

import numpy as np
import pytest

from zarr_vectors.multiresolution.coarsen import build_pyramid
from zarr_vectors.testing.kinds import KINDS, make_store
from zv_viewer.controller.reading import CellReader
from zv_viewer.loading.queue import Job
from zv_viewer.model.plan import Tier
from zv_viewer.planning import build_cells
from zv_viewer.session.full_selection import found_objects
from zv_viewer.sources.store import StoreSource

LINKED = [kind for kind in KINDS if kind not in ("points", "objects")]


@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", LINKED)
def test_cells_of_selected_objects(tmp_path: Path, version: str, kind: str) -> None:
    path = tmp_path / "s"
    make_store(kind, path, format_version=version)
    build_pyramid(str(path), factors=[(2.0, 1.0)])
    source = StoreSource(str(path))
    scene = source.describe()
    tree = build_cells(scene)
    asked = np.append(scene.objects[scene.objects >= 0], 10**9)
    found = found_objects(source, scene, tree, asked)
    assert found is not None
    reader = CellReader(source, scene, tree)
    finest = range(len(tree))[tree.ids_of_level(0)]
    pairs = {
        (rank, cell)
        for cell in finest
        for rank in np.unique(reader(Job(cell, Tier.TARGET)).arrays.links.objects).tolist()
        if scene.objects[rank] >= 0
    }
    assert set(zip(found.ranks[found.owner].tolist(), found.cells.tolist(), strict=True)) == pairs
    assert found_objects(source, scene, tree, asked[:0]) is None
