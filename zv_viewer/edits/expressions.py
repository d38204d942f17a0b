"""Arithmetic over columns of numbers, typed by a user: never run as Python. Pure."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from zv_viewer.edits.arithmetic import Work, as_array
from zv_viewer.edits.columns import Values
from zv_viewer.edits.grammar import look_through
from zv_viewer.edits.operators import Array
from zv_viewer.errors import InputError


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
        work = Work({name: columns[name] for name in self.names})
        with np.errstate(all="ignore"):
            found = as_array(work.value(self._tree), count)
        if found.dtype.kind not in "biuf" or found.dtype.itemsize > 8:
            raise InputError(f"{self.text!r} gives {found.dtype}, which cannot be stored")
        return found


def parse(text: str) -> Expression:
    """Look an expression through.

    Raises:
        InputError: It is no expression, too long, or holds what is not known here; the sentence
            says what.
    """
    tree, names = look_through(text)
    return Expression(text.strip(), names, tree)
