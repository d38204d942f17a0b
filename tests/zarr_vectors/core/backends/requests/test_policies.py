"""What is decided about requests, without any: ranges, waits, deadlines, how many at once."""

from __future__ import annotations

import math
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.core.backends.requests import (
    CutShort,
    Fault,
    OutOfDate,
    Pace,
    Retrying,
    Window,
    fault_of,
    gap_for,
    join,
)
from zarr_vectors.core.backends.requests.ranges import GAP, LEAST_GAP, MOST_GAP
from zarr_vectors.core.backends.requests.retrying import Retrying as Patience
from zarr_vectors.exceptions import TROUBLES

RANGES = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 60)), max_size=20)


@given(ranges=RANGES, gap=st.integers(0, 50), most=st.integers(1, 200))
def test_joined_ranges_bring_every_byte_asked_for_and_no_wide_gap(
    ranges: list[tuple[int, int]], gap: int, most: int
) -> None:
    pieces = join(ranges, gap, most)
    members = [number for piece in pieces for number in piece.members]
    assert sorted(members) == list(range(len(ranges)))
    asked = {byte for start, length in ranges for byte in range(start, start + length)}
    for piece in pieces:
        spans = [ranges[number] for number in piece.members]
        assert piece.start == min(start for start, _ in spans)
        assert piece.stop == max(start + length for start, length in spans)
        longest = max(length for _, length in spans)
        assert piece.stop - piece.start <= max(most, longest)
        empty = run = 0
        for byte in range(piece.start, piece.stop):
            run = 0 if byte in asked else run + 1
            empty = max(empty, run)
        assert empty <= gap


@given(ranges=RANGES)
def test_with_no_limit_all_ranges_are_one(ranges: list[tuple[int, int]]) -> None:
    assert len(join(ranges, 1000, 10_000)) == min(len(ranges), 1)


def test_the_gap_is_what_the_line_carries_in_the_time_of_a_request() -> None:
    assert gap_for(None, 1e6) == gap_for(0.05, None) == GAP
    assert gap_for(0.05, 10e6) == 500_000
    assert gap_for(0.0001, 1e6) == LEAST_GAP
    assert gap_for(1.0, 1e9) == MOST_GAP


CUT = Fault("cut", "")


def test_waits_double_up_to_a_bound_and_are_drawn_from_zero() -> None:
    patience = Retrying(tries=9, first_s=0.1, most_s=1.0)
    longest = [patience.wait(failed, CUT, 1.0, math.inf) for failed in range(1, 9)]
    assert longest == [pytest.approx(s) for s in (0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0, 1.0)]
    assert patience.wait(5, CUT, 0.0, math.inf) == 0
    assert patience.wait(5, CUT, 0.5, math.inf) == 0.5


def test_tries_come_to_an_end() -> None:
    patience = Retrying(tries=3, tries_offline=2)
    assert patience.wait(2, CUT, 0.5, math.inf) is not None
    assert patience.wait(3, CUT, 0.5, math.inf) is None
    assert patience.wait(1, Fault("offline", ""), 0.5, math.inf) is not None
    assert patience.wait(2, Fault("offline", ""), 0.5, math.inf) is None


def test_no_wait_goes_beyond_the_deadline() -> None:
    assert Retrying(first_s=1.0).wait(1, CUT, 0.9, 0.8) is None


def test_what_a_server_asks_for_is_waited_for_in_full() -> None:
    asked = Fault("throttled", "", after_s=3.0)
    assert Retrying(first_s=0.1).wait(1, asked, 0.0, math.inf) == 3.0
    assert Retrying(first_s=0.1).wait(1, asked, 1.0, math.inf) == pytest.approx(3.1)
    assert Retrying(most_asked_s=2.0).wait(1, asked, 0.0, math.inf) is None


@given(
    failed=st.integers(1, 10),
    draw=st.floats(0, 0.999),
    left=st.floats(0, 100),
    after=st.none() | st.floats(0, 1000),
)
def test_waits_are_bounded(failed: int, draw: float, left: float, after: float | None) -> None:
    wait = Patience().wait(failed, Fault("throttled", "", after), draw, left)
    assert wait is None or (after or 0) <= wait < min(left, 25) or wait == 0


def test_more_time_only_for_more_bytes() -> None:
    pace = Pace(10.0, 1000.0, each_s=0.5)
    assert [pace.allowed(0), pace.allowed(5000), pace.allowed(0, 4)] == [10.0, 15.0, 12.0]


class Place:
    """Answers ``most_at_once`` requests at a time in ``seconds`` each; refuses above ``bears``."""

    def __init__(self, seconds: float, most_at_once: float, bears: float = math.inf) -> None:
        self.seconds, self.most, self.bears = seconds, most_at_once, bears

    def serve(self, window: Window, now: float, requests: int) -> float:
        """Ask in full waves; the time after all are answered."""
        left = requests
        while left > 0:
            n = min(window.size, left)
            left -= n
            for k in range(n):
                window.sent(now, k + 1)
            sent = now
            now += self.seconds * max(n / self.most, 1.0)
            for _ in range(n):
                if n > self.bears:
                    window.refused(now, sent)
                else:
                    window.answered(now)
        return now


def test_the_window_grows_while_that_is_quicker() -> None:
    window = Window(16, most=256)
    Place(0.05, math.inf).serve(window, 0.0, 5000)
    assert window.size == 256


def test_the_window_stays_where_growing_brings_nothing() -> None:
    window = Window(16, most=256)
    now = Place(0.05, 40).serve(window, 0.0, 20_000)
    assert 32 <= window.size <= 80
    Place(0.05, math.inf).serve(window, now, 60_000)
    assert window.size > 100  # and is tried again


def test_one_storm_of_refusals_halves_once() -> None:
    window = Window(64)
    for _ in range(64):
        window.refused(1.0, 0.5)
    assert window.size == 32
    window.refused(2.0, 1.5)
    assert window.size == 16


def test_the_window_keeps_its_bounds() -> None:
    window = Window(4, least=2)
    for number in range(20):
        window.refused(number + 1.0, number + 0.5)
    assert window.size == 2
    Place(0.01, math.inf).serve(window, 100.0, 20_000)
    assert window.size == 256


def test_the_window_settles_below_what_a_place_refuses() -> None:
    window = Window(128)
    place = Place(0.05, math.inf, bears=20)
    now = place.serve(window, 0.0, 2000)
    assert window.size <= 40
    refused = 0
    for _ in range(50):
        refused += window.size > 20
        now = place.serve(window, now, window.size)
    assert refused < 15


def test_few_requests_do_not_move_the_window() -> None:
    window = Window(64)
    for number in range(1000):
        window.sent(float(number), 1)
        window.answered(number + 0.5)
    assert window.size == 64


class Client(Exception):
    """An error of a client library."""

    def __init__(self, text: str = "", **said: object) -> None:
        super().__init__(text)
        self.__dict__.update(said)


def of(module: str, name: str = "SomeError") -> type[Client]:
    found = type(name, (Client,), {})
    found.__module__ = module
    return found


OBSTORE = of("obstore.exceptions", "GenericError")
GET = "Generic S3 error: Error performing GET http://h/b/k in 1ms - "
FAULTS = [
    (OBSTORE(f"{GET}Server returned non-2xx status code: 503 Slow Down: <E/>"), "throttled"),
    (OBSTORE(f"{GET}Server returned non-2xx status code: 429 Too Many: x"), "throttled"),
    (OBSTORE(f"{GET}Server returned non-2xx status code: 500 Internal: x"), "server"),
    (OBSTORE(f"{GET}Server returned non-2xx status code: 408 Timeout: x"), "timeout"),
    (
        OBSTORE(f"{GET}Server returned non-2xx status code: 400 Bad: <Code>RequestTimeout</Code>"),
        "throttled",
    ),
    (OBSTORE(f"{GET}HTTP error: error sending request\n\nkind: Timeout,"), "timeout"),
    (OBSTORE(f"{GET}HTTP error: error sending request\n\nkind: Interrupted,"), "cut"),
    (OBSTORE(f"{GET}HTTP error: error sending request\n\nkind: Connect,"), "offline"),
    (OBSTORE(f"{GET}HTTP error: body error\n\nkind: Interrupted, IncompleteBody"), "cut"),
    (OBSTORE("Generic S3 error: Requested 10..30, got 5..9\n\nUnexpectedRange {"), "cut"),
    (of("aiohttp.client_exceptions", "ServerTimeoutError")(), "timeout"),
    (of("aiohttp.client_exceptions", "ClientPayloadError")(), "cut"),
    (of("aiohttp.client_exceptions", "ClientConnectorError")(), "offline"),
    (of("aiohttp.client_exceptions", "ClientResponseError")(status=502), "server"),
    (of("botocore.exceptions", "EndpointConnectionError")(), "offline"),
    (
        of("botocore.exceptions", "ClientError")(
            response={"ResponseMetadata": {"HTTPStatusCode": 503}}
        ),
        "throttled",
    ),
    (TimeoutError(), "timeout"),
    (ConnectionResetError("reset"), "cut"),
    (ConnectionRefusedError("refused"), "offline"),
    (socket.gaierror("no such host"), "offline"),
    (CutShort("3 bytes came"), "cut"),
    (OutOfDate("older"), "server"),
]


@pytest.mark.parametrize(("error", "trouble"), FAULTS, ids=lambda value: str(value)[:40])
def test_faults_that_another_try_may_mend(error: Exception, trouble: str) -> None:
    fault = fault_of(error)
    assert fault is not None
    assert fault.trouble == trouble
    assert trouble in TROUBLES


@pytest.mark.parametrize(
    "error",
    [
        OBSTORE(f"{GET}Server returned non-2xx status code: 403 Forbidden: 503 kind: Timeout"),
        OBSTORE(f"{GET}Server returned non-2xx status code: 416 Range: x"),
        OBSTORE(f"{GET}Server returned non-2xx status code: 501 Not Implemented: x"),
        OBSTORE(f"{GET}HTTP error: error following redirect\n\nkind: Unknown,"),
        OBSTORE("Content-Length Header missing from response"),
        of("aiohttp", "ClientResponseError")(status=403),
        OSError("disk full"),
        ValueError("503"),
    ],
    ids=str,
)
def test_errors_that_stay(error: Exception) -> None:
    assert fault_of(error) is None


def test_what_a_server_asks_for_is_found_in_its_headers() -> None:
    error = of("aiohttp")(status=503, headers={"Retry-After": "7"})
    assert fault_of(error) == Fault("throttled", "SomeError:", 7.0)
    answer = {"ResponseMetadata": {"HTTPStatusCode": 429, "HTTPHeaders": {"retry-after": "2"}}}
    fault = fault_of(of("botocore")(response=answer))
    assert fault is not None
    assert fault.after_s == 2.0
    for value in ("Wed, 21 Oct 2026 07:28:00 GMT", "-1", "nan", "1e99", None):
        fault = fault_of(of("aiohttp")(status=503, headers={"Retry-After": value}))
        assert fault is not None
        assert fault.after_s is None


def test_no_fault_tells_a_secret() -> None:
    fault = fault_of(ConnectionError("http://me:SECRET@host/x?token=SECRET went away"))
    assert fault is not None
    assert "SECRET" not in fault.text
