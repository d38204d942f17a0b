"""The answer of a picture that does not change is not worked out again."""

import pytest

from zv_viewer.controller import by_object
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.testing.cameras import orthographic, shifted
from zv_viewer.testing.linked import make_linked_cloud
from zv_viewer.testing.simulate import simulation


@pytest.fixture
def sim():
    source = make_linked_cloud(seed=3)
    settings = LodSettings(Budget(10**6, 10**9), density_max=1e9)
    made = simulation(source, settings)
    made.look(orthographic((32.0,) * 3, 12.0, thickness=100.0))
    assert made.settle()
    return made


@pytest.fixture
def asked(monkeypatch):
    """How often a draw set is worked out."""
    calls = []
    for name in ("object_draw_set", "affordable_object_draw_set"):
        whole = getattr(by_object, name)

        def counted(*args, _whole=whole, **more):
            calls.append(args)
            return _whole(*args, **more)

        monkeypatch.setattr(by_object, name, counted)
    return calls


def test_nothing_is_worked_out_again_where_nothing_changed(sim, asked):
    controller = sim.controller
    controller._drawer.update(controller.plan, sim.settings, sim.clock.now)
    asked.clear()
    for _ in range(5):
        controller._drawer.update(controller.plan, sim.settings, sim.clock.now)
    assert not asked
    sim.look(shifted(sim.camera, 30.0))
    sim.settle()
    assert asked


def test_an_emptied_layer_starts_anew(sim, asked):
    before = dict(sim.sink.cells)
    sim.sink.start_over(sim.sink.capacity)
    sim.controller.forget_layer()
    assert sim.controller._drawer._policy._levels is None
    assert sim.settle()
    assert asked
    assert set(sim.sink.cells) == set(before)
