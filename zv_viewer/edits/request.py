"""What is asked for: an attribute to be written, and what is kept of how it came to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from zv_viewer.edits.columns import Kind
from zv_viewer.edits.scopes import Scope
from zv_viewer.edits.sources import Source

PROVENANCE = "zarr_vectors_provenance"
"""Key of an attribute's metadata that says where its values come from."""

Progress = Callable[[float, str], None]
"""Called with the share done, 0 to 1, and what is being done."""


@dataclass(frozen=True, eq=False, slots=True)
class Request:
    """An attribute to be written.

    Attributes:
        name: Its name.
        scope: Whose values.
        source: Where they come from.
        level: The level they are of.
        dtype: Stored dtype of numbers; that of the values when None.
        aggregation: How coarser levels get theirs; the usual way when None.
        carry: Whether the levels made from this one get it too.
        replace: Whether one of that name may be replaced.
        unit: Unit of the values.
        description: What they are.
    """

    name: str
    scope: Scope
    source: Source
    level: int = 0
    dtype: str | None = None
    aggregation: str | None = None
    carry: bool = True
    replace: bool = False
    unit: str | None = None
    description: str | None = None


def usual_aggregation(kind: Kind) -> str:
    """How coarser levels get values where nobody says."""
    return "mode" if kind.categories is not None or kind.dtype.kind == "b" else "mean"


def provenance(request: Request, kind: Kind, *, carried: bool) -> dict[str, Any]:
    """What is kept with the attribute; ``carried``: coarser levels get it too."""
    found = dict(request.source.provenance())
    if carried and request.scope != "object":
        found["aggregation"] = request.aggregation or usual_aggregation(kind)
    found["time"] = datetime.now(UTC).isoformat(timespec="seconds")
    found["program"] = f"zv-viewer {version('zv-viewer')}"
    return found
