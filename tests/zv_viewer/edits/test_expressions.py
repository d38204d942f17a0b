"""Expressions: what they mean, and that nothing but arithmetic can be said in them."""

from __future__ import annotations

import tracemalloc
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings

from zv_viewer.edits.columns import Values
from zv_viewer.edits.expressions import parse
from zv_viewer.edits.grammar import LONGEST
from zv_viewer.errors import InputError
from zv_viewer.testing.expressions import BOMBS, COLUMNS, Watch, texts, try_text, worth

WATCH = Watch()


def value(text: str, columns=COLUMNS, count: int = 4):
    return worth(text, columns, count)


@pytest.mark.parametrize(
    ("text", "expected", "dtype"),
    [
        ("x * 2 + 1", [1, 3, 5, 7], "float32"),
        ("n + n", [400, 200, 6, 8], "int64"),
        ("kind == 'a'", [True, False, False, True], "bool"),
        ("'a' != kind", [False, True, True, False], "bool"),
        ("kind in ('a', 'b b')", [True, True, False, True], "bool"),
        ("kind not in ('a',)", [False, True, True, False], "bool"),
        ("where(kind == 'b b', x, -1)", [-1, 1, -1, -1], "float32"),
        ("v[1] + x", [1, 5, 9, 13], "float32"),
        ("x ** 2", [0, 1, 4, 9], "float32"),
        ("n ** 2", [40000, 10000, 9, 16], "float64"),
        ("1 < x < 3", [False, False, True, False], "bool"),
        ("not x > 1", [True, True, False, False], "bool"),
        ("x > 1 and n == 4 or b", [True, False, True, True], "bool"),
        ("~(x > 1) & (n > 3)", [True, True, False, False], "bool"),
        ("n if x < 1 else 0", [200, 0, 0, 0], "int64"),
        ("n // 3 + n % 3", [68, 34, 1, 2], "int64"),
        ('column("a-name") - 5', [0, 1, 2, 3], "int64"),
        ("clip(x, 1, 2)", [1, 1, 2, 2], "float32"),
        ("-b", [-1, 0, -1, 0], "int64"),
        ("7", [7, 7, 7, 7], "int64"),
        ("2 ** 3 * pi", [8 * np.pi] * 4, "float64"),
        ("abs(-3)", [3] * 4, "int64"),
    ],
)
def test_means_what_it_says(text: str, expected: list, dtype: str) -> None:
    found = value(text)
    np.testing.assert_allclose(found, expected)
    assert found.dtype == dtype
    assert (
        len(value(text, {n: Values(v.rows[:0], v.categories) for n, v in COLUMNS.items()}, 0)) == 0
    )


def test_columns_stay_columns() -> None:
    np.testing.assert_array_equal(value("v * x"), COLUMNS["v"].rows * np.arange(4)[:, None])
    assert value("v + v").shape == (4, 3)


HOSTILE = [
    "9**9**9", "9**9**9**9", "x**x**x", "(9**9)**-(9**9)", "x**10**9", "2**99999999999",
    "x**1e300", "x.__class__", "x.dtype", "(1).real", "x.__class__.__mro__[1].__subclasses__()",
    "v[0].base", "__import__('os').system('true')", "__builtins__", "__x", "_", "exec('1')",
    "eval('1')", "open('/etc/passwd')", "compile('1','','eval')", "globals()",
    "getattr(x, 'dtype')", "vars()", "print(1)", "input()", "breakpoint()", "help()",
    "memoryview(x)", "zeros(10**9)", "arange(99)", "lambda: 1", "(lambda: 1)()", "[x for x in v]",
    "{x}", "{x: 1}", "[1] * 99999999", "(1,) * 99", "'a' * 999999999", "'a' + 'b'", "'%s' % x",
    "'{0.__class__}'.format(x)", "f'{x}'", "f'{x!r:>99}'", "b'a'", "1j", "None", "...", "x[:1]",
    "x[::0]", "v[-1]", "v[x]", "v[0][0]", "v[True]", "v['a']", "x << 999999999", "x >> 1",
    "x @ x", "x is x", "x := 1", "(y := 1)", "await x", "yield x", "*x", "abs(*x)", "abs(**x)",
    "abs(x=1)", "abs()", "where(1)", "abs", "sqrt + 1", "x()", "v[0](1)", "abs(abs)(1)",
    "column(x)", "column('x', 'y')", "column()", "kind + 1", "kind < 'a'", "-kind", "kind == 'q'",
    "kind in 'a'", "kind in ('a', 1)", "kind in kind", "'a' == 'a'", "x == 'a'",
    "kind == 'a' == 'a'", "1 in (1, 2)", "99999999999999999999", "9007199254740993", "()", "",
    " ", "x;x", "x\nimport os", "import os", "x = 1", "del x", "#", "x #\n+1\n;", "\x00", "x\x00",
    "\u00e9(", "(" * 200, "-" * 800 + "1", "~" * 300 + "1", "not " * 300 + "x",
    "+".join(["x"] * 900), "x" * (LONGEST + 1), "sqrt(" * 60 + "x" + ")" * 60, "1if x else",
    "v + w3", "nan if", "pi()", "pi[0]", "~1.5", "x & 1", "1.5 | b", "\u202ex", "x\u0000", "0x",
    "1__0", "\uff10+x",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(InputError) as told:
        value(text, {**COLUMNS, "w3": Values(np.zeros((4, 2)))})
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 600


@settings(max_examples=300, deadline=None)
@given(texts())
def test_any_text_is_arithmetic_or_refused(text: str) -> None:
    try_text(text, WATCH)


@pytest.mark.parametrize("text", BOMBS)
def test_no_text_takes_memory(text: str) -> None:
    """However large what it means: a megabyte for four rows is plenty."""
    tracemalloc.start()
    try:
        with suppress(InputError):
            value(text)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_long_comparison_holds_two_ends() -> None:
    rows = 1 << 16
    columns = {"n": Values(np.zeros(rows, np.uint8)), "x": Values(np.zeros(rows))}
    expression = parse(" <= ".join(["n", "(x + 1)"] * 35))
    tracemalloc.start()
    try:
        expression.evaluate(columns, rows)
        assert tracemalloc.get_traced_memory()[1] < 8 * 8 * rows
    finally:
        tracemalloc.stop()
