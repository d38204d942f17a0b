"""What a plan makes there is to load: an order, values with their cells, stand-ins for the lost."""

from dataclasses import replace

import numpy as np
import pytest

from zv_viewer.controller.jobs import Wanted, plan_jobs, stand_ins_for_lost
from zv_viewer.loading import Job
from zv_viewer.model.plan import Request, Tier
from zv_viewer.model.settings import Budget, LodSettings
from zv_viewer.planning import build_cells, plan_view
from zv_viewer.testing.cameras import look_at
from zv_viewer.testing.sources import make_cloud

NOBODY = np.empty(0, np.int64)


@pytest.fixture(scope="module")
def planned():
    scene = make_cloud(2000, 3, seed=1, chunks=4).scene
    tree = build_cells(scene)
    camera = look_at((-90.0, 32.0, 32.0), (32.0, 32.0, 32.0))
    settings = LodSettings(Budget(10**6, 10**9), quality_px=0.01, density_max=1e9)
    return tree, plan_view(tree, scene, camera, settings, np.zeros(len(tree), bool), None)


def test_the_nearest_cell_that_can_be_read_stands_in(planned):
    tree, plan = planned
    lost = np.zeros(len(tree), bool)
    assert not len(stand_ins_for_lost(tree, plan, lost))
    cell = int(plan.target[-1])
    parent = int(tree.parent[cell])
    lost[cell] = True
    assert stand_ins_for_lost(tree, plan, lost).tolist() == [parent]
    lost[parent] = True
    assert stand_ins_for_lost(tree, plan, lost).tolist() == [int(tree.parent[parent])]
    lost[tree.parent[parent]] = True
    assert not len(stand_ins_for_lost(tree, plan, lost))


def test_jobs_are_in_the_order_of_tiers_and_nothing_held_is_asked_for(planned):
    tree, plan = planned
    requests = (Request(3, Tier.TARGET), Request(4, Tier.HOLE), Request(5, Tier.PREFETCH))
    plan = replace(plan, requests=requests)
    held = np.zeros(len(tree), bool)
    held[7] = True
    jobs = plan_jobs(plan, np.array([3, 6, 7]), held, Wanted("height"), [(7, True)], [])
    assert jobs == [
        Job(4, Tier.HOLE, "height"),
        Job(3, Tier.TARGET, "height"),
        Job(6, Tier.TARGET, "height"),
        Job(7, Tier.ATTRIBUTE, "height", values_only=True),
        Job(5, Tier.PREFETCH, "height"),
    ]


def test_a_cell_under_way_is_not_asked_for_with_other_values(planned):
    tree, plan = planned
    plan = replace(plan, requests=(Request(3, Tier.TARGET), Request(4, Tier.TARGET)))
    held = np.zeros(len(tree), bool)
    under_way = [Job(3, Tier.TARGET, "kind"), Job(4, Tier.ATTRIBUTE, "kind", values_only=True)]
    jobs = plan_jobs(plan, NOBODY, held, Wanted("height"), [], under_way)
    assert [(job.cell, job.attribute) for job in jobs] == [(3, "kind"), (4, "height")]
