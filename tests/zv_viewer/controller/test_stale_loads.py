"""A load that nobody waits for any more is given up where others wait for its thread."""

import threading
import time

from zarr_vectors.core.backends import CancelScope
from zarr_vectors.core.backends.requests.cancelling import current_scope
from zv_viewer.controller import LodController
from zv_viewer.loading import ThreadExecutor
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.testing.cameras import orthographic
from zv_viewer.testing.sinks import FakeSink
from zv_viewer.testing.sources import CloudSource, make_cloud

SETTINGS = LodSettings(Budget(10**6, 10**9), floor=False)


class StuckSource:
    """A cloud of which the first read lasts until it is given up."""

    def __init__(self, cloud: CloudSource) -> None:
        self.cloud = cloud
        self.stuck = threading.Event()
        self.given_up = threading.Event()

    def __getattr__(self, name: str) -> object:
        return getattr(self.cloud, name)

    def scope(self) -> CancelScope:
        return CancelScope()

    def read(self, level, chunks, attributes=()):
        if not self.stuck.is_set():
            self.stuck.set()
            scope = current_scope()
            while not scope.cancelled:
                time.sleep(0.001)
            self.given_up.set()
            scope.check()
        return self.cloud.read(level, chunks, attributes)


class OneThread(ThreadExecutor):
    """However many are asked for."""

    def use(self, workers: int) -> None:
        super().use(1)


def turn_until(controller: LodController, done) -> None:
    end = time.perf_counter() + 20
    while not done():
        assert time.perf_counter() < end
        controller.tick()
        time.sleep(0.005)


def test_it_makes_way_and_is_no_failure() -> None:
    source = StuckSource(make_cloud(2000, 1, chunks=8))
    controller = LodController(
        source, source.scene, FakeSink(10**6), OneThread(1), SETTINGS, time.perf_counter
    )
    here = orthographic((8.0, 8.0, 8.0), 60.0, displayed=(0, 1, 2))
    there = orthographic((56.0, 56.0, 56.0), 60.0, displayed=(0, 1, 2))
    controller.set_camera(here)
    turn_until(controller, source.stuck.is_set)
    controller.set_camera(there)
    turn_until(controller, source.given_up.is_set)
    turn_until(controller, lambda: controller.settled)
    controller.set_camera(here)
    turn_until(controller, lambda: controller.settled)
    stats = controller.stats()
    assert stats.vertices_drawn > 0
    assert (stats.failed, stats.holes) == (0, 0)
    controller.close()


def test_closing_ends_it() -> None:
    source = StuckSource(make_cloud(500, 1, chunks=4))
    controller = LodController(
        source, source.scene, FakeSink(10**6), OneThread(1), SETTINGS, time.perf_counter
    )
    controller.set_camera(orthographic((32.0, 32.0, 32.0), 8.0, displayed=(0, 1, 2)))
    turn_until(controller, source.stuck.is_set)
    controller.close()
    assert source.given_up.wait(10)
    end = time.perf_counter() + 10
    while not source.cloud.closed:
        assert time.perf_counter() < end
        time.sleep(0.001)
