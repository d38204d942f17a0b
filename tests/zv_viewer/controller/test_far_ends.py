"""Links of which one end lies far outside the view are drawn close up, as far as the caps go."""

import numpy as np
import pytest

from zarr_vectors.testing.kinds import make_store
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.planning.joined import JOINED_SHARE
from zv_viewer.sources.store import StoreSource
from zv_viewer.testing.cameras import orthographic
from zv_viewer.testing.simulate import simulation


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    place = tmp_path_factory.mktemp("stores") / "skeleton"
    make_store("skeleton", place, chunk_shape=(20.0,) * 3, bin_shape=(10.0,) * 3, seed=2)
    source = StoreSource(place)
    source.scene = source.describe()
    yield source
    source.close()


def close_up(source, middle, vertices=10**6):
    sim = simulation(source, LodSettings(Budget(vertices, 10**9), quality_px=0.01))
    sim.look(orthographic(middle, 60.0, thickness=10.0))
    assert sim.settle()
    return sim


def in_view_and_drawn(sim):
    """(chunk, place) pairs of links with an end in a cell in view: how many, and those drawn."""
    tree, drawn = sim.controller.tree, sim.controller.drawn
    cells = {item.cell for item in drawn.items}
    visible = sim.controller.plan.visible
    asked = shown = 0
    for arrays in drawn.cells:
        if not visible[arrays.cell] or tree.level[arrays.cell]:
            continue
        for owners in arrays.links.open.owner.tolist():
            asked += 1
            shown += cells.issuperset(owners)
    return asked, shown


@pytest.mark.parametrize("seed", range(4))
def test_links_with_an_end_in_view_are_drawn(source, seed):
    middle = np.random.default_rng(seed).uniform(-40, 40, 3)
    sim = close_up(source, middle)
    asked, shown = in_view_and_drawn(sim)
    assert asked > 0
    assert shown == asked
    plan = sim.controller.plan
    beyond = plan.target[~plan.visible[plan.target]]
    assert len(beyond) < len(sim.controller.tree) / 2, "not all is read for a close view"
    assert sim.controller.stats().hole_frames == 0


def test_the_caps_hold(source):
    middle = np.random.default_rng(0).uniform(-40, 40, 3)
    wide = close_up(source, middle)
    plan = wide.controller.plan
    own = int(wide.controller.tree.count[plan.target[plan.visible[plan.target]]].sum())
    cap = own + 10
    tight = close_up(source, middle, vertices=cap)
    assert tight.controller.in_use.vertices <= cap
    assert tight.controller.plan.vertices <= own + max(10, cap * JOINED_SHARE)
    asked, shown = in_view_and_drawn(tight)
    assert shown < asked
