"""What is typed, and the call it becomes."""

import shlex

import pytest

from zv_viewer.errors import InputError
from zv_viewer.what_if import Question, command, parse_steps, python_call


def test_what_is_typed() -> None:
    found = parse_steps("2, 2 3", "", "")
    assert found == Question(((2.0, 1.0), (2.0, 1.0), (3.0, 1.0)))
    assert parse_steps("2", "3", "").arguments() == {"factors": [(2.0, 3.0)], "sparsity_seed": 0}
    found = parse_steps("2 4", "1 8", "2", "length")
    assert found == Question(((2.0, 1.0), (4.0, 8.0)), (2, 2), "length")
    assert found.arguments() == {
        "factors": [(2.0, 1.0), (4.0, 8.0)],
        "chunk_scale_factors": [2, 2],
        "sparsity_strategy": "length",
    }


@pytest.mark.parametrize(
    ("steps", "sparsity", "chunks", "word"),
    [
        ("", "", "", "name how much"),
        ("two", "", "", "no list"),
        ("2 2", "1 2 3", "", "2 levels and 3"),
        ("0.5", "", "", "1 at least"),
        ("2", "0.5", "", "1 at least"),
        ("2 2", "", "1.5", "whole numbers"),
        ("2 2 2", "", "2 2", "2 chunk factors"),
        ("nan", "", "", "positive and finite"),
        ("inf", "", "", "positive and finite"),
    ],
)
def test_what_makes_no_sense_is_told(steps, sparsity, chunks, word) -> None:
    with pytest.raises(InputError, match=word):
        parse_steps(steps, sparsity, chunks)


def test_the_call_builds_that_pyramid(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numpy as np

    from zarr_vectors import build_pyramid, open_zv, write_points

    path = str(tmp_path / "it's here")
    positions = np.random.default_rng(0).uniform(0, 64, (3000, 3))
    write_points(path, positions, chunk_shape=(16.0,) * 3, bin_shape=(2.0,) * 3)
    build_pyramid(path, factors=[2.0])
    question = parse_steps("2 2", "", "1 2")
    code = python_call(path, question, (0, 1))
    words = shlex.split(command(path, question, (0, 1)))
    assert words[:2] == ["python", "-c"]
    exec(words[2], {})  # noqa: S102 - what is printed for a user is run as the user would
    built = open_zv(path)
    assert built.levels == [0, 1, 2]
    assert built[2].bin_shape == (8.0,) * 3
    assert built[2].chunk_shape == (32.0,) * 3
    assert code.splitlines()[-1] in words[2]
