"""Skeletons, synapses and meshes in their neuropil: ``python scene.py [PICTURE.png]``."""

import sys

import napari

import zv_viewer

viewer = napari.Viewer(title="Zarr Vectors")
sessions = {
    name: zv_viewer.open_store(viewer, f"{name}.zarrvectors")
    for name in ("neurons", "synapses", "meshes", "neuropil")
}
for session in sessions.values():
    session.wait()
    session.first_colours()
neuropil = sessions["neuropil"].layer
neuropil.opacity = 0.12
neuropil.blending = "translucent_no_depth"  # what lies inside shines through
sessions["synapses"].layer.point_size = 2
viewer.scene.camera.center = (122_000, 187_000, 147_000)
viewer.scene.camera.angles = (0, 0, 90)
viewer.scene.camera.zoom = 0.0021

if len(sys.argv) > 1:
    for session in sessions.values():
        session.wait()
    viewer.screenshot(sys.argv[1], flash=False)
else:
    napari.run()
