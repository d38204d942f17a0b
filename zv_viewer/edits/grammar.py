"""Text looked through, by an allow-list, before anything of it is worked out. Pure.

Nothing but the operators and functions of :mod:`~zv_viewer.edits.operators` is known: no attribute
of an object, no call of anything else, no text but what categories are compared with.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

from zv_viewer.edits.operators import COLUMN, CONSTANTS, FUNCTIONS, OPERATORS
from zv_viewer.errors import InputError

LONGEST = 2000
"""Characters of an expression."""
DEEPEST = 40
MOST_PARTS = 400
LARGEST = 2**53
"""Whole numbers up to which a number may be written or worked out before any row is seen."""
STEEPEST = 64
"""Largest exponent that may be written."""

_KNOWN = (
    ast.Expression, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare, ast.IfExp, ast.Call, ast.Name,
    ast.Load, ast.Constant, ast.Subscript, ast.Pow, ast.In, ast.NotIn, ast.Tuple, *OPERATORS,
)  # fmt: skip


def look_through(text: str) -> tuple[ast.expr, tuple[str, ...]]:
    """Look an expression through.

    Returns:
        Its tree, and the columns it takes, in the order it names them first.

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
        raise InputError(f"{short(text)} is no expression: {what}") from None
    for parts, (node, depth) in enumerate(_walk(tree)):
        if depth > DEEPEST or parts >= MOST_PARTS:
            raise InputError(f"{short(text)} is too involved: at most {MOST_PARTS} parts")
        _check(node)
    names: dict[str, None] = {}
    _check_strings(tree.body, names)
    return tree.body, tuple(names)


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
        raise InputError(f"{short(node.id)} is not a name an expression may use")
    if isinstance(node, ast.Constant):
        value = node.value
        if type(value) not in (bool, int, float, str):
            raise InputError(f"an expression knows no constant such as {short(repr(value))}")
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
                f"there is no function {short(node.func.id)}; there are {', '.join(FUNCTIONS)}"
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
        raise InputError(f"text such as {short(node.value)} is only compared with categories")
    if isinstance(node, ast.Tuple):
        raise InputError("a list stands only behind 'in'")
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == COLUMN:
            names.setdefault(name_of(node) or "")
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
    texts = [text_of(end) for end in ends]
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
            text_of(part) is not None for part in listed.elts
        )
        if not known:
            raise InputError("behind 'in' stand categories, as in kind in ('a', 'b')")
        subject = node.left
    else:
        subject = node.left if texts[0] is None else node.comparators[0]
    name = name_of(subject)
    if name is None:
        raise InputError("only a name is compared with categories")
    names.setdefault(name)


def text_of(node: ast.expr) -> str | None:
    """The text a part is; None where it is none."""
    found = node.value if isinstance(node, ast.Constant) else None
    return found if isinstance(found, str) else None


def name_of(node: ast.expr) -> str | None:
    """The column or constant a part names; None where it names none.

    Raises:
        InputError: ``column()`` of something that is no text.
    """
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == COLUMN:
        text = text_of(node.args[0])
        if text is None:
            raise InputError('column takes a name in quotes, as in column("a-name")')
        return text
    return None


def short(text: str) -> str:
    """Text as a sentence quotes it: not all of it where it is long."""
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
