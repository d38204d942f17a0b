"""Faces in a real window: what links join is what is on the canvas, pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest

from zv_viewer.layers.linked import CellMesh
from zv_viewer.layers.row_looks import HIGHLIGHT
from zv_viewer.layers.store_layer import LayerError
from zv_viewer.model.objects import Look
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.update import LayerUpdate

pytestmark = [pytest.mark.gui, pytest.mark.once]

BOX = [[0, 0, 0], [100, 100, 100]]


def sphere(n, centre, radius):
    """Rows and faces of a ball, (N, 3) and (M, 3)."""
    u, w = np.meshgrid(np.linspace(0, np.pi, n), np.arange(2 * n) * np.pi / n, indexing="ij")
    rows = np.stack([np.cos(u), np.sin(u) * np.cos(w), np.sin(u) * np.sin(w)], -1).reshape(-1, 3)
    i, j = (part.ravel() for part in np.indices((n - 1, 2 * n)))
    k = (j + 1) % (2 * n)
    corners = np.stack([i * 2 * n + j, i * 2 * n + k, (i + 1) * 2 * n + j, (i + 1) * 2 * n + k], 1)
    faces = corners[:, [[0, 2, 1], [1, 2, 3]]].reshape(-1, 3)
    return np.asarray(centre) + radius * rows, faces


def a_square(corner, a, b):
    """Four rows and two faces."""
    corner, a, b = (np.asarray(one, float) for one in (corner, a, b))
    return np.stack([corner, corner + a, corner + b, corner + a + b]), [(0, 1, 2), (1, 2, 3)]


def shown(here, cells, levels=1):
    """Put these cells and draw all their objects at level 0."""
    here.layer.apply(
        LayerUpdate(
            put=tuple(cells),
            draw=tuple(DrawItem(cell.cell) for cell in cells),
            object_levels=np.zeros(levels, np.uint8),
        )
    )


@pytest.fixture
def solid(stage):
    here = stage(BOX, ndisplay=3, link_width=3, objects=2, capacity=50_000)
    here.viewer.scene.camera.angles = (0, 0, 0)
    assert isinstance(here.layer, CellMesh)
    return here


@pytest.mark.parametrize("perspective", [0, 45])
def test_faces_cover_what_naparis_own_surface_covers(solid, cut_cells, perspective):
    rows, faces = sphere(24, (50, 45, 55), 32)
    cells = cut_cells(
        solid.scene, rows, faces, cells=(rows[:, 2] > 50).astype(int), values=rows[:, 0]
    )
    ramp = np.stack([np.linspace(0, 1, 256), np.ones(256), np.zeros(256)], axis=1)
    solid.layer.set_colours("scalar", ramp, (0, 100))
    solid.layer.shaded = False
    shown(solid, cells, 2)
    surface = solid.viewer.add_surface(
        (rows, faces, rows[:, 0]),
        shading="none",
        contrast_limits=(0, 100),
        colormap=np.column_stack([ramp, np.ones(256)]),
    )
    camera = solid.viewer.scene.camera
    camera.angles, camera.perspective = (15, -30, 60), perspective
    solid.layer.visible = False
    theirs = solid.picture()
    solid.layer.visible, surface.visible = True, False
    ours = solid.picture()
    covered = theirs.sum(axis=-1) > 0
    assert covered.sum() > 20_000
    assert ((ours.sum(axis=-1) > 0) != covered).mean() < 1e-4
    assert (np.abs(ours - theirs).max(axis=-1) > 3).sum() < 0.002 * covered.sum()


def test_faces_between_cells_need_all_of_them(solid, cut_cells):
    rows = np.array([[50.0, 20, 20], [50, 20, 80], [50, 80, 20], [50, 80, 80]])
    faces = [(0, 1, 2), (1, 2, 3)]
    cells = cut_cells(solid.scene, rows, faces, cells=[0, 1, 2, 1])
    inside, other = [[50, 35, 35]], [[50, 65, 65]]
    for drawn, seen in [
        ((0, 1), (False, False)),
        ((1, 2), (False, True)),
        ((0, 1, 2), (True, True)),
        ((0, 2), (False, False)),
    ]:
        shown(solid, cells, 2)
        solid.layer.apply(LayerUpdate(draw=tuple(DrawItem(cell) for cell in drawn)))
        found = (solid.lit_at(inside)[0], solid.lit_at(other)[0])
        assert found == seen, drawn


def test_light_comes_from_the_eye_on_both_sides(solid, cut_cells):
    """Brightness is that of the angle between face and eye, whichever side is seen."""
    rows, faces = a_square([50, 20, 20], [0, 0, 60], [0, 60, 0])
    shown(solid, cut_cells(solid.scene, rows, faces), 2)
    camera = solid.viewer.scene.camera
    seen = []
    for turn in (0, 30, 60, 180, 210):
        camera.angles = (0, turn, 0)
        ahead = np.asarray(camera.view_direction)
        facing = abs(ahead[0])
        image = solid.picture()
        row, column = solid.pixels_of([[50, 50, 50]])[0]
        seen.append(image[row, column, 0] / 255)
        assert seen[-1] == pytest.approx(0.3 + 0.7 * facing, abs=0.02)
    assert max(seen) > 0.95
    assert min(seen) < 0.8
    solid.layer.shaded = False
    assert solid.colours_at([[50, 50, 50]]).tolist() == [[255] * 3]


@pytest.mark.parametrize("scale", [1e-9, 1e6])
def test_shading_knows_no_units(stage, cut_cells, scale):
    here = stage(np.multiply(BOX, scale), ndisplay=3, link_width=3)
    here.viewer.scene.camera.angles = (0, 0, 0)
    rows, faces = a_square([50, 20, 20], [0, 0, 60], [30, 30, 0])
    shown(here, cut_cells(here.scene, np.multiply(rows, scale), faces))
    ahead = np.asarray(here.viewer.scene.camera.view_direction)
    facing = abs(ahead @ [30, -30, 0]) / np.hypot(30, 30)
    (value, _, _), *_ = here.colours_at(np.multiply([[65, 35, 50]], scale)).tolist()
    assert value / 255 == pytest.approx(0.3 + 0.7 * facing, abs=0.02)


def test_objects_are_hidden_faded_selected_and_coloured(solid, cut_cells):
    near, faces = a_square([30, 20, 20], [0, 0, 60], [0, 60, 0])
    far, _ = a_square([70, 20, 20], [0, 0, 60], [0, 60, 0])
    if solid.viewer.scene.camera.view_direction[0] < 0:
        near, far = far, near
    rows = np.concatenate([near, far])
    both = [*faces, *np.add(faces, 4)]
    shown(solid, cut_cells(solid.scene, rows, both, objects=[0] * 4 + [1] * 4), 2)
    solid.layer.set_object_colours([[1, 0, 0], [0, 0, 1]])
    solid.layer.shaded = False
    middle = [[50, 50, 50]]

    def colour(*looks):
        solid.layer.set_object_looks(looks)
        return solid.colours_at(middle)[0].tolist()

    assert colour(Look.NORMAL, Look.NORMAL) == [255, 0, 0]
    assert colour(Look.HIDDEN, Look.NORMAL) == [0, 0, 255]
    assert colour(Look.GHOST, Look.NORMAL) == [0, 0, 255]
    assert colour(Look.NORMAL, Look.SELECTED) == np.rint(np.multiply(HIGHLIGHT, 255)).tolist()
    assert colour(Look.HIDDEN, Look.HIDDEN) == [0, 0, 0]
    faint = colour(Look.GHOST, Look.HIDDEN)
    assert faint[0] == faint[1] == faint[2]
    assert 10 < faint[0] < 100
    solid.layer.apply(LayerUpdate(object_levels=np.array([1, 0], np.uint8)))
    assert colour(Look.NORMAL, Look.NORMAL) == [0, 0, 255]


def test_the_slab_and_planes_cut_faces(stage, cut_cells):
    here = stage(BOX, link_width=3)
    here.layer.shaded = False
    rows, faces = a_square([0, 20, 20], [100, 60, 0], [0, 0, 60])  # z rises with y
    shown(here, cut_cells(here.scene, rows, faces))
    here.viewer.dims.set_point(0, 50)
    here.viewer.dims.margin_left = (10, 0, 0)
    here.viewer.dims.margin_right = (30, 0, 0)
    places = np.stack(np.meshgrid([50.0], np.linspace(10, 90, 81), np.linspace(10, 90, 33)), -1)
    places = places.reshape(-1, 3)
    z = (places[:, 1] - 20) / 60 * 100
    x = places[:, 2]
    sure = (np.abs(z - 40) > 2) & (np.abs(z - 80) > 2) & (np.abs(x - 20) > 1) & (np.abs(x - 80) > 1)
    inside = (z > 40) & (z < 80) & (x > 20) & (x < 80)
    lit = here.colours_at(places).any(axis=1)
    np.testing.assert_array_equal(lit[sure], inside[sure])
    plane = {"position": (60, 0, 45), "normal": (1, 0, -1), "enabled": True}
    here.layer.experimental_clipping_planes = [plane]
    beyond = (z - 60) - (x - 45)
    lit = here.colours_at(places).any(axis=1)
    sure &= np.abs(beyond) > 4
    np.testing.assert_array_equal(lit[sure], (inside & (beyond > 0))[sure])


def test_what_napari_sees(solid):
    assert solid.layer._type_string == "surface"
    np.testing.assert_array_equal(solid.layer.extent.world, solid.scene.bounds)
    with pytest.raises(LayerError, match="memory://box"):
        solid.layer.as_layer_data_tuple()


def test_opacity_outlasts_a_change_of_the_program(solid, cut_cells):
    rows, faces = a_square([50, 20, 20], [0, 0, 60], [0, 60, 0])
    shown(solid, cut_cells(solid.scene, rows, faces), 2)
    solid.layer.shaded = False
    solid.layer.opacity = 0.5
    middle = [[50, 50, 50]]
    assert abs(solid.colours_at(middle)[0, 0] - 128) <= 1
    plane = {"position": (0, 10, 0), "normal": (0, 1, 0), "enabled": True}
    solid.layer.experimental_clipping_planes = [plane]
    assert abs(solid.colours_at(middle)[0, 0] - 128) <= 1
    solid.layer.experimental_clipping_planes.clear()
    solid.layer.shaded = True
    assert abs(solid.colours_at(middle)[0, 0] - 128) <= 2
