"""A column of the fault set; tests/long runs the whole of it."""

import pytest

from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.coarsen import build_pyramid
from zv_viewer.qa import link_values
from zv_viewer.qa.inspect import inspect_store
from zv_viewer.qa.report import SEVERITY
from zv_viewer.qa.stream import Pace
from zv_viewer.testing.pyramid_faults import FAULTS
from zv_viewer.testing.pyramid_scenes import KINDS, a_scene, make_pyramid, write_scene

COLUMN = [
    ("hole", "points", "0.7.0"),
    ("hole", "skeleton", "0.9.2"),
    ("far_hole", "skeleton", "0.7.0"),
    ("far_hole", "mesh", "0.9.2"),
    ("shifted_level", "points", "0.9.2"),
    ("shifted_level", "mesh", "0.7.0"),
    ("density_bias", "objects", "0.9.2"),
    ("dropped_object", "graph", "0.9.2"),
    ("dropped_long", "streamline", "0.7.0"),
    ("broken_seam", "streamline", "0.9.2"),
    ("broken_seam", "mesh", "0.7.0"),
    ("disconnected", "graph", "0.7.0"),
    ("duplicate", "streamline", "0.9.2"),
    ("wrong_attribute", "graph", "0.9.2"),
    ("wrong_category", "points", "0.7.0"),
    ("wrong_object_attribute", "line", "0.9.2"),
    ("wrong_link_attribute", "graph", "0.7.0"),
    ("wrong_link_attribute", "skeleton", "0.9.2"),
    ("wrong_link_attribute", "mesh", "0.9.2"),
    ("missing_attribute", "mesh", "0.9.2"),
    ("missing_link_attribute", "mesh", "0.7.0"),
    ("non_nested_ids", "skeleton", "0.7.0"),
    ("degenerate_face", "mesh", "0.9.2"),
    ("damaged_chunk", "points", "0.9.2"),
    ("damaged_chunk", "streamline", "0.7.0"),
    ("absent_chunk", "points", "0.7.0"),
    ("missing_joint", "streamline", "0.7.0"),
]


@pytest.mark.once
@pytest.mark.parametrize(("fault", "kind", "version"), COLUMN)
def test_a_fault_is_found_where_it_is(fault, kind, version, tmp_path):
    planted = FAULTS[fault][0](a_scene(kind), tmp_path / "s", version)
    with open_zv(str(tmp_path / "s")) as store:
        report = inspect_store(store)
    assert any(planted.is_told_by(finding) for finding in report.findings)
    others = {f.kind for f in report.alarms} - {planted.kind} - planted.beside
    assert not others
    assert all(f.level == planted.level for f in report.alarms)


@pytest.mark.once
@pytest.mark.parametrize(("kind", "tile"), [(kind, 500) for kind in KINDS] + [("mesh", 10**6)])
def test_a_clean_twin_raises_no_alarm_in_small_tiles(kind, tile, tmp_path):
    version = "0.7.0" if KINDS.index(kind) % 2 else "0.9.2"
    make_pyramid(a_scene(kind), tmp_path / "s", version)
    with open_zv(str(tmp_path / "s")) as store:
        report = inspect_store(store, pace=Pace(tile_rows=tile, sample=300, back_sample=200))
    assert report.alarms == ()
    for level in report.levels[1:]:
        assert level.occupancy_iou == 1
        assert level.hole_rate == 0
        assert level.to_level.p50_interval[0] <= level.error_p50 <= level.to_level.p50_interval[1]


@pytest.mark.once
@pytest.mark.parametrize("version", ["0.7.0", "0.9.2"])
@pytest.mark.parametrize("kind", ["graph", "skeleton", "mesh"])
def test_attributes_of_links_of_a_clean_twin(kind, version, tmp_path, monkeypatch):
    monkeypatch.setattr(link_values, "_MOST", 500)
    monkeypatch.setattr(link_values, "_RUN", 300)
    make_pyramid(a_scene(kind).with_told(), tmp_path / "s", version)
    with open_zv(str(tmp_path / "s")) as store:
        report = inspect_store(store)
    assert report.alarms == ()
    for level in report.levels[1:]:
        (told,) = [entry for entry in level.attributes if entry.scope == "link"]
        assert told.name == "cost"
        assert told.outside == 0
        assert told.mean[0] == pytest.approx(told.mean[1], rel=0.1)


@pytest.mark.once
@pytest.mark.parametrize("kind", KINDS)
def test_levels_made_by_numbers_raise_no_alarm(kind, tmp_path):
    scene = a_scene(kind, seed=1)
    write_scene(scene, tmp_path / "s", "0.9.2")
    count = len(scene.positions)
    build_pyramid(tmp_path / "s", vertices=[count // 3, count // 20], sparsity_seed=0)
    with open_zv(str(tmp_path / "s")) as store:
        assert inspect_store(store, pace=Pace(tile_rows=900)).alarms == ()


def test_every_kind_of_finding_is_planted_or_told_elsewhere():
    more = {"dropped_long", "wrong_category", "wrong_object_attribute", "absent_chunk"}
    more |= {"missing_joint", "far_hole", "wrong_link_attribute", "missing_link_attribute"}
    planted = set(FAULTS) - more
    assert set(SEVERITY) - planted == {"useless_level", "viewing"}


@pytest.mark.once
@pytest.mark.parametrize(("kind", "level"), [("streamline", 1), ("objects", 0), ("mesh", 0)])
def test_an_object_index_that_cannot_be_read_is_the_only_alarm(kind, level, tmp_path):
    make_pyramid(a_scene(kind), tmp_path / "s", "0.9.2")
    index = tmp_path / "s" / str(level) / "object_index" / "manifests" / "c" / "0"
    index.write_bytes(index.read_bytes()[:40])
    with open_zv(str(tmp_path / "s")) as store:
        report = inspect_store(store)
    (alarm,) = report.alarms
    assert (alarm.kind, alarm.level) == ("damaged_chunk", level)
    assert "object_index" in alarm.message
