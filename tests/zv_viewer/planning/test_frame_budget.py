"""The law of a budget that follows frame times, on machines of every kind."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zv_viewer.planning.frame_budget import (
    AIM_S,
    FAST_S,
    GROWS,
    SHRINKS,
    SLOW_S,
    Range,
    frame_time,
    next_budget,
)

WITHIN = Range(100_000, 2_000_000)
BUDGETS = st.integers(1, 4_000_000)
FRAMES = st.lists(
    st.tuples(st.floats(0, 2), st.integers(0, 3_000_000)), min_size=1, max_size=40
).map(lambda frames: tuple(map(list, zip(*frames, strict=True))))


@dataclass(frozen=True)
class Machine:
    """A frame of n vertices takes so long: at least one refresh, and whole ones if it waits."""

    at_rest_s: float
    per_vertex_s: float
    refresh_s: float = 0.0

    def seconds(self, rows):
        times = self.at_rest_s + self.per_vertex_s * np.asarray(rows)
        if self.refresh_s:
            times = np.ceil(times / self.refresh_s) * self.refresh_s
        return times


MACHINES = st.builds(Machine, st.floats(0, 0.06), st.floats(0, 1e-6))
AT_60_HZ = st.builds(Machine, st.floats(0, 0.03), st.floats(1e-9, 5e-7), st.just(1 / 60))


def history(machine, start, rng, *, steps=80, lag=0.0, noise=0.0):
    """Budgets, one after the other; with ``lag`` frames draw less than they may."""
    budgets = [WITHIN.nearest(start)]
    for _ in range(steps):
        rows = (budgets[-1] * (1 - lag * rng.random(8))).astype(int)
        seconds = machine.seconds(rows) * (1 + noise * rng.uniform(-1, 1, 8))
        budgets.append(next_budget(budgets[-1], seconds, rows, WITHIN, binding=True))
    return np.array(budgets)


@given(BUDGETS, FRAMES, st.booleans())
def test_it_stays_within_its_range_and_steps_are_small(budget, frames, binding):
    before = WITHIN.nearest(budget)
    after = next_budget(budget, *frames, WITHIN, binding=binding)
    assert WITHIN.least <= after <= WITHIN.most
    assert before * SHRINKS <= after <= before * GROWS
    if not binding:
        assert after <= before


@given(BUDGETS, FRAMES, st.floats(1, 100), st.booleans())
def test_slower_frames_never_give_more(budget, frames, times_slower, binding):
    seconds, rows = frames
    slower = [second * times_slower for second in seconds]
    fast = next_budget(budget, seconds, rows, WITHIN, binding=binding)
    assert next_budget(budget, slower, rows, WITHIN, binding=binding) <= fast


@given(FRAMES, st.booleans())
def test_a_larger_budget_stays_the_larger_one(frames, binding):
    after = [
        next_budget(n, *frames, WITHIN, binding=binding) for n in range(90_000, 2_100_000, 5000)
    ]
    assert after == sorted(after)


@given(MACHINES, BUDGETS, st.integers(0, 2**32), st.sampled_from([0.0, 0.5, 1.0]))
def test_it_never_turns_round_however_late_the_picture_follows(machine, start, seed, lag):
    steps = np.diff(history(machine, start, np.random.default_rng(seed), lag=lag))
    assert (steps >= 0).all() or (steps <= 0).all()


@given(MACHINES, BUDGETS, st.integers(0, 2**32))
def test_nor_when_frames_vary_by_a_tenth(machine, start, seed):
    steps = np.diff(history(machine, start, np.random.default_rng(seed), noise=0.1))
    assert (steps >= 0).all() or (steps <= 0).all()


@given(AT_60_HZ, BUDGETS, st.integers(0, 2**32))
def test_nor_where_a_frame_waits_for_the_display(machine, start, seed):
    steps = np.diff(history(machine, start, np.random.default_rng(seed)))
    assert (steps >= 0).all() or (steps <= 0).all()


@given(MACHINES, BUDGETS)
def test_it_comes_to_rest_where_frames_are_fluent_or_at_an_end(machine, start):
    budgets = history(machine, start, np.random.default_rng(0))
    last = int(budgets[-1])
    assert budgets[-10:].tolist() == [last] * 10
    seconds = float(machine.seconds(last))
    assert seconds >= FAST_S or last == WITHIN.most
    assert seconds <= SLOW_S or last == WITHIN.least


@given(MACHINES, MACHINES, BUDGETS)
def test_a_slower_machine_ends_with_no_more_than_it_can_draw(one, other, start):
    slow = Machine(one.at_rest_s + other.at_rest_s, one.per_vertex_s + other.per_vertex_s)
    rng = np.random.default_rng(0)
    ends = [int(history(machine, start, rng)[-1]) for machine in (one, slow)]
    assert ends[1] <= ends[0]


def test_in_figures():
    budget, rows = 300_000, [300_000] * 10
    assert next_budget(budget, [0.010] * 10, rows, WITHIN, binding=True) == 330_000
    assert next_budget(budget, [0.010] * 10, rows, WITHIN, binding=False) == budget
    assert next_budget(budget, [0.030] * 10, rows, WITHIN, binding=True) == budget
    assert next_budget(budget, [0.100] * 10, rows, WITHIN, binding=True) == 240_000
    # One slow frame of ten is not felt, two are.
    assert next_budget(budget, [0.010] * 9 + [0.1], rows, WITHIN, binding=True) == 330_000
    assert next_budget(budget, [0.010] * 8 + [0.1] * 2, rows, WITHIN, binding=True) == 240_000


def test_a_picture_of_few_vertices_is_not_made_slow_by_the_budget():
    assert next_budget(300_000, [0.1] * 10, [50_000] * 10, WITHIN, binding=True) == 300_000
    assert next_budget(300_000, [0.1] * 10, [150_000] * 10, WITHIN, binding=True) == 240_000


def test_frame_time_is_that_of_a_frame():
    assert frame_time([0.01] * 9 + [0.05]) == pytest.approx(0.01)
    assert frame_time([0.03]) == pytest.approx(0.03)
    assert FAST_S * GROWS < AIM_S < SLOW_S * SHRINKS
