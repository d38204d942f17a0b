"""When a load that the network lost is due again."""

import pytest

from zv_viewer.controller.connection import DOWN_AFTER, LONGEST_WAIT_S, PATIENCE_S, Connection
from zv_viewer.sources.base import Network

A, B, C = (1, None, False), (2, None, False), (3, None, False)
QUIET = Network(remote=True)


def connection(chance: float = 1.0) -> Connection:
    return Connection(lambda: chance)


def test_a_lost_load_waits_and_others_do_not() -> None:
    net = connection()
    net.failed(A, "server", 10.0)
    assert not net.may_start(A, 10.2, others=False)
    assert net.may_start(A, 10.25, others=True)
    assert net.may_start(B, 10.0, others=True)
    trouble = net.trouble(QUIET, 12.0, loading=False)
    assert (trouble.kind, trouble.seconds) == ("server", 2.0)
    net.answered(A)
    assert net.trouble(QUIET, 12.0, loading=True) is None
    assert net.may_start(A, 10.0, others=True)


def test_waits_double_up_to_the_longest_and_chance_shortens_them() -> None:
    net, now, waits = connection(), 0.0, []
    for _ in range(8):
        net.failed(A, "cut", now)
        net.answered(B)  # the network is not down
        wait = next(s / 100 for s in range(1, 1000) if net.may_start(A, now + s / 100, others=True))
        waits.append(wait)
        now += wait
    assert waits == [0.25, 0.5, 1, 2, LONGEST_WAIT_S] + [LONGEST_WAIT_S] * 3
    quick = connection(0.0)
    quick.failed(A, "cut", 0.0)
    assert quick.may_start(A, 0.125, others=True)


def test_down_one_load_at_a_time_finds_out_and_its_answer_frees_all() -> None:
    net = connection()
    for key in (A, B, C):
        assert not net.down
        net.failed(key, "offline", 0.0)
    assert net.down
    assert DOWN_AFTER == 3
    assert not net.may_start(A, 0.2, others=False)
    assert not net.may_start(A, 0.3, others=True)
    assert net.may_start(A, 0.3, others=False)
    net.failed(A, "offline", 0.3)
    assert not net.may_start(B, 0.7, others=False)
    assert net.may_start(B, 0.8, others=False)
    net.answered(B)
    assert not net.down
    assert all(net.may_start(key, 0.8, others=True) for key in (A, B, C))
    assert net.trouble(QUIET, 0.8, loading=True) is None


def test_what_nobody_wants_any_more_is_no_trouble() -> None:
    net = connection()
    net.failed(A, "timeout", 0.0)
    net.keep({B})
    assert net.trouble(QUIET, 1.0, loading=True) is None


@pytest.mark.parametrize(("seconds", "loading", "said"), [(5.0, True, True), (5.0, False, False)])
def test_requests_that_fail_for_a_while_are_trouble_while_loading(
    seconds: float, loading: bool, said: bool
) -> None:
    failing = Network(remote=True, failing="throttled", failing_s=seconds)
    trouble = connection().trouble(failing, 0.0, loading=loading)
    assert (trouble is not None) is said
    briefly = Network(remote=True, failing="throttled", failing_s=PATIENCE_S / 2)
    assert connection().trouble(briefly, 0.0, loading=True) is None
