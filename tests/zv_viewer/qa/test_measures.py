"""Measures against the slow, obvious way, and on what is made to have a known answer."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zarr_vectors.lazy import open_zv
from zarr_vectors.multiresolution.strategies.shapes import to_edges, to_faces
from zarr_vectors.testing.pyramids import nearest
from zv_viewer.qa.attributes import Tally, drift_of
from zv_viewer.qa.bins import bins_of, coarser, joined, packed, table_of
from zv_viewer.qa.density import biased
from zv_viewer.qa.distances import summary
from zv_viewer.qa.duplicates import repeated
from zv_viewer.qa.evidence import COLUMNS, Cells
from zv_viewer.qa.inspect import inspect_store
from zv_viewer.qa.links import degenerate, half_of, keys_of, lost_links, whole_of
from zv_viewer.qa.shapes import on_links, to_links
from zv_viewer.qa.shift import nearest_shift, shift_of
from zv_viewer.qa.stream import Pace
from zv_viewer.qa.tiles import tiles_of
from zv_viewer.testing.pyramid_scenes import a_scene, make_pyramid

pytestmark = pytest.mark.once


@pytest.mark.parametrize("tile", [400, 10**6])
def test_distances_are_those_to_the_nearest_vertex(tmp_path, tile):
    make_pyramid(a_scene("points", size=0.3), tmp_path / "s", "0.9.2")
    with open_zv(str(tmp_path / "s")) as store:
        report = inspect_store(store, pace=Pace(tile_rows=tile))
        finest = store[0].vertices.compute()
        for level in report.levels[1:]:
            own = store[level.level].vertices.compute()
            away, back = np.sort(nearest(finest, own)), np.sort(nearest(own, finest))
            assert level.to_level.sample == level.to_level.of == len(finest)
            assert level.to_level.max == pytest.approx(away[-1])
            assert level.to_level.p50 == pytest.approx(away[(len(away) + 1) // 2 - 1])
            assert level.to_finest.max == pytest.approx(back[-1])
            cells = [cell for cell in level.cells if cell.error_max is not None]
            assert max(cell.error_max for cell in cells) == pytest.approx(away[-1])


@pytest.mark.parametrize("tile", [400, 10**6])
@pytest.mark.parametrize("kind", ["streamline", "skeleton", "mesh"])
def test_distances_to_edges_and_faces(kind, tile, tmp_path):
    make_pyramid(a_scene(kind, size=0.3), tmp_path / "s", "0.9.2")
    with open_zv(str(tmp_path / "s")) as store:
        report = inspect_store(store, pace=Pace(tile_rows=tile))
        rows = [
            store[n].read_linked_chunks([tuple(c) for c in store[n].chunk_table.coords.tolist()])
            for n in store.levels
        ]
    for level, own in zip(report.levels[1:], rows[1:], strict=True):
        kept = np.isin(rows[0].objects, own.objects)
        slowly = from_all(rows[0].positions[kept].astype(float), own)
        found = level.shape_to_level
        assert found.sample == found.of == kept.sum()
        rank = [int(np.ceil(q * len(slowly))) - 1 for q in (0.5, 0.95, 1)]
        wanted = np.sort(slowly)[rank]
        np.testing.assert_allclose([found.p50, found.p95, found.max], wanted, rtol=0.02, atol=1e-5)
        assert found.p95 <= level.to_level.p95
        assert level.shape_p95 == found.p95
        assert level.shape_to_finest.sample > 0
        # the marks of the whole level, measured from all of level 0
        assert level.shape_to_finest.max <= 1.01 * most_from(own, rows[0])


def from_all(points, rows):
    """Distance of every point to the nearest of all links and vertices."""
    ends = rows.positions[rows.links].astype(float)
    found = nearest(points, rows.positions.astype(float))
    for row, point in enumerate(points):
        every = np.broadcast_to(point, (len(ends), len(point)))
        if ends.shape[1] == 2:
            away = to_edges(every, ends[:, 0], ends[:, 1])
        else:
            away = to_faces(every, ends)
        found[row] = min(found[row], away.min())
    return found


def most_from(rows, finest):
    """Largest distance of places all over the links of a level to level 0."""
    rng = np.random.default_rng(1)
    places = on_links(rows.positions, rows.links, 3000, rng)
    ends = rows.positions[rows.links].astype(float)
    room = np.linalg.norm(ends - np.roll(ends, 1, axis=1), axis=2).max() / 4
    return nearest(places, finest.positions.astype(float)).max() + room


@pytest.mark.parametrize("width", [2, 3])
def test_places_on_links_are_on_them(width):
    rng = np.random.default_rng(0)
    positions, links = rng.normal(size=(30, 3)), rng.integers(0, 30, (40, width))
    places = on_links(positions, links, 500, rng)
    known = np.full(500, np.inf)
    found = to_links(places, positions, links, known)
    assert np.percentile(found, 80) < 1e-9  # where many faces cross, another may be taken
    assert found.max() < 0.25
    assert len(on_links(positions, links[:0], 5, rng)) == 0


def test_a_report_that_was_stopped_says_so(tmp_path):
    make_pyramid(a_scene("points", size=0.2), tmp_path / "s", "0.9.2")
    told = []
    with open_zv(str(tmp_path / "s")) as store:
        report = inspect_store(
            store,
            progress=lambda done, total, text: told.append((done, total, text)),
            cancelled=lambda: len(told) > 4,
            pace=Pace(tile_rows=200),
        )
    assert not report.complete
    assert report.alarms == ()
    assert told[-1][0] < told[-1][1]


@given(st.integers(0, 2**32 - 1), st.integers(1, 400))
def test_the_interval_of_a_quantile_holds_the_sample(seed, count):
    values = np.random.default_rng(seed).exponential(size=count)
    found = summary(values, 10 * count)
    assert found.p50_interval[0] <= found.p50 <= found.p50_interval[1] <= found.max
    assert found.p95_interval[0] <= found.p95 <= found.p95_interval[1] <= found.max
    whole = summary(values, count)
    assert whole.p95_interval == (whole.p95, whole.p95)


@given(st.integers(0, 2**32 - 1))
def test_tables_of_parts_add_up_and_coarsen_alike(seed):
    rng = np.random.default_rng(seed)
    positions = rng.uniform(-9, 9, (60, 3))
    objects = rng.integers(0, 3, 60)
    values = {"a": rng.normal(size=60), "k": rng.integers(0, 5, 60).astype(np.uint8)}
    fine, large = (1.0,) * 3, (3.0,) * 3

    def part(rows, shape):
        own = {name: column[rows] for name, column in values.items()}
        return table_of(positions[rows], objects[rows], shape, own)

    whole = part(np.arange(60), large)
    for other in (
        coarser(part(np.arange(60), fine), fine, large),
        joined([part(np.arange(25), large), part(np.arange(25, 60), large)]),
    ):
        assert np.array_equal(whole.keys, other.keys)
        assert np.array_equal(whole.counts, other.counts)
        assert np.allclose(whole.sums, other.sums)
        for name in values:
            assert np.array_equal(whole.values[name].low, other.values[name].low)
            assert np.array_equal(whole.values[name].seen, other.values[name].seen)


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2**20, 2**61]))
def test_packed_rows_are_equal_where_rows_are(seed, spread):
    rows = np.random.default_rng(seed).integers(-3, 3, (40, 3)) * spread
    first, second = packed(rows[:20], rows[20:])
    same = (rows[:20, None] == rows[None, 20:]).all(axis=2)
    assert np.array_equal(same, first[:, None] == second[None])


def test_repeated_vertices_are_told_once_each():
    positions = np.array([[0.0, 1], [2, 3], [0, 1], [-0.0, 1], [2, 3]], np.float32)
    assert repeated(positions).sum() == 3
    assert repeated(positions, np.array([0, 1, 1, 0, 1])).tolist() == [
        False,
        False,
        False,
        True,
        True,
    ]


def test_halves_of_links_make_whole_ones():
    bins = np.array([[0, 0, 0], [0, 1, 0], [0, 2, 2]])
    links = np.array([[0, 1], [2, 1], [1, 1]])
    whole = keys_of(links, bins)
    assert len(whole) == 2
    ends, objects = np.array([[10, 11], [12, 11]]), np.zeros(2, np.int64)
    first = half_of(ends, np.array([[0, -1], [2, -1]]), objects, bins)
    second = half_of(ends, np.array([[-1, 1], [-1, 1]]), objects, bins)
    assert np.array_equal(whole_of([first, second]).ends, whole.ends)
    assert len(whole_of([first])) == 0
    assert len(lost_links(whole, whole.take(np.array([0])))) == 1


def test_faces_without_an_area():
    places = np.array([[0.0, 0], [1, 0], [0, 1], [1, 0]])
    faces = np.array([[0, 1, 2], [0, 1, 1], [1, 2, 3]])
    assert degenerate(faces, places, by_place=False).tolist() == [1]
    assert degenerate(faces, places, by_place=True).tolist() == [1, 2]


def test_a_shift_is_told_and_noise_is_not():
    rng = np.random.default_rng(0)
    where = rng.uniform(0, 50, (2000, 3))
    by = np.array([0.7, -0.2, 0.4])
    found = shift_of(where, where + by, [nearest_shift(where, where + by), by], (2.0,) * 3)
    assert found == pytest.approx(by)
    noisy = where + rng.normal(0, 0.3, where.shape)
    assert shift_of(where, noisy, [nearest_shift(where, noisy), by], (2.0,) * 3) is None


def test_density_is_told_against_the_chunks_that_are_full():
    counts = {name: np.zeros(4, np.int64) for name in COLUMNS}
    counts |= {
        "expected": np.full(4, 1000),
        "rows": np.array([1000, 1000, 500, 500]),
        "lost": np.array([0, 0, 500, 500]),
        "finest": np.full(4, 8000),
    }
    cells = Cells(np.zeros((4, 3), np.int64), counts, np.zeros((4, 3)), np.zeros(4))
    found = biased(cells, strict=True)
    assert found.rows.tolist() == [2, 3]
    assert found.density.tolist() == [1, 1, 0.5, 0.5]
    assert found.bias == pytest.approx(0.5)
    even = replace(cells, counts=counts | {"rows": np.full(4, 700), "lost": np.full(4, 300)})
    assert biased(even, strict=True).bias == pytest.approx(0)


@given(st.integers(0, 2**32 - 1), st.integers(1, 200))
def test_tiles_are_all_of_space_once(seed, most):
    rng = np.random.default_rng(seed)
    coords = np.unique(rng.integers(-4, 5, (60, 2)), axis=0)
    counts = rng.integers(1, 50, len(coords))
    tiles = tiles_of(coords, counts, (2.0, 3.0), most, [(4.0, 4.0)])
    assert sorted(np.concatenate([tile.rows for tile in tiles])) == list(range(len(coords)))
    points = rng.uniform(-30, 30, (50, 2))
    held = np.concatenate([tile.holds(points) for tile in tiles])
    assert sorted(held) == list(range(50))
    for tile in tiles:
        assert counts[tile.rows].sum() <= most or len(tile.rows) == 1
        inside = tile.holds((coords + 0.5) * (2.0, 3.0))
        assert sorted(inside) == sorted(tile.rows)
    assert bins_of(np.array([[-0.5, 2.5]]), (1.0, 1.0)).tolist() == [[-1, 2]]


def test_values_that_are_no_numbers_are_left_out_of_the_drift():
    finest, level = Tally(None), Tally(None)
    finest.add(np.array([1.0, np.nan, np.inf, 3.0], np.float32))
    level.add(np.array([[2.0], [np.nan]]))
    samples = np.array([1.0, np.nan, 3.0]), np.array([2.0])
    drift = drift_of("a", "vertex", finest, level, samples, 0.0, categories=False)
    assert drift.mean == (2.0, 2.0)
    assert drift.p50 == (2.0, 2.0)
