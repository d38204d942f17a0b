"""What gives the values of an attribute: opened for some rows, then asked run by run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from zarr_vectors.multiresolution.scratch import Scratch
from zv_viewer.edits.columns import Array, Kind
from zv_viewer.edits.scopes import Rows, Run

Check = Callable[[], None]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Column:
    """Values ready to be written.

    Attributes:
        kind: What they are.
        of: The values of a run, as ``kind`` says; of objects those without one are masked.
        notes: Sentences about what did not match.
    """

    kind: Kind
    of: Callable[[Run], Array]
    notes: tuple[str, ...] = ()


class Source(Protocol):
    """Where values come from."""

    def open(self, rows: Rows, scratch: Scratch, check: Check) -> Column:
        """The values for some rows.

        Raises:
            InputError: They do not fit; the sentence says what does not.
        """
        ...

    def provenance(self) -> dict[str, Any]:
        """How they came to be, as kept with the attribute; names no folder."""
        ...
