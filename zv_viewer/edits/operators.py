"""What an expression may be made of: operators, functions and constants, each by its name. Pure.

Every function works on single rows, so that an answer does not depend on how rows are cut into
blocks.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.generic]
Scalar = bool | int | float
Operand = Array | Scalar

OPERATORS: dict[type[ast.AST], Callable[..., Operand]] = {
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
