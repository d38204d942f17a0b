"""Depth-first order of a forest, without recursion and without a Python step per node. Pure.

Every step doubles the distance looked up the trees, so the work is N log(depth).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from zarr_vectors.exceptions import ArrayError
from zarr_vectors.typing import IntArray
from zarr_vectors.writing.order import stable_order


def parents_of(edges: IntArray, count: int, dtype: npt.DTypeLike = np.int64) -> IntArray:
    """The parent of every node.

    Args:
        edges: (M, 2) int64, (child, parent) rows among ``count`` nodes.
        count: Number of nodes.
        dtype: Signed integers that number the nodes.

    Returns:
        (count,) of that dtype, -1 for roots.

    Raises:
        ArrayError: A node has several parents, or is its own.
    """
    children, above = edges[:, 0], edges[:, 1]
    own = np.flatnonzero(children == above)
    if len(own):
        raise ArrayError(f"edge {own[0]} makes node {children[own[0]]} its own parent")
    times = np.bincount(children, minlength=count)
    if len(times) and times.max() > 1:
        node = int(times.argmax())
        some = ", ".join(map(str, above[children == node][:3].tolist()))
        raise ArrayError(
            f"node {node} has {times[node]} parents ({some}): "
            "edges of a skeleton are (child, parent) pairs, one per child"
        )
    del times
    parents = np.full(count, -1, dtype)
    parents[children] = above
    return parents


def depth_first(parents: IntArray) -> tuple[IntArray, IntArray]:
    """Every tree whole, parents before children, siblings and roots in ascending node.

    Args:
        parents: (N,) int32 or int64 parent of every node, -1 for roots.

    Returns:
        (N,) node at every place of the order, and (N,) root of every node, in the same dtype.

    Raises:
        ArrayError: The parents run in a circle.
    """
    sizes, roots = _climb(parents)
    places = _older_siblings(parents, sizes)
    del sizes
    places += parents >= 0
    # the place of a node is the sum over its ancestors and itself
    rows, ancestors = np.flatnonzero(parents >= 0), parents.copy()
    while len(rows):
        above = ancestors[rows].astype(np.intp, copy=False)
        places[rows] += places[above]
        ancestors[rows] = ancestors[above]
        rows = rows[ancestors[rows] >= 0]
    del ancestors
    order = np.empty_like(parents)
    order[places] = np.arange(len(parents), dtype=parents.dtype)
    return order, roots


def _climb(parents: IntArray) -> tuple[IntArray, IntArray]:
    """(N,) nodes in the subtree of every node, itself included, and (N,) its root."""
    count = len(parents)
    sizes = np.ones_like(parents)
    roots = np.where(parents >= 0, parents, np.arange(count, dtype=parents.dtype))
    ancestors = parents.copy()
    rows = np.flatnonzero(ancestors >= 0)
    for _ in range(count.bit_length() + 1):
        if not len(rows):
            return sizes, roots
        # `ancestors` are 2^k up, and `sizes` count descendants less than 2^k down
        above = ancestors[rows].astype(np.intp, copy=False)
        sizes += np.bincount(above, sizes[rows], count).astype(sizes.dtype)
        roots[rows] = roots[above]
        ancestors[rows] = ancestors[above]
        rows = rows[ancestors[rows] >= 0]
    raise ArrayError(f"node {_on_circle(parents)} is among its own ancestors: edges form a circle")


def _older_siblings(parents: IntArray, sizes: IntArray) -> IntArray:
    """(N,) nodes in the subtrees of the siblings before each node; roots are siblings too."""
    count = len(parents)
    order = stable_order(parents + 1, count + 1).astype(parents.dtype)
    before = sizes[order]
    before = np.cumsum(before, dtype=parents.dtype) - before
    keys = parents[order]
    first = np.ones(count, np.bool_)
    np.not_equal(keys[1:], keys[:-1], out=first[1:])
    del keys
    heads = np.flatnonzero(first)
    before -= np.repeat(before[heads], np.diff(heads, append=count))
    found = np.empty_like(parents)
    found[order] = before
    return found


def _on_circle(parents: npt.NDArray[np.int64]) -> int:
    """A node on a circle: one still reached after as many steps up as there are nodes."""
    ancestors = parents.copy()
    for _ in range(len(parents).bit_length()):
        rows = ancestors >= 0
        ancestors[rows] = ancestors[ancestors[rows]]
    return int(ancestors.max())
