"""Texts that somebody may give as an expression, harmless or not, and what must hold of each."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from zv_viewer.edits.columns import Values
from zv_viewer.edits.expressions import parse
from zv_viewer.edits.operators import FUNCTIONS
from zv_viewer.errors import InputError

COLUMNS: Mapping[str, Values] = {
    "x": Values(np.arange(4, dtype=np.float32)),
    "n": Values(np.array([200, 100, 3, 4], np.uint8)),
    "u": Values(np.array([2**63, 1, 2, 3], np.uint64)),
    "b": Values(np.array([True, False, True, False])),
    "kind": Values(np.array([0, 1, -1, 0], np.int8), ("a", "b b")),
    "v": Values(np.arange(12, dtype=np.float32).reshape(4, 3)),
    "a-name": Values(np.array([5, 6, 7, 8])),
}
"""Four rows of every kind of column."""

WATCHED = (
    *("open", "os.", "subprocess", "socket", "import", "exec", "ctypes", "shutil", "marshal"),
    *("pickle", "code.", "gc.", "object.__getattr__", "sys._getframe", "glob", "urllib"),
)
"""Beginnings of the audit events that no expression may cause."""

NAMES = [*COLUMNS, "pi", "nan", "inf", "column", "_", "__class__", "__builtins__", "os", "self"]
ATTRIBUTES = ["__class__", "__mro__", "__globals__", "__subclasses__()", "dtype", "base", "real"]
CALLS = ["open", "eval", "exec", "getattr", "__import__", "compile", "vars", "print", "range", "x"]
BOMBS = [
    "9**9**9", "9**9**9**9", "(9**9)**(9**9)", "x**x**x", "10**10**10", "2**-(-99999)", "'a'*9**9",
    "[0]*9**9", "(0,)*9**9", "(1).__class__.__bases__", "f'{x!r:>999999999}'", "'%999999999d' % 1",
    "'{0.__class__}'.format(x)", "[x for x in v]", "[y for y in [1]*9 for z in [1]*9]", "{x: x}",
    "(y for y in x)", "(lambda: (yield))()", "(y := 9**9)", "lambda q=open: q", "x if x else open",
    "1e308*1e308", "0x" + "f" * 300, "1" * 400, "1_0" * 90, "-" * 400 + "x", "~" * 400 + "n",
    "not " * 300 + "b", "x" + "+x" * 500, "x" + "<x" * 190, "(" * 150 + "x" + ")" * 150,
    "abs(" * 90 + "x" + ")" * 90, "x" + "[0]" * 100, "x" + ".real" * 100, "'" + "\\\\" * 500 + "'",
    "\\N{BULLET}", "b'x'", "'\\ud800'", "x\x00", "\ufeffx", "__debug__", "...", "1j", "await x",
]  # fmt: skip
"""Texts that have hung, filled or left programs that took expressions less carefully."""

_leaf = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(["'a'", '"b b"', "(1,)", "('a',)", 'column("a-name")', "None", "..."]),
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(repr),
)
_signs = st.sampled_from(
    "+ - * / // % ** & | ^ < <= == != > in and or << >> @ is . , : ; := = not".split()
)


def _wider(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    many = st.integers(1, 120)
    return st.one_of(
        st.tuples(inner, _signs, inner).map(" ".join),
        st.tuples(st.sampled_from(["-", "~", "not ", "*", "await ", "lambda: "]), inner).map(
            "".join
        ),
        st.tuples(st.sampled_from([*FUNCTIONS, "column", *CALLS]), st.lists(inner, max_size=3)).map(
            lambda call: f"{call[0]}({', '.join(call[1])})"
        ),
        inner.map(lambda text: f"({text})"),
        st.tuples(inner, inner).map(lambda two: f"{two[0]}[{two[1]}]"),
        st.tuples(inner, st.sampled_from(ATTRIBUTES)).map(".".join),
        st.tuples(inner, inner, inner).map(lambda three: "{} if {} else {}".format(*three)),
        inner.map(lambda text: f"[q for q in {text}]"),
        inner.map(lambda text: f"f'{{{text}}}'"),
        st.tuples(many, inner).map(lambda deep: "(" * deep[0] + deep[1] + ")" * deep[0]),
        st.tuples(many, _signs, inner).map(lambda long: f" {long[1]} ".join([long[2]] * long[0])),
        st.tuples(inner, st.integers(0, 10**9)).map(lambda high: f"({high[0]})**{high[1]}"),
    )


def _right(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Arithmetic of which most can be worked out."""
    sign = st.sampled_from("+ - * / // % < <= == != > and or".split())

    def call(name: str) -> st.SearchStrategy[str]:
        count = FUNCTIONS[name][1]
        given = st.lists(inner, min_size=count, max_size=count)
        return given.map(lambda operands: f"{name}({', '.join(operands)})")

    return st.one_of(
        st.tuples(inner, sign, inner).map(lambda three: "({} {} {})".format(*three)),
        st.sampled_from(sorted(FUNCTIONS)).flatmap(call),
        st.tuples(inner, st.integers(-9, 9)).map(lambda high: f"({high[0]})**{high[1]}"),
        st.tuples(inner, inner, inner).map(lambda three: "({} if {} else {})".format(*three)),
        inner.map(lambda text: f"-{text}"),
    )


def texts(leaves: int = 12) -> st.SearchStrategy[str]:
    """Arithmetic, other Python, bombs and noise, of up to so many leaves."""
    tree = st.recursive(st.one_of(_leaf, st.sampled_from(BOMBS)), _wider, max_leaves=leaves)
    known = st.sampled_from(
        ["x", "n", "u", "b", "v", "v[0]", "kind == 'a'", "pi", "nan", "2", "0.5"]
    )
    right = st.recursive(known, _right, max_leaves=leaves)
    return st.one_of(tree, right, st.sampled_from(BOMBS), st.text(max_size=60))


@dataclass
class Watch:
    """Audit events while a text is tried; of a process, as hooks stay."""

    seen: list[str] = field(default_factory=list)
    on: bool = False

    def __post_init__(self) -> None:
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: Any) -> None:  # noqa: ANN401  as Python gives them
        if self.on and event.startswith(WATCHED):
            self.seen.append(f"{event} {arguments!r:.80}")


def try_text(text: str, watch: Watch) -> bool:
    """See that a text is arithmetic over rows, or refused in a sentence; whether it is the former.

    Raises:
        AssertionError: It is neither, or it did something else.
    """
    watch.seen.clear()
    watch.on, found, refusal = True, None, ""
    try:
        found = worth(text, COLUMNS, 4)
    except InputError as error:
        refusal = str(error)
    finally:
        watch.on = False
    assert not watch.seen, f"{text!r}: {watch.seen}"  # noqa: S101
    if found is None:
        assert 0 < len(refusal) < 700 and "\n" not in refusal, text  # noqa: PT018, S101
        return False
    assert found.shape[0] == 4 and found.ndim in (1, 2), text  # noqa: PT018, S101
    assert found.dtype.kind in "biuf", text  # noqa: S101
    halves = [
        worth(text, {n: Values(v.rows[part], v.categories) for n, v in COLUMNS.items()}, 2)
        for part in (slice(0, 2), slice(2, 4))
    ]
    np.testing.assert_array_equal(np.concatenate(halves), found)  # whatever the blocks
    assert {half.dtype for half in halves} == {found.dtype}, text  # noqa: S101
    return True


def worth(text: str, columns: Mapping[str, Values], count: int) -> np.ndarray[Any, Any]:
    """The value of an expression over columns; InputError where it is none, or names others."""
    expression = parse(text)
    unknown = next((name for name in expression.names if name not in columns), None)
    if unknown is not None:
        raise InputError(f"there is no {unknown[:40]!r}")
    return expression.evaluate(columns, count)
