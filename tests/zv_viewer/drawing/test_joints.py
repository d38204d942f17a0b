"""Joints follow the cells that are drawn: each there exactly while all its cells are."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest

from zv_viewer.drawing import Joint, Joints
from zv_viewer.model.links import OpenLinks

Int = npt.NDArray[np.int64]


def a_side(cell: int, groups: dict[tuple[int, ...], tuple[Int, Int]], rows: Int) -> OpenLinks:
    """What a cell knows: the (K, W) ends and owners of its groups; ``rows[end]`` is its row."""
    names = sorted(groups)
    ends = np.concatenate([groups[name][0] for name in names])
    owner = np.concatenate([groups[name][1] for name in names])
    counts = [len(groups[name][0]) for name in names]
    return OpenLinks(
        groups=tuple(names),
        start=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        rows=np.where(owner == cell, rows[ends], -1),
        ends=ends,
        owner=owner,
        objects=np.zeros(len(ends), np.uint32),
    )


def a_lattice(edge: int, links: int, seed: int, *, width: int = 2) -> dict[int, OpenLinks]:
    """Cells of a cube, each joined to all it touches by so many links."""
    rng = np.random.default_rng(seed)
    number = {place: i for i, place in enumerate(product(range(edge), repeat=3))}
    known: dict[int, dict[tuple[int, ...], tuple[Int, Int]]] = {i: {} for i in number.values()}
    for place, cell in number.items():
        for step in product((-1, 0, 1), repeat=3):
            other = number.get(tuple(np.add(place, step).tolist()), -1)
            if other > cell:
                owner = rng.permuted(np.tile((cell, other), (links, 1)), axis=1)
                owner = np.concatenate([owner, owner[:, : width - 2]], axis=1)
                ends = np.sort(rng.integers(0, 10**6, (links, width)), axis=0)
                for name in (cell, other):
                    known[name][cell, other] = ends, owner
    rows = rng.integers(0, 10**6, 10**6)
    return {cell: a_side(cell, groups, rows) for cell, groups in known.items() if groups}


def same(joint: Joint, other: Joint) -> bool:
    return (
        joint.cells == other.cells
        and np.array_equal(joint.rows, other.rows)
        and np.array_equal(joint.owner, other.owner)
    )


@pytest.mark.parametrize("width", [2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_any_course_of_events_ends_where_a_first_look_would(seed: int, width: int) -> None:
    rng = np.random.default_rng(seed)
    before = a_lattice(4, 3, seed, width=width)
    after = a_lattice(4, 3, seed + 100, width=width)
    joints, held, drawn = Joints(), {}, set()
    shown: dict[int, Joint] = {}
    numbers: set[int] = set()
    for _ in range(25):
        for cell in rng.choice(list(before), 12, replace=False).tolist():
            if rng.random() < 0.4:
                joints.drop(cell)
                held.pop(cell, None)
                drawn.discard(cell)
            else:
                side = (before, after)[int(rng.random() < 0.1)][cell]
                joints.put(cell, side)
                held[cell] = side
        drawn = {cell for cell in held if rng.random() < 0.8}
        changes = joints.update(drawn)
        for number in changes.removed:
            del shown[number]
        for joint in changes.added:
            assert joint.number not in numbers
            numbers.add(joint.number)
            shown[joint.number] = joint
        fresh = Joints()
        for cell, side in held.items():
            fresh.put(cell, side)
        expected = {joint.cells: joint for joint in fresh.update(drawn).added}
        assert len(shown) == len(joints) == len(expected)
        for joint in shown.values():
            assert same(joint, expected[joint.cells])
            assert drawn.issuperset(joint.cells)
            assert (joint.rows >= 0).all()
    assert len(numbers) > 50


def test_nothing_changes_while_the_same_is_drawn() -> None:
    sides = a_lattice(3, 2, 0)
    joints = Joints()
    for cell, side in sides.items():
        joints.put(cell, side)
    assert joints.update(sides).added
    again = joints.update(list(sides))
    assert again.added == again.removed == ()
    everything = joints.update([])
    assert len(everything.removed) == len(set(everything.removed))
    assert len(joints) == 0
    assert joints.update([]).removed == ()


def test_only_what_all_cells_know_is_drawn() -> None:
    ends = np.array([[1, 9, 20], [2, 9, 21], [2, 9, 21], [3, 9, 22], [4, 9, 23]])
    owner = np.tile((0, 1, 2), (5, 1))
    rows = np.arange(100)
    lost = {0: [0], 1: [2], 2: [4]}
    joints = Joints()
    for cell, places in lost.items():
        kept = np.delete(np.arange(5), places)
        joints.put(cell, a_side(cell, {(0, 1, 2): (ends[kept], owner[kept])}, rows))
    assert joints.update([0, 2]).added == ()
    (joint,) = joints.update([0, 1, 2]).added
    assert joint.rows.tolist() == [[2, 9, 21], [3, 9, 22]]
    assert joint.owner.tolist() == [[0, 1, 2]] * 2


def test_a_joint_that_one_cell_does_not_know_or_shares_nothing_of_is_none() -> None:
    rows = np.arange(100)
    owner = np.array([[0, 1]])
    joints = Joints()
    joints.put(0, a_side(0, {(0, 1): (np.array([[1, 2]]), owner)}, rows))
    joints.put(1, a_side(1, {(1, 5): (np.array([[2, 50]]), np.array([[1, 5]]))}, rows))
    assert joints.update([0, 1]).added == ()
    joints.put(1, a_side(1, {(0, 1): (np.array([[3, 4]]), owner)}, rows))
    assert joints.update([0, 1]).added == ()
    assert len(joints) == 0
    joints.put(1, a_side(1, {(0, 1): (np.array([[1, 2]]), owner)}, rows))
    (joint,) = joints.update([0, 1]).added
    assert joint.rows.tolist() == [[1, 2]]


def test_cells_that_are_not_held_cannot_be_drawn() -> None:
    with pytest.raises(KeyError):
        Joints().update([3])


def test_a_thousand_cells_and_the_swap_of_one_cost_little() -> None:
    sides = a_lattice(10, 40, 0)
    whole, swaps = [], []
    for _ in range(3):  # the least disturbed counts
        joints = Joints()
        start = time.process_time()
        for cell, side in sides.items():
            joints.put(cell, side)
        added = joints.update(sides).added
        whole.append(time.process_time() - start)
        assert sum(map(len, added)) > 400_000
    for cell in range(300, 330):
        start = time.process_time()
        joints.put(cell, sides[cell])
        changes = joints.update(sides)
        swaps.append(time.process_time() - start)
        assert len(changes.added) == len(changes.removed) > 0
    assert min(whole) < 0.5
    assert np.median(swaps) < 0.001
