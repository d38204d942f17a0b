"""Where a scene node's coordinates land on the canvas, in float64 from end to end.

The two-axes camera of vispy keeps its translation in float32, which is off by many pixels for
large coordinates seen close up. Its centre is kept in float64, so the translation is computed again
from that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from vispy.scene import PanZoomCamera

from zv_viewer.layers.untyped import Node, Transform

Float = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, slots=True)
class Screen:
    """The transform of a node at one frame, column convention, axes in the node's order (x, y, z).

    Args:
        clip: (4, 4) node position to clip.
        middle: (3,) node position in the middle of the view.
        centre: (3,) the camera's centre in (z, y, x) order, world.
        px_per_unit: Device pixels per node unit where ``w`` is 1.
        eye: (3, 3) node step to device pixels right, down and ahead of the camera, where ``w`` is
            1; a turn and one scale of the world.
        pixel_ratio: Device pixels per canvas pixel.
        width: Device pixels across the canvas.
    """

    clip: Float
    middle: Float
    centre: tuple[float, float, float]
    px_per_unit: float
    eye: Float
    pixel_ratio: float
    width: float

    def same_as(self, other: Screen) -> bool:
        """Whether both are the same view."""
        same_canvas = (self.pixel_ratio, self.width) == (other.pixel_ratio, other.width)
        return same_canvas and np.array_equal(self.clip, other.clip)


def _matrix(transform: Transform) -> Float:
    """(4, 4) of any chain of linear and projective transforms: rows are mapped unit vectors."""
    return np.asarray(transform.map(np.eye(4)), np.float64).T


def screen_of(node: Node) -> Screen:
    """The view of ``node``, a visual in a scene that is about to be drawn."""
    place = _matrix(node.get_transform("visual", "scene"))
    look = _matrix(node.get_transform("scene", "document"))
    window = _matrix(node.get_transform("document", "framebuffer"))
    render = _matrix(node.get_transform("framebuffer", "render"))
    box = node.scene_node.parent
    camera = box.camera
    x, y, z = (*(float(c) for c in camera.center), 0.0)[:3]
    if isinstance(camera, PanZoomCamera):
        to_document = _matrix(box.node_transform(node.document_node))
        middle = to_document @ np.array([*box.rect.center, 0.0, 1.0])
        look[:2, 3] = middle[:2] - look[:2, :2] @ np.array([x, y])
    pixels = window @ look @ place
    at = np.linalg.solve(place, np.array([x, y, z, 1.0]))
    landed = pixels @ at
    across, down = (pixels[i, :3] - landed[i] / landed[3] * pixels[3, :3] for i in (0, 1))
    return Screen(
        clip=render @ pixels / landed[3],
        middle=at[:3] / at[3],
        centre=(z, y, x),
        px_per_unit=float(np.sqrt(np.linalg.norm(across) * np.linalg.norm(down)) / landed[3]),
        eye=_eye(window @ look, landed) @ place[:3, :3] / place[3, 3],
        pixel_ratio=float(node.transforms.pixel_scale),
        width=float(node.transforms.canvas.physical_size[0]),
    )


def _eye(pixels: Float, landed: Float) -> Float:
    """(3, 3) world step to pixels across, down and ahead, where a point landed."""
    across, down = (
        (pixels[i, :3] - landed[i] / landed[3] * pixels[3, :3]) / landed[3] for i in (0, 1)
    )
    scale = np.sqrt(np.linalg.norm(across) * np.linalg.norm(down))
    return np.stack([across, down, np.cross(across, down) / scale])
