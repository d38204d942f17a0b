"""Format 0.9 as one object: cells, dense arrays, objects, groups."""

from __future__ import annotations

from zarr_vectors.constants import VERSION_09
from zarr_vectors.core.layouts.v09.dense import Dense09
from zarr_vectors.core.layouts.v09.linking import Links09
from zarr_vectors.core.layouts.v09.naming import Names09
from zarr_vectors.core.layouts.v09.objects import Objects09
from zarr_vectors.core.layouts.v09.packing import Packing09
from zarr_vectors.core.layouts.v09.parametric import Parametric09
from zarr_vectors.core.layouts.v09.touching import TouchingLinks09


class V09Layout(
    Names09,
    Packing09,
    Links09,
    TouchingLinks09,
    Dense09,
    Objects09,
    Parametric09,
):
    """A store in format 0.9.2 over a backend."""

    version = VERSION_09
    splits_paths_by_bin = False
    parents_cross_fragments = False
    links_precede_grouping = False
    families_have_groups = True
