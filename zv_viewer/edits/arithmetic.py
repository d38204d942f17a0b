"""The value of an expression that has been looked through, over columns of rows. Pure."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from zv_viewer.edits.columns import Values, codes_of
from zv_viewer.edits.grammar import LARGEST, name_of, short, text_of
from zv_viewer.edits.operators import CONSTANTS, FUNCTIONS, OPERATORS, Array, Operand, Scalar
from zv_viewer.errors import InputError


class Work:
    """Works out values of trees that :func:`~zv_viewer.edits.grammar.look_through` gives.

    Args:
        columns: Name -> values of each column the tree takes.
    """

    def __init__(self, columns: Mapping[str, Values]) -> None:
        self._columns = columns
        self._whole: dict[str, Array] = {}

    def value(self, node: ast.expr) -> Operand:
        """The value of a tree, a number where no row takes part.

        Raises:
            InputError: Columns that do not go together, or categories used as numbers.
        """
        name = name_of(node)
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
            return _applied(OPERATORS[type(node.op)], left, right)
        if isinstance(node, ast.UnaryOp):
            return self._signed(node)
        if isinstance(node, ast.IfExp):
            return _applied(np.where, *map(self.value, (node.test, node.body, node.orelse)))
        assert isinstance(node, ast.BoolOp)  # noqa: S101  looked through
        found = self.value(node.values[0])
        for part in node.values[1:]:
            found = _applied(OPERATORS[type(node.op)], found, self.value(part))
        return found

    def _signed(self, node: ast.UnaryOp) -> Operand:
        found = self.value(node.operand)
        if isinstance(node.op, ast.Invert):
            _check_whole(found)
        elif isinstance(node.op, ast.USub | ast.UAdd) and _kind(found) == "b":
            found = np.asarray(found, np.int64)
        return _applied(OPERATORS[type(node.op)], found)

    def _numbers(self, name: str) -> Array:
        values = self._columns[name]
        if values.categories is not None:
            raise InputError(
                f"{name!r} holds categories: compare it with one, as in {name} == "
                f"{values.categories[0] if values.categories else ''!r}"
            )
        found = values.rows
        if found.dtype.kind not in "iu" or found.dtype == "u8":
            return found
        # whole numbers are counted with in 64 bits, so that sums of small types do not wrap
        if name not in self._whole:
            self._whole[name] = found.astype(np.int64)
        return self._whole[name]

    def _column(self, node: ast.Subscript) -> Operand:
        name = name_of(node.value)
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
            texts = [text_of(part) or "" for part in listed.elts]
            found = self._is(node.left, texts)
            return ~found if isinstance(node.ops[0], ast.NotIn) else found
        for place, end in enumerate(ends):
            text = text_of(end)
            if text is not None:
                found = self._is(ends[1 - place], [text])
                return ~found if isinstance(node.ops[0], ast.NotEq) else found
        left, answer = self.value(ends[0]), None
        for op, end in zip(node.ops, ends[1:], strict=True):  # no more than two ends are held
            right = self.value(end)
            one = _applied(OPERATORS[type(op)], left, right)
            answer = one if answer is None else _applied(np.logical_and, answer, one)
            left = right
        assert answer is not None  # noqa: S101  a comparison has two ends
        return answer

    def _is(self, node: ast.expr, texts: list[str]) -> npt.NDArray[np.bool_]:
        values = self._columns[name_of(node) or ""]
        if values.categories is None:
            raise InputError(f"{name_of(node)!r} holds numbers, not categories")
        unknown = next((text for text in texts if text not in values.categories), None)
        if unknown is not None:
            known = ", ".join(map(repr, values.categories[:6]))
            raise InputError(f"{name_of(node)!r} has no category {short(unknown)}; it has {known}")
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


def as_array(found: Operand, count: int) -> Array:
    """(count,) or (count, C) values, the same in every row where it is a number."""
    if isinstance(found, np.ndarray) and found.ndim:
        return found
    return np.full(count, found)
