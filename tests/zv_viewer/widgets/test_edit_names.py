"""Names offered for the expression of a new attribute."""

from __future__ import annotations

from zarr_vectors.lazy import open_zv
from zarr_vectors.testing.places import DictPlace
from zarr_vectors.testing.surfaces import write_sheets
from zv_viewer.edits.scopes import scopes_of
from zv_viewer.model.objects import ObjectTable
from zv_viewer.sources.store import StoreSource
from zv_viewer.widgets.edit_names import names_known


def test_names_are_those_of_the_scope() -> None:
    place = DictPlace()
    write_sheets(place, side=4, levels=0)
    with open_zv(place)[0].writer() as writer:
        count = int(
            open_zv(place)[0].read_inner_faces(open_zv(place)[0].chunk_keys)[0].counts.sum()
        )
        writer.add_face_attribute_sync("area", [1.0] * count)
    source = StoreSource(place)
    scene, axes = source.describe(), tuple(axis.name for axis in open_zv(place).axes)
    assert names_known(scene, None, "vertex") == ("age", "kind", *axes, "object_id")
    assert names_known(scene, None, "face") == ("area", "age", "kind", *axes, "object_id")
    assert names_known(scene, None, "object") == ("object_id",)
    reader = source.objects()
    assert reader is not None
    table: ObjectTable = reader.read(lambda text: None)
    assert names_known(scene, table, "object") == ("size", "object_id")


def test_scopes_are_those_of_the_geometry() -> None:
    assert scopes_of("point_cloud", objects=False) == ("vertex",)
    assert scopes_of("streamline", objects=True) == ("vertex", "object")
    assert scopes_of("graph", objects=True) == ("vertex", "node", "object")
    assert scopes_of("mesh", objects=True) == ("vertex", "face", "object")
    assert scopes_of(None, objects=False) == ("vertex", "node", "face", "object")
