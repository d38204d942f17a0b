"""Links that a level stores where paths leave a chunk, against the paths themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zarr_vectors.encoding.manifests import decode_manifests
from zarr_vectors.lazy import ZVStore
from zarr_vectors.typing import IntArray
from zv_viewer.qa.bins import packed


@dataclass(frozen=True, eq=False, slots=True)
class LostJoints:
    """Places where a path leaves a chunk and no link says so.

    Attributes:
        chunks: (n, R) int64 the chunk it leaves.
        objects: (n,) int64 the path.
    """

    chunks: IntArray
    objects: IntArray


def lost_joints(store: ZVStore, level: int) -> LostJoints | None:
    """Joints of paths without a link; None where the level stores no links.

    Args:
        store: Of lines, polylines or streamlines.
        level: The level.

    Raises:
        ArrayError: The object index or the links are damaged.
    """
    layout, path = store.level_group(level).layout, str(level)
    records, rows = layout.get_links(path), layout.get_objects(path)
    if records is None or rows is None or not len(records.rows):
        return None
    table = decode_manifests(rows.manifests, rows.sid_ndim)
    owner = np.repeat(np.arange(len(rows.ids)), np.diff(table.offsets))
    first, second = table.chunks[:-1], table.chunks[1:]
    left = np.flatnonzero((owner[1:] == owner[:-1]) & (first != second).any(axis=1))
    first, second = first[left], second[left]
    ends = [first, second, records.chunks[:, 0], records.chunks[:, 1]]
    codes = packed(*ends)
    wanted = np.sort(np.stack(codes[:2], axis=1), axis=1)
    there = np.sort(np.stack(codes[2:], axis=1), axis=1)
    own, known = packed(wanted, there)
    order = np.argsort(own, kind="stable")
    ordered = own[order]
    turn = np.arange(len(ordered)) - np.searchsorted(ordered, ordered)
    known = np.sort(known)
    stored = np.searchsorted(known, ordered, "right") - np.searchsorted(known, ordered, "left")
    lost = np.sort(order[turn >= stored])
    return LostJoints(first[lost], rows.ids[owner[left[lost]]])
