"""Cells on their way from a store into memory: queue, threads, cache; no Qt, no napari."""

from zv_viewer.loading.cache import CellCache, victims
from zv_viewer.loading.executors import Executor, InlineExecutor, ThreadExecutor
from zv_viewer.loading.queue import Job, JobKey, next_queue
from zv_viewer.loading.scheduler import Outcome, Scheduler

__all__ = [
    "CellCache",
    "Executor",
    "InlineExecutor",
    "Job",
    "JobKey",
    "Outcome",
    "Scheduler",
    "ThreadExecutor",
    "next_queue",
    "victims",
]
