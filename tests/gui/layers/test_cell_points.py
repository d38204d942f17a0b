"""The fast layer in a real window: what is asked for is what is on the canvas, pixel by pixel."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from qtpy.QtGui import QOpenGLContext
from vispy.gloo import glir

from zv_viewer.layers.colours import MISSING
from zv_viewer.layers.factory import make_layer
from zv_viewer.layers.store_layer import LayerError
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.update import LayerUpdate

pytestmark = [pytest.mark.gui, pytest.mark.once]

BOX = [[0, 0, 0], [100, 100, 100]]
FLAT = [[0, 0], [100, 100]]
WHITE = [255, 255, 255]
BLACK = [0, 0, 0]
RAMP = np.stack([np.linspace(0, 1, 256), np.zeros(256), np.linspace(1, 0, 256)], axis=1)


def spread(n, seed=0, ndim=2):
    """Points far enough apart not to cover one another."""
    side = int(np.ceil(n ** (1 / 2)))
    grid = np.stack(np.meshgrid(*[np.linspace(5, 95, side)] * 2, indexing="ij"), -1).reshape(-1, 2)
    picked = np.random.default_rng(seed).permutation(len(grid))[:n]
    points = np.full((n, ndim), 50.0)
    points[:, -2:] = grid[picked]
    return points


def test_cells_appear_change_and_go(stage, cell):
    here = stage(FLAT)
    points = spread(60)
    first, second, other = points[:20], points[20:40], points[40:]
    put = (cell(here.scene, 0, first), cell(here.scene, 1, second))
    here.layer.apply(LayerUpdate(put=put))
    assert here.lit() == 0, "nothing is drawn before it is asked for"
    here.layer.apply(LayerUpdate(draw=(DrawItem(0), DrawItem(1))))
    assert (here.colours_at(points[:40]) == WHITE).all()
    assert here.layer.rows_drawn == 40
    here.layer.apply(LayerUpdate(draw=(DrawItem(1),)))
    assert (here.colours_at(first) == BLACK).all()
    assert (here.colours_at(second) == WHITE).all()
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 1, other),)))
    assert (here.colours_at(second) == BLACK).all(), "a cell put again replaces itself"
    assert (here.colours_at(other) == WHITE).all()
    here.layer.apply(LayerUpdate(drop=(0, 1), draw=()))
    assert here.lit() == 0


def test_parts_of_a_cell_are_its_rows_in_those_children(stage, cell):
    here = stage(FLAT)
    points = spread(900)
    whole = cell(here.scene, 3, points, parts=[0, 100, 100, 700, 900])
    here.layer.apply(LayerUpdate(put=(whole,), draw=(DrawItem(3, (0, 3)),)))
    colours = here.colours_at(points)
    drawn = np.r_[0:100, 700:900]
    assert (colours[drawn] == WHITE).all()
    assert (np.delete(colours, drawn, axis=0) == BLACK).all()
    assert here.layer.rows_drawn == 300


def test_one_update_is_one_frame(stage, cell):
    here = stage(FLAT)
    a, b = spread(2)
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, [a]),), draw=(DrawItem(0),)))
    here.settle()
    swap = LayerUpdate(drop=(0,), put=(cell(here.scene, 1, [b]),), draw=(DrawItem(1),))
    here.layer.apply(swap)
    image = here.viewer.screenshot(canvas_only=True, flash=False)[..., :3]
    (row_a, column_a), (row_b, column_b) = here.pixels_of([a, b])
    assert image[row_a, column_a].sum() == 0
    assert image[row_b, column_b].sum() > 0


def test_the_slider_keeps_one_slab_and_coarse_rows_reach_further(stage, cell):
    here = stage(BOX)
    points = spread(4, ndim=3)
    points[:, 0] = [20, 20.4, 21.5, 60]
    fine = cell(here.scene, 0, points, spacing=0.0)
    here.layer.apply(LayerUpdate(put=(fine,), draw=(DrawItem(0),)))
    here.viewer.dims.set_point(0, 20)
    assert (here.colours_at(points).sum(axis=1) > 0).tolist() == [True, True, False, False]
    here.viewer.dims.set_point(0, 60)
    assert (here.colours_at(points).sum(axis=1) > 0).tolist() == [False, False, False, True]
    here.viewer.dims.set_point(0, 20)
    here.viewer.dims.margin_right = (2, 0, 0)
    assert (here.colours_at(points).sum(axis=1) > 0).tolist() == [True, True, True, False]
    here.viewer.dims.margin_right = (0, 0, 0)
    coarse = cell(here.scene, 0, points, spacing=2.5)
    here.layer.apply(LayerUpdate(put=(coarse,)))
    assert (here.colours_at(points).sum(axis=1) > 0).tolist() == [True, True, True, False]


def test_sliders_and_axes_upload_nothing(stage, cell, monkeypatch):
    here = stage(BOX)
    points = spread(4, ndim=3)
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, points),), draw=(DrawItem(0),)))
    here.settle()

    def refuse(*args, **kwargs):
        raise AssertionError("an upload")

    monkeypatch.setattr("zv_viewer.layers.buffers.RowBuffers.write", refuse)
    monkeypatch.setattr("zv_viewer.layers.buffers.Block.set_subdata", refuse)
    here.viewer.dims.set_point(0, 50)
    assert (here.colours_at(points) == WHITE).all()
    here.viewer.dims.ndisplay = 3
    here.viewer.scene.camera.angles = (10, 20, 30)
    assert (here.colours_at(points) == WHITE).all()
    here.viewer.dims.ndisplay = 2
    here.viewer.dims.order = (1, 2, 0)
    here.viewer.dims.set_point(1, points[0, 1])
    here.viewer.reset_view()
    assert (here.colours_at(points[:1]) == WHITE).all()
    here.layer.set_colours("plain", (1, 0, 0))
    assert (here.colours_at(points[:1]) == [255, 0, 0]).all()


@pytest.mark.parametrize("perspective", [0, 45])
def test_three_axes_from_any_side(stage, cell, perspective):
    here = stage(BOX, ndisplay=3)
    points = np.random.default_rng(1).uniform(20, 80, (12, 3))
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, points),), draw=(DrawItem(0),)))
    here.viewer.scene.camera.perspective = perspective
    for angles in [(0, 0, 90), (35, -20, 110), (-80, 45, 10)]:
        here.viewer.scene.camera.angles = angles
        assert (here.colours_at(points) == WHITE).all()


def test_nearer_points_hide_farther_ones(stage, cell):
    here = stage(BOX, ndisplay=3)
    here.viewer.scene.camera.angles = (0, 0, 90)
    forward = np.asarray(here.viewer.scene.camera.view_direction)
    near, far = 50 - 20 * forward, 50 + 20 * forward
    here.layer.set_colours("rgb")
    red, blue = 255 * 65536, 255
    for order in ([near, far], [far, near]):
        values = [red if point is near else blue for point in order]
        put = (cell(here.scene, 0, order, values),)
        here.layer.apply(LayerUpdate(put=put, draw=(DrawItem(0),)))
        assert here.colours_at([near]).tolist() == [[255, 0, 0]]


def test_colours_follow_values_and_limits(stage, cell):
    here = stage(FLAT)
    points = spread(5)
    values = [0, 5, 10, 20, np.nan]
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, points, values),), draw=(DrawItem(0),)))
    grey = np.rint(np.multiply(MISSING, 255))
    for limits in [(0, 10), (0, 20), (10, 0)]:
        here.layer.set_colours("scalar", RAMP, limits)
        expected = here.layer.colouring.colours(np.array(values, np.float32)) * 255
        np.testing.assert_allclose(here.colours_at(points), expected, atol=1)
        np.testing.assert_allclose(here.colours_at(points[4:])[0], grey, atol=1)


@pytest.mark.parametrize(
    ("mode", "values"),
    [
        ("category", [0, 1, 2, 258, -1, np.nan]),
        ("rgb", [0x102030, 0xFFFEFD, 0x0000FF, 0xFF0000, 0x00FF01, np.nan]),
    ],
)
def test_every_mode_shows_what_the_rule_says(stage, cell, mode, values):
    here = stage(FLAT)
    points = spread(6)
    here.layer.set_colours(mode, RAMP[:200])
    put = (cell(here.scene, 0, points, values),)
    here.layer.apply(LayerUpdate(put=put, draw=(DrawItem(0),)))
    expected = here.layer.colouring.colours(np.array(values, np.float32)) * 255
    np.testing.assert_allclose(here.colours_at(points), expected, atol=1)


def test_tables_longer_than_a_texture_line(stage, cell):
    here = stage(FLAT)
    table = np.random.default_rng(0).random((10_000, 3))
    codes = [0, 4095, 4096, 8191, 8192, 9999, 10_003]
    points = spread(len(codes))
    here.layer.set_colours("category", table)
    put = (cell(here.scene, 0, points, codes),)
    here.layer.apply(LayerUpdate(put=put, draw=(DrawItem(0),)))
    expected = table[np.array(codes) % 10_000] * 255
    np.testing.assert_allclose(here.colours_at(points), expected, atol=1)


def test_values_that_are_not_loaded_are_grey_until_they_come(stage, cell):
    here = stage(FLAT)
    points = spread(3)
    here.layer.set_colours("scalar", RAMP, (0, 1))
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, points),), draw=(DrawItem(0),)))
    assert (np.abs(here.colours_at(points) - 127.5) < 1).all()
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, points, [1, 1, 1]),)))
    assert (here.colours_at(points) == [255, 0, 0]).all()


def test_sizes_are_canvas_pixels_or_follow_the_spacing(stage, cell):
    here = stage(FLAT)
    put = (cell(here.scene, 0, [[50, 50]], spacing=2.0),)
    here.layer.apply(LayerUpdate(put=put, draw=(DrawItem(0),)))
    here.layer.point_size = 6.0
    assert here.lit() == 36
    here.layer.round_points = True
    assert 20 <= here.lit() <= 32
    here.layer.round_points = False
    here.layer.point_size = None
    here.viewer.scene.camera.zoom = 4.0
    assert here.lit() == 16
    here.viewer.scene.camera.zoom = 0.1
    assert here.lit() == 1
    here.viewer.scene.camera.zoom = 100.0
    assert here.lit() == 64
    here.layer.adaptive_size = (1.0, 1.0, 20.0)
    here.viewer.scene.camera.zoom = 4.0
    assert here.lit() == 64


def test_opacity_and_visibility(stage, cell):
    here = stage(FLAT)
    points = spread(4)
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, points),), draw=(DrawItem(0),)))
    here.layer.opacity = 0.5
    assert (np.abs(here.colours_at(points) - 127.5) <= 1).all()
    here.layer.opacity = 1.0
    assert (here.colours_at(points) == WHITE).all()
    here.layer.visible = False
    assert here.lit() == 0
    later = spread(8)[4:]
    put = (cell(here.scene, 1, later),)
    here.layer.apply(LayerUpdate(put=put, draw=(DrawItem(0), DrawItem(1))))
    assert here.lit() == 0
    here.layer.visible = True
    assert (here.colours_at(np.concatenate([points, later])) == WHITE).all()


def test_moving_and_scaling_the_layer_moves_the_points_and_its_camera(stage, cell):
    here = stage(BOX)
    points = spread(5, ndim=3)
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, points),), draw=(DrawItem(0),)))
    here.layer.translate = (30, 500, -70)
    here.layer.scale = (2, 3, 0.5)
    here.viewer.reset_view()
    here.viewer.dims.set_point(0, 130)
    assert (here.colours_at(points) == WHITE).all()
    here.viewer.dims.set_point(0, 134)
    assert here.lit() == 0
    here.viewer.dims.ndisplay = 3
    here.viewer.scene.camera.angles = (20, 40, 60)
    assert (here.colours_at(points) == WHITE).all()


@pytest.mark.parametrize("ndim", [2, 3, 4])
@pytest.mark.parametrize("ndisplay", [2, 3])
def test_stores_of_two_to_four_axes(stage, cell, ndim, ndisplay):
    here = stage([[0] * ndim, [100] * ndim], ndisplay=ndisplay)
    points = spread(6, ndim=ndim)
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, points),), draw=(DrawItem(0),)))
    here.viewer.dims.set_point(list(range(ndim)), [50.0] * ndim)
    assert (here.colours_at(points) == WHITE).all()
    if ndim > ndisplay:
        here.viewer.dims.set_point(0, 10)
        assert here.lit() == 0


def test_a_layer_with_fewer_axes_than_the_viewer(stage, cell):
    here = stage(BOX)
    here.viewer.add_points(np.zeros((1, 4)), size=0.001).visible = False
    points = spread(6, ndim=3)
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, points),), draw=(DrawItem(0),)))
    here.viewer.dims.set_point(1, 50)
    assert (here.colours_at(points) == WHITE).all()
    here.viewer.dims.set_point(1, 20)
    assert here.lit() == 0


def test_napari_sees_the_whole_store(stage, cell):
    here = stage([[0, -50, 0], [0.5, 50, 200]])
    np.testing.assert_array_equal(here.layer.extent.world, here.scene.bounds)
    assert here.viewer.dims.range[0] == (0, 0.5, 0.001)
    assert here.viewer.dims.range[2] == (0, 200, 1)
    here.layer.apply(
        LayerUpdate(put=(cell(here.scene, 0, [[0, 0, 0]]),), draw=(DrawItem(0),)),
    )
    np.testing.assert_array_equal(here.layer.extent.world, here.scene.bounds)
    here.viewer.dims.ndisplay = 3
    here.layer.bounding_box.visible = True
    assert here.lit() > 200
    assert not here.layer.editable
    assert here.layer.mode == "pan_zoom"


def test_a_part_is_never_saved_as_the_whole(stage, cell, tmp_path):
    here = stage(FLAT)
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, spread(9)),), draw=(DrawItem(0),)))
    with pytest.raises(LayerError, match="memory://box"):
        here.layer.save(str(tmp_path / "points.csv"))
    with pytest.raises(LayerError, match="duplicated"):
        here.layer.as_layer_data_tuple()
    assert list(tmp_path.iterdir()) == []


def test_a_slider_moves_without_another_thumbnail(stage, cell):
    here = stage(BOX, ndisplay=2)
    made = []
    here.layer.events.thumbnail.connect(lambda event: made.append(event))
    here.viewer.dims.set_point(0, 20)
    here.viewer.dims.set_point(0, 70)
    assert not made
    here.viewer.dims.order = (1, 0, 2)
    assert made


def test_status_and_thumbnail(stage, cell):
    here = stage(FLAT)
    points = spread(25)
    here.layer.set_colours("plain", (0, 1, 0))
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, points),), draw=(DrawItem(0),)))
    assert here.layer.get_value((50, 50), world=True) is None
    assert "50" in here.layer.get_status((50.0, 50.0), world=True)["coordinates"]
    green = (here.layer.thumbnail[..., :3] == [0, 255, 0]).all(axis=-1)
    assert 9 <= green.sum() <= 25


def test_stock_controls_set_size_and_colour(stage, cell):
    here = stage(FLAT)
    put = (cell(here.scene, 0, [[50, 50]]),)
    here.layer.apply(LayerUpdate(put=put, draw=(DrawItem(0),)))
    here.layer.current_size = 9
    assert here.lit() == 81
    here.layer.current_face_color = "blue"
    assert here.colours_at([[50, 50]]).tolist() == [[0, 0, 255]]


def test_a_removed_layer_frees_the_card_and_starts_empty(stage, cell):
    here = stage(FLAT)
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, spread(9)),), draw=(DrawItem(0),)))
    assert here.lit() > 0
    canvas = here.viewer.window._qt_viewer.canvas._scene_canvas
    objects = canvas.context.shared.parser._objects
    node = here.viewer.window._qt_viewer.layer_to_visual[here.layer].node
    buffers = (node._rows.position, node._rows.value, *node._drawn.blocks, node._lut)
    ids = [buffer.id for buffer in buffers]
    assert all(number in objects for number in ids)
    watch = weakref.ref(node)
    here.viewer.layers.remove(here.layer)
    assert here.lit() == 0
    assert not any(number in objects for number in ids)
    del node
    gc.collect()
    assert watch() is None
    here.viewer.add_layer(here.layer)
    assert here.lit() == 0
    assert here.layer.rows_drawn == 0
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 5, spread(9)),), draw=(DrawItem(5),)))
    assert (here.colours_at(spread(9)) == WHITE).all()


def test_programs_are_deleted_in_the_context_they_are_of(stage, cell, monkeypatch):
    """Software renderers crash some frames after they were deleted in another."""
    here = stage(FLAT)
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, spread(9)),), draw=(DrawItem(0),)))
    assert here.lit() > 0
    widget = here.viewer.window._qt_viewer.canvas._scene_canvas._backend
    delete, contexts = glir.GlirProgram.delete, []

    def noted(program):
        contexts.append(QOpenGLContext.currentContext())
        delete(program)

    monkeypatch.setattr(glir.GlirProgram, "delete", noted)
    widget.doneCurrent()
    here.viewer.layers.remove(here.layer)
    assert here.lit() == 0
    assert contexts
    assert all(context is widget.context() for context in contexts)


def test_cells_put_before_the_layer_is_on_a_canvas_wait_for_it(stage, cell):
    here = stage(FLAT)
    here.viewer.layers.remove(here.layer)
    points = spread(9)
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, points),), draw=(DrawItem(0),)))
    here.viewer.add_layer(here.layer)
    assert (here.colours_at(points) == WHITE).all()


def test_large_coordinates_draw_as_small_ones_do(stage, cell):
    """Pixel for pixel, at 100 pixels to a hundredth, while the view moves by less than a pixel."""
    shift = np.array([400.0, 850_000.0, 640_000.0])
    spot = np.array([12.25, -78.9, 123.456])
    grid = np.stack(np.meshgrid(*[np.arange(-3, 4) * 0.01] * 3, indexing="ij"), -1).reshape(-1, 3)
    cloud = np.random.default_rng(3).uniform(-500, 500, (3000, 3))
    points = np.concatenate([grid + spot, cloud])
    values = np.linspace(0, 1, len(points))

    def pictures(offset):
        here = stage([offset - 500, offset + 500], ndisplay=3)
        moved = cell(here.scene, 0, points + offset, values, spacing=0.01)
        here.layer.set_colours("scalar", RAMP, (0, 0.1))
        here.layer.apply(LayerUpdate(put=(moved,), draw=(DrawItem(0),)))
        camera = here.viewer.scene.camera
        for ndisplay, perspective in ((3, 0), (3, 45), (2, 0)):
            here.viewer.dims.ndisplay = ndisplay
            here.viewer.dims.set_point(0, (offset + spot)[0])
            camera.perspective = perspective
            camera.angles = (10, 25, 40)
            camera.zoom = 10_000
            for nudge in range(3):
                camera.center = tuple(offset + spot + np.array([0, 2e-5, 3e-5]) * nudge)
                yield here.picture()

    near, far = list(pictures(np.zeros(3))), list(pictures(shift))
    pairs = list(zip(near, far, strict=True))
    assert len(pairs) == 9
    for small, large in pairs:
        assert (small.sum(axis=-1) > 0).sum() > 200
        np.testing.assert_array_equal(small, large)


def test_grid_mode_draws_each_layer_in_its_own_box(stage_of_its_own, cell, scene_of):
    here = stage_of_its_own(BOX, ndisplay=3)
    other = make_layer(scene_of(BOX), 1000, name="other", backend="fast")
    here.viewer.add_layer(other)
    middle = [[50.0, 50.0, 50.0]]
    for layer, colour in ((here.layer, (1, 0, 0)), (other, (0, 0, 1))):
        layer.point_size = 6.0
        layer.set_colours("plain", colour)
        layer.apply(LayerUpdate(put=(cell(here.scene, 0, middle),), draw=(DrawItem(0),)))
    here.viewer.canvas.grid.enabled = True
    here.viewer.canvas.grid.shape = (1, 2)
    here.viewer.reset_view()
    image = here.picture()
    red, blue = (np.argwhere(image[..., channel] > 200) for channel in (0, 2))
    assert len(red) == len(blue) == 36
    width = image.shape[1]
    assert sorted([red[:, 1].mean() / width, blue[:, 1].mean() / width]) == pytest.approx(
        [0.25, 0.75], abs=0.02
    )


def test_planes_take_points_away(stage, cell):
    here = stage(BOX, ndisplay=3)
    here.viewer.scene.camera.angles = (0, 0, 0)
    points = spread(25, ndim=3)
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, points),), draw=(DrawItem(0),)))
    planes = [
        {"position": (0, 40, 0), "normal": (0, 1, 0), "enabled": True},
        {"position": (50, 0, 60), "normal": (0, 0, -1), "enabled": True},
        {"position": (0, 90, 0), "normal": (0, 1, 0), "enabled": False},
    ]
    here.layer.experimental_clipping_planes = planes
    kept = (points[:, 1] >= 40) & (points[:, 2] <= 60)
    assert 0 < kept.sum() < 25
    assert (here.colours_at(points).any(axis=1) == kept).all()
    here.layer.translate = (3, 5, 7)
    assert (here.colours_at(points).any(axis=1) == kept).all(), "planes move with the layer"
    here.layer.experimental_clipping_planes.clear()
    assert here.colours_at(points).any(axis=1).all()


@pytest.mark.parametrize("perspective", [0, 45])
def test_deep_stores_are_shown_from_front_to_back(stage, cell, perspective):
    """A parallel view of vispy ends a million units from its centre."""
    here = stage(np.multiply(BOX, 3e5), ndisplay=3)
    here.viewer.scene.camera.perspective = perspective
    points = np.random.default_rng(1).uniform(0.2, 0.8, (12, 3)) * 3e7
    here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, points),), draw=(DrawItem(0),)))
    for angles in [(0, 0, 90), (35, -20, 110)]:
        here.viewer.scene.camera.angles = angles
        assert (here.colours_at(points) == WHITE).all()
