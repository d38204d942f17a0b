"""Generations: what is wanted is asked for once, what is not wanted any more never starts."""

import threading
from concurrent.futures import Future

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zv_viewer.loading import InlineExecutor, Job, Scheduler, ThreadExecutor, next_queue
from zv_viewer.loading.scheduler import AHEAD
from zv_viewer.model.plan import Tier


def job(cell, tier=Tier.TARGET, **more):
    return Job(cell, tier, **more)


class Held:
    """An executor that does nothing until told."""

    workers = 1

    def __init__(self):
        self.tasks = []
        self.closed = False

    def use(self, workers):
        self.workers = workers

    def submit(self, task):
        future = Future()
        self.tasks.append((future, task))
        return future

    def begin(self, index):
        self.tasks[index][0].set_running_or_notify_cancel()

    def end(self, index):
        future, task = self.tasks[index]
        try:
            future.set_result(task())
        except ValueError as error:
            future.set_exception(error)

    def close(self):
        self.closed = True


def make(executor, load=lambda job: job.cell * 10):
    outcomes = []
    return Scheduler(executor, load, outcomes.append), outcomes


def test_what_is_asked_comes_back_best_first():
    loads, outcomes = make(InlineExecutor())
    loads.ask([job(3), job(1), job(3)])
    assert [j.cell for j in loads.queued] == [3, 1]
    assert not loads.start(lambda job: True)
    assert loads.drain() == 2
    assert [(o.job.cell, o.result, o.error, o.wanted) for o in outcomes] == [
        (3, 30, None, True),
        (1, 10, None, True),
    ]
    assert not loads.queued
    assert not loads.in_flight


def test_a_new_generation_takes_back_what_has_not_started():
    held = Held()
    loads, outcomes = make(held)
    loads.ask([job(1), job(2), job(3)])
    loads.start(lambda job: True)
    held.begin(0)
    back = loads.ask([job(3), job(4)])
    assert [j.cell for j in back] == [2]
    assert [j.cell for j in loads.in_flight] == [1, 3]
    assert [j.cell for j in loads.queued] == [4]
    held.end(0)
    loads.drain()
    assert [(o.job.cell, o.wanted) for o in outcomes] == [(1, False)]


def test_without_cancelling_everything_runs_in_the_order_it_was_asked():
    held = Held()
    loads, _ = make(held)
    loads.ask([job(1), job(2)])
    loads.ask([job(3)], cancel=False)
    assert [j.cell for j in loads.queued] == [1, 2, 3]
    assert next_queue([job(1)], [job(2)], ()) == (job(2),)


def test_no_more_than_a_few_are_under_way():
    held = Held()
    loads, _ = make(held)
    loads.ask(map(job, range(150)))
    loads.start(lambda job: True)
    few = len(loads.in_flight)
    assert 1 <= few <= 1 + AHEAD < 150
    loads.start(lambda job: True)
    assert len(loads.in_flight) == few
    assert len(loads.queued) == 150 - few


def test_what_finds_no_room_waits_and_nothing_optional_passes_it():
    loads, outcomes = make(InlineExecutor())
    loads.ask([job(1), job(2), job(3, Tier.PREFETCH)])
    refused = loads.start(lambda job: job.cell != 1)
    assert [j.cell for j in refused] == [1]
    loads.drain()
    assert [o.job.cell for o in outcomes] == [2]
    assert [j.cell for j in loads.queued] == [1, 3]
    loads.forget([job(3)])
    assert [j.cell for j in loads.queued] == [1]


def test_errors_come_back_as_outcomes():
    def load(job):
        raise ValueError(f"cell {job.cell} is broken")

    loads, outcomes = make(InlineExecutor(), load)
    loads.ask([job(7)])
    loads.start(lambda job: True)
    loads.drain()
    assert outcomes[0].result is None
    assert str(outcomes[0].error) == "cell 7 is broken"


def test_closing_waits_for_what_runs_before_it_lets_go():
    held = Held()
    loads, outcomes = make(held)
    ended = []
    loads.ask([job(1), job(2)])
    loads.start(lambda job: True)
    held.begin(0)
    loads.close(lambda: ended.append(1))
    assert held.closed
    assert not ended
    held.end(0)
    assert ended == [1]
    loads.close(lambda: ended.append(2))
    assert ended == [1]
    assert not outcomes


def test_closing_with_nothing_under_way_lets_go_at_once():
    loads, _ = make(InlineExecutor())
    ended = []
    loads.close(lambda: ended.append(1))
    assert ended == [1]


def test_loads_run_in_threads_and_outcomes_in_the_caller():
    where = {}
    done = threading.Event()

    def load(job):
        where["load"] = threading.get_ident()
        done.set()
        return 1

    executor = ThreadExecutor(2)
    loads = Scheduler(executor, load, lambda o: where.update(deliver=threading.get_ident()))
    loads.ask([job(1)])
    loads.start(lambda job: True)
    assert done.wait(10)
    while not loads.drain():
        pass
    assert where["deliver"] == threading.get_ident() != where["load"]
    closed = threading.Event()
    loads.close(closed.set)
    assert closed.wait(10)


@given(
    st.lists(st.integers(0, 9), max_size=8),
    st.lists(st.integers(0, 9), max_size=8),
    st.sets(st.integers(0, 9)),
    st.booleans(),
)
def test_a_queue_holds_nothing_twice(waiting, wanted, flying, cancel):
    under_way = {job(cell).key for cell in flying}
    queue = next_queue([job(c) for c in waiting], map(job, wanted), under_way, cancel=cancel)
    cells = [j.cell for j in queue]
    assert len(cells) == len(set(cells))
    assert not set(cells) & flying
    expected = set(wanted) | (set() if cancel else set(waiting))
    assert set(cells) == expected - flying


def test_values_and_rows_of_a_cell_are_different_loads():
    rows, values = job(1, attribute="a"), job(1, attribute="a", values_only=True)
    assert next_queue((), [rows, values], ()) == (rows, values)
    assert job(1, Tier.HOLE).key == job(1, Tier.PREFETCH).key


def test_an_inline_executor_reports_errors_in_the_future():
    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        InlineExecutor().submit(fail).result()
