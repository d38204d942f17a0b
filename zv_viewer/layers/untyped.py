"""Names for what vispy and napari hand over without types."""

from __future__ import annotations

from typing import Any, TypeAlias

Node: TypeAlias = Any
"""A vispy visual or node."""

Transform: TypeAlias = Any
"""A vispy transform."""

NapariEvent: TypeAlias = Any
"""An event of napari, or None."""

NapariValue: TypeAlias = Any
"""An argument or result of a napari method we only pass on."""
