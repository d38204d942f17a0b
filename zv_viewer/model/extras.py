"""What the rows of a cell come with beside their place and what they are coloured by."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Extras:
    """Equal ones are the same demand.

    Args:
        kept_by: The filter that says which rows are drawn; None: all are.
        sized_by: The attribute that says how large rows are drawn; None: none does.
        of_objects: Whether rows that nothing joins tell which object they belong to; joined ones
            do anyway.
    """

    kept_by: Hashable | None = None
    sized_by: str | None = None
    of_objects: bool = False


PLAIN_ROWS = Extras()
"""Nothing beside."""
