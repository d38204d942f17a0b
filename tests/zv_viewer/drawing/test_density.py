"""How many vertices of level 0 one of a coarser level stands for."""

import numpy as np

from zv_viewer.drawing.density import stands_for
from zv_viewer.planning import build_cells
from zv_viewer.testing.scenes import grid_scene


def test_below_each_cell_all_of_level_0_is_counted() -> None:
    tree = build_cells(grid_scene(8, 3, 40))
    found = stands_for(tree)
    for cell in range(len(tree)):
        below, finest = [cell], 0
        while below:
            at = below.pop()
            finest += int(tree.count[at]) if tree.level[at] == 0 else 0
            below += tree.children(at).tolist()
        assert np.isclose(found[cell], max(finest / max(int(tree.count[cell]), 1), 1.0))
    assert found.max() > 2
    assert (found[tree.ids_of_level(0)] == 1).all()
