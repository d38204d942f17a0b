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


def test_holes_are_counted_again_once_more_is_known(sim, monkeypatch):
    controller, counted = sim.controller, []
    policy = controller._drawer._policy
    holes = policy.holes
    monkeypatch.setattr(policy, "holes", lambda *asked: counted.append(asked) or holes(*asked))
    for _ in range(3):
        controller.on_frame(sim.camera)
    assert not counted  # of this picture they are known
    controller._stock.contents += 1
    controller.on_frame(sim.camera)
    assert len(counted) == 1
    policy._plan = controller.plan_from(sim.camera)
    controller.on_frame(sim.camera)
    assert len(counted) == 2
