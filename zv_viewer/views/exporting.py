"""What is visible or selected, exported: a table, or a store of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from zarr_vectors.types.point_blocks import PointBlock, write_point_blocks
from zv_viewer.errors import InputError
from zv_viewer.layers.camera import camera_of
from zv_viewer.layers.clip_planes import plane_axes
from zv_viewer.model.cells import CellTree
from zv_viewer.model.objects import Int, Look
from zv_viewer.model.scene import SceneInfo
from zv_viewer.rows import RowFilter
from zv_viewer.session import StoreSession
from zv_viewer.session.filtering import filtering_of
from zv_viewer.sources.base import ChunkSource, Copied, CopiesObjects, KnowsPlaces
from zv_viewer.views.capture import plane_offset
from zv_viewer.views.choosing import Choice, chosen_rows
from zv_viewer.views.tables import TABLES, write_table

What = Literal["visible", "selected"]
Progress = Callable[[float], None]
STORES = (".zarrvectors", ".zv")
NOTHING_SELECTED = "no object is selected"
OBJECTS_LEFT = "attributes and groups of objects are not in it"


@dataclass(frozen=True, eq=False, slots=True)
class Export:
    """What is to be exported, ready for a worker.

    Args:
        source: The store.
        scene: Its description.
        tree: Its cells.
        choice: Which vertices.
        ids: (n,) the objects selected; None where all that is visible is meant.
    """

    source: ChunkSource
    scene: SceneInfo
    tree: CellTree
    choice: Choice
    ids: Int | None

    def run(self, out: Path, progress: Progress = lambda share: None) -> Copied:
        """Write it; vertices written, and what is not among what was written.

        Args:
            out: ``.csv``, ``.parquet``, or a folder that ends with ``.zarrvectors``.
            progress: Told the share that is done; what it raises gives the export up.

        Raises:
            InputError: Nothing can be written there, or there is nothing to write.
            ZVError: The store cannot be read.
        """
        if not out.parent.is_dir():
            raise InputError(f"cannot write {out}: the folder {out.parent} does not exist")
        suffix = out.suffix.lower()
        if suffix in TABLES:
            return Copied(write_table(self._rows(progress), self.scene.axis_names, out))
        if suffix not in STORES:
            raise InputError(f"{out.name} is neither a table nor a store: {', '.join(KINDS)}")
        return (
            self._points(out, progress) if not self.scene.by_object else self._copy(out, progress)
        )

    def _rows(self, progress: Progress) -> Iterator[Any]:
        choice = self.choice
        if self.ids is not None and isinstance(self.source, KnowsPlaces):
            _, _, chunks = self.source.chunks_of_objects(self.ids)
            choice = replace(choice, chunks=_places(self.scene, chunks))
        return chosen_rows(self.source, self.scene, self.tree, choice, progress)

    def _points(self, out: Path, progress: Progress) -> Copied:
        """A store of points, block by block."""
        scene = self.scene
        blocks = self._rows(progress)
        first = next(blocks, None)
        if first is None:
            raise InputError("there is nothing to export")
        whole = first.objects is not None and bool((first.objects >= 0).all())
        written = 0

        def given() -> Iterator[PointBlock]:
            nonlocal written
            for block in (first, *blocks):
                written += len(block)
                yield PointBlock(
                    block.positions, block.attributes, block.objects if whole else None
                )

        units = {
            info.name: info.unit for info in scene.attributes if info.unit and not info.computed
        }
        write_point_blocks(
            str(out),
            given(),
            chunk_shape=scene.levels[0].chunk_shape.tolist(),
            bin_shape=scene.levels[0].bin_shape.tolist(),
            dtype=str(first.positions.dtype),
            format_version=scene.format_version,
            axis_names=scene.axis_names,
            axis_units=scene.axis_units,
            attribute_units=units,
        )
        return Copied(written, OBJECTS_LEFT if whole else "")

    def _copy(self, out: Path, progress: Progress) -> Copied:
        """A store of whole objects: those selected, or all of which something is seen."""
        source = self.source
        if not isinstance(source, CopiesObjects):
            raise InputError(f"objects of {self.scene.url} cannot be copied")
        ids, before = self.ids, 0.0
        if ids is None:
            before = 0.5
            ids = np.zeros(0, np.int64)
            for block in self._rows(lambda share: progress(share * before)):
                ids = np.union1d(ids, block.objects)
            ids = ids[ids >= 0]
        if not len(ids):
            raise InputError("there is nothing to export")
        rest = 1.0 - before
        return source.copy_objects(ids, str(out), lambda share: progress(before + share * rest))


KINDS = (*TABLES, *STORES)


def export_of(viewer: Any, session: StoreSession, what: What) -> Export:  # noqa: ANN401
    """What is visible of a store, or selected in it, as things stand; for the GUI thread.

    Visible are vertices of level 0 on the canvas, within its slices and clipping planes, that the
    filters keep and whose object is neither hidden nor faded. Selected objects are whole.

    Raises:
        InputError: Nothing is selected.
    """
    scene, controller, layer = session.scene, session.controller, session.layer
    if scene is None or controller is None:
        raise InputError(f"{session.path} is not open")
    ids, choice = None, Choice()
    if what == "selected":
        objects = session.objects
        ids = None if objects is None or objects.table is None else objects.selected_ids
        if ids is None or not len(ids):
            raise InputError(NOTHING_SELECTED)
        choice = Choice(shown=np.isin(scene.objects, ids))
    else:
        normals, reach = _planes(layer)
        rules = filtering_of(session).rules
        looks = getattr(layer, "object_looks", None) if scene.has_objects else None
        shown = None if looks is None else np.asarray(looks) >= Look.NORMAL
        choice = Choice(
            camera_of(viewer, layer),
            normals,
            reach,
            RowFilter(rules) if rules else None,
            shown,
        )
    return Export(controller.source, scene, controller.tree, choice, ids)


def _planes(layer: Any) -> tuple[Any, Any]:  # noqa: ANN401 - a layer of ours; two arrays or None
    """Normals and reach of the clipping planes that are on, in the store's coordinates."""
    on = [plane for plane in layer.experimental_clipping_planes if plane.enabled]
    if not on:
        return None, None
    axes, offset = list(plane_axes(layer)), plane_offset(layer)
    normals = np.zeros((len(on), layer.scene.ndim))
    reach = np.zeros(len(on))
    for row, plane in enumerate(on):
        along = np.asarray(plane.normal, float)[3 - len(axes) :]
        normals[row, axes] = along
        reach[row] = (np.asarray(plane.position, float) + offset)[3 - len(axes) :] @ along
    return normals, reach


def _places(scene: SceneInfo, chunks: Int) -> Int:
    """Rows of the finest level's chunk table, of (T, R) coordinates."""
    table = scene.levels[0].chunks
    both = np.concatenate([table, chunks.reshape(-1, table.shape[1])])
    _, which = np.unique(both, axis=0, return_inverse=True)
    wanted = np.unique(which.reshape(-1)[len(table) :])
    return np.flatnonzero(np.isin(which.reshape(-1)[: len(table)], wanted))
