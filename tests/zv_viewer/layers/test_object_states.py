"""The table of objects: what each texel says, and which lines go to the card."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zv_viewer.errors import InputError
from zv_viewer.layers.object_states import LEVELS, WIDTH, ObjectStates
from zv_viewer.model.objects import Look
from zv_viewer.model.update import NOT_DRAWN

EVERY_LEVEL = [*range(LEVELS), NOT_DRAWN]


@given(
    codes=st.lists(
        st.tuples(st.sampled_from(list(Look)), st.sampled_from(EVERY_LEVEL), st.integers(0, 255)),
        min_size=1,
        max_size=40,
    )
)
def test_looks_levels_and_colours_come_back(codes):
    looks, levels, red = (np.array(part, np.uint8) for part in zip(*codes, strict=True))
    states = ObjectStates(len(codes))
    states.set_levels(levels)
    states.set_looks(looks)
    states.set_colours(np.stack([red, red, red], axis=1).astype(np.float32) / 255)
    np.testing.assert_array_equal(states.looks, looks)
    np.testing.assert_array_equal(states.levels, levels)
    ranks = np.arange(len(codes), dtype=np.uint32)
    np.testing.assert_allclose(states.colours(ranks)[:, 0], red / 255)
    assert states.ghosts == (Look.GHOST in looks)
    for level in (0, 7, LEVELS - 1):
        drawn = states.drawn(ranks, np.full(len(codes), level, np.uint8))
        np.testing.assert_array_equal(drawn, (looks != Look.HIDDEN) & (levels == level))


def test_only_lines_that_change_go_up():
    n = 5 * WIDTH + 3
    states = ObjectStates(n)
    assert states.texels.shape == (6, WIDTH, 4)
    states.touch()
    (first, texels), *rest = states.changes()
    assert (first, texels.shape, rest) == (0, (6, WIDTH, 4), [])
    levels = np.full(n, 2, np.uint8)
    states.set_levels(levels)
    assert [len(texels) for _, texels in states.changes()] == [6]
    levels = levels.copy()
    levels[[0, 4 * WIDTH, n - 1]] = 1
    states.set_levels(levels)
    changes = states.changes()
    assert [(line, len(texels)) for line, texels in changes] == [(0, 1), (4, 2)]
    np.testing.assert_array_equal(changes[1][1], states.texels[4:])
    states.set_levels(levels.copy())
    states.set_looks(np.full(n, Look.NORMAL, np.uint8))
    states.set_colours(None)
    assert states.changes() == []


def test_what_is_handed_out_is_not_changed_later():
    states = ObjectStates(3)
    states.set_levels(np.zeros(3, np.uint8))
    ((_, texels),) = states.changes()
    kept = texels.copy()
    states.set_looks(np.full(3, Look.HIDDEN, np.uint8))
    np.testing.assert_array_equal(texels, kept)


def test_sixteen_million_objects():
    n = WIDTH * WIDTH
    states = ObjectStates(n)
    assert states.texels.shape == (WIDTH, WIDTH, 4)
    assert np.float32(n - 1) == n - 1
    with pytest.raises(InputError, match="1 to 16777216 objects"):
        ObjectStates(n + 1)


def test_bad_input_is_named():
    states = ObjectStates(3)
    with pytest.raises(InputError, match="3 objects need"):
        states.set_levels(np.zeros(2, np.uint8))
    with pytest.raises(InputError, match="below 31"):
        states.set_levels(np.full(3, 40, np.uint8))
    with pytest.raises(InputError, match="a look is one of 0 to 3"):
        states.set_looks(np.full(3, 4, np.uint8))
    with pytest.raises(InputError, match="3 objects need"):
        states.set_colours(np.zeros((4, 3), np.float32))
