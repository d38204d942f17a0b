"""napari layers that draw cells, and the camera that looks at them."""
