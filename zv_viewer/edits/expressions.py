"""Arithmetic over columns of numbers: parsed by an allow-list, worked out row by row. Pure.

Nothing but the operators and functions named here is known: no attribute of an object, no call of
anything else, no text but what categories are compared with. Every function works on single rows,
so that an answer does not depend on how rows are cut into blocks.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from zv_viewer.edits.columns import Values, codes_of
from zv_viewer.errors import InputError

LONGEST = 2000
"""Characters of an expression."""
DEEPEST = 40
MOST_PARTS = 400
LARGEST = 2**53
"""Whole numbers up to which a number may be written or worked out before any row is seen."""
STEEPEST = 64
"""Largest exponent that may be written."""

Array = npt.NDArray[np.generic]
Scalar = bool | int | float
Operand = Array | Scalar

_OPERATORS: dict[type[ast.AST], Callable[..., Operand]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.true_divide,
    ast.FloorDiv: np.floor_divide,
    ast.Mod: np.mod,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.USub: np.negative,
    ast.UAdd: np.positive,
    ast.Invert: np.invert,
    ast.Not: np.logical_not,
    ast.And: np.logical_and,
    ast.Or: np.logical_or,
}

FUNCTIONS: dict[str, tuple[Callable[..., Operand], int]] = {
    "abs": (np.abs, 1),
    "sign": (np.sign, 1),
    "sqrt": (np.sqrt, 1),
    "cbrt": (np.cbrt, 1),
    "exp": (np.exp, 1),
    "log": (np.log, 1),
    "log2": (np.log2, 1),
    "log10": (np.log10, 1),
    "log1p": (np.log1p, 1),
    "sin": (np.sin, 1),
    "cos": (np.cos, 1),
    "tan": (np.tan, 1),
    "arcsin": (np.arcsin, 1),
    "arccos": (np.arccos, 1),
    "arctan": (np.arctan, 1),
    "arctan2": (np.arctan2, 2),
    "hypot": (np.hypot, 2),
    "degrees": (np.degrees, 1),
    "radians": (np.radians, 1),
    "floor": (np.floor, 1),
    "ceil": (np.ceil, 1),
    "round": (np.rint, 1),
    "minimum": (np.minimum, 2),
    "maximum": (np.maximum, 2),
    "clip": (lambda x, low, high: np.minimum(np.maximum(x, low), high), 3),
    "where": (np.where, 3),
    "isnan": (np.isnan, 1),
    "isfinite": (np.isfinite, 1),
}
"""Functions by name, and how many operands each takes."""

CONSTANTS: dict[str, float] = {"pi": math.pi, "nan": math.nan, "inf": math.inf}
COLUMN = "column"
"""``column("a-name")`` is the column of a name that is no word."""

_KNOWN = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Name,
    ast.Load, ast.Constant, ast.Subscript, ast.Pow, ast.In, ast.NotIn, ast.Tuple, *_OPERATORS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that has been looked through.

    Attributes:
        text: As written.
        names: Columns it takes, in the order it names them first.
    """

    text: str
    names: tuple[str, ...]
    _tree: ast.expr = field(repr=False, compare=False)

    def evaluate(self, columns: Mapping[str, Values], count: int) -> Array:
        """The value of every row.

        Args:
            columns: Name -> (n,) or (n, C) of each of :attr:`names`.
            count: n.

        Returns:
            (n,) or (n, C) bool, int64, uint64, float32 or float64.

        Raises:
            InputError: Columns that do not go together, or categories used as numbers.
        """
        work = _Work({name: columns[name] for name in self.names})
        with np.errstate(all="ignore"):
            found = _as_array(work.value(self._tree), count)
        if found.dtype.kind not in "biuf" or found.dtype.itemsize > 8:
            raise InputError(f"{self.text!r} gives {found.dtype}, which cannot be stored")
        return found


def parse(text: str) -> Expression:
    """Look an expression through.

    Raises:
        InputError: It is no expression, too long, or holds what is not known here; the sentence
            says what.
    """
    if len(text) > LONGEST:
        raise InputError(f"an expression has {LONGEST} characters at most, this has {len(text)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        what = error.msg if isinstance(error, SyntaxError) else "it cannot be read"
        raise InputError(f"{_short(text)} is no expression: {what}") from None
    for parts, (node, depth) in enumerate(_walk(tree)):
        if depth > DEEPEST or parts >= MOST_PARTS:
            raise InputError(f"{_short(text)} is too involved: at most {MOST_PARTS} parts")
        _check(node)
    names: dict[str, None] = {}
    _check_strings(tree.body, names)
    return Expression(text.strip(), tuple(names), tree.body)


def _walk(tree: ast.AST) -> Iterator[tuple[ast.AST, int]]:
    left: list[tuple[ast.AST, int]] = [(tree, 0)]
    while left:
        node, depth = left.pop()
        yield node, depth
        left += [(child, depth + 1) for child in ast.iter_child_nodes(node)]


def _check(node: ast.AST) -> None:
    if not isinstance(node, _KNOWN):
        raise InputError(f"an expression knows no {_WORDS.get(type(node), type(node).__name__)}")
    if isinstance(node, ast.Name) and node.id.startswith("_"):
        raise InputError(f"{_short(node.id)} is not a name an expression may use")
    if isinstance(node, ast.Constant):
        value = node.value
        if type(value) not in (bool, int, float, str):
            raise InputError(f"an expression knows no constant such as {_short(repr(value))}")
        if type(value) is int and abs(value) > LARGEST:
            raise InputError("a whole number in an expression is at most 2**53")
    if isinstance(node, ast.Call):
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise InputError("only functions by their names are called, without keywords")
        known = FUNCTIONS.get(node.func.id)
        if node.func.id == COLUMN:
            known = (abs, 1)
        if known is None:
            raise InputError(
                f"there is no function {_short(node.func.id)}; there are {', '.join(FUNCTIONS)}"
            )
        if len(node.args) != known[1]:
            raise InputError(f"{node.func.id} takes {known[1]} operands, not {len(node.args)}")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        _check_power(node)
    if isinstance(node, ast.Subscript):
        place = node.slice
        if not isinstance(node.value, ast.Name | ast.Call) or not (
            isinstance(place, ast.Constant) and type(place.value) is int and place.value >= 0
        ):
            raise InputError("only a column of a name is taken, as in direction[0]")


def _check_power(node: ast.BinOp) -> None:
    exponent = node.right
    if isinstance(exponent, ast.UnaryOp):
        exponent = exponent.operand
    if any(isinstance(part, ast.Pow) for part in ast.walk(exponent)):
        raise InputError("an exponent is not itself a power")
    number = exponent.value if isinstance(exponent, ast.Constant) else 0
    if isinstance(number, int | float) and not abs(number) <= STEEPEST:
        raise InputError(f"an exponent is at most {STEEPEST}")


def _check_strings(node: ast.expr, names: dict[str, None]) -> None:
    """Text stands only beside ``==``, ``!=``, ``in`` and inside ``column()``; collect names."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        raise InputError(f"text such as {_short(node.value)} is only compared with categories")
    if isinstance(node, ast.Tuple):
        raise InputError("a list stands only behind 'in'")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == COLUMN:
            names.setdefault(_name_of(node) or "")
            return
        for part in node.args:
            _check_strings(part, names)
        return
    if isinstance(node, ast.Name):
        if node.id not in CONSTANTS:
            names.setdefault(node.id)
        return
    if isinstance(node, ast.Compare):
        _check_compare(node, names)
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            _check_strings(child, names)


def _check_compare(node: ast.Compare, names: dict[str, None]) -> None:
    ends = [node.left, *node.comparators]
    member = any(isinstance(op, ast.In | ast.NotIn) for op in node.ops)
    texts = [_text(end) for end in ends]
    if not member and not any(text is not None for text in texts):
        for end in ends:
            _check_strings(end, names)
        return
    equal = isinstance(node.ops[0], ast.Eq | ast.NotEq | ast.In | ast.NotIn)
    if len(node.ops) != 1 or not equal:
        raise InputError("categories are compared by ==, != and in, two at a time")
    if member:
        listed = node.comparators[0]
        known = isinstance(listed, ast.Tuple) and all(
            _text(part) is not None for part in listed.elts
        )
        if not known:
            raise InputError("behind 'in' stand categories, as in kind in ('a', 'b')")
        subject = node.left
    else:
        subject = node.left if texts[0] is None else node.comparators[0]
    name = _name_of(subject)
    if name is None:
        raise InputError("only a name is compared with categories")
    names.setdefault(name)


def _text(node: ast.expr) -> str | None:
    found = node.value if isinstance(node, ast.Constant) else None
    return found if isinstance(found, str) else None


def _name_of(node: ast.expr) -> str | None:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == COLUMN:
        text = _text(node.args[0])
        if text is None:
            raise InputError('column takes a name in quotes, as in column("a-name")')
        return text
    return None


class _Work:
    """Works out the value of an expression that :func:`parse` has looked through."""

    def __init__(self, columns: Mapping[str, Values]) -> None:
        self._columns = columns

    def value(self, node: ast.expr) -> Operand:
        name = _name_of(node)
        if name is not None:
            return CONSTANTS[name] if name in CONSTANTS else self._numbers(name)
        if isinstance(node, ast.Constant):
            assert isinstance(node.value, bool | int | float)  # noqa: S101  looked through
            return node.value
        if isinstance(node, ast.Subscript):
            return self._column(node)
        if isinstance(node, ast.Compare):
            return self._compared(node)
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name)  # noqa: S101  looked through
            return _applied(FUNCTIONS[node.func.id][0], *map(self.value, node.args))
        if isinstance(node, ast.BinOp):
            left, right = self.value(node.left), self.value(node.right)
            if isinstance(node.op, ast.Pow):
                return _power(left, right)
            if isinstance(node.op, ast.BitAnd | ast.BitOr | ast.BitXor):
                _check_whole(left, right)
            return _applied(_OPERATORS[type(node.op)], left, right)
        if isinstance(node, ast.UnaryOp):
            return self._signed(node)
        if isinstance(node, ast.IfExp):
            return _applied(np.where, *map(self.value, (node.test, node.body, node.orelse)))
        assert isinstance(node, ast.BoolOp)  # noqa: S101  looked through
        found = self.value(node.values[0])
        for part in node.values[1:]:
            found = _applied(_OPERATORS[type(node.op)], found, self.value(part))
        return found

    def _signed(self, node: ast.UnaryOp) -> Operand:
        found = self.value(node.operand)
        if isinstance(node.op, ast.Invert):
            _check_whole(found)
        elif isinstance(node.op, ast.USub | ast.UAdd) and _kind(found) == "b":
            found = np.asarray(found, np.int64)
        return _applied(_OPERATORS[type(node.op)], found)

    def _numbers(self, name: str) -> Array:
        values = self._columns[name]
        if values.categories is not None:
            raise InputError(
                f"{name!r} holds categories: compare it with one, as in {name} == "
                f"{values.categories[0] if values.categories else ''!r}"
            )
        found = values.rows
        # whole numbers are counted with in 64 bits, so that sums of small types do not wrap
        return found.astype(np.int64) if found.dtype.kind in "iu" and found.dtype != "u8" else found

    def _column(self, node: ast.Subscript) -> Operand:
        name = _name_of(node.value)
        if name is None or name in CONSTANTS:
            raise InputError("only a column of a name is taken, as in direction[0]")
        assert isinstance(node.slice, ast.Constant)  # noqa: S101  looked through
        rows, place = self._numbers(name), int(str(node.slice.value))
        width = rows.shape[1] if rows.ndim == 2 else 0
        if place >= width:
            raise InputError(f"{name!r} has {width or 'no'} columns, there is no {name}[{place}]")
        return np.asarray(rows[:, place])

    def _compared(self, node: ast.Compare) -> Operand:
        ends = [node.left, *node.comparators]
        if isinstance(node.ops[0], ast.In | ast.NotIn):
            listed = node.comparators[0]
            assert isinstance(listed, ast.Tuple)  # noqa: S101  looked through
            texts = [_text(part) or "" for part in listed.elts]
            found = self._is(node.left, texts)
            return ~found if isinstance(node.ops[0], ast.NotIn) else found
        for place, end in enumerate(ends):
            text = _text(end)
            if text is not None:
                found = self._is(ends[1 - place], [text])
                return ~found if isinstance(node.ops[0], ast.NotEq) else found
        values = [self.value(end) for end in ends]
        answer: Operand = True
        for op, left, right in zip(node.ops, values[:-1], values[1:], strict=True):
            one = _applied(_OPERATORS[type(op)], left, right)
            answer = one if len(node.ops) == 1 else _applied(np.logical_and, answer, one)
        return answer

    def _is(self, node: ast.expr, texts: list[str]) -> npt.NDArray[np.bool_]:
        values = self._columns[_name_of(node) or ""]
        if values.categories is None:
            raise InputError(f"{_name_of(node)!r} holds numbers, not categories")
        unknown = next((text for text in texts if text not in values.categories), None)
        if unknown is not None:
            known = ", ".join(map(repr, values.categories[:6]))
            raise InputError(
                f"{_name_of(node)!r} has no category {_short(unknown)}; it has {known}"
            )
        return np.asarray(np.isin(values.rows, codes_of(texts, values.categories)))


def _applied(work: Callable[..., Operand], *operands: Operand) -> Operand:
    """A function of operands whose rows go together."""
    arrays = [part for part in operands if isinstance(part, np.ndarray) and part.ndim]
    widths = {part.shape[1] for part in arrays if part.ndim == 2}
    if len(widths) > 1:
        raise InputError(f"columns of {' and '.join(map(str, sorted(widths)))} do not go together")
    if widths:
        operands = tuple(
            part[:, None] if isinstance(part, np.ndarray) and part.ndim == 1 else part
            for part in operands
        )
    try:
        found = work(*operands)
    except (TypeError, ValueError, OverflowError, ZeroDivisionError) as error:
        raise InputError(f"the expression cannot be worked out: {error}") from None
    if isinstance(found, np.ndarray) and found.ndim:
        return found
    return _bounded(found)


def _power(base: Operand, exponent: Operand) -> Operand:
    """A power, in floats: whole numbers would wrap."""

    def work(low: Operand, high: Operand) -> Operand:
        return np.power(_float(low), _float(high))

    return _applied(work, base, exponent)


def _float(part: Operand) -> Operand:
    if isinstance(part, np.ndarray) and part.dtype == np.float32:
        return part
    return np.asarray(part, np.float64) if isinstance(part, np.ndarray) else float(part)


def _bounded(found: Operand) -> Scalar:
    """A number that no row takes part in, as Python has it."""
    number = np.asarray(found).item()
    if isinstance(number, bool):
        return number
    if isinstance(number, int):
        if abs(number) > LARGEST:
            raise InputError("a whole number in an expression is at most 2**53")
        return number
    if not isinstance(number, float):
        raise InputError("an expression works with real numbers only")
    return number


def _check_whole(*operands: Operand) -> None:
    if any(_kind(part) not in "biu" for part in operands):
        raise InputError("&, |, ^ and ~ take conditions or whole numbers")


def _kind(part: Operand) -> str:
    return np.asarray(part).dtype.kind


def _as_array(found: Operand, count: int) -> Array:
    if isinstance(found, np.ndarray) and found.ndim:
        return found
    return np.full(count, found)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:37]}...")


_WORDS: dict[type[ast.AST], str] = {
    ast.Attribute: "attributes of objects, such as x.y",
    ast.Lambda: "lambda",
    ast.JoinedStr: "formatted text",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.MatMult: "@",
    ast.Slice: "slices",
    ast.List: "lists in brackets: use parentheses behind 'in'",
    ast.Starred: "*",
    ast.NamedExpr: ":=",
}
