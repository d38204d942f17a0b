"""How things stand: what the picture waits for, why it is not finer, all the figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zv_viewer.controller.connection import Connection, Trouble
from zv_viewer.controller.drawer import Drawer
from zv_viewer.controller.loads import Loads
from zv_viewer.controller.planner import Planner
from zv_viewer.controller.stats import LodStats, network_text, reason_text
from zv_viewer.controller.stock import Stock
from zv_viewer.controller.troubles import Troubles
from zv_viewer.controller.turn import Marks, Todo
from zv_viewer.controller.uploads import Uploads
from zv_viewer.controller.values import Values
from zv_viewer.controller.view import View, settling_s
from zv_viewer.model.plan import Tier
from zv_viewer.model.settings import LodSettings
from zv_viewer.sources.base import Network


@dataclass(frozen=True, eq=False, slots=True)
class Standing:
    """Asks all parts of a controller and changes none."""

    view: View
    values: Values
    troubles: Troubles
    connection: Connection
    stock: Stock
    planner: Planner
    loads: Loads
    uploads: Uploads
    drawer: Drawer
    marks: Marks
    todo: Todo

    def waiting_for(self, settings: LodSettings, trouble: Trouble | None = None) -> str:
        """What an unsettled picture waits for, or nothing; ``trouble`` keeps loads from coming."""
        plan, todo = self.planner.plan, self.todo
        if plan is None or todo.plan or todo.fresh:
            return "camera"
        if self.view.rested_s(self.planner.planned_at) < settling_s(settings):
            return "camera"
        no_memory = self.loads.no_memory
        waiting = [job for job in self.loads.queued if job.tier <= Tier.ATTRIBUTE]
        flying = [
            job
            for job in self.loads.in_flight
            if job.tier <= Tier.ATTRIBUTE and self.marks.needed[job.cell]
        ]
        if flying or any(job.cell not in no_memory for job in waiting):
            if trouble is not None:
                return "network"
            return "values" if all(job.values_only for job in [*waiting, *flying]) else "loading"
        answered = self.stock.card.held | self.troubles.lost
        answered[list(no_memory | self.uploads.no_rows)] = True
        if self.uploads.waiting or todo.draw or not answered[plan.shown].all():
            return "upload"
        lacking = self.values.lacking(np.flatnonzero(self.marks.drawn))
        if {cell for cell, _ in lacking} - no_memory:
            return "values"
        return ""

    def limited_by(self, waiting_for: str) -> str:
        """Why the picture is not finer, one word."""
        plan = self.planner.plan
        if plan is None:
            return ""
        if waiting_for == "network" and not self.stock.cache.held[plan.shown].all():
            return "network"
        if self.loads.no_memory:
            return "memory"
        full = self.planner.buffer_limits and plan.limited_by == "vertices"
        if self.uploads.no_rows or full:
            return "buffer"
        if self.troubles.lost[plan.target].any() and plan.limited_by == "finest":
            return "failed"
        return plan.limited_by

    def stats(
        self, settings: LodSettings, network: Network, now: float, *, closed: bool
    ) -> LodStats:
        """The figures."""
        plan, stock, picture = self.planner.plan, self.stock, self.drawer.picture
        shown = picture.figures(stock.tree, plan, stock.cache, self.view.camera)
        drawn = np.flatnonzero(self.marks.drawn)
        trouble = self.connection.trouble(network, now, loading=bool(self.loads.in_flight))
        waiting_for = "closed" if closed else self.waiting_for(settings, trouble)
        limited_by = self.limited_by(waiting_for)
        tau_px = 0.0 if plan is None else float(plan.tau_px)
        took_ms = self.planner.took_ms
        return LodStats(
            levels_drawn=dict(shown.levels),
            vertices_drawn=shown.vertices,
            vertices_in_view_level0=0 if plan is None else plan.vertices_in_view_level0,
            object_share=shown.object_share,
            cells_in_view=0 if plan is None else len(plan.target),
            holes=picture.holes(stock.tree, self.troubles.lost, self.view.camera),
            hole_frames=picture.hole_frames,
            oscillations=self.drawer.oscillations,
            tau_px=max(tau_px, shown.error_px) if waiting_for else tau_px,
            bytes_read=stock.traffic.bytes_read,
            requests=stock.traffic.requests,
            bytes_drawn=int(stock.read_cost[drawn].sum()),
            wasted_bytes=stock.traffic.wasted,
            refused_by_budget=0 if plan is None else plan.refused_by_budget,
            refused_by_memory=len(self.loads.no_memory | self.uploads.no_rows),
            failed=self.troubles.count + len(self.values.lost),
            vertices_not_finite=self.troubles.not_finite,
            plan_ms_p95=float(np.percentile(took_ms, 95)) if took_ms else 0.0,
            plans=self.planner.plans,
            queued=len(self.loads.queued),
            in_flight=len(self.loads.in_flight),
            limited_by=limited_by,
            reason=network_text(trouble.kind, trouble.seconds)
            if trouble is not None and limited_by == "network"
            else reason_text(limited_by, settings),
            waiting_for=waiting_for,
            settled=not waiting_for,
            attribute=self.values.name,
            attribute_pending=len(self.values.pending(drawn)),
            cache_bytes=stock.cache.used + stock.cache.promised,
            buffer_rows=stock.card.used,
            remote=network.remote,
            latency_s=network.latency_s,
            bytes_per_s=network.bytes_per_s,
            requests_in_flight=network.in_flight,
            retries=network.retries,
            trouble="" if trouble is None else trouble.kind,
            trouble_s=0.0 if trouble is None else trouble.seconds,
            last_trouble=network.trouble,
            selected_full=self._selected_full(),
            selected_refused=0 if plan is None else plan.selected_refused,
        )

    def _selected_full(self) -> int:
        """Selected objects in view that are drawn at the finest level."""
        plan, levels = self.planner.plan, self.drawer.object_levels
        if plan is None or plan.selected is None or levels is None:
            return 0
        selected = plan.selected.within(plan.visible)
        seen = selected.ranks[np.diff(selected.start) > 0]
        return int((levels[seen] == 0).sum())
