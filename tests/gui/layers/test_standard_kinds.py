"""Standard layers of linked stores: what napari holds is what is drawn, seen in the window."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from napari.layers import Shapes, Tracks, Vectors

from zv_viewer.layers.factory import make_layer, standard_class
from zv_viewer.layers.standard_shapes import StandardShapes
from zv_viewer.layers.standard_surface import StandardSurface
from zv_viewer.layers.standard_tracks import StandardTracks
from zv_viewer.layers.standard_vectors import StandardVectors
from zv_viewer.layers.store_layer import LayerError
from zv_viewer.model.objects import Look
from zv_viewer.model.plan import DrawItem
from zv_viewer.model.update import NOT_DRAWN, LayerUpdate

pytestmark = [pytest.mark.gui, pytest.mark.once]

BOX = [[1000, 0, 0], [1100, 100, 200]]
KINDS = {"tracks": Tracks, "shapes": Shapes, "vectors": Vectors}


def row(height, n=9):
    """(n, 3) places on a line across the box."""
    along = np.linspace(20, 180, n)
    return np.stack([np.full(n, 1050.0), np.full(n, height), along], axis=1)


def chain(n, start=0):
    """(n - 1, 2) links of n rows."""
    return start + np.stack([np.arange(n - 1), np.arange(1, n)], axis=1)


def levels(*codes):
    return np.array(codes, np.uint8)


def segments(layer, scene):
    """Sorted (start, end) in the store's coordinates of all that a layer joins."""
    zero = np.asarray(layer.translate)[-scene.ndim :]
    if isinstance(layer, Vectors):
        pairs = [(start, start + step) for start, step in layer.data[2:]]
    elif isinstance(layer, Tracks):
        ids, at = layer.data[:, 0], layer.data[:, -scene.ndim :]
        pairs = [(at[k], at[k + 1]) for k in range(len(at) - 1) if ids[k] == ids[k + 1]]
    else:
        pairs = [pair for path in layer.data[2:] for pair in itertools.pairwise(path)]
    return sorted(
        tuple(sorted(tuple(np.round(end + zero, 3).tolist()) for end in pair)) for pair in pairs
    )


def expected(points, links):
    return sorted(tuple(sorted(tuple(points[end].tolist()) for end in link)) for link in links)


@pytest.fixture(params=list(KINDS))
def here(request, stage, monkeypatch):
    if request.param == "vectors":
        monkeypatch.setattr(StandardTracks, "can_show", classmethod(lambda cls, scene: False))
    geometry = "polyline" if request.param == "shapes" else "streamline"
    opened = stage(BOX, backend="standard", ndisplay=3, link_width=2, objects=2, geometry=geometry)
    assert isinstance(opened.layer, KINDS[request.param])
    opened.viewer.scene.camera.angles = (0, 0, 0)
    return opened


def two_lines(here, cut_cells, values=None, level=0):
    """Two objects, each in two cells; joints between the cells included."""
    points = np.concatenate([row(30), row(70)])
    links = np.concatenate([chain(9), chain(9, 9)])
    objects = np.repeat([0, 1], 9)
    cells = np.tile([0] * 4 + [1] * 5, 2)
    parts = cut_cells(here.scene, points, links, objects, cells, level, values)
    return points, links, parts


def test_lines_are_whole_across_cells_and_objects_drop_out(here, cut_cells):
    points, links, parts = two_lines(here, cut_cells)
    both = (DrawItem(0), DrawItem(1))
    here.layer.apply(LayerUpdate(put=tuple(parts), draw=both, object_levels=levels(0, 0)))
    assert segments(here.layer, here.scene) == expected(points, links)
    assert here.lit_at(np.concatenate([row(30, 50)[2:-2], row(70, 50)[2:-2]])).all()
    assert here.layer.rows_drawn == 18
    np.testing.assert_allclose(here.layer.extent.world[:, -3:], here.scene.bounds, atol=1e-3)
    here.layer.apply(LayerUpdate(object_levels=levels(NOT_DRAWN, 0)))
    assert segments(here.layer, here.scene) == expected(points, links[8:])
    here.layer.apply(LayerUpdate(draw=(DrawItem(1),), drop=(0,)))
    assert segments(here.layer, here.scene) == expected(points, chain(5, 13))
    here.layer.apply(LayerUpdate(draw=(), drop=(1,)))
    assert segments(here.layer, here.scene) == []
    np.testing.assert_allclose(here.layer.extent.world[:, -3:], here.scene.bounds, atol=1e-3)
    assert here.lit() == 0


def test_only_rows_of_the_level_of_their_object(here, cut_cells):
    points, links, parts = two_lines(here, cut_cells)
    coarse = cut_cells(here.scene, [row(30)[0], row(30)[-1]], [[0, 1]], [0, 0], [2, 2], level=1)
    here.layer.apply(
        LayerUpdate(
            put=(*parts, *coarse),
            draw=tuple(DrawItem(cell) for cell in range(3)),
            object_levels=levels(1, 0),
        )
    )
    ends = [tuple(tuple(end.tolist()) for end in (row(30)[0], row(30)[-1]))]
    assert segments(here.layer, here.scene) == sorted([*expected(points, links[8:]), *ends])


def test_colours_looks_and_hiding(here, cut_cells):
    values = np.repeat([0.0, 10.0], 9)
    points, links, parts = two_lines(here, cut_cells, values)
    both = (DrawItem(0), DrawItem(1))
    here.layer.apply(LayerUpdate(put=tuple(parts), draw=both, object_levels=levels(0, 0)))
    here.layer.set_colours("scalar", [[0, 0, 1], [1, 0, 0]], (0, 10))
    first, second = hues(here, 30), hues(here, 70)
    assert (first.argmax(), second.argmax()) == (2, 0)
    here.layer.set_object_colours([[0, 1, 0], [0, 0, 1]])
    assert (hues(here, 30).argmax(), hues(here, 70).argmax()) == (1, 2)
    here.layer.set_object_looks([Look.HIDDEN, Look.SELECTED])
    assert segments(here.layer, here.scene) == expected(points, links[8:])
    assert not hues(here, 30).any()
    r, g, b = hues(here, 70)
    assert r > g > b
    here.layer.set_object_looks([Look.NORMAL, Look.NORMAL])
    here.layer.set_object_colours(None)
    assert (hues(here, 30).argmax(), hues(here, 70).argmax()) == (2, 0)


def hues(here, height):
    """(3,) brightest colours along a line across the box."""
    image = here.picture()
    at, column = here.pixels_of(row(height, 60)[5:-5]).T
    return np.max([image[at + down, column] for down in (-1, 0, 1)], axis=0).mean(axis=0)


def test_hidden_layers_are_filled_once_when_they_show(here, cut_cells, monkeypatch):
    points, links, parts = two_lines(here, cut_cells)
    filled = []
    fill = type(here.layer)._fill
    monkeypatch.setattr(
        type(here.layer), "_fill", lambda self, *given: (filled.append(1), fill(self, *given))
    )
    here.layer.visible = False
    here.layer.apply(LayerUpdate(put=(parts[0],), draw=(DrawItem(0),), object_levels=levels(0, 0)))
    here.layer.apply(LayerUpdate(put=(parts[1],), draw=(DrawItem(0), DrawItem(1))))
    assert filled == []
    here.layer.visible = True
    assert filled == [1]
    assert segments(here.layer, here.scene) == expected(points, links)
    assert here.lit_at(row(30, 50)[2:-2]).all()
    here.layer.apply(LayerUpdate())
    assert filled == [1]


def test_another_view_shows_the_same(here, cut_cells):
    _, _, parts = two_lines(here, cut_cells)
    both = (DrawItem(0), DrawItem(1))
    here.layer.apply(LayerUpdate(put=tuple(parts), draw=both, object_levels=levels(0, 0)))
    here.viewer.scene.camera.angles = (10, 40, 70)
    assert here.lit_at(row(70, 50)[2:-2]).all()
    here.viewer.dims.ndisplay = 2
    here.viewer.dims.set_point(here.viewer.dims.ndim - 3, 1050)
    assert here.lit_at(row(70, 50)[2:-2]).all()


def test_no_copy_no_edit_and_no_cell_without_links(here, cell):
    here.layer.editable = True
    assert not here.layer.editable
    with pytest.raises(LayerError, match="memory://box"):
        here.layer.as_layer_data_tuple()
    with pytest.raises(LayerError, match="without its links"):
        here.layer.apply(LayerUpdate(put=(cell(here.scene, 0, row(30)),)))


def test_faces_are_a_surface_without_shading(stage, cut_cells):
    here = stage(BOX, backend="standard", ndisplay=3, link_width=3, objects=2)
    layer = here.layer
    assert type(layer) is StandardSurface
    assert layer.shading == "none"
    here.viewer.scene.camera.angles = (0, 0, 0)
    corners = np.array([[1050, 20, 20], [1050, 80, 20], [1050, 20, 100], [1050, 80, 180]], float)
    faces, objects = [[0, 1, 2], [1, 2, 3]], [0, 0, 0, 0]
    parts = cut_cells(here.scene, corners, faces, objects, [0, 0, 1, 1], values=[0, 0, 0, 0])
    update = LayerUpdate(
        put=tuple(parts), draw=(DrawItem(0), DrawItem(1)), object_levels=levels(0, 0)
    )
    inside = corners[faces].mean(axis=1)
    assert here.lit() == 0
    layer.apply(update)
    assert len(layer.data[1]) == 2
    assert here.lit_at(inside).all()
    np.testing.assert_allclose(layer.extent.world, here.scene.bounds, atol=1e-3)
    layer.set_colours("plain", [0, 1, 0])
    assert (here.colours_at(inside).argmax(axis=1) == 1).all()
    layer.set_object_colours([[0, 0, 1], [1, 1, 1]])
    assert (here.colours_at(inside).argmax(axis=1) == 2).all()
    layer.set_object_looks([Look.HIDDEN, Look.NORMAL])
    assert here.lit() == 0
    layer.set_object_looks([Look.NORMAL, Look.NORMAL])
    layer.apply(LayerUpdate(draw=(DrawItem(0),)))
    assert here.lit() == 0


def test_the_kind_suits_the_store(scene_of):
    lines = replace(scene_of(BOX, 2, 3), geometry="polyline")
    assert standard_class(lines) is StandardShapes
    many = replace(lines, objects=np.arange(101))
    assert standard_class(many) is StandardTracks
    flat = replace(scene_of([[0, 0], [9, 9]], 2, 101), geometry="line")
    assert standard_class(flat) is StandardShapes
    assert standard_class(replace(flat, objects=np.arange(1001))) is StandardTracks
    deep = replace(scene_of([[0] * 4, [9] * 4], 2), geometry="skeleton")
    assert standard_class(replace(deep, axis_names=("w", "z", "y", "x"))) is StandardVectors
    assert standard_class(deep) is StandardVectors
    assert standard_class(replace(deep, geometry="streamline")) is StandardTracks


def test_curves_through_time_are_tracks_with_their_times(scene_of, cut_cells):
    scene = replace(scene_of([[-3, 0, 0], [9, 50, 50]], 2), geometry="streamline")
    assert scene.axis_names[0] != "t"
    scene = replace(scene, axis_names=("t", "y", "x"))
    layer = make_layer(scene, 1000, backend="standard")
    assert type(layer) is StandardTracks
    times = np.arange(-3, 4)[::-1]
    points = np.stack([times, 10 + times, 20 + 2 * times], axis=1)
    (cell,) = cut_cells(scene, points, chain(7))
    layer.apply(LayerUpdate(put=(cell,), draw=(DrawItem(0),), object_levels=levels(0)))
    assert layer.ndim == 3
    assert segments(layer, scene) == expected(points.astype(float), chain(7))
    assert np.diff(layer.data[2:, 1]).min() > 0
    np.testing.assert_allclose(layer.extent.world, scene.bounds)
