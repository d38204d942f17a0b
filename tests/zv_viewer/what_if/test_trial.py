"""A pyramid tried in memory is the one that would be built."""

from __future__ import annotations

import numpy as np
import pytest

from zarr_vectors import build_pyramid, open_zv
from zarr_vectors.exceptions import CoarseningError
from zarr_vectors.testing.kinds import make_store
from zv_viewer.model.settings import LodSettings
from zv_viewer.sources.store import StoreSource
from zv_viewer.testing.cameras import orthographic
from zv_viewer.what_if import box_around, levels_now, parse_steps, try_pyramid
from zv_viewer.what_if.box import paths_of
from zv_viewer.what_if.levels import aimed

VIEW = orthographic((0.0, 0.0, 0.0), 2.0, displayed=(0, 1, 2))
ALL = 10**9


@pytest.mark.parametrize(
    ("kind", "version"),
    [
        ("points", "0.9.2"),
        pytest.param("line", "0.7.0", marks=pytest.mark.slow),
        ("polyline", "0.9.2"),
        pytest.param("graph", "0.9.2", marks=pytest.mark.slow),
        ("skeleton", "0.7.0"),
        ("mesh", "0.7.0"),
    ],
)
def test_of_a_whole_store_it_is_what_building_gives(kind, version, tmp_path) -> None:
    make_store(kind, tmp_path / "s", format_version=version)
    store = open_zv(tmp_path / "s")
    question = parse_steps("2 2", "", "")
    box = box_around(store, np.zeros(3), ALL)
    assert box.vertices == box.of == store[0].vertex_count
    before = sorted(str(path) for path in (tmp_path / "s").rglob("*"))
    trial = try_pyramid(store, box, question, VIEW, LodSettings(quality_px=2.0))
    assert sorted(str(path) for path in (tmp_path / "s").rglob("*")) == before
    build_pyramid(tmp_path / "s", factors=list(question.factors))
    built = open_zv(tmp_path / "s")
    assert [one.level for one in trial.levels] == built.levels
    for one in trial.levels[1:]:
        level = built[one.level]
        assert one.vertices == level.vertex_count
        assert one.error_p95 == pytest.approx(level.error.p95, rel=1e-6)
        assert one.error_max == pytest.approx(level.error.max, rel=1e-6)
        assert one.chunks == level.chunk_count
        stored = sum(
            path.stat().st_size
            for path in (tmp_path / "s" / str(one.level)).rglob("*")
            if path.is_file()
        )
        assert one.nbytes == pytest.approx(stored, rel=0.5)
    assert trial.levels[0].error_p95 is None
    switch = trial.levels[1].switch
    assert switch is not None
    assert (switch.coarse, switch.fine) == (1, 0)
    assert 0 < switch.farther < switch.nearer

    # what is there now is looked at in the same way
    source = StoreSource(tmp_path / "s")
    now = levels_now(built, source.describe(), box, VIEW, LodSettings(quality_px=2.0))
    source.close()
    for one, other in zip(trial.levels, now, strict=True):
        for name in ("level", "objects", "chunks", "error_p95"):
            assert getattr(one, name) == getattr(other, name), name
        if one.switch is not None:
            assert other.switch.nearer == pytest.approx(one.switch.nearer, rel=0.05)
        # a few coarse vertices lie where no chunk of level 0 is
        assert other.vertices == pytest.approx(one.vertices, rel=0.1)
        assert other.nbytes is not None


@pytest.mark.parametrize("kind", ["points", "skeleton"])
def test_the_levels_there_are_are_looked_at_in_the_box_alone(kind, tmp_path) -> None:
    shapes = {"chunk_shape": (30.0,) * 3, "bin_shape": (7.5,) * 3}
    make_store(kind, tmp_path / "s", format_version="0.9.2", **shapes)
    build_pyramid(tmp_path / "s", factors=[2.0, 2.0])
    store = open_zv(tmp_path / "s")
    source = StoreSource(tmp_path / "s")
    box = box_around(store, np.array([15.0, 15.0, 15.0]), 40)
    assert 0 < box.vertices <= 40 < box.of
    now = levels_now(store, source.describe(), box, VIEW, LodSettings())
    assert now[0].vertices == box.vertices
    for level in now:
        positions = store[level.level].vertices.compute()
        cells = np.floor(positions / box.shape).astype(int).tolist()
        assert level.vertices == sum(cell in box.chunks.tolist() for cell in cells)
        assert level.nbytes > 0
    assert now[1].error_p95 == store[1].error.p95
    with pytest.raises(CoarseningError):
        levels_now(store, source.describe(), box, VIEW, LodSettings(), cancelled=lambda: True)
    source.close()


def test_a_box_is_the_chunks_around_a_place(tmp_path) -> None:
    make_store("skeleton", tmp_path / "s")
    store = open_zv(tmp_path / "s")
    middle = np.array([10.0, 10.0, 10.0])
    box = box_around(store, middle, 30)
    assert 0 < box.vertices <= 30 < box.of
    assert ((box.bounds[0] <= middle) & (middle <= box.bounds[1])).all()
    said = []
    trial = try_pyramid(
        store,
        box,
        parse_steps("2", "2", "1"),
        VIEW,
        LodSettings(),
        progress=lambda done, total, text: said.append(text),
    )
    assert trial.levels[0].vertices <= trial.vertices
    assert trial.levels[1].objects < trial.levels[0].objects
    assert "leave the box" in trial.notes[0]
    assert said[0] == f"reading {box.vertices:,} vertices"
    assert len(said) > 1
    with pytest.raises(CoarseningError):
        try_pyramid(
            store, box, parse_steps("2", "", ""), VIEW, LodSettings(), cancelled=lambda: True
        )


def test_paths_follow_their_links() -> None:
    links = np.array([[4, 5], [0, 1], [1, 2], [5, 3]])
    assert [path.tolist() for path in paths_of(links, 8)] == [[0, 1, 2], [4, 5, 3]]


def test_a_view_is_aimed() -> None:
    flat = orthographic((1.0, 2.0, 3.0), 4.0, displayed=(0, 2), thickness=2.0)
    there = aimed(flat, np.array([7.0, 8.0, 9.0]))
    at = there.matrix @ [7.0, 9.0, 0.0, 1.0]
    assert np.allclose(at[[0, 1, 3]], [0, 0, 1])
    assert there.slab_lo[1] == pytest.approx(7.0)
    assert there.slab_hi[1] == pytest.approx(9.0)
    assert np.isinf(there.slab_lo[0])
