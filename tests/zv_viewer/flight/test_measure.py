"""Stalls leave out paint, and percentiles are in milliseconds."""

import pytest

from zv_viewer.flight.measure import FrameLog, percentile_ms


def test_a_gap_without_paint_is_a_stall() -> None:
    log = FrameLog()
    log.beat(0.0, 0.005)
    log.beat(0.105, 0.005)
    assert log.stalls == [pytest.approx(0.1)]


def test_paint_inside_the_gap_is_not_a_stall() -> None:
    log = FrameLog()
    log.beat(0.0, 0.005)
    log.frame(0.1, loading=False)
    log.beat(0.110, 0.005)
    assert log.stalls == [pytest.approx(0.005)]
    log.beat(0.115, 0.005)
    assert log.stalls[-1] == pytest.approx(0.0)


def test_summary_tells_loading_frames_apart() -> None:
    log = FrameLog()
    for _ in range(9):
        log.frame(0.010, loading=False)
    log.frame(0.050, loading=True)
    summary = log.summary()
    assert summary["frames"] == 10
    assert summary["frame_ms_p50"] == 10.0
    assert summary["frame_ms_p95_loading"] == 50.0


def test_nothing_measured_is_none() -> None:
    assert percentile_ms([], 50) is None
    assert FrameLog().summary()["frame_ms_p95_loading"] is None
