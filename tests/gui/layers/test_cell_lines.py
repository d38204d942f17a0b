"""Edges in a real window: what links join is what is on the canvas, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from zv_viewer.layers.linked import CellLines
from zv_viewer.layers.row_looks import GHOST, HIGHLIGHT
from zv_viewer.layers.store_layer import LayerError
from zv_viewer.model.objects import Look
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.update import NOT_DRAWN, LayerUpdate

pytestmark = [pytest.mark.gui, pytest.mark.once]

BOX = [[0, 0, 0], [100, 100, 100]]
FLAT = [[0, 0], [100, 100]]
RED, GREEN, BLUE = [255, 0, 0], [0, 255, 0], [0, 0, 255]


def along(a, b, n=60, margin=0.0):
    """(n, D) places on the line from a to b, ``margin`` of it left out at both ends."""
    part = np.linspace(margin, 1 - margin, n)[:, None]
    return np.asarray(a, float) * (1 - part) + np.asarray(b, float) * part


def path(n):
    """(n - 1, 2) links of a line of n rows."""
    return np.stack([np.arange(n - 1), np.arange(1, n)], axis=1)


def levels(*codes):
    """One level for each object."""
    return np.array(codes, np.uint8)


def all_of(cells):
    """The items that draw these cells."""
    return tuple(DrawItem(cell.cell) for cell in cells)


def brute_force(here, points, links):
    """(H, W) float, distance of every pixel from the nearest segment, pixels."""
    image = here.picture()
    ends = here.pixels_of(points) + 0.5
    row, column = np.indices(image.shape[:2]) + 0.5
    best = np.full(image.shape[:2], np.inf)
    for first, second in links:
        a, step = ends[first], ends[second] - ends[first]
        at = ((row - a[0]) * step[0] + (column - a[1]) * step[1]) / max((step**2).sum(), 1e-9)
        at = np.clip(at, 0, 1)
        away = np.hypot(row - a[0] - at * step[0], column - a[1] - at * step[1])
        best = np.minimum(best, away)
    return best


@pytest.fixture
def flat(stage):
    return stage(FLAT, link_width=2, objects=3)


@pytest.mark.parametrize("perspective", [None, 0, 45])
def test_lines_run_from_row_to_row(stage, cut_cells, perspective):
    ndisplay = 2 if perspective is None else 3
    here = stage(BOX, ndisplay=ndisplay, link_width=2)
    points = np.random.default_rng(3).uniform(15, 85, (12, 3))
    if perspective is None:
        points[:, 0] = 50
        here.viewer.dims.set_point(0, 50)
    else:
        here.viewer.scene.camera.perspective = perspective
        here.viewer.scene.camera.angles = (20, -35, 70)
    links = path(12)
    cells = cut_cells(here.scene, points, links)
    here.layer.apply(LayerUpdate(put=tuple(cells), draw=all_of(cells), object_levels=levels(0)))
    away = brute_force(here, points, links)
    lit = here.picture().sum(axis=-1) > 0
    assert lit.sum() > 500
    assert away[lit].max() < 1.6
    for first, second in links:
        assert here.lit_at(along(points[first], points[second])).all()


def test_smooth_lines_of_others_leave_lines_as_they_are(flat, cut_cells):
    """Tracks turn smoothing on for all that is drawn after them; where it stays, lines are wide."""
    points = [[10, 10], [40, 90], [60, 20], [90, 75]]
    cells = cut_cells(flat.scene, points, path(4))
    flat.layer.apply(
        LayerUpdate(put=tuple(cells), draw=all_of(cells), object_levels=levels(0, 0, 0))
    )
    tracks = flat.viewer.add_tracks([[0, 0, 10, 10], [0, 0, 90, 90]], visible=False)
    before = flat.picture()
    tracks.visible = True
    assert (flat.picture() != before).any()
    tracks.visible = False
    np.testing.assert_array_equal(flat.picture(), before)


def test_cells_are_joined_where_both_are_drawn(flat, cut_cells):
    points = [[20, 10], [20, 40], [20, 60], [20, 90], [70, 10], [70, 90]]
    links = [(0, 1), (1, 2), (2, 3), (4, 5)]
    cells = cut_cells(flat.scene, points, links, cells=[0, 0, 1, 1, 0, 1])
    inside, between = along([20, 12], [20, 38]), along([20, 43], [20, 57])
    across, beyond = along([70, 12], [70, 88]), along([20, 62], [20, 88])
    flat.layer.apply(LayerUpdate(put=tuple(cells), object_levels=levels(0, 0, 0)))
    assert flat.lit() == 0
    flat.layer.apply(LayerUpdate(draw=(DrawItem(0),)))
    assert flat.lit_at(inside).all()
    assert not flat.lit_at(np.concatenate([between, across, beyond])).any()
    flat.layer.apply(LayerUpdate(draw=all_of(cells)))
    assert flat.lit_at(np.concatenate([inside, between, across, beyond])).all()
    grown = cut_cells(
        flat.scene,
        [*points, *np.random.default_rng(0).uniform(0, 1, (400, 2))],
        links,
        cells=[0, 0, 1, 1, 0, 1, *[1] * 400],
    )
    flat.layer.apply(LayerUpdate(put=(grown[1],)))
    assert flat.lit_at(np.concatenate([inside, between, across, beyond])).all()
    flat.layer.apply(LayerUpdate(drop=(0,), draw=(DrawItem(1),)))
    assert flat.lit_at(beyond).all()
    assert not flat.lit_at(np.concatenate([between, across, inside])).any()


def test_an_object_changes_its_level_in_one_frame(flat, cut_cells):
    """Fine and coarse run apart, so that a frame with both or none shows."""
    fine = cut_cells(flat.scene, [[30, 10], [20, 50], [30, 90]], path(3), objects=1, cells=0)
    coarse = cut_cells(flat.scene, [[40, 10], [40, 90]], path(2), objects=1, cells=1, level=1)
    other = cut_cells(flat.scene, [[80, 10], [80, 90]], path(2), objects=2, cells=2, level=1)
    cells = [*fine, *coarse, *other]
    at_fine, at_coarse = along([30, 10], [20, 50], margin=0.1), along([40, 10], [40, 90])
    at_other = along([80, 10], [80, 90])

    def seen():
        image = flat.viewer.screenshot(canvas_only=True, flash=False)[..., :3]
        found = [flat.lit_at(places, image) for places in (at_fine, at_coarse, at_other)]
        assert all(one.all() or not one.any() for one in found)
        return [bool(one[0]) for one in found]

    flat.layer.apply(LayerUpdate(put=tuple(cells), draw=all_of(cells)))
    flat.settle()
    assert seen() == [False, False, False], "nothing is drawn before a level is given"
    flat.layer.apply(LayerUpdate(object_levels=levels(NOT_DRAWN, 1, 1)))
    assert seen() == [False, True, True]
    flat.layer.apply(LayerUpdate(object_levels=levels(NOT_DRAWN, 0, 1)))
    assert seen() == [True, False, True]
    flat.layer.apply(LayerUpdate(drop=(0,), draw=all_of(cells[1:]), object_levels=levels(0, 1, 1)))
    assert seen() == [False, True, True]
    put = LayerUpdate(put=tuple(fine), draw=all_of(cells), object_levels=levels(0, 0, 1))
    flat.layer.apply(put)
    assert seen() == [True, False, True]


def test_looks_and_colours_upload_no_rows(flat, cut_cells, monkeypatch):
    rows = [[20, 10], [20, 90], [50, 10], [50, 90], [80, 10], [80, 90]]
    cells = cut_cells(flat.scene, rows, [(0, 1), (2, 3), (4, 5)], objects=[0, 0, 1, 1, 2, 2])
    flat.layer.apply(
        LayerUpdate(put=tuple(cells), draw=all_of(cells), object_levels=levels(0, 0, 0))
    )
    assert flat.lit_at([[20, 50], [50, 50], [80, 50]]).all()

    def refuse(*args, **kwargs):
        raise AssertionError("an upload")

    monkeypatch.setattr("zv_viewer.layers.buffers.RowBuffers.write", refuse)
    monkeypatch.setattr("zv_viewer.layers.link_buffers.LinkBlock.set_subdata", refuse)

    def colours():
        image = flat.picture()
        found = []
        for row, column in flat.pixels_of([[20, 50], [50, 50], [80, 50]]):
            found.append(image[row - 1 : row + 2, column].max(axis=0).tolist())
        return found

    flat.layer.set_object_colours([RED, GREEN, BLUE])
    assert colours() == [RED, GREEN, BLUE]
    flat.layer.set_object_looks([Look.HIDDEN, Look.NORMAL, Look.SELECTED])
    selected = np.rint(np.multiply(HIGHLIGHT, 255)).tolist()
    assert colours() == [[0, 0, 0], GREEN, selected]
    flat.layer.set_object_looks([Look.NORMAL, Look.GHOST, Look.NORMAL])
    faint = np.multiply(GHOST[:3], GHOST[3] * 255)
    found = colours()
    assert [found[0], found[2]] == [RED, BLUE]
    np.testing.assert_allclose(found[1], faint, atol=2)
    flat.layer.set_object_looks([Look.NORMAL] * 3)
    flat.layer.set_object_colours(None)
    assert colours() == [[255] * 3] * 3
    assert flat.layer.object_looks.tolist() == [2, 2, 2]


def test_what_is_faded_is_seen_before_an_image(flat, cut_cells):
    flat.viewer.add_image(np.zeros((100, 100)), blending="opaque")
    flat.viewer.layers.move(1, 0)
    cells = cut_cells(flat.scene, [[50, 10], [50, 90]], path(2))
    put = LayerUpdate(put=tuple(cells), draw=all_of(cells), object_levels=levels(0, 0, 0))
    flat.layer.apply(put)
    flat.layer.set_object_looks([Look.GHOST] * 3)
    assert flat.lit_at([[50, 50]]).all()


def test_links_to_what_is_not_drawn_leave_no_streak(stage, cut_cells):
    here = stage(BOX, ndisplay=3, link_width=2, objects=2)
    here.viewer.scene.camera.angles = (10, 20, 30)
    points = np.random.default_rng(0).uniform(10, 90, (40, 3))
    links = np.random.default_rng(1).permutation(40).reshape(-1, 2)
    links = np.stack([links.min(axis=1), links.max(axis=1)], axis=1)
    objects = np.arange(40) % 2
    mixed = links[objects[links[:, 0]] != objects[links[:, 1]]]
    assert len(mixed) > 5
    cells = cut_cells(here.scene, points, mixed, objects=objects)
    here.layer.apply(LayerUpdate(put=tuple(cells), draw=all_of(cells), object_levels=levels(0, 0)))
    assert here.lit() > 500
    here.layer.set_object_looks([Look.NORMAL, Look.HIDDEN])
    assert here.lit() == 0
    here.layer.set_object_looks([Look.NORMAL, Look.NORMAL])
    here.layer.apply(LayerUpdate(object_levels=levels(0, 3)))
    assert here.lit() == 0


def test_more_objects_than_a_line_of_the_table_holds(stage, cut_cells):
    n = 3 * 4096 + 7
    here = stage(FLAT, link_width=2, objects=n)
    ranks = np.array([0, 4095, 4096, 8191, 8192, n - 1])
    height = np.linspace(10, 90, len(ranks))
    points = np.stack([[(h, 10), (h, 90)] for h in height]).reshape(-1, 2)
    cells = cut_cells(here.scene, points, np.arange(12).reshape(-1, 2), objects=ranks.repeat(2))
    here.layer.apply(
        LayerUpdate(put=tuple(cells), draw=all_of(cells), object_levels=np.zeros(n, np.uint8))
    )
    middles = np.stack([height, np.full(6, 50.0)], axis=1)
    assert here.lit_at(middles).all()
    for hidden in range(6):
        looks = np.full(n, Look.NORMAL)
        looks[ranks[hidden]] = Look.HIDDEN
        here.layer.set_object_looks(looks)
        assert here.lit_at(middles).tolist() == [i != hidden for i in range(6)]


def test_the_slab_cuts_lines_where_it_lies(stage, cut_cells):
    here = stage(BOX, link_width=2)
    rng = np.random.default_rng(5)
    points = rng.uniform(10, 90, (20, 3))
    points[::2, 0], points[1::2, 0] = rng.uniform(0, 30, 10), rng.uniform(70, 100, 10)
    links = np.arange(20).reshape(-1, 2)
    cells = cut_cells(here.scene, points, links)
    here.layer.apply(LayerUpdate(put=tuple(cells), draw=all_of(cells), object_levels=levels(0)))
    here.viewer.dims.set_point(0, 50)
    here.viewer.dims.margin_left = (8, 0, 0)
    here.viewer.dims.margin_right = (12, 0, 0)
    image = here.picture()
    kept = np.array(
        [a + (b - a) * (z - a[0]) / (b[0] - a[0]) for a, b in points[links] for z in (42.0, 62.0)]
    )
    for a, b in kept.reshape(-1, 2, 3):
        assert here.lit_at(along(a, b, margin=0.03), image).all()
    lit = image.sum(axis=-1) > 0
    assert brute_force(here, kept, np.arange(20).reshape(-1, 2))[lit].max() < 2


def test_planes_cut_lines_and_are_taken_away(stage, cut_cells):
    here = stage(BOX, ndisplay=3, link_width=2)
    here.viewer.scene.camera.angles = (10, 25, 70)
    a, b = np.array([20.0, 30, 10]), np.array([80.0, 60, 90])
    cells = cut_cells(here.scene, [a, b], path(2))
    here.layer.apply(LayerUpdate(put=tuple(cells), draw=all_of(cells), object_levels=levels(0)))
    places = along(a, b, 101)
    assert here.lit_at(places).all()
    first = {"position": (50, 50, 50), "normal": (1, 0, 0), "enabled": True}
    second = {"position": (0, 0, 70), "normal": (0, 0, -2), "enabled": True}
    here.layer.experimental_clipping_planes = [first, second]
    kept = (places[:, 0] >= 50) & (places[:, 2] <= 70)
    sure = (np.abs(places[:, 0] - 50) > 1) & (np.abs(places[:, 2] - 70) > 1)
    assert 10 < kept.sum() < 40
    assert (here.lit_at(places) == kept)[sure].all()
    here.layer.experimental_clipping_planes.clear()
    assert here.lit_at(places).all()
    with pytest.raises(LayerError, match="at most 8 planes"):
        here.layer.experimental_clipping_planes = [first] * 9


def test_nearer_lines_hide_farther_ones(stage, cut_cells):
    here = stage(BOX, ndisplay=3, link_width=2, objects=2)
    here.viewer.scene.camera.angles = (0, 0, 90)
    ahead = np.asarray(here.viewer.scene.camera.view_direction)
    side = np.cross(ahead, here.viewer.scene.camera.up_direction)
    ends = [50 + 20 * sign * ahead + 30 * end * side for sign in (-1, 1) for end in (-1, 1)]
    for order in ([0, 1, 2, 3], [2, 3, 0, 1]):
        objects = [0, 0, 1, 1] if order[0] == 0 else [1, 1, 0, 0]
        rows = np.array(ends)[order]
        cells = cut_cells(here.scene, rows, [(0, 1), (2, 3)], objects=objects)
        put = LayerUpdate(put=tuple(cells), draw=all_of(cells), object_levels=levels(0, 0))
        here.layer.apply(put)
        here.layer.set_object_colours([RED, BLUE])
        image = here.picture()
        assert (image[..., 0] > 0).sum() > 100
        assert (image[..., 2] > 0).sum() == 0
        here.layer.set_object_looks([Look.NORMAL, Look.SELECTED])
        assert (here.picture()[..., 1] > 0).sum() > 100, "what is selected is seen through others"
        here.layer.set_object_looks([Look.GHOST, Look.NORMAL])
        image = here.picture()
        assert image[..., 2].max() == 255, "what is faded hides nothing"
        assert image[..., 0].max() == 0
        here.layer.set_object_looks([Look.NORMAL] * 2)


def test_colours_run_between_the_values_of_rows(flat, cut_cells):
    flat.layer.set_colours("scalar", [[0, 0, 1], [1, 0, 0]], (0, 10))
    cells = cut_cells(flat.scene, [[50, 10], [50, 90]], path(2), values=[0, 10])
    flat.layer.apply(
        LayerUpdate(put=tuple(cells), draw=all_of(cells), object_levels=levels(0, 0, 0))
    )
    image = flat.picture()
    row, column = flat.pixels_of([[50, 10.5], [50, 50], [50, 89.5]]).T
    seen = np.array([image[r - 1 : r + 2, c].max(axis=0) for r, c in zip(row, column, strict=True)])
    np.testing.assert_allclose(seen, [[0, 0, 255], [128, 0, 128], [255, 0, 0]], atol=6)
    thumbnail = flat.layer.thumbnail[..., :3].reshape(-1, 3)
    assert {(0, 0, 255), (255, 0, 0)} <= {tuple(map(int, texel)) for texel in thumbnail}
    flat.layer.set_object_looks([Look.HIDDEN] * 3)
    assert not flat.layer.thumbnail[..., :3].any()


def test_blending(flat, cut_cells):
    rows = [[50, 10], [50, 90], [50, 10], [50, 90]]
    cells = cut_cells(flat.scene, rows, [(0, 1), (2, 3)])
    put = LayerUpdate(put=tuple(cells), draw=all_of(cells), object_levels=levels(0, 0, 0))
    flat.layer.apply(put)
    flat.layer.set_colours("plain", (0.25, 0, 0))
    assert flat.picture()[..., 0].max() == 64
    flat.layer.opacity = 0.5
    assert abs(flat.picture()[..., 0].max() - 48) <= 1
    flat.layer.opacity = 1.0
    flat.layer.blending = "additive"
    flat.viewer.add_points(np.zeros((1, 2)), size=1)
    flat.viewer.layers.move(1, 0)
    (row, column), image = flat.pixels_of([[50, 50]])[0], flat.picture()
    assert image[row - 1 : row + 2, column].max(axis=0).tolist() == [128, 0, 0]


def test_widths_the_driver_draws(flat, cut_cells):
    flat.layer.line_width = 3.0
    cells = cut_cells(flat.scene, [[50, 10], [50, 90]], path(2))
    put = LayerUpdate(put=tuple(cells), draw=all_of(cells), object_levels=levels(0, 0, 0))
    flat.layer.apply(put)
    middle = flat.pixels_of([[50, 50]])[0]
    assert (flat.picture()[:, middle[1]].sum(axis=-1) > 0).sum() == 3
    least, most = flat.layer.line_widths
    assert least <= 1 <= 3 <= most
    with pytest.raises(LayerError, match="this driver draws lines of"):
        flat.layer.line_width = most + 1
    with pytest.raises(LayerError, match="has a width"):
        flat.layer.line_width = 0
    flat.layer.current_size = 5
    assert flat.layer.line_width == 5
    assert (flat.picture()[:, middle[1]].sum(axis=-1) > 0).sum() == 5


def test_a_hidden_layer_takes_updates(flat, cut_cells):
    first = cut_cells(flat.scene, [[20, 10], [20, 90]], path(2), cells=4)
    flat.layer.apply(
        LayerUpdate(put=tuple(first), draw=all_of(first), object_levels=levels(0, 0, 0))
    )
    flat.layer.visible = False
    second = cut_cells(flat.scene, [[80, 10], [80, 90]], path(2), objects=1, cells=5)
    flat.layer.apply(LayerUpdate(drop=(4,), put=tuple(second), draw=all_of(second)))
    flat.layer.set_object_looks([Look.HIDDEN, Look.NORMAL, Look.NORMAL])
    assert flat.lit() == 0
    flat.layer.visible = True
    assert flat.lit_at([[80, 50]]).all()
    assert not flat.lit_at([[20, 50]]).any()


def test_capacity_and_removal(flat, cut_cells):
    cells = cut_cells(flat.scene, [[20, 10], [20, 90]], path(2))
    put = LayerUpdate(put=tuple(cells), draw=all_of(cells), object_levels=levels(0, 0, 0))
    flat.layer.apply(put)
    assert flat.lit() > 0
    flat.layer.set_capacity(100_000)
    assert flat.lit() == 0
    flat.layer.apply(LayerUpdate(put=tuple(cells), draw=all_of(cells)))
    assert flat.lit() > 0, "levels outlast the rows"
    canvas = flat.viewer.window._qt_viewer.canvas._scene_canvas
    held = canvas.context.shared.parser._objects
    node = flat.viewer.window._qt_viewer.layer_to_visual[flat.layer].node
    ids = [one.id for one in (*node._rows.columns.values(), *node.blocks, node._objects)]
    assert len(ids) == 6
    assert all(one in held for one in ids)
    flat.viewer.layers.remove(flat.layer)
    assert flat.lit() == 0
    assert not any(one in held for one in ids)
    flat.viewer.add_layer(flat.layer)
    assert flat.lit() == 0
    flat.layer.apply(LayerUpdate(put=tuple(cells), draw=all_of(cells)))
    assert flat.lit() > 0


def test_what_napari_sees(flat, cut_cells, tmp_path):
    assert isinstance(flat.layer, CellLines)
    assert flat.layer._type_string == "tracks"
    np.testing.assert_array_equal(flat.layer.extent.world, flat.scene.bounds)
    with pytest.raises(LayerError, match="memory://box"):
        flat.layer.save(str(tmp_path / "lines.csv"))
    with pytest.raises(LayerError, match="duplicated"):
        flat.layer.as_layer_data_tuple()
    cells = cut_cells(flat.scene, [[20, 10], [20, 90]], path(2))
    with pytest.raises(LayerError, match="drawn whole or not"):
        flat.layer.apply(LayerUpdate(put=tuple(cells), draw=(DrawItem(0, (0,)),)))
