"""Two stores that share one budget, on a clock that is set."""

import numpy as np
import pytest

from zv_viewer.controller.sharing import SOLVE_EVERY_S, Sharer, Sharing
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.testing.cameras import orthographic, shifted, zoomed
from zv_viewer.testing.linked import make_linked_cloud
from zv_viewer.testing.simulate import TICK_S, simulation
from zv_viewer.testing.sources import make_cloud

pytestmark = pytest.mark.once

TOTAL = Budget(9000, 900_000)


class Pair:
    """Stores in one viewer."""

    def __init__(self, *sources, total=TOTAL):
        self.settings = LodSettings(total, density_max=1e9, foveation=False)
        self.sims = [simulation(source, self.settings, seed=i) for i, source in enumerate(sources)]
        self.sharing = Sharing(total)
        self.plans = [None] * len(self.sims)
        self.switched = 0
        self.sharers = []
        for sim in self.sims:
            self.join(sim)

    def join(self, sim):
        def follow(share):
            self.switched += 1
            sim.controller.follow_budget(share)

        sharer = Sharer(sim.controller, follow)
        self.sharers.append(sharer)
        sim.controller.follow_budget(sharer.share)
        self.sharing.join(sharer, self.now)

    @property
    def now(self):
        return self.sims[0].clock.now

    def look(self, *cameras):
        for sim, camera in zip(self.sims, cameras, strict=True):
            sim.look(camera)

    def tick(self):
        for i, sim in enumerate(self.sims):
            sim.tick()
            if sim.controller.plan is not self.plans[i]:
                self.plans[i] = sim.controller.plan
                self.sharing.look_again()
        self.sharing.turn(self.now)
        used = [sharer.in_use for sharer in self.sharing.sharers]
        assert sum(each.vertices for each in used) <= self.sharing.total.vertices
        assert sum(each.bytes for each in used) <= self.sharing.total.bytes

    def settle(self, seconds=20.0):
        end = self.now + seconds
        while self.sharing.pending or not all(sim.controller.settled for sim in self.sims):
            assert self.now < end
            self.tick()

    def drawn(self):
        return [sim.controller.stats().vertices_drawn for sim in self.sims]


def clouds(*sizes):
    return [make_cloud(size, 4, seed) for seed, size in enumerate(sizes)]


def whole(zoom=20.0):
    return orthographic((32.0,) * 3, zoom, thickness=100.0)


def test_alone_a_store_has_all():
    pair = Pair(*clouds(20_000))
    pair.look(whole())
    pair.settle()
    assert pair.sharers[0].share == TOTAL
    assert pair.sharing.solved == 0


def test_two_stores_share_and_neither_is_starved():
    pair = Pair(*clouds(20_000, 20_000))
    pair.look(whole(), whole())
    pair.settle()
    first, second = pair.drawn()
    assert min(first, second) > 0.6 * max(first, second)
    assert first + second > 0.6 * TOTAL.vertices
    for sim in pair.sims:
        assert sim.controller.stats().holes == 0


def test_the_one_that_needs_less_gives_the_rest_to_the_other():
    pair = Pair(*clouds(20_000, 20_000))
    near, far = whole(20.0), whole(0.6)
    pair.look(near, far)
    pair.settle()
    shares = [sharer.share for sharer in pair.sharers]
    assert shares[0].vertices > 2 * shares[1].vertices
    assert pair.drawn()[0] > 0.6 * shares[0].vertices


def test_closing_one_returns_all():
    pair = Pair(*clouds(20_000, 20_000))
    pair.look(whole(), whole())
    pair.settle()
    before = pair.drawn()[0]
    pair.sharing.leave(pair.sharers[1], pair.now)
    gone = pair.sims.pop()
    gone.controller.close()
    assert pair.sharers[0].share == TOTAL
    pair.settle()
    assert pair.drawn()[0] > 1.3 * before


def test_a_hidden_layer_gives_its_share_back_and_gets_it_again():
    pair = Pair(*clouds(20_000, 20_000))
    pair.look(whole(), whole())
    pair.settle()
    alike = [sharer.share for sharer in pair.sharers]
    pair.sharers[1].visible = False
    pair.sharing.look_again()
    pair.settle()
    assert pair.sharers[0].share.vertices > 0.9 * TOTAL.vertices
    assert pair.sharers[0].share.bytes > 0.9 * TOTAL.bytes
    pair.sharers[1].visible = True
    pair.sharing.look_again()
    pair.settle()
    shares = [sharer.share for sharer in pair.sharers]
    assert [each.vertices for each in shares] == pytest.approx(
        [each.vertices for each in alike], rel=0.15
    )


def test_weights_count():
    pair = Pair(*clouds(20_000, 20_000))
    pair.look(whole(), whole())
    pair.settle()
    pair.sharers[0].weight = 4.0
    pair.sharing.look_again()
    pair.settle()
    first, second = pair.drawn()
    assert first > 1.5 * second


def test_a_store_that_joins_later_is_shown_and_caps_hold():
    pair = Pair(*clouds(20_000))
    pair.look(whole())
    pair.settle()
    late = simulation(make_cloud(20_000, 4, 9), pair.settings, seed=9)
    late.clock.now = pair.now
    late.look(whole())
    pair.sims.append(late)
    pair.plans.append(None)
    pair.join(late)
    pair.settle()
    first, second = pair.drawn()
    assert second > 0.5 * first > 0


@pytest.mark.parametrize("seed", range(2))
def test_flying_about_shares_are_worked_out_at_most_five_times_a_second(seed):
    """Points and lines; caps hold at every tick, and at rest nothing moves any more."""
    rng = np.random.default_rng(seed)
    pair = Pair(make_cloud(8000, 4, seed), make_linked_cloud(seed=seed))
    cameras = [whole(), orthographic((32.0,) * 3, 12.0, thickness=100.0)]
    pair.look(*cameras)
    start = pair.now
    for _ in range(150):
        kind = rng.random()
        step = rng.normal(size=2) * 20
        cameras = [
            shifted(each, *step) if kind < 0.7 else zoomed(each, float(np.exp(step[0] / 60)))
            for each in cameras
        ]
        pair.look(*cameras)
        pair.tick()
    joins = len(pair.sims) - 1
    assert pair.sharing.solved - joins <= (pair.now - start + TICK_S) / SOLVE_EVERY_S + 1
    pair.settle()
    for _ in range(40):
        pair.tick()
    switched = pair.switched
    for _ in range(120):
        pair.tick()
    assert pair.switched == switched


@pytest.mark.parametrize("seed", range(2))
def test_a_view_that_sways_moves_no_shares(seed):
    pair = Pair(make_cloud(8000, 4, seed), make_linked_cloud(seed=seed))
    cameras = [whole(), orthographic((32.0,) * 3, 12.0, thickness=100.0)]
    pair.look(*cameras)
    pair.settle()
    switched = pair.switched
    for i in range(200):
        pair.look(*(shifted(each, 5.0 * np.sin(i / 8)) for each in cameras))
        pair.tick()
    assert pair.switched <= switched + 2
    assert all(sim.controller.stats().oscillations == 0 for sim in pair.sims)
