"""Options mean what they say, and nonsense ends with code 2."""

import pytest

from zv_viewer.commands.options import command_parser, settings_of, view_of
from zv_viewer.errors import InputError
from zv_viewer.model.view import ViewState

HOME3 = ViewState(3, (1.0, 2.0, 3.0), 4.0)
HOME2 = ViewState(2, (1.0, 2.0), 4.0)


def parse(*words: str):
    return command_parser().parse_args(["render", "s", "--out", "p.png", *words])


def test_home_is_kept_where_nothing_is_asked() -> None:
    assert view_of(parse(), HOME3) == HOME3


def test_each_option_lands_in_the_view() -> None:
    args = parse(
        *[
            "--ndisplay",
            "2",
            "--center",
            "5",
            "6",
            "7",
            "--zoom",
            "9",
            "--angles",
            "1",
            "2",
            "3",
            "--perspective",
            "30",
        ]
    )
    assert view_of(args, HOME3) == ViewState(2, (5.0, 6.0, 7.0), 9.0, (1.0, 2.0, 3.0), 30.0)


@pytest.mark.parametrize(
    ("words", "home", "said"),
    [
        ("--center 1 2", HOME3, "takes 3 numbers"),
        ("--ndisplay 3", HOME2, "three axes"),
        ("--zoom 0", HOME2, "positive"),
        ("--slab 0", HOME3, "positive"),
    ],
)
def test_a_view_that_cannot_be_is_one_sentence(words: str, home: ViewState, said: str) -> None:
    with pytest.raises(InputError, match=said):
        view_of(parse(*words.split()), home)


@pytest.mark.parametrize(
    ("text", "value"), [("128MB", 128_000_000), ("1GiB", 1 << 30), ("77", 77), ("1.5kB", 1500)]
)
def test_bytes(text: str, value: int) -> None:
    assert settings_of(parse("--max-bytes", text)).budget.bytes == value


@pytest.mark.parametrize(
    "words",
    [
        "--size 10",
        "--size 0x5",
        "--max-bytes x",
        "--max-bytes 1e999",
        "--max-bytes -3",
        "--max-vertices 0",
        "--max-vertices 1.5",
        "--level first",
        "--ndisplay 4",
    ],
)
def test_nonsense_exits_with_two(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(*words.split())
    assert caught.value.code == 2
    assert "error" in capsys.readouterr().err


def test_levels() -> None:
    assert parse("--level", "auto").level is None
    assert parse("--level", "3").level == 3
